#!/bin/bash
# What IMAGE means, whichever command it is given to; and what is said where it means nothing.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

TREE=$(rootfs busybox)
load busybox
mkdir "$SCRATCH/here" "$SCRATCH/here/dir"
cp -a "$TREE" "$SCRATCH/here/box"
cp -a "$TREE" "$SCRATCH/here/dir/box"
mksquashfs "$TREE" "$SCRATCH/here/dir/box.squashfs" -quiet -all-root >/dev/null
mkfs.erofs "$SCRATCH/here/box.erofs" "$TREE" >/dev/null 2>&1
cp -a "$(image busybox oci)" "$SCRATCH/here/layout"
cp "$(image layered docker)" "$SCRATCH/here/app.tar"
cd "$SCRATCH/here"

names_the_path() {
	local word
	for word in box dir/box dir/box.squashfs box.erofs; do
		fails_with 125 "there is no image '$word' in $STORE" wherry run "$word" true
		fails_with 125 "what is here under that name is run as ./$word" wherry run "$word" true
		wherry run "./$word" true
	done
	fails_with 125 "no file of that name" wherry run none true
}

store_comes_first() {
	equal "$(wherry images -q | wc -l)" 1
	wherry tag busybox box
	equal "$(wherry run box cat /srv/message)" "from the second layer"
	wherry rmi box >/dev/null
	wherry run layout true
	wherry run app.tar true
	equal "$(wherry images -q | wc -l)" 2
}

paths_are_paths() {
	(
		cd layout
		wherry run . true
		wherry run --no-unpack . true
		contains "$(wherry rmi .)" "removed the index of ."
		fails_with 125 "there is no index of . in $STORE" wherry rmi .
	)
	mkdir layout/below
	(cd layout/below && wherry run .. true && fails_with 125 "there is no index of .. in" wherry rmi ..)
	(cd box && wherry run . true && fails_with 125 "there is no index of ./ in" wherry rmi ./)
	fails_with 125 "there is no image '...' in" wherry run ... true
	fails_with 125 "there is no image '.box' in" wherry run .box true
}

# Overlayfs takes no overlayfs for what is written: a live system's root is one.
on_overlayfs() {
	mkdir "$SCRATCH/over" "$SCRATCH"/over/{lower,upper,work,there}
	mount -t tmpfs over "$SCRATCH/over/upper"
	mkdir "$SCRATCH"/over/upper/{upper,work}
	mount -t overlay over -o "lowerdir=$SCRATCH/over/lower,upperdir=$SCRATCH/over/upper/upper,workdir=$SCRATCH/over/upper/work" \
		"$SCRATCH/over/there"
	trap 'umount "$SCRATCH/over/there" "$SCRATCH/over/upper"' EXIT
	fails_with 125 "--overlay $SCRATCH/over/there/kept: it is on overlayfs, which can hold no writable layer" \
		wherry run --overlay "$SCRATCH/over/there/kept" busybox true
	STORE=$SCRATCH/over/there/store
	wherry load -q "$(image busybox docker)" >/dev/null
	fails_with 125 "--overlay disk: the store is on overlayfs, which can hold no writable layer" \
		wherry run --overlay disk busybox true
	fails_with 125 "--overlay ram" wherry run --overlay disk busybox true
	wherry run busybox true
}

it "names the path where ./ is missing" names_the_path
it "a name of the store comes first, then a file" store_comes_first
it "a path is one for each command" paths_are_paths
it "says that what is written can't be kept on an overlayfs" on_overlayfs
cd "$TOP"
finish_clean
