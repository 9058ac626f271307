# Virtual machines for tests, on Debian's own kernels, emulated: no privilege and no KVM needed. To be
# read after lib.sh.
#
#	VM_SUITE=bullseye VM_FLAVOUR=cloud-amd64 VM_ARCH=amd64	# which kernel; the default: this Debian's
#	read -r kernel modules < <(vm_kernel)
#	vm_modules DIR/modules overlay loop	# to be loaded in DIR/modules/order's order
#	vm_boot DIR 'console=ttyS0 … rdinit=/init -- program' [QEMU OPTION…]	# waits for its end
#	vm_start …; vm_monitor 'sendkey ctrl-alt-delete'; vm_wait SECONDS
#
# DIR becomes the initramfs. What the machine printed is in $VM_LOG, its exit status in $VM_STATUS.
# A reset ends it, as a power-off does; the kernel's last line tells them apart.
VM_CACHE=$TOP/build/vm
VM_LOG=$SCRATCH/console
VM_SECONDS=${VM_SECONDS:-120}
VM_SUITE=$(. /etc/os-release && echo "${VERSION_CODENAME:-none}")
VM_ARCH=amd64
VM_FLAVOUR=cloud-amd64
VM_STATUS=''
vm_pid=''

# QEMU with the machine, and where its console is.
declare -A vm_qemu=(
	[amd64]="qemu-system-x86_64 -M q35"
	[arm64]="qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a53"
	[armhf]="qemu-system-arm -M virt,highmem=off -cpu max"
	[riscv64]="qemu-system-riscv64 -M virt"
)
declare -A vm_console=([amd64]=ttyS0 [arm64]=ttyAMA0 [armhf]=ttyAMA0 [riscv64]=ttyS0)

# Prints the path of the kernel and that of its modules' directory, or says why there is none.
vm_kernel() {
	local dir
	dir=$(vm_unpacked "linux-image-$VM_FLAVOUR") || return 1
	echo "$dir"/boot/vmlinu[xz]-* "$dir"/lib/modules/*
}

# vm_unpacked PACKAGE: prints the directory of what is in it. Fetched once, verified by apt, and never installed.
vm_unpacked() {
	local dir=$VM_CACHE/$VM_SUITE-$VM_ARCH/$1
	[ -e "$dir/stamp" ] || vm_fetch "$1" "$dir" >&2 || return 1
	echo "$dir"
}

vm_fetch() (
	set -euo pipefail
	shopt -s nullglob
	package=$1 dir=$2
	mkdir -p "$VM_CACHE"
	exec 9>"$VM_CACHE/lock"
	flock 9
	[ ! -e "$dir/stamp" ] || exit 0
	work=$(mktemp -d "$VM_CACHE/tmp.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	cd "$work"
	vm_download "$package"
	mkdir root
	# What machines like these have no use for, nine tenths of a kernel.
	dpkg-deb --fsys-tarfile ./*.deb | tar -x -C root --exclude '*/drivers/gpu' --exclude '*/drivers/media' \
		--exclude '*/drivers/net' --exclude '*/drivers/scsi' --exclude '*/drivers/usb' \
		--exclude '*/drivers/iio' --exclude '*/drivers/infiniband' --exclude '*/kernel/sound'
	[ ! -d root/usr/lib/modules ] || mv root/usr/lib root/
	touch root/stamp
	rm -rf "$dir"
	mkdir -p "${dir%/*}"
	mv root "$dir"
)

# On a state of apt's own, which knows the suite and the architecture. A kernel's name leads to its newest.
vm_download() {
	local name
	say() { echo "$VM_SUITE: $*"; }
	die() { say "$*"; exit 1; }
	apt=$VM_CACHE/apt/$VM_SUITE-$VM_ARCH debian=$VM_ARCH apt_suite=$VM_SUITE
	. "$TOP/rootfs/deps/apt.sh"
	find "$apt" -name updated -mtime +0 -delete 2>/dev/null || [ ! -d "$apt" ]
	apt_update
	name=$(apt-cache -c "$apt/apt.conf" depends "$1" 2>/dev/null |
		sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)/\1/p' | head -n 1) || true
	apt_get -qq download "${name:-$1}" ||
		{ rm -f "$apt/updated"; die "apt cannot fetch ${name:-$1} for $VM_ARCH"; }
}

# vm_modules DIR NAME…: these and what they need, decompressed; DIR/order has their paths.
vm_modules() {
	local to=$1 modules name
	shift
	read -r _ modules < <(vm_kernel)
	mkdir -p "$to"
	touch "$to/order"
	for name; do vm_module "$modules" "$to" "$name"; done
}

vm_module() {
	local modules=$1 to=$2 name=$3 file out need
	file=$(find "$modules/kernel" -name "${name//[-_]/[-_]}.ko*" -print -quit)
	if [ -z "$file" ]; then
		grep -q "/${name//[-_]/[-_]}\.ko$" "$modules/modules.builtin" && return
		echo "$modules has no $name" >&2
		return 1
	fi
	out=$to/$(basename "${file%.xz}")
	[ ! -e "$out" ] || return 0
	case $file in *.xz) xz -dc "$file" >"$out" ;; *) cp "$file" "$out" ;; esac
	for need in $(grep -zao '^depends=.*' "$out" | tr -d '\0' | sed 's/^depends=//; s/,/ /g'); do
		vm_module "$modules" "$to" "$need"
	done
	echo "/${to##*/}/${out##*/}" >>"$to/order"
}

# vm_start DIR COMMAND_LINE [QEMU OPTION…]
#
# One thread for all processors: with one each, QEMU 7.2 now and then lets a processor see half of what
# another one writes into the kernel's code (static keys), and the kernel stops there.
vm_start() {
	local dir=$1 line=$2 kernel
	shift 2
	read -r kernel _ < <(vm_kernel)
	(cd "$dir" && find . | cpio -o -H newc --quiet) >"$SCRATCH/initramfs"
	rm -f "$SCRATCH/monitor" "$VM_LOG"
	mkfifo "$SCRATCH/monitor"
	${vm_qemu[$VM_ARCH]} -m 256 -accel tcg,thread=single -nodefaults -display none -no-reboot \
		-serial "file:$VM_LOG" -monitor stdio -kernel "$kernel" -initrd "$SCRATCH/initramfs" \
		-append "console=${vm_console[$VM_ARCH]} panic=-1 loglevel=5 $line" "$@" \
		<"$SCRATCH/monitor" >"$SCRATCH/qemu" 2>&1 &
	vm_pid=$!
	exec 8>"$SCRATCH/monitor"
}

vm_monitor() {
	echo "$1" >&8
}

# vm_wait [SECONDS]: for its end. One that takes ten times as long is ended, and that is a failure.
vm_wait() {
	local left=$((${1:-$VM_SECONDS} * 100))
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
