#!/bin/bash
# What a program sees of its isolation in a default container, and that it is what it would see under
# docker: crun and runc run it beside wherry, with docker's defaults written out as an OCI bundle.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

INSIDE=$BUILD/tests/security/inside
ESCAPE=$BUILD/tests/security/escape

under_wherry() { wherry run -v "$INSIDE:/inside:ro" "$@" busybox /inside; }

# What doesn't depend on the run: no inode numbers, no order.
comparable() { grep -E '^(Cap|no_new_privs|path|device|parameter) ?' | sort; }

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

# Who has them in its session's keyring may read keys that are not its user's.
no_keys() {
	local option
	contains "$("$ESCAPE" with-key "$ESCAPE" key)" GOT
	for option in seccomp=builtin seccomp=unconfined; do
		contains "$("$ESCAPE" with-key "$WHERRY" --root "$STORE" --state "$STATE" run -v "$ESCAPE:/escape:ro" \
			--security-opt "$option" busybox /escape key)" "held key"
	done
}

bundle() { # PROGRAM…
	if [ ! -d "$SCRATCH/bundle" ]; then
		mkdir -p "$SCRATCH/bundle"
		cp -a "$(rootfs busybox)" "$SCRATCH/bundle/rootfs"
		cp "$INSIDE" "$SCRATCH/bundle/rootfs/inside"
	fi
	python3 "$TOP/tests/lib/bundle.py" rootfs --seccomp -- "$@" >"$SCRATCH/bundle/config.json"
}

# under RUNTIME PROGRAM…: crun refuses a machine that has cgroup v1 with some controllers on v2: it sees v1 alone.
under() {
	local runtime=$1
	shift
	bundle "$@"
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -c 'if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi
		exec "$1" --root "$2" run -b "$3" "$4"' sh "$runtime" "$SCRATCH/$runtime" "$SCRATCH/bundle" "inside$ID"
}

as_docker() { # RUNTIME
	under "$1" /inside >"$SCRATCH/theirs"
	equal "$(under_wherry | comparable)" "$(comparable <"$SCRATCH/theirs")"
	equal "$(grep -c '^descriptor' "$SCRATCH/theirs")" "$(under_wherry | grep -c '^descriptor')"
}

# The newest call that Debian 12's libseccomp has: what came later, the runtimes cannot allow.
KNOWN=456

# Calls whose verdicts differ. Where there is no call, docker may say EPERM: here it is ENOSYS.
differences() {
	awk -v known="$KNOWN" 'FNR == NR { theirs[$2] = $3; next }
		$2 <= known && $3 != theirs[$2] && !($3 == "unknown" && theirs[$2] == "refused")' "$SCRATCH/theirs" -
}

calls_as_docker() { # RUNTIME
	under "$1" /inside calls >"$SCRATCH/theirs"
	[ "$(wc -l <"$SCRATCH/theirs")" -gt 450 ]
	equal "$(wherry run -v "$INSIDE:/inside:ro" busybox /inside calls | differences)" ""
	contains "$(wherry run -v "$INSIDE:/inside:ro" --security-opt seccomp=unconfined busybox /inside calls | differences)" " made"
}

it "is as tight as docker's default, for root and for others" verified
it "has its own namespaces, but for users and time" own_namespaces
it "has no capability without root, or where all are dropped" no_rights
it "hands on no inheritable capability of wherry's caller" nothing_inherited
if "$ESCAPE" with-key "$(type -P true)"; then
	it "has no key of its caller's session, without seccomp either" no_keys
else
	skip "has no key of its caller's session, without seccomp either" "this kernel has no keys"
fi
for runtime in crun runc; do
	if type -P "$runtime" >/dev/null; then
		it "sees what it would see under docker: capabilities, paths, devices ($runtime)" as_docker "$runtime"
		it "gets what it would get under docker from each system call ($runtime)" calls_as_docker "$runtime"
	else
		skip "sees what it would see under docker ($runtime)" "no $runtime here"
	fi
done
finish_clean
