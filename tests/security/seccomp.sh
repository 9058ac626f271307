#!/bin/bash
# What --security-opt does, and the default profile beside libseccomp's verdict and the kernel's headers.
. "$(dirname "$0")/../lib/lib.sh"

TARGETS="x86_64 aarch64 arm riscv64"
COMPILER="$TOP/launcher/seccomp/calls.c $TOP/launcher/seccomp/policy.c \
	$TOP/launcher/seccomp/default.c $TOP/launcher/seccomp/filter.c"

build() { # PRODUCT TARGET SOURCE… [OPTION…]
	local product=$1 target=$2
	shift 2
	# shellcheck disable=SC2086
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -I"$TOP" -DSECCOMP_TARGET="TARGET_$target" \
		-o "$SCRATCH/$product" $COMPILER "$@"
}

agrees_with_libseccomp() { # TARGET
	build verdicts "$1" "$TOP"/tests/security/seccomp/{docker,verdicts}.c -lseccomp
	"$SCRATCH/verdicts" "$TOP/tests/security/seccomp/docker.rules"
}

notices_a_rule() { # RULE REPLACEMENT
	sed "s/$1/$2/" "$TOP/tests/security/seccomp/docker.rules" >"$SCRATCH/other.rules"
	if cmp "$TOP/tests/security/seccomp/docker.rules" "$SCRATCH/other.rules"; then return 1; fi
	if "$SCRATCH/verdicts" "$SCRATCH/other.rules" >"$SCRATCH/said"; then
		echo "not noticed: $1 as ${2:-nothing}"
		return 1
	fi
	contains "$(cat "$SCRATCH/said")" "libseccomp"
}

notices_differences() {
	build verdicts x86_64 "$TOP"/tests/security/seccomp/{docker,verdicts}.c -lseccomp
	notices_a_rule "getrandom " ""
	notices_a_rule "arg 0 EQ 39" "arg 0 EQ 38"
	notices_a_rule "MASKED_EQ 2114060288" "MASKED_EQ 2113929216"
	notices_a_rule "cap SYS_BOOT" "cap SYS_TIME"
	notices_a_rule "mseal " ""
}

# numbers_of CC HEADER ABI: the ABI's calls as the kernel's headers number them
numbers_of() {
	local include="#include <$2>" name number
	echo "$include" | "$1" -E -dM - |
		sed -n 's/^#define \(__\(ARM_\)\{0,1\}NR_\([a-z_][a-z0-9_]*\)\) .*/@ABI \3 \1/p' |
		grep -v ' \(syscalls\|arch_specific_syscall\) ' >"$SCRATCH/names"
	# The headers take this constant from another that musl's don't have.
	{ echo "$include"; echo "#undef __X32_SYSCALL_BIT"; echo "#define __X32_SYSCALL_BIT 0x40000000"
	  cat "$SCRATCH/names"; } | "$1" -E -P - | sed -n 's/^@ABI //p' |
		while read -r name number; do
			echo "$3 $name $((number))"
		done
}

# The newest number that the table has; what headers have above it came later.
NEWEST=471

