#!/bin/bash
# A docker-archive of Debian, loaded and run, against the same run as it is: the first run, later ones, reading
# all of it, and what either writes. The store is on the disk that $TMPDIR is on, as EROFS wants it.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
BUILD=$(realpath -m "${BUILD:-$TOP/build/$(uname -m)}")
WHERRY=$BUILD/wherry
ROUNDS=${ROUNDS:-5}
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/wherry-bench.XXXXXX")
trap 'rm -rf --one-file-system "$SCRATCH"' EXIT
. "$TOP/tests/lib/images.sh"

ARCHIVE=$(image debian docker)
STORE=$SCRATCH/store
compare() { python3 "$TOP/tests/bench/load.py" --keep "$ROUNDS" "$SCRATCH/work" "$@"; }
wherry() { "$WHERRY" --root "$STORE" --state "$SCRATCH/state" "$@"; }
# kept PROGRAM…: the same 20 times, of an image that is there and of an index that is there.
kept() {
	local run="$WHERRY --root $STORE --state $SCRATCH/state run"
	compare "20 runs, loaded=for n in \$(seq 20); do $run debian $1; done" \
		"20 runs, --no-unpack=for n in \$(seq 20); do $run --no-unpack $ARCHIVE $1; done"
}

mkdir "$SCRATCH/work"
echo "$(stat -c %s "$ARCHIVE") bytes of archive"
compare "first run, loaded=$WHERRY --root {} --state $SCRATCH/state run $ARCHIVE true" \
	"first run, --no-unpack=$WHERRY --root {} --state $SCRATCH/state run --no-unpack $ARCHIVE true"
for how in "run --no-unpack $ARCHIVE true" "load -q $ARCHIVE"; do
	rm -rf "$STORE"
	printf '%-34s %6d KB of all processes together at most\n' "wherry ${how%% /*}" \
		"$(python3 "$TOP/tests/bench/load.py" --memory "$WHERRY --root $STORE --state $SCRATCH/state $how")"
	printf '%-34s %6d KB in the store\n' "" "$(du -sk "$STORE" | cut -f 1)"
done
wherry run --no-unpack "$ARCHIVE" true
kept true
kept "sh -c 'find /usr -xdev -type f -print0 | xargs -0 cat >/dev/null'"
