#!/bin/bash
# How long an image takes from its file to a root file system: wherry against umoci, podman, tar, bsdtar and
# the decompressor alone, on a fresh tmpfs. Budgets: umoci 3.8 times as long, podman 4.5 (10 on
# docker-archives); one layer 1.25 times what its slower half takes alone; a durable load 1.3 times one
# without sync; 1.1 times the extracted size written to a disk; 6 MiB for all processes, 8 for zstd.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
BUILD=$(realpath -m "${BUILD:-$TOP/build/$(uname -m)}")
WHERRY=$BUILD/wherry
ROUNDS=${ROUNDS:-5}
# podman makes a layout's path the image's name, which can't have capitals, as mktemp's names do.
SCRATCH=${TMPDIR:-/tmp}/wherry-bench.$$
mkdir -m 700 "$SCRATCH"
DISK=$(mktemp -d "$BUILD/bench-disk.XXXXXX")
mounted=()
clean() {
	local place
	for place in "${mounted[@]}"; do umount "$place"; done
	rm -rf --one-file-system "$SCRATCH" "$DISK"
}
trap clean EXIT
. "$TOP/tests/lib/images.sh"
. "$TOP/tests/lib/debian.sh"

place() {
	mkdir "$SCRATCH/$1"
	mount -t tmpfs none "$SCRATCH/$1"
	mounted+=("$SCRATCH/$1")
}

