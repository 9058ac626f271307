# Virtual machines for tests, on Debian's own kernel, emulated: no privilege and no KVM needed. To be
# read after lib.sh.
#
#	read -r kernel modules < <(vm_kernel)
#	vm_boot DIR 'console=ttyS0 … rdinit=/init -- program' [QEMU OPTION…]	# waits for its end
#	vm_start …; vm_monitor 'sendkey ctrl-alt-delete'; vm_wait SECONDS
#
# DIR becomes the initramfs. What the machine printed is in $VM_LOG, its exit status in $VM_STATUS.
# A reset ends it, as a power-off does; the kernel's last line tells them apart.
VM_CACHE=$TOP/build/vm
VM_LOG=$SCRATCH/console
VM_SECONDS=${VM_SECONDS:-120}
VM_STATUS=''
vm_pid=''

# Prints the path of the kernel and that of its modules' directory. Fetched once, verified by apt, and
# never installed.
vm_kernel() {
	[ -e "$VM_CACHE/stamp" ] || vm_fetch >&2
	echo "$VM_CACHE"/boot/vmlinuz-* "$VM_CACHE"/lib/modules/*
}

vm_fetch() (
	set -euo pipefail
	mkdir -p "$VM_CACHE"
	exec 9>"$VM_CACHE.lock"
	flock 9
	[ ! -e "$VM_CACHE/stamp" ] || exit 0
	work=$(mktemp -d "$VM_CACHE.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	cd "$work"
	vm_package || { apt-get -q update && vm_package; }
	dpkg-deb -x ./*.deb root
	rm -rf "$VM_CACHE"
	mkdir -p "$VM_CACHE"
	mv root/boot root/lib "$VM_CACHE"
	touch "$VM_CACHE/stamp"
)

vm_package() {
	local name
	name=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)/\1/p' | head -n 1)
	[ -n "$name" ] || return 1
	apt-get -q -o APT::Sandbox::User=root download "$name"
}

# vm_start DIR COMMAND_LINE [QEMU OPTION…]
vm_start() {
	local dir=$1 line=$2 kernel
	shift 2
	read -r kernel _ < <(vm_kernel)
	(cd "$dir" && find . | cpio -o -H newc --quiet) >"$SCRATCH/initramfs"
	rm -f "$SCRATCH/monitor" "$VM_LOG"
	mkfifo "$SCRATCH/monitor"
	qemu-system-x86_64 -M q35 -m 256 -accel tcg -nodefaults -display none -no-reboot \
		-serial "file:$VM_LOG" -monitor stdio -kernel "$kernel" -initrd "$SCRATCH/initramfs" \
		-append "console=ttyS0 panic=-1 loglevel=5 $line" "$@" \
		<"$SCRATCH/monitor" >"$SCRATCH/qemu" 2>&1 &
	vm_pid=$!
	exec 8>"$SCRATCH/monitor"
}

vm_monitor() {
	echo "$1" >&8
}

# vm_wait [SECONDS]: for its end. One that takes longer is ended, and that is a failure.
vm_wait() {
	local left=$((${1:-$VM_SECONDS} * 10))
	while kill -0 "$vm_pid" 2>/dev/null && [ "$left" -gt 0 ]; do
		sleep 0.1
		left=$((left - 1))
	done
	[ "$left" -gt 0 ] || kill -9 "$vm_pid" 2>/dev/null
	VM_STATUS=0
	wait "$vm_pid" || VM_STATUS=$?
	exec 8>&-
	cat "$SCRATCH/qemu" "$VM_LOG"
	[ "$left" -gt 0 ]
}

# vm_says TEXT: whether it has, until now
vm_says() {
	grep -qaF -e "$1" "$VM_LOG"
}

vm_boot() {
	vm_start "$@"
	vm_wait
}

# For a script in the machine that says of each case "=== NAME", its output, and "=== status N".
#
# case_of NAME: what it printed, and its status on a last line. Reads to the end: a reader that leaves
# kills tr.
case_of() {
	tr -d '\r' <"$VM_LOG" | awk -v name="$1" '
		$0 == "=== " name { inside = 1; found = 1; next }
		inside && /^=== status / { print $3; inside = 0 }
		inside { print }
		END { exit !found }'
}

# prints NAME TEXT STATUS: exactly this.
prints() { equal "$(case_of "$1")" "${2:+$2$'\n'}$3"; }

# says NAME STATUS TEXT…
says() {
	local seen text
	seen=$(case_of "$1")
	equal "$(tail -n 1 <<<"$seen")" "$2"
	shift 2
	for text; do contains "$seen" "$text"; done
}
