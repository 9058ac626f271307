#!/bin/bash
# How long an image takes from its file to a root file system: wherry against umoci, podman, tar and the
# decompressor alone, on a fresh tmpfs. Budgets: umoci 3.8 times as long, podman 4.5 (10 on docker-archives);
# 6 MiB for all processes together, 8 for zstd; 1.1 times the extracted size written to a disk.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
BUILD=$(realpath -m "${BUILD:-$TOP/build/$(uname -m)}")
WHERRY=$BUILD/wherry
ROUNDS=${ROUNDS:-5}
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/wherry-bench.XXXXXX")
mounted=()
clean() {
	local place
	for place in "${mounted[@]}"; do umount "$place"; done
	rm -rf --one-file-system "$SCRATCH"
}
trap clean EXIT
. "$TOP/tests/images.sh"
. "$TOP/tests/debian.sh"

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

# compare TITLE ARCHIVE-FOR-WHERRY LAYOUT DECOMPRESSOR…
compare() {
	local title=$1 file=$2 name=$3
	shift 3
	echo "-- $title"
	python3 "$TOP/tests/bench/load.py" "$ROUNDS" "$SCRATCH/work" \
		"wherry=$WHERRY --root {} load -q $file" "$@"
}

cases() {
	local layout=$1 decompressor=$2 blobs
	blobs=$(find "$SCRATCH/images/$layout/blobs" -size +100k | tr '\n' ' ')
	# umoci 0.4.7 reads no zstd
	[[ $layout == *zstd ]] || printf '%s\0' "umoci unpack=umoci unpack --image $SCRATCH/images/$layout:latest {}"
	printf '%s\0' \
		"decompressor alone=for b in $blobs; do $decompressor <\$b >/dev/null; done" \
		"tar, nothing verified=mkdir {} && for b in $blobs; do $decompressor <\$b | tar -C {} -xp --numeric-owner; done"
}

place images
place work
docker=$(image debian docker)
layer=$(tar -xOf "$docker" manifest.json | jq -r '.[0].Layers[0]')
tar -xOf "$docker" "$layer" >"$SCRATCH/images/base.tar"
mkdir "$SCRATCH/images/layers"
python3 "$TOP/tests/bench/load.py" --split "$SCRATCH/images/base.tar" "$SCRATCH/images/layers" 8
for kind in oci:gzip oci:zstd oci docker; do eight "$kind"; done
one oci:gzip
echo "eight layers: $(cat "$SCRATCH"/images/layers/*.tar | wc -c) bytes of tar; one: $(stat -c %s "$SCRATCH/images/base.tar")"

for kind in gzip zstd plain; do
	layout=eight.oci-$kind
	decompressor="$kind -dc"
	[ "$kind" != plain ] || { layout=eight.oci; decompressor=cat; }
	mapfile -d '' list < <(cases "$layout" "$decompressor")
	compare "eight layers, $kind" "$SCRATCH/images/$layout" "$layout" "${list[@]}"
done
mapfile -d '' list < <(cases one.oci-gzip "gzip -dc")
compare "one layer, gzip" "$SCRATCH/images/one.oci-gzip" one.oci-gzip "${list[@]}"
archive=$SCRATCH/images/eight.docker
others=("skopeo + umoci unpack=skopeo copy -q docker-archive:$archive oci:{}.oci:eight && umoci unpack --image {}.oci:eight {}; rm -rf {}.oci")
! command -v podman >/dev/null ||
	others+=("podman load=podman --root {} --runroot $SCRATCH/runroot --storage-driver vfs load -q -i $archive")
compare "docker-archive" "$archive" eight.docker "${others[@]}"
[ ${#others[@]} -eq 2 ] || echo "(podman is not installed)"

echo "-- the second time"
"$WHERRY" --root "$SCRATCH/work/second" load -q "$SCRATCH/images/eight.oci-gzip" >/dev/null
time "$WHERRY" --root "$SCRATCH/work/second" load -q "$SCRATCH/images/eight.oci-gzip" >/dev/null
rm -rf "$SCRATCH/work/second"

echo "-- peak memory of all processes together (PSS)"
for layout in eight.oci-gzip eight.oci eight.oci-zstd; do
	peak=$(python3 "$TOP/tests/bench/load.py" --memory "$WHERRY --root $SCRATCH/work/memory load -q $SCRATCH/images/$layout")
	budget=6144
	[ "$layout" != eight.oci-zstd ] || budget=8192
	printf '%-34s %5d KB, budget %d%s\n' "$layout" "$peak" "$budget" "$( ((peak <= budget)) || echo ': OVER')"
	rm -rf "$SCRATCH/work/memory"
done