has_headers_numbers() { # TARGET CC (HEADER ABI)…
	local compiler=$2 count
	build numbers "$1" "$TOP/tests/security/seccomp/numbers.c"
	shift 2
	: >"$SCRATCH/ours"
	while [ $# -gt 0 ]; do
		"$SCRATCH/numbers" | grep "^$2 " >>"$SCRATCH/ours"
		numbers_of "$compiler" "$1" "$2"
		shift 2
	done | awk -v newest="$NEWEST" '$3 % 1073741824 <= newest || $3 % 1073741824 >= 512' |
		sort >"$SCRATCH/theirs"
	sort -o "$SCRATCH/ours" "$SCRATCH/ours"
	count=$(wc -l <"$SCRATCH/theirs")
	[ "$count" -gt 300 ] || { echo "only $count numbers in the headers"; return 1; }
	equal "$(comm -13 "$SCRATCH/ours" "$SCRATCH/theirs")" ""
	# What headers lack: what is newer, or was put into a gap.
	equal "$(comm -23 "$SCRATCH/ours" "$SCRATCH/theirs" | awk '
		FNR == NR { if ($3 < 512 && $3 > last) last = $3; next }
		$3 % 1073741824 <= last && $2 !~ /^(uretprobe|uprobe|riscv_hwprobe)$/' "$SCRATCH/theirs" -)" ""
}

headers_if_there() { # TARGET CC (HEADER ABI)…
	local sentence="has the numbers of the kernel's headers: $1"
	if ! command -v "$2" >/dev/null; then
		skip "$sentence" "$2 is not installed"
		return
	fi
	it "$sentence" has_headers_numbers "$@"
}

# ---- in containers

prepare() {
	mkdir -p "$SCRATCH/image/bin"
	cp "$(command -v busybox)" "$SCRATCH/image/bin/busybox"
	gcc -static -O1 -Wall -Wextra -Werror -o "$SCRATCH/image/bin/probe" "$TOP/tests/security/seccomp/probe.c"
}

# A call that is missing may also show as a container that never ends.
run() { timeout -k 5 "$PATIENCE" "$WHERRY" --root "$SCRATCH/store" --state "$SCRATCH/state" run "$@"; }

# try OPTION… -- NUMBER [ARGUMENT…]: what the call comes to in a container
try() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	run "${options[@]}" "$SCRATCH/image" probe "$@"
}

number() { # NAME [ABI]
	awk -v name="$1" -v abi="$2" '$1 == abi && $2 == name { print $3 }' "$SCRATCH/numbers.own"
}
own() { number "$1" "$OWN_ABI"; }

is_filtered() {
	local status
	status=$(run "$SCRATCH/image" busybox cat /proc/self/status)
	contains "$status" "Seccomp:	2"
	contains "$status" "NoNewPrivs:	0"
	equal "$(try -- "$(own keyctl)")" EPERM
	equal "$(try -- "$(own unshare)" 0x10000000)" EPERM
	equal "$(try -- "$(own clone)" 0x10000000)" EPERM
	equal "$(try -- "$(own personality)" 0xffffffff)" 0
	equal "$(try -- "$(own personality)" 0x0040000)" EPERM
}

lets_init_and_users() {
	equal "$(run --user 1000:1000 "$SCRATCH/image" busybox id -u)" 1000
	contains "$(run --user 1000 "$SCRATCH/image" busybox cat /proc/self/status)" "Seccomp:	2"
	contains "$(run --no-init "$SCRATCH/image" busybox cat /proc/self/status)" "Seccomp:	2"
}

answers_enosys() {
	local number
	for number in "$(own clone3)" 500 600 1000 100000; do
		equal "$(try -- "$number" 0 0)" ENOSYS
	done
}

refuses_families() {
	equal "$(try -- "$(own socket)" 40 1 0)" EPERM
	equal "$(try -- "$(own socket)" 38 5 0)" EPERM
	equal "$(try -- "$(own socket)" 1 1 0)" 0
	equal "$(try --security-opt seccomp=unconfined -- "$(own socket)" 9999 1 0)" EAFNOSUPPORT
}

# The kernel takes the lower half as the family: no other filter than this one is asked.
refuses_wide_families() {
	equal "$(try -- "$(own socket)" 0x100000028 1 0)" EPERM
	equal "$(try -- "$(own socket)" 0x100000026 5 0)" EPERM
	equal "$(try -- "$(own socket)" 0x100000001 1 0)" 0
}

filters_32_bits() {
	equal "$(try -- -32 "$(number getpid SCMP_ARCH_X86)")" 0
	equal "$(try -- -32 "$(number keyctl SCMP_ARCH_X86)")" EPERM
	equal "$(try -- -32 "$(number unshare SCMP_ARCH_X86)" 0x10000000)" EPERM
	equal "$(try -- -32 "$(number clone SCMP_ARCH_X86)" 0x10000000)" EPERM
	equal "$(try -- -32 "$(number socket SCMP_ARCH_X86)" 40 1 0)" EPERM
	equal "$(try -- -32 "$(number clock_gettime64 SCMP_ARCH_X86)" 1 0)" EFAULT
	equal "$(try -- -32 1000)" ENOSYS
	equal "$(try --security-opt seccomp=unconfined -- -32 "$(number unshare SCMP_ARCH_X86)" 0)" 0
}