# eight KIND: an image of eight Debian layers.
eight() {
	make_image '{"Cmd": ["sh"]}' eight:latest "$1" "$SCRATCH/images/eight.${1/:/-}" "$SCRATCH"/images/layers/*.tar
}
one() {
	make_image '{"Cmd": ["sh"]}' one:latest "$1" "$SCRATCH/images/one.${1/:/-}" "$SCRATCH/images/base.tar"
}

# compare TITLE ARCHIVE CASE…: wherry and the cases, interleaved, each into a fresh directory. The table
# stays in $SCRATCH/table.
compare() {
	local title=$1 file=$2
	shift 2
	echo "-- $title"
	python3 "$TOP/tests/bench/load.py" "$ROUNDS" "$SCRATCH/work" \
		"wherry=$WHERRY --root {} load -q $file" "$@" | tee "$SCRATCH/table"
}

# seconds NAME: of the last table.
seconds() {
	sed -n "s|^$1 *\([0-9.]*\) s .*|\1|p" "$SCRATCH/table"
}

# at_least NAME RATIO BUDGET, at_most likewise.
at_least() { verdict "$1" "$2" "at least $3" "$(awk "BEGIN { print ($2 < $3) }")"; }
at_most() { verdict "$1" "$2" "at most $3" "$(awk "BEGIN { print ($2 > $3) }")"; }
verdict() { printf '%-44s %5.2f, %s%s\n' "$1" "$2" "$3" "$([ "$4" = 0 ] || echo ': OVER')"; }
ratio() { awk "BEGIN { print $1 / $2 }"; }

cases() {
	local layout=$1 decompressor=$2 blobs
	blobs=$(find "$SCRATCH/images/$layout/blobs" -size +100k | tr '\n' ' ')
	# umoci 0.4.7 reads no zstd
	[[ $layout == *zstd ]] || printf '%s\0' "umoci unpack=umoci unpack --image $SCRATCH/images/$layout:latest {}"
	printf '%s\0' "podman load=$(podman_load "$SCRATCH/images/$layout")" \
		"decompressor alone=for b in $blobs; do $decompressor <\$b >/dev/null; done" \
		"tar, nothing verified=mkdir {} && for b in $blobs; do $decompressor <\$b | tar -C {} -xp --numeric-owner; done" \
		"bsdtar, nothing verified=mkdir {} && for b in $blobs; do bsdtar -C {} -xpf \$b --numeric-owner; done"
}

# With its overlay driver: its default, and faster than vfs. What it leaves mounted ends with it.
podman_load() {
	echo "unshare --mount --propagation private podman --root {}/root --runroot {}/run --storage-driver overlay load -q -i $1"
}

# A loop device that writes through to the disk below, as a disk of its own would: without that all is copied
# once more, and a sync is one of the file system below, too.
loop_device() {
	losetup --find --show --direct-io=on "$1" 2>/dev/null || losetup --find --show "$1"
}

# What is written to a disk, and what its sync costs: ext4 on a loop device. Without the sync: the same
# program, whose syncfs and fsync a seccomp filter answers with 0.
on_a_disk() {
	local device before after extracted
	truncate -s $((ROUNDS + 1))G "$DISK/disk"
	mkfs.ext4 -q -E lazy_itable_init=0 "$DISK/disk"
	mkdir "$SCRATCH/disk"
	device=$(loop_device "$DISK/disk")
	mount "$device" "$SCRATCH/disk"
	losetup --detach "$device" # when it is unmounted
	mounted+=("$SCRATCH/disk")
	echo "-- durable: eight layers, gzip, to ext4"
	python3 "$TOP/tests/bench/load.py" --keep "$ROUNDS" "$SCRATCH/disk" \
		"wherry=$WHERRY --root {} load -q $SCRATCH/images/eight.oci-gzip" \
		"wherry without sync=$BUILD/bench/unsynced $WHERRY --root {} load -q $SCRATCH/images/eight.oci-gzip" |
		tee "$SCRATCH/table"
	at_most "durable / not durable" "$(ratio "$(seconds wherry)" "$(seconds "wherry without sync")")" 1.3
	device=$(basename "$device")
	sync -f "$SCRATCH/disk"
	before=$(awk '{ print $7 }' "/sys/block/$device/stat")
	"$WHERRY" --root "$SCRATCH/disk/store" load -q "$SCRATCH/images/eight.oci-gzip" >/dev/null
	sync -f "$SCRATCH/disk"
	after=$(awk '{ print $7 }' "/sys/block/$device/stat")
	extracted=$(du -sB1 "$SCRATCH/disk/store/layers" | cut -f1)
	at_most "written to the disk / extracted" "$(ratio $(((after - before) * 512)) "$extracted")" 1.1
}

place images
place work
docker=$(image debian docker)
layer=$(tar -xOf "$docker" manifest.json | jq -r '.[0].Layers[0]')
tar -xOf "$docker" "$layer" >"$SCRATCH/images/base.tar"
mkdir "$SCRATCH/images/layers"
python3 "$TOP/tests/bench/load.py" --split "$SCRATCH/images/base.tar" "$SCRATCH/images/layers" 8
for kind in oci:gzip oci:zstd oci docker; do eight "$kind"; done
for kind in oci:gzip oci; do one "$kind"; done
echo "eight layers: $(cat "$SCRATCH"/images/layers/*.tar | wc -c) bytes of tar; one: $(stat -c %s "$SCRATCH/images/base.tar")"

for kind in gzip zstd plain; do
	layout=eight.oci-$kind
	decompressor="$kind -dc"
	[ "$kind" != plain ] || { layout=eight.oci; decompressor=cat; }
	mapfile -d '' list < <(cases "$layout" "$decompressor")
	compare "eight layers, $kind" "$SCRATCH/images/$layout" "${list[@]}"
	[ "$kind" = gzip ] || continue
	at_least "umoci / wherry" "$(ratio "$(seconds "umoci unpack")" "$(seconds wherry)")" 3.8
	at_least "podman / wherry" "$(ratio "$(seconds "podman load")" "$(seconds wherry)")" 4.5
done
compare "docker-archive" "$SCRATCH/images/eight.docker" \
	"podman load=$(podman_load "$SCRATCH/images/eight.docker")" \
	"skopeo + umoci unpack=skopeo copy -q docker-archive:$SCRATCH/images/eight.docker oci:{}.oci:eight && umoci unpack --image {}.oci:eight {}; rm -rf {}.oci"
at_least "podman / wherry" "$(ratio "$(seconds "podman load")" "$(seconds wherry)")" 10

# The limits of one layer: the gzip decoder alone as it is linked into wherry; and, after the digest of the packed
# layer, a load that has nothing to inflate, which takes the other digest and writes.
blob=$(find "$SCRATCH/images/one.oci-gzip/blobs" -size +1000k)
compare "one layer, gzip" "$SCRATCH/images/one.oci-gzip" \
	"inflate alone=$BUILD/bench/inflate $blob" \
	"hash and write alone=$BUILD/bench/hash $blob && $WHERRY --root {} load -q $SCRATCH/images/one.oci" \
	"umoci unpack=umoci unpack --image $SCRATCH/images/one.oci-gzip:latest {}"
limit=$(printf '%s\n' "$(seconds "inflate alone")" "$(seconds "hash and write alone")" | sort -g | tail -n 1)
at_most "wherry / max(inflate, hash + write)" "$(ratio "$(seconds wherry)" "$limit")" 1.25

on_a_disk

echo "-- the second time"
STORE=$SCRATCH/work/second
"$WHERRY" --root "$STORE" load -q "$SCRATCH/images/eight.docker" >/dev/null
strace -f -o "$SCRATCH/trace" -e trace=read,pread64,readv,mmap "$WHERRY" --root "$STORE" load -q "$SCRATCH/images/eight.docker" >/dev/null
echo "read: $(awk '/read(v|64)?\(/ && $NF > 0 { sum += $NF } END { print sum }' "$SCRATCH/trace") bytes of $(stat -c %s "$SCRATCH/images/eight.docker")"
time "$WHERRY" --root "$STORE" load -q "$SCRATCH/images/eight.docker" >/dev/null
rm -rf "$STORE"

echo "-- peak memory of all processes together (PSS)"
for layout in eight.oci-gzip eight.oci eight.oci-zstd; do
	peak=$(python3 "$TOP/tests/bench/load.py" --memory "$WHERRY --root $SCRATCH/work/memory load -q $SCRATCH/images/$layout")
	budget=6144
	[ "$layout" != eight.oci-zstd ] || budget=8192
	printf '%-34s %5d KB, budget %d%s\n' "$layout" "$peak" "$budget" "$( ((peak <= budget)) || echo ': OVER')"
	rm -rf "$SCRATCH/work/memory"
done
