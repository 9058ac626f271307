# For tests that launch containers: behind lib.sh, in its place `finish_clean` for `finish`.
. "$TOP/tests/lib/images.sh"

if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP containers need root here"
	exit 0
fi

STORE=$SCRATCH/store
STATE=$SCRATCH/state

wherry() {
	timeout -k 5 "$PATIENCE" "$WHERRY" --root "$STORE" --state "$STATE" "$@"
}

# load NAME…: images of tests/lib/images.sh, each under its own name.
load() {
	local name
	for name; do
		wherry load -q "$(image "$name" docker)" >/dev/null
	done
}

# start OUT [OPTION…] IMAGE PROGRAM…: runs it in the background, its output in $SCRATCH/OUT, and
# waits for the first line of that. Leaves wherry's own pid in $started.
start() {
	local out=$SCRATCH/$1
	shift
	: >"$out"
	"$WHERRY" --root "$STORE" --state "$STATE" run "$@" >"$out" 2>&1 </dev/null &
	started=$!
	eventually grep -q . "$out" || { cat "$out"; return 1; }
}

# ends PID STATUS: a process of ours does, in its own time.
ends() {
	local status=0
	wait "$1" || status=$?
	equal "$status" "$2"
}

# inside PID NAME: the pid, seen from outside, of the process NAME below PID.
inside() {
	local child found
	for child in $(pgrep -P "$1"); do
		if [ "$(cat "/proc/$child/comm")" = "$2" ]; then
			echo "$child"
			return
		fi
		found=$(inside "$child" "$2")
		if [ -n "$found" ]; then
			echo "$found"
			return
		fi
	done
}

# Every cgroup file system of this machine, "CONTROLLERS PATH" on a line; "unified" for v2.
cgroup_mounts() {
	awk '{ for (i = 1; i < NF; i++) if ($i == "-") type = $(i + 1)
		if (type == "cgroup2") print "unified", $5
		else if (type == "cgroup") print $NF, $5 }' /proc/self/mountinfo
}

# cgroup_file NAME CONTROLLER V1-FILE V2-FILE: the path of the container's file.
cgroup_file() {
	local controllers path
	while read -r controllers path; do
		if [[ ,$controllers, == *,$2,* ]] && [ -e "$path/wherry-$1/$3" ]; then
			echo "$path/wherry-$1/$3"
			return
		elif [ "$controllers" = unified ] && [ -e "$path/wherry-$1/$4" ]; then
			echo "$path/wherry-$1/$4"
			return
		fi
	done < <(cgroup_mounts)
	echo "no $3 or $4 for $1" >&2
	return 1
}

# limits_here CONTROLLER: this machine can limit it.
limits_here() {
	local controllers path
	while read -r controllers path; do
		if [[ ,$controllers, == *,$1,* ]]; then return 0; fi
		if [ "$controllers" = unified ] && grep -qw "$1" "$path/cgroup.controllers"; then return 0; fi
	done < <(cgroup_mounts)
	return 1
}

host_cgroups() {
	local controllers path
	while read -r controllers path; do
		find "$path" -maxdepth 2 -type d -name 'wherry*'
	done < <(cgroup_mounts) | sort
}

# Only what is this test's own is counted: others run at the same time, and somebody's docker too. In namespaces
# of our own (tests/run says so) every mount and process is.
own_mounts() {
	awk -v all="${OWN_NAMESPACES:-}" -v own="$SCRATCH" \
		'all != "" || index($5, own) == 1 { print $4, $5, $6 }' /proc/self/mountinfo
}

# All but this shell, its subshells and what makes this list.
own_processes() {
	[ -n "${OWN_NAMESPACES:-}" ] || return 0
	ps -e -o pid=,ppid=,comm= | awk -v self="$(cat /proc/$$/comm)" \
		'$1 != 1 && $3 != self && $3 !~ /^(unshare|ps|awk|bash|cat|sed|sort|comm)$/'
}

# Those of containers that have a name with $ID in it.
own_cgroups() { host_cgroups | awk -v id="$ID" 'index($0, id)'; }

own_files() {
	find "$STATE" -mindepth 1 2>/dev/null || [ ! -e "$STATE" ]
	find "$STORE/tmp" -mindepth 1 2>/dev/null || [ ! -e "$STORE/tmp" ]
}

host_now() {
	{
		own_mounts | sed 's/^/mount /'
		own_cgroups | sed 's/^/cgroup /'
		own_processes | sed 's/^/process /'
		own_files | sed 's/^/file /'
	} | sort
}

host_before=$(host_now)

# What is there now and wasn't, "+", and the other way round, "-". Processes end when they like.
host_changes() {
	local now
	now=$(host_now)
	{
		comm -13 <(echo "$host_before") <(echo "$now") | sed 's/^/+ /'
		comm -23 <(echo "$host_before") <(echo "$now") | sed -n '/^process/!s/^/- /p'
	} | sort
}

# Half a minute is enough for what ends late; what stays is seen every time.
LOOKS=300
host_unchanged() {
	local left attempt
	left=$(host_changes)
	for ((attempt = 0; attempt < LOOKS; attempt++)); do
		[ -n "$left" ] || return 0
		sleep 0.1
		left=$(comm -12 <(echo "$left") <(host_changes))
	done
	echo "changed, after $attempt looks:" >&2
	echo "$left" >&2
	return 1
}

# As finish, behind a last test.
finish_clean() {
	it "leaves mounts, cgroups, processes and files as they were" host_unchanged
	finish
}