follows_capabilities() {
	equal "$(try -- "$(own unshare)" 0)" EPERM
	equal "$(try --cap-add SYS_ADMIN -- "$(own unshare)" 0)" 0
	equal "$(try --cap-add SYS_ADMIN -- "$(own keyctl)")" EPERM
	equal "$(try --cap-drop SYS_CHROOT -- "$(own chroot)" 0)" EPERM
	equal "$(try -- "$(own chroot)" 0)" EFAULT
}

is_unconfined() {
	contains "$(run --security-opt seccomp=unconfined "$SCRATCH/image" busybox cat /proc/self/status)" \
		"Seccomp:	0"
	contains "$(run --privileged "$SCRATCH/image" busybox cat /proc/self/status)" "Seccomp:	0"
	contains "$(run --privileged --security-opt seccomp=builtin "$SCRATCH/image" busybox cat \
		/proc/self/status)" "Seccomp:	2"
}

takes_a_profile() {
	cat >"$SCRATCH/profile.json" <<-'END'
	{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": [ "SCMP_ARCH_X86_64" ],
	  "syscalls": [ { "names": [ "mkdir", "mkdirat" ], "action": "SCMP_ACT_ERRNO", "errnoRet": 28 } ] }
	END
	cd "$SCRATCH" || return 1
	fails_with 1 "No space left on device" \
		run --security-opt seccomp=profile.json "$SCRATCH/image" busybox mkdir /x
	run "$SCRATCH/image" busybox mkdir /x
	equal "$(try --security-opt seccomp:profile.json -- "$(own keyctl)" 0)" EINVAL
}

# That of containers-common, which podman runs with: it names calls twice, with different actions.
takes_podmans() {
	local status
	status=$(run --security-opt seccomp=/usr/share/containers/seccomp.json "$SCRATCH/image" busybox cat /proc/self/status)
	contains "$status" "Seccomp:	2"
	equal "$(try --security-opt seccomp=/usr/share/containers/seccomp.json -- "$(own bpf)" 0)" EPERM
}

names_what_it_needs() {
	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "names": [ "prctl" ],
		"action": "SCMP_ACT_KILL_PROCESS" } ] }' >"$SCRATCH/needs.json"
	fails_with 125 "seccomp profile $SCRATCH/needs.json: it forbids prctl" \
		run --security-opt seccomp="$SCRATCH/needs.json" "$SCRATCH/image" busybox true
	fails_with 125 "open seccomp profile $SCRATCH/none.json: No such file or directory" \
		run --security-opt seccomp="$SCRATCH/none.json" "$SCRATCH/image" busybox true
	fails_with 125 "it is not a file of at most 1 MiB" \
		run --security-opt seccomp=/dev/zero "$SCRATCH/image" busybox true
}

# No more than what wherry says that it needs, and what a C library does.
needs_no_more() {
	local name
	cat >"$SCRATCH/least.json" <<-'END'
	{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [ { "action": "SCMP_ACT_ALLOW", "names": [
	  "capset", "chdir", "vfork", "clone", "execve", "exit_group", "fcntl", "fcntl64", "getcwd", "kill",
	  "mmap", "mmap2", "poll", "ppoll", "prctl", "rt_sigaction", "rt_sigprocmask", "rt_sigtimedwait",
	  "rt_sigtimedwait_time64", "setgid", "setgid32", "setgroups", "setgroups32", "setuid",
	  "setuid32", "wait4", "waitid", "write" ] }, { "action": "SCMP_ACT_ALLOW", "names": [
	  "arch_prctl", "set_tls", "brk", "mprotect", "set_tid_address", "getpid" ] } ] }
	END
	equal "$(try --security-opt seccomp="$SCRATCH/least.json" -- "$(own getpid)")" 0
	for name in execve wait4 setgid; do
		sed "s/\"$name\",//; s/\"waitid\",//; s/\"setgid32\",//" "$SCRATCH/least.json" >"$SCRATCH/less.json"
		fails_with 125 "it forbids $name" \
			run --security-opt seccomp="$SCRATCH/less.json" "$SCRATCH/image" probe 0
	done
}

