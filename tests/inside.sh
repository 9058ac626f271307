#!/bin/bash
# What a program sees of its isolation in a default container, and that it is what it would see under
# docker: runc runs it beside wherry, with docker's defaults written out as an OCI bundle.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/launch.sh"
load busybox

INSIDE=$BUILD/tests/inside

under_wherry() { wherry run -v "$INSIDE:/inside:ro" "$@" busybox /inside; }

# What doesn't depend on the run: no inode numbers, no order.
comparable() { grep -E '^(Cap|no_new_privs|path|device) ?' | sort; }

verified() {
	wherry run -v "$INSIDE:/inside:ro" busybox /inside verify
	wherry run -v "$INSIDE:/inside:ro" -u 1000 busybox /inside verify
	# it can say no: without seccomp, and with more rights
	fails_with 99 "no seccomp filter" wherry run -v "$INSIDE:/inside:ro" --security-opt seccomp=unconfined busybox /inside verify
	fails_with 99 "effective capabilities" wherry run -v "$INSIDE:/inside:ro" --cap-add SYS_ADMIN busybox /inside verify
	fails_with 99 "/proc/sys/kernel" wherry run -v "$INSIDE:/inside:ro" --privileged busybox /inside verify
}

# All that it has of its own; user and time namespaces only where they are asked for.
own_namespaces() {
	local own
	own=$(comm -13 <("$INSIDE" | grep '^namespace' | sort) <(under_wherry | grep '^namespace' | sort) | cut -d ' ' -f 2)
	equal "$(sort <<<"$own" | paste -sd ' ' -)" "cgroup ipc mnt net pid pid_for_children uts"
}

no_rights() {
	local said
	said=$(under_wherry -u 1000 --security-opt no-new-privileges)
	contains "$said" $'CapEff -\nCapPrm -\n'
	contains "$said" "no_new_privs 1"
	contains "$(under_wherry --cap-drop ALL)" $'CapEff -\nCapPrm -\nCapBnd -\n'
}

# Those reach a program whose file asks for them, whatever the bounding set says (capabilities(7)).
nothing_inherited() {
	local user
	for user in 0 1000; do
		contains "$(setpriv --inh-caps=+sys_admin,+sys_module "$WHERRY" --root "$STORE" --state "$STATE" \
			run -u "$user" busybox cat /proc/self/status)" $'CapInh:\t0000000000000000'
	done
}

bundle() {
	mkdir -p "$SCRATCH/bundle"
	cp -a "$(rootfs busybox)" "$SCRATCH/bundle/rootfs"
	cp "$INSIDE" "$SCRATCH/bundle/rootfs/inside"
	python3 "$TOP/tests/bundle.py" rootfs --seccomp -- /inside >"$SCRATCH/bundle/config.json"
}

as_docker() {
	bundle
	runc --root "$SCRATCH/runc" run -b "$SCRATCH/bundle" "inside$$" >"$SCRATCH/runc.out"
	equal "$(under_wherry | comparable)" "$(comparable <"$SCRATCH/runc.out")"
}

it "is as tight as docker's default, for root and for others" verified
it "has its own namespaces, but for users and time" own_namespaces
it "has no capability without root, or where all are dropped" no_rights
it "hands on no inheritable capability of wherry's caller" nothing_inherited
if type -P runc >/dev/null; then
	it "sees what it would see under docker: capabilities, paths, devices" as_docker
else
	skip "sees what it would see under docker: capabilities, paths, devices" "no runc here"
fi
finish_clean
