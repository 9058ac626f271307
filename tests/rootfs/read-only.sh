#!/bin/bash
# A store that can't be written to: whatever writes nothing works in it.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

GOOD=$(image busybox docker)
OTHER=$(image layered docker)
load busybox
wherry tag busybox:latest second
wherry volume create full >/dev/null
wherry run -v full:/v busybox sh -c 'echo kept >/v/file'

READ_ONLY=$SCRATCH/ro
mkdir "$READ_ONLY"
here() { timeout -k 5 60 "$WHERRY" --root "$READ_ONLY" --state "$STATE" "$@"; }

# on COMMAND…: it runs where what MOUNT says is mounted on $READ_ONLY.
bound() { mount --bind "$STORE" "$READ_ONLY"; mount -o remount,bind,ro "$READ_ONLY"; }
squashed() {
	[ -e "$SCRATCH/store.squashfs" ] || mksquashfs "$STORE" "$SCRATCH/store.squashfs" -quiet -no-progress
	mount -o loop,ro "$SCRATCH/store.squashfs" "$READ_ONLY"
}
eroded() {
	[ -e "$SCRATCH/store.erofs" ] || mkfs.erofs "$SCRATCH/store.erofs" "$STORE" >/dev/null
	mount -t erofs -o loop,ro "$SCRATCH/store.erofs" "$READ_ONLY"
}
on() { # MOUNT COMMAND…
	"$1"
	trap 'umount "$READ_ONLY"' EXIT
	"${@:2}"
}

runs() {
	equal "$(here run "$GOOD" cat /srv/message)" "from the second layer"
	equal "$(here run busybox cat /srv/message)" "from the second layer"
	equal "$(here run -v full:/v busybox cat /v/file)" kept
}

loads() {
	equal "$(here load -q "$GOOD")" "$(wherry load -q "$GOOD")"
	contains "$(here load "$GOOD")" busybox
	equal "$(here load -q -n second "$GOOD")" "$(wherry load -q "$GOOD")"
	here tag busybox:latest second
	here volume create full
	contains "$(here images)" busybox
	contains "$(here volume ls)" full
	here save -o "$SCRATCH/saved.tar" busybox
	contains "$(here inspect busybox)" '"Id"'
	here prune
}

checks() {
	equal "$(here fsck)" "$READ_ONLY: all that is left is whole"
	[ -z "${1:-}" ] || equal "$(here fsck 2>&1)" "$(here fsck)"
}

# What can't be done names --root.
refuses() {
	local verb
	for verb in "load -q $OTHER" "load -n third $GOOD" "run $OTHER true" "tag busybox third" "rmi busybox" "rmi second" \
		"volume create new" "volume rm full" "run --overlay disk busybox true" "run -v new:/v busybox true" \
		"import $OTHER new"; do
		# shellcheck disable=SC2086
		fails_with 125 "Read-only file system" here $verb
		# shellcheck disable=SC2086
		fails_with 125 "--root DIR names another" here $verb
	done
}

finds_damage() {
	local before layer
	cp -a "$STORE" "$SCRATCH/damaged"
	(
		STORE=$SCRATCH/damaged
		layer=$(find "$STORE/layers" -path '*/srv/message' | sed -n 1p)
		echo damaged >"$layer"
		echo nothing >"$STORE/names/nothing:latest"
		mkdir "$STORE/tmp/left"
		before=$(find "$STORE" -printf '%P %s\n' | sort)
		bound
		trap 'umount "$READ_ONLY"' EXIT
		fails_with 125 "stays: it is on a read-only file system" here fsck
		contains "$(here fsck || [ $? = 125 ])" "it stays, since the store is read-only"
		contains "$(here fsck || [ $? = 125 ])" "name nothing:latest: it leads to no image"
		equal "$(here run busybox true 2>&1)" ""
		equal "$(find "$STORE" -printf '%P %s\n' | sort)" "$before"
	)
}

for kind in bound squashed eroded; do
	it "$kind: images run, by their archives too" on $kind runs
	it "$kind: what is loaded already is loaded again" on $kind loads
	it "$kind: fsck checks" on $kind checks
	it "$kind: what has to write says so, and names --root" on $kind refuses
done
it "fsck says what is damaged, and leaves it" finds_damage
finish_clean
