#!/bin/bash
# Power cuts while images are loaded, on ext4: writes that were not flushed are lost, or half of them. After each
# cut the store has the old image or the new one, byte for byte, or none yet. CUTS=100 in `make powercut`.
#
# QEMU's storage daemon logs every write and flush of the disk; each cut replays another part of that log.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/launch.sh"
CUTS=${CUTS:-12}

if ! command -v qemu-storage-daemon >/dev/null || [ ! -e /dev/fuse ] || [ ! -e /dev/loop-control ]; then
	skip "has the old image or the new one after a power cut" "qemu-storage-daemon, FUSE or loop devices are missing"
	finish
fi

# tree_of STORE NAME: the digest of all layers of an image.
tree_of() {
	local layer
	for layer in $("$WHERRY" --root "$1" inspect "$2" | jq -r '.layers[].directory'); do
		python3 "$TOP/tests/tree.py" "$1/layers/$layer" --no-root
	done | sha256sum
}

id_of() { "$WHERRY" --root "$1" inspect app | jq -r .id; }

# The log of: an image is loaded, then another one of the same name.
record() {
	cd "$SCRATCH"
	truncate -s 64M disk
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 disk
	cp disk base
	: >log
	: >export
	qemu-storage-daemon --blockdev driver=file,node-name=file,filename=disk \
		--blockdev driver=file,node-name=log,filename=log \
		--blockdev driver=blklogwrites,node-name=logged,file=file,log=log,log-sector-size=512 \
		--export type=fuse,id=export,node-name=logged,mountpoint="$SCRATCH/export",writable=on &
	local daemon=$! status=0
	eventually mountpoint -q "$SCRATCH/export"
	mkdir mnt
	mount -o loop export mnt
	write_images || status=$?
	umount mnt
	kill "$daemon"
	wait "$daemon" || true # it ends by our signal
	return "$status"
}

write_images() {
	"$WHERRY" --root "$SCRATCH/mnt/store" load -q --name app "$(image busybox docker)" >old.id
	tree_of "$SCRATCH/mnt/store" app >old.tree
	"$WHERRY" --root "$SCRATCH/mnt/store" load -q --name app "$(image layered oci:gzip)" >new.id
	tree_of "$SCRATCH/mnt/store" app >new.tree
	[ "$(cat old.id)" != "$(cat new.id)" ]
}

# The disk after the cut, mounted as a machine would that starts again.
check_cut() {
	cd "$SCRATCH"
	python3 "$TOP/tests/powercut.py" log cut base after "$1" "$2"
	mount -o loop after mnt
	local status=0
	check_store || status=$?
	umount mnt
	return "$status"
}

check_store() {
	local store=$SCRATCH/mnt/store id
	[ -d "$store" ] || return 0
	"$WHERRY" --root "$store" fsck
	[ -e "$store/names/app:latest" ] || return 0
	id=$(id_of "$store")
	case $id in
	"$(cat old.id)") equal "$(tree_of "$store" app)" "$(cat old.tree)" && echo old >>seen ;;
	"$(cat new.id)") equal "$(tree_of "$store" app)" "$(cat new.tree)" && echo new >>seen ;;
	*) echo "app is $id, neither the old nor the new image"; return 1 ;;
	esac
}

# Cuts all along the log, each with another choice of the writes that were not flushed.
cuts() {
	local count n
	count=$(python3 "$TOP/tests/powercut.py" "$SCRATCH/log" count)
	echo "$count writes and flushes"
	[ "$count" -gt "$CUTS" ]
	: >"$SCRATCH/seen"
	for ((n = 1; n <= CUTS; n++)); do
		echo "cut $n, after $((count * n / CUTS)) of $count"
		check_cut $((count * n / CUTS)) "$n"
	done
	grep -q old "$SCRATCH/seen"
	grep -q new "$SCRATCH/seen"
}

it "logs all writes of two loads" record
it "has the old image or the new one after each of $CUTS power cuts" cuts
finish_clean
