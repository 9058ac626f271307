#!/bin/bash
# timeout: 600
# wherry as it is compiled for other processors, on Debian's kernels for them, emulated. What is made for
# ARM without floating point runs on the kernel of those that have it.
# ARCHITECTURES: directories below build/, each with its own wherry: all but this machine's.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/images.sh"
VM_SECONDS=300
. "$TOP/tests/lib/vm.sh"
ARCHITECTURES=${ARCHITECTURES:-aarch64 armhf arm riscv64}

# Each case prints "=== NAME", its output, and "=== status N".
script() {
	cat <<-'END'
	#!/bin/busybox sh
	say() { echo "=== $1"; shift; "$@" 2>&1; echo "=== status $?"; }
	for m in $(cat /modules/order); do insmod $m; done
	say bare /wherry run /image.tar sh -c 'cat /etc/motd /proc/1/comm'
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	say machine uname -m
	say limits /wherry run -m 64M --memory-swap 64M --pids-limit 20 --cpus 0.5 app sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max'
	say oom /wherry run -m 16M --memory-swap 16M app tail /dev/zero
	say held /wherry run app sh -c 'mknod /tmp/v b 259 0; cat /tmp/v; echo x >/dev/null && echo opened'
	say seccomp /wherry run app sh -c 'grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp'
	echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["rt_sigtimedwait_time64"],"action":"SCMP_ACT_ERRNO"}]}' >/profile
	say profile timeout -s KILL 200 /wherry run --security-opt seccomp=/profile app sh -c 'kill -9 $$'
	say user /wherry run -u 1000:1000 app sh -c 'id -u; echo x >/x'
	for program in 'exit 7' 'kill -9 $$'; do say "status-$program" /wherry run app sh -c "$program"; done
	say volume sh -c '/wherry run -v notes:/srv app sh -c "echo kept >/srv/new"; /wherry run -v notes:/srv app cat /srv/message /srv/new'
	say fsck /wherry fsck
	say sha256 /sha256
	say left sh -c 'ls -d /sys/fs/cgroup/wherry-*; ls -A /run/wherry /var/lib/wherry/tmp'
	poweroff -f
	END
}

# busybox_in DIR: Debian's, for the machine's own processor.
busybox_in() {
	local applet package
	package=$(vm_unpacked busybox-static)
	mkdir -p "$1"/{bin,proc,sys,dev,etc,tmp,srv}
	chmod 1777 "$1/tmp"
	cp "$(find "$package" -name busybox -type f -perm -1)" "$1/bin/"
	for applet in sh cat ls grep id insmod kill mknod mount poweroff tail timeout uname; do
		ln -s busybox "$1/bin/$applet"
	done
}

# make_root DIR ARCHITECTURE: the image says which processor it is for.
make_root() {
	local root=$1 name=$2 image=$1.image
	busybox_in "$root"
	busybox_in "$image"
	echo "made for $name" >"$image/etc/motd"
	echo "from the image" >"$image/srv/message"
	layer_tar "$image" "$root/layer.tar"
	make_image "{\"architecture\": \"$name\", \"Env\": [\"PATH=/bin\"]}" app:latest docker-blobs:gzip \
		"$root/image.tar" "$root/layer.tar"
	rm "$root/layer.tar"
	cp "$TOP/build/$architecture/wherry" "$TOP/build/$architecture/tests/rootfs/sha256" "$root/"
	vm_modules "$root/modules" overlay
	script >"$root/init"
	chmod 755 "$root/init"
}

boots() {
	[ -x "$TOP/build/$architecture/wherry" ]
	make_root "$SCRATCH/$architecture" "$1"
	vm_boot "$SCRATCH/$architecture" 'loglevel=1 rdinit=/init' -m 512
	prints bare "made for $1"$'\nwherry-init' 0
	prints machine "$2" 0
}

limits() {
	prints limits $'67108864\n20\n50000 100000' 0
	says oom 137 "wherry: out of memory: the container reached its limit of 16 MiB"
}

isolation() {
	prints held $'cat: can\'t open \'/tmp/v\': Operation not permitted\nopened' 0
	prints seccomp $'Seccomp:\t2\nmount: permission denied (are you root?)' 1
	says user 1 1000 "can't create /x: Permission denied"
	case $architecture in
	arm*) says profile 125 "/profile: it forbids rt_sigtimedwait_time64" ;;
	*) prints profile "" 137 ;;
	esac
}

statuses() {
	prints "status-exit 7" "" 7
	prints 'status-kill -9 $$' "" 137
}

# With ARMv8's instructions where wherry has them: cortex-a53 does, and so does the "max" that runs
# 32-bit programs.
hashes() {
	says sha256 0 "the processor's instructions compute the same"
	case $architecture in aarch64 | armhf) lacks "$(case_of sha256)" SKIP ;; esac
}

store() {
	prints volume $'from the image\nkept' 0
	prints fsck "/var/lib/wherry: all that is left is whole" 0
	prints left $'ls: /sys/fs/cgroup/wherry-*: No such file or directory\n/run/wherry:\n\n/var/lib/wherry/tmp:' 0
}

# runs SUITE DEBIAN-ARCHITECTURE FLAVOUR IMAGE-ARCHITECTURE MACHINE
runs() {
	VM_SUITE=$1 VM_ARCH=$2 VM_FLAVOUR=$3
	if [ ! -x "$TOP/build/$architecture/tests/rootfs/sha256" ]; then
		skip "runs on $architecture" "it isn't built: make ARCH=$architecture all build/$architecture/tests/rootfs/sha256"
		return
	fi
	if ! { vm_kernel && vm_unpacked busybox-static; } >/dev/null 2>"$SCRATCH/why"; then
		skip "runs on $architecture" "$(tail -n 1 "$SCRATCH/why")"
		return
	fi
	it "runs a busybox of its own processor on $architecture" boots "$4" "$5"
	it "sets limits, and tells when memory ran out" limits
	it "holds to devices, filters system calls, runs as another user" isolation
	it "passes statuses on" statuses
	it "hashes right, with the processor's instructions where it has them" hashes
	it "keeps volumes, has its store whole, and leaves nothing" store
}

for architecture in $ARCHITECTURES; do
	case $architecture in
	"${BUILD##*/}") ;;
	aarch64) runs bookworm arm64 cloud-arm64 arm64 aarch64 ;;
	armhf | arm) runs bookworm armhf armmp arm armv7l ;;
	riscv64) runs trixie riscv64 riscv64 riscv64 riscv64 ;;
	*) skip "runs on $architecture" "no machine of that kind is here" ;;
	esac
done
finish
