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
it "leaves its store and its state directory, nothing else" leaves_only
it "says what to mount where a limit is asked for and there is no cgroup" no_limits
it "lets nobody out, not even out of the chroot that wherry is in" no_escape
it "carries its help and its init" carried
it "--init-path takes another init" other_init
finish_clean