holds_privileges() {
	contains "$(run --security-opt no-new-privileges "$SCRATCH/image" busybox cat /proc/self/status)" \
		"NoNewPrivs:	1"
	contains "$(run --security-opt no-new-privileges:true --security-opt seccomp=unconfined \
		"$SCRATCH/image" busybox cat /proc/self/status)" "NoNewPrivs:	1"
	contains "$(run --security-opt no-new-privileges=false "$SCRATCH/image" busybox cat \
		/proc/self/status)" "NoNewPrivs:	0"
}

refuses_others() {
	fails_with 125 "--security-opt: 'apparmor=x' is not one that wherry has" \
		run --security-opt apparmor=x "$SCRATCH/image" busybox true
	fails_with 125 "--security-opt: 'label=type:x' is not one" \
		run --security-opt label=type:x "$SCRATCH/image" busybox true
	# what is so anyway
	run --security-opt apparmor=unconfined --security-opt apparmor:unconfined --security-opt label=disable \
		"$SCRATCH/image" busybox true
	fails_with 125 "--security-opt: 'seccomp' is not one" \
		run --security-opt seccomp "$SCRATCH/image" busybox true
	fails_with 125 "no-new-privileges takes true or false, not 'maybe'" \
		run --security-opt no-new-privileges=maybe "$SCRATCH/image" busybox true
}

for target in $TARGETS; do
	it "gives libseccomp's verdict on every call: $target" agrees_with_libseccomp "$target"
done
it "tells a profile apart that differs by one rule" notices_differences
headers_if_there x86_64 x86_64-linux-gnu-gcc asm/unistd_64.h SCMP_ARCH_X86_64 \
	asm/unistd_x32.h SCMP_ARCH_X32 asm/unistd_32.h SCMP_ARCH_X86
headers_if_there aarch64 aarch64-linux-gnu-gcc asm/unistd.h SCMP_ARCH_AARCH64
headers_if_there arm arm-linux-gnueabihf-gcc asm/unistd.h SCMP_ARCH_ARM
headers_if_there riscv64 riscv64-linux-gnu-gcc asm/unistd.h SCMP_ARCH_RISCV64

arch=${BUILD##*/}
build numbers "${arch/armhf/arm}" "$TOP/tests/security/seccomp/numbers.c"
"$SCRATCH/numbers" >"$SCRATCH/numbers.own"
OWN_ABI=$(head -n 1 "$SCRATCH/numbers.own" | cut -d' ' -f1)
it "makes an image" prepare
it "filters a container by default" is_filtered
if [ "$(id -u)" -eq 0 ]; then
	it "lets every user and init do what they do" lets_init_and_users
else
	skip "lets every user and init do what they do" "an ordinary user's container may have one id alone"
fi
it "answers ENOSYS to clone3 and to what it doesn't know" answers_enosys
it "refuses vsock and the crypto API's sockets" refuses_families
if [ "$(getconf LONG_BIT)" = 64 ]; then
	it "refuses them with bits above the kernel's int too" refuses_wide_families
fi
if [ "$arch" = x86_64 ] && "$SCRATCH/image/bin/probe" -32 20 >/dev/null 2>&1; then
	it "filters 32-bit programs on a 64-bit kernel" filters_32_bits
else
	skip "filters 32-bit programs on a 64-bit kernel" "this kernel runs none that the probe can be"
fi
it "lets capabilities make their calls" follows_capabilities
it "filters nothing with seccomp=unconfined and --privileged" is_unconfined
it "takes a profile from a file" takes_a_profile
if [ -e /usr/share/containers/seccomp.json ]; then
	it "takes podman's profile" takes_podmans
else
	skip "takes podman's profile" "containers-common is not installed"
fi
it "names the call that a profile must not forbid" names_what_it_needs
it "needs no more of a profile than it says" needs_no_more
it "sets no_new_privs" holds_privileges
it "refuses other security options" refuses_others
finish
