#!/bin/bash
# timeout: 600
# Power cuts while images are loaded, on ext4 and f2fs: writes that were not flushed are lost, or any of them. After each
# cut the store is whole and has the old image or the new one, which runs and is the same byte for byte, or none yet.
# The same loads with syncfs left out have to fail that. CUTS=100 in `make powercut`.
#
# One virtual machine loads, on disks whose writes and flushes QEMU logs; each cut is a disk on which another part of its
# log has been replayed (tests/vm/powercut.py); further machines mount those, as after a restart, and look.
#
# The last load is of layers so large that the first of them are synced while others are extracted (rootfs/load/workers.c).
# That it was so is read from the kernel's trace of its system calls.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/images.sh"
VM_SECONDS=500
. "$TOP/tests/lib/vm.sh"
VM_FLAVOUR=amd64 # the kernels for clouds have no f2fs
CUTS=${CUTS:-6}
ROOT=$SCRATCH/root
DISKS_MAX=24 # as many PCI slots has a q35 to give

begin() {
	cat <<-'END'
	#!/bin/busybox sh
	for m in $(cat /modules/order); do insmod $m; done
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	w="/wherry --root /mnt/store"
	# all that a program can see of the image but what wherry itself gives to a container
	look='cd /; { find . -xdev -type d -exec stat -c "%n %a %u %g" {} +; find . -xdev -not -type d -not -path "./etc/host*" -not -path ./etc/resolv.conf -exec stat -c "%n %F %a %u %g %s %Y %N" {} +; find . -xdev -type f -not -path "./etc/host*" -not -path ./etc/resolv.conf -exec sha256sum {} +; } | sort | sha256sum | cut -c 1-16'
	image() { echo $($w inspect app | grep '"Id"' | cut -d '"' -f 4 | cut -c 8-23) $($w run app sh -c "$look"); }
	disks() { for disk in /sys/block/vd*; do echo ${disk##*/}:$(cat $disk/serial); done; }
	END
}

# Each disk is called SYSTEM-HOW. What others make durable meanwhile must not make half an image so:
# a hard link is what f2fs wants for an fsync to write all of its metadata.
script_record() {
	begin
	cat <<-'END'
	# Nothing reaches a disk because there is much of it, only because it is asked for.
	echo 80 >/proc/sys/vm/dirty_ratio
	echo 70 >/proc/sys/vm/dirty_background_ratio
	tracing=/sys/kernel/tracing
	mount -t tracefs tracefs $tracing
	trace() { for call in enter_syncfs exit_syncfs enter_pwrite64; do echo $1 >$tracing/events/syscalls/sys_$call/enable; done; }
	# How many syncs there were, and how many writes to files while one was under way. In the last, none is.
	count() {
		awk '
			/ sys_syncfs\(/ { by = $1 }
			/ sys_syncfs -> 0x0/ && $1 == by { by = ""; syncs++ }
			/ sys_pwrite64\(/ && by { writes++ } END { print syncs + 0, writes + 0 }' $tracing/trace
	}
	others() { : >/mnt/other$1; ln /mnt/other$1 /mnt/link$1; echo $1 | dd of=/mnt/other$1 conv=fsync 2>/dev/null; }
	for disk in $(disks); do
		name=${disk#*:}
		mount -t ${name%-*} /dev/${disk%:*} /mnt || continue
		by=; [ ${name#*-} = synced ] || by=/nosync
		$by $w load -q --name app /old.tar >/dev/null && others 1
		[ -n "$by" ] || echo "old $name $(image)"
		$by $w run -v notes:/srv app true && others 2
		$by $w load -q --name app /new.tar >/dev/null && others 3
		[ -n "$by" ] || echo "new $name $(image)"
		echo >$tracing/trace
		trace 1
		$by $w load -q --name app /large.tar >/dev/null && others 4
		trace 0
		[ -n "$by" ] || echo "large $name $(image)"
		[ -n "$by" ] || echo "syncs $name $(count)"
		umount /mnt && echo "recorded $name"
	done
	poweroff -f
	END
}

# Each disk is called SYSTEM-HOW-NUMBER.
script_check() {
	begin
	cat <<-'END'
	look_at() {
		mount -t ${1%%-*} /dev/$2 /mnt || { echo cannot be mounted; return; }
		[ -d /mnt/store ] || { echo none; return; }
		said=$($w fsck 2>&1) || { echo fsck: $said; return; }
		[ -e /mnt/store/names/app:latest ] || { echo none; return; }
		echo $(image) $($w volume ls -q | grep -q notes && $w run -v notes:/srv app cat /srv/message 2>&1)
		$w load -q --name app /new.tar >/dev/null 2>&1 || echo and nothing can be loaded
		find /mnt/store/tmp -mindepth 1 | sed 's/^/and this is left: /'
	}
	for disk in $(disks); do
		echo "cut ${disk#*:} $(echo $(look_at ${disk#*:} ${disk%:*}))"
		umount /mnt
	done
	poweroff -f
	END
}

# nosync COMMAND…: syncfs(2), by which it has its layers written, returns 0 and does nothing.
make_nosync() {
	cc -static -Os -s -x c -o "$1" - <<-'END'
	#include <linux/filter.h>
	#include <linux/seccomp.h>
	#include <stddef.h>
	#include <sys/prctl.h>
	#include <sys/syscall.h>
	#include <unistd.h>
	int main(int argc, char **argv)
	{
		struct sock_filter filter[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_syncfs, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };
		if (argc < 2 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
			return 126;
		execv(argv[1], argv + 1);
		return 127;
	}
	END
}

make_root() {
	local applet
	mkdir -p "$ROOT"/{bin,proc,sys,dev,mnt}
	cp "$(type -P busybox)" "$ROOT/bin/busybox"
	for applet in $(busybox --list | grep -vx busybox); do ln -s busybox "$ROOT/bin/$applet"; done
	cp "$WHERRY" "$ROOT/wherry"
	cp "$(image busybox docker)" "$ROOT/old.tar"
	cp "$(image layered oci-tar:gzip)" "$ROOT/new.tar"
	cp "$(image large oci-tar:gzip)" "$ROOT/large.tar"
	make_nosync "$ROOT/nosync"
	script_record >"$ROOT/record"
	script_check >"$ROOT/check"
	chmod 755 "$ROOT/record" "$ROOT/check"
	vm_modules "$ROOT/modules" crc32c_generic crc32_generic ext4 f2fs overlay virtio_blk virtio_pci
}

make_disks() {
	local how
	for how in synced unsynced; do
		truncate -s 192M "$SCRATCH/ext4-$how.base" "$SCRATCH/f2fs-$how.base"
		mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$SCRATCH/ext4-$how.base"
		mkfs.f2fs -q "$SCRATCH/f2fs-$how.base" >/dev/null
	done
}

# The log of: an image is loaded, a volume made of it, then two others of the same name loaded.
record() {
	local name drives=()
	make_root
	make_disks
	for name in {ext4,f2fs}-{synced,unsynced}; do
		cp "$SCRATCH/$name.base" "$SCRATCH/$name.disk"
		: >"$SCRATCH/$name.log"
		drives+=(-blockdev "driver=file,node-name=$name-file,filename=$SCRATCH/$name.disk"
			-blockdev "driver=file,node-name=$name-log,filename=$SCRATCH/$name.log"
			-blockdev "driver=blklogwrites,node-name=$name,file=$name-file,log=$name-log,log-sector-size=512"
			-device "virtio-blk-pci,drive=$name,serial=$name")
	done
	vm_boot "$ROOT" 'loglevel=1 rdinit=/record' -m 512 "${drives[@]}"
	for name in {ext4,f2fs}-{synced,unsynced}; do vm_says "recorded $name"; done
	tr -d '\r' <"$VM_LOG" | grep '^old\|^new\|^large' >"$SCRATCH/images"
	tr -d '\r' <"$VM_LOG" | grep '^syncs' >"$SCRATCH/syncs"
	equal "$(wc -l <"$SCRATCH/images")" 6
	equal "$(cut -d ' ' -f 1,3- "$SCRATCH/images" | sort -u | wc -l)" 3
}

# Besides the one that all wait for at the end, one at least, and layers were written meanwhile.
synced_early() {
	local syncs writes
	read -r syncs writes < <(sed -n "s/^syncs $1-synced //p" "$SCRATCH/syncs")
	echo "$1: $syncs syncs, $writes writes while one was under way"
	[ "$syncs" -ge 2 ]
	[ "$writes" -gt 0 ]
}

# look NAME…: what a machine finds on these disks goes to $SCRATCH/seen.
look() {
	local name drives=()
	for name; do
		drives+=(-drive "if=none,id=$name,format=raw,cache=unsafe,file=$SCRATCH/$name.cut"
			-device "virtio-blk-pci,drive=$name,serial=$name")
	done
	vm_boot "$ROOT" 'loglevel=1 rdinit=/check' -m 512 "${drives[@]}"
	tr -d '\r' <"$VM_LOG" | sed -n 's/^cut //p' >>"$SCRATCH/seen"
	for name; do rm "$SCRATCH/$name.cut"; done
}

# cuts SYSTEM-HOW COUNT: all along its log, each with another choice of the writes that were not flushed.
cuts() {
	local name=$1 count=$2 entries n disks=()
	entries=$(python3 "$TOP/tests/vm/powercut.py" "$SCRATCH/$name.log" count)
	echo "$entries writes and flushes"
	[ "$entries" -gt "$count" ]
	: >"$SCRATCH/seen"
	for ((n = 1; n <= count; n++)); do
		python3 "$TOP/tests/vm/powercut.py" "$SCRATCH/$name.log" cut "$SCRATCH/$name.base" \
			"$SCRATCH/$name-$n.cut" $((entries * n / count)) "$n"
		disks+=("$name-$n")
		if [ ${#disks[@]} -eq "$DISKS_MAX" ] || [ "$n" -eq "$count" ]; then
			look "${disks[@]}"
			disks=()
		fi
	done
	equal "$(wc -l <"$SCRATCH/seen")" "$count"
	cat "$SCRATCH/seen"
}

# What is right after a cut: a line of these, behind the disk's name.
right() {
	local image
	echo none
	sed "s/^[a-z]* [^ ]* //" "$SCRATCH/images" | sort -u | while read -r image; do
		echo "$image"
		echo "$image from the second layer"
	done
}

broken() { sed 's/^[^ ]* //' "$SCRATCH/seen" | grep -vxF -f <(right); }

survives() {
	local which
	cuts "$1-synced" "$CUTS"
	if broken; then return 1; fi
	for which in old new large; do
		grep -qF "$(sed -n "s/^$which [^ ]* //p" "$SCRATCH/images" | head -n 1)" "$SCRATCH/seen"
	done
	grep -qF "from the second layer" "$SCRATCH/seen"
}

catches() {
	cuts "$1-unsynced" 6
	broken
}

if ! vm_kernel >/dev/null 2>"$SCRATCH/why"; then
	skip "has the old image or the new one after a power cut" "$(tail -n 1 "$SCRATCH/why")"
	finish
fi
it "logs all writes of three loads, with syncfs and without" record
for system in ext4 f2fs; do
	it "had layers synced on $system while others were extracted" synced_early "$system"
	it "has the old image or the new one on $system after each of $CUTS power cuts" survives "$system"
	it "has not, on $system, with syncfs left out" catches "$system"
done
finish
