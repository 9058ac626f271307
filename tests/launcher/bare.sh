#!/bin/bash
# A machine with nothing but a kernel, wherry and an image: here a chroot, in tests/vm/cgroup2.sh a VM.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

BARE=$SCRATCH/bare
mkdir "$BARE"
cp "$WHERRY" "$BARE/wherry"
cp "$(image busybox docker)" "$BARE/busybox.tar"

# A chroot into a mount of its own, as a machine's root is one; empty, without /proc, /dev or /tmp.
bare() {
	unshare --mount --propagation private sh -c \
		'mount --bind "$0" "$0" && cd "$0" && exec chroot . "$@"' "$BARE" "$@"
}

static() {
	local headers dynamic
	contains "$(file "$WHERRY")" "static"
	headers=$(readelf -lW "$WHERRY")
	dynamic=$(readelf -dW "$WHERRY")
	contains "$headers" LOAD
	lacks "$headers" INTERP
	lacks "$dynamic" NEEDED
}

alone() {
	equal "$(bare /wherry run /busybox.tar sh -c 'cat /srv/message; cat /proc/1/comm')" $'from the second layer\nwherry-init'
	equal "$(bare /wherry run --hostname boat busybox hostname)" boat
}

leaves_only() {
	equal "$(cd "$BARE" && find . -maxdepth 1 -mindepth 1 | sort | paste -sd ' ')" "./busybox.tar ./run ./var ./wherry"
	equal "$(ls -A "$BARE/run/wherry")" ""
}

no_limits() {
	fails_with 125 "cgroup" bare /wherry run -m 64M busybox true
	contains "$(bare /wherry run -m 64M busybox true 2>&1 || [ $? -eq 125 ])" "mount -t"
}

no_escape() {
	equal "$(bare /wherry run busybox tool -escape | sort | paste -sd ' ')" "bin dev etc home proc root srv sys tmp var"
}

# prints_message [OPTION…] IMAGE: the image runs; on a machine that has no file system for it, that is said.
prints_message() {
	equal "$(bare /wherry run "$@" cat /srv/message)" "from the second layer"
}

every_kind() {
	local tree
	tree=$(rootfs busybox)
	cp "$(image busybox oci-tar)" "$BARE/oci.tar"
	gzip -c "$BARE/busybox.tar" >"$BARE/packed.tar.gz"
	mkdir "$BARE/layout"
	tar -xf "$BARE/oci.tar" -C "$BARE/layout"
	cp -a "$tree" "$BARE/tree"
	mksquashfs "$tree" "$BARE/box.squashfs" -quiet -all-root >/dev/null
	mkfs.erofs "$BARE/box.erofs" "$tree" >/dev/null 2>&1
	for kind in oci.tar packed.tar.gz layout tree box.squashfs box.erofs; do
		prints_message "/$kind"
		prints_message --overlay disk "/$kind"
		prints_message --read-only "/$kind"
	done
	for kind in busybox.tar oci.tar layout; do
		prints_message --no-unpack "/$kind"
		prints_message --no-unpack "/$kind"
		prints_message --no-unpack --read-only "/$kind"
	done
	equal "$(find "$BARE/var/lib/wherry/indexes" -mindepth 1 -maxdepth 1 | wc -l)" 3
	contains "$(bare /wherry rmi /layout)" "removed the index"
	contains "$(bare /wherry fsck)" "all that is left is whole"
	(cd "$BARE" && rm -r oci.tar packed.tar.gz layout tree box.squashfs box.erofs)
}

carried() {
	contains "$(bare /wherry version)" wherry
	contains "$(bare /wherry run --help)" "Usage: wherry run"
}

other_init() {
	cp "$WHERRY_INIT" "$BARE/my-init"
	equal "$(bare /wherry run --init-path /my-init busybox cat /proc/1/comm)" my-init ||
		equal "$(bare /wherry run --init-path /my-init busybox cat /proc/1/comm)" wherry-init
	fails_with 125 "/none" bare /wherry run --init-path /none busybox true
	rm "$BARE/my-init"
}

it "is static: no interpreter, no shared libraries" static
it "runs where there is nothing but it and the image" alone
it "runs every kind of image there" every_kind
it "leaves its store and its state directory, nothing else" leaves_only
it "says what to mount where a limit is asked for and there is no cgroup" no_limits
it "lets nobody out, not even out of the chroot that wherry is in" no_escape
it "carries its help and its init" carried
it "--init-path takes another init" other_init
finish_clean
