#!/bin/bash
# timeout: 900
# A load in a cgroup of 16 MiB (memory.max of cgroup v2), caches and what the kernel keeps of its files included: a
# machine of its own, which loads a real image from one ext4 to another, and then looks whether all is there.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/images.sh"
VM_SECONDS=600
. "$TOP/tests/lib/vm.sh"

ROOT=$SCRATCH/root

script() {
	cat <<-'END'
	#!/bin/busybox sh
	say() { echo "=== $1"; shift; "$@" 2>&1; echo "=== status $?"; }
	while read -r m; do insmod $m; done <modules/order
	mount -t proc proc /proc
	mount -t devtmpfs dev /dev
	mount -t sysfs sys /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mount -t ext4 -o ro /dev/vda /images
	mount -t ext4 /dev/vdb /store
	# boxed KIND: as what is in the box, and nothing else
	boxed() {
		box=/sys/fs/cgroup/$1
		mkdir $box
		echo 16M >$box/memory.max
		echo 3 >/proc/sys/vm/drop_caches
		sh -c 'echo $$ >'$box'/cgroup.procs; exec /wherry --root /store/'$1' --state /state load -q /images/'$1
	}
	for kind in docker gzip zstd; do
		say $kind boxed $kind
		say $kind-events grep -w -e oom_kill -e max /sys/fs/cgroup/$kind/memory.events
		say $kind-peak cat /sys/fs/cgroup/$kind/memory.max /sys/fs/cgroup/$kind/memory.peak
		echo 3 >/proc/sys/vm/drop_caches
		say $kind-fsck /wherry --root /store/$kind --state /state fsck
		rm -rf /store/$kind
	done
	say done true
	poweroff -f
	END
}

make_root() {
	local applet
	mkdir -p "$ROOT"/{bin,proc,sys,dev,images,store}
	cp "$(type -P busybox)" "$ROOT/bin/busybox"
	for applet in sh cat grep insmod mount mkdir poweroff rm true; do ln -s busybox "$ROOT/bin/$applet"; done
	cp "$WHERRY" "$ROOT/wherry"
	script >"$ROOT/init"
	chmod 755 "$ROOT/init"
	vm_modules "$ROOT/modules" crc32c_generic crc32_generic ext4 virtio_blk virtio_pci
}

# All three kinds are far larger than the box.
make_disks() {
	local kind form size
	mkdir "$SCRATCH/images"
	for kind in docker=docker gzip=oci:gzip zstd=oci:zstd; do
		form=${kind#*=} kind=${kind%=*}
		size=$(du -sm "$(image debian "$form")" | cut -f1)
		[ "$size" -gt 32 ]
		cp -r "$(image debian "$form")" "$SCRATCH/images/$kind"
	done
	mkfs.ext4 -q -d "$SCRATCH/images" "$SCRATCH/images.disk" 512M
	rm -rf "$SCRATCH/images"
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$SCRATCH/store.disk" 1G
}

boots() {
	make_root
	make_disks
	vm_boot "$ROOT" 'loglevel=1 rdinit=/init' -smp 2 -drive "file=$SCRATCH/images.disk,if=virtio,format=raw" \
		-drive "file=$SCRATCH/store.disk,if=virtio,format=raw"
	contains "$(case_of done)" 0
}

# It has been at the limit, and lives.
loads() {
	says "$1" 0 sha256:
	says "$1-events" 0 "oom_kill 0"
	lacks "$(case_of "$1-events")" "max 0"
	says "$1-peak" 0 16777216
	says "$1-fsck" 0 "is whole"
}

it "boots, loads and powers off" boots
for kind in docker gzip zstd; do
	it "loads a real image in 16 MiB: $kind" loads "$kind"
done
finish
