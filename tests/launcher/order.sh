#!/bin/bash
# The page that shows a launch, at the head of launcher/container/container.c: it is what happens.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

PAGE=$TOP/launcher/container/container.c

# What a step shows of itself in a trace. Those without a call of their own in this launch have none here.
declare -A SHOWN=(
	[become_tied]='prctl\(PR_SET_PDEATHSIG' [cgroup_enter]='unshare\(CLONE_NEWCGROUP' [close_others]='close_range\('
	[binds_open_volumes]='open_tree\(.*/volume"' [root_mount]='mount\("overlay"' [binds_open_own]='open_tree\(.*/hosts"'
	[mounts_kernel]='mount\("proc"' [devices_make]='mknodat\(.*null' [mount_ipc]='mount\("mqueue"'
	[wait_for_go]='setns\(.*CLONE_NEWNET' [mounts_sys]='mount\("sysfs"' [root_enter]='pivot_root\('
	[sysctl_set_usual]='ip_unprivileged_port_start' [binds_put_own]='"etc/hosts"' [binds_put_volumes]='openat2\(.*"data"'
	[find_user]='"/etc/passwd"' [set_oom_score]='self/oom_score_adj' [connect]='setsid\(' [target_make]='openat2\(.*"work"'
	[root_seal]='mount\(NULL, "/", NULL, MS_RDONLY' [mask]='mount\(.*"keys"' [rlimit_set]='prlimit64\(.*NOFILE'
	[seccomp_install]='seccomp\(SECCOMP_SET_MODE_FILTER' [caps_bound]='PR_CAPBSET_DROP' [user_become]='setgid'
	[caps_set]='capset\(' [become_init]='execve(at)?\('
)

# The inside's column, in its order.
inside_steps() {
	sed -n '/^ \*\toutside/,/^ \* With/p' "$PAGE" | grep -o '[a-z_]*()' | tr -d '()' |
		grep -xf <(printf '%s\n' "${!SHOWN[@]}")
}

traced() {
	local child
	mkdir -p "$SCRATCH/volume"
	strace -f -s 256 -o "$SCRATCH/trace" "$WHERRY" --root "$STORE" --state "$STATE" run --read-only --ulimit nofile=100 \
		--oom-score-adj 10 -w /work -v "$SCRATCH/volume:/data" busybox true
	child=$(sed -n 's/.*clone3(.*= \([0-9]*\)$/\1/p; s/.*<\.\.\. clone3 resumed>.*= \([0-9]*\)$/\1/p' "$SCRATCH/trace" | head -n 1)
	grep "^$child " "$SCRATCH/trace" >"$SCRATCH/inside"
}

order() {
	local step line
	traced
	while read -r step; do
		line=$(grep -nE -m 1 "${SHOWN[$step]}" "$SCRATCH/inside" | cut -d : -f 1 || :)
		[ -n "$line" ] || { echo "$step is not in the trace" >&2; return 1; }
		echo "$line $step"
	done < <(inside_steps) >"$SCRATCH/steps"
	equal "$(sort -n "$SCRATCH/steps")" "$(cat "$SCRATCH/steps")"
	# none that is looked for is missing from the page
	equal "$(wc -l <"$SCRATCH/steps")" "${#SHOWN[@]}"
}

# Each is a function that there is.
names() {
	local name
	for name in $(sed -n '/^\/\*/,/^ \*\//p;/^ \*\//q' "$PAGE" | grep -o '[a-z_]*()' | tr -d '()'); do
		grep -rqE "^[a-z].*[ *]$name\(" "$TOP/launcher" || { echo "there is no $name()"; return 1; }
	done
}

it "shows functions that there are" names
if type -P strace >/dev/null; then
	it "shows them in the order of a traced launch" order
else
	skip "shows them in the order of a traced launch" "no strace here"
fi
finish_clean
