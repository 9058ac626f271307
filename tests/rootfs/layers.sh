#!/bin/bash
# What a container sees of layers that an overlay could show wrongly: tests/rootfs/layers.py makes them.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
image busybox docker >/dev/null

# made CASE: loads it under that name.
made() {
	python3 "$TOP/tests/rootfs/layers.py" "$SCRATCH/$1.tar" "$1" "$IMAGES/busybox.layers"/*.tar
	wherry load -q "$SCRATCH/$1.tar" >/dev/null
}

# names IMAGE DIR…: what readdir says is in each. ls(1) leaves out what it can't look at.
names() {
	local image=$1
	shift
	wherry run "$image" sh -c 'for i; do cd "$i" && echo *; done' sh "$@"
}

# Of the overlay that is the container's root.
lowers() { wherry run "$1" sh -c "grep -o 'lowerdir=[^, ]*' /proc/self/mountinfo" | tr ':' '\n' | wc -l; }

twice() {
	made twice
	equal "$(wherry run twice cat /seen/file)" first
	equal "$(wherry run twice ls /seen | tr '\n' ' ')" "file one two "
	equal "$(lowers twice)" 4
}

empty() {
	made empty
	wherry run empty ls -d /seen
	equal "$(lowers empty)" 3
}

deep() {
	made deep
	equal "$(wherry run deep sh -c 'ls /seen | wc -l; cat /seen/last')" $'499\n497'
	equal "$(lowers deep)" 500
	fails_with 125 "overlayfs takes 500" made deeper
}

opaque_root() {
	made opaque-root
	wherry run opaque-root ls /bin/tool
	fails_with 1 "/old: No such file" wherry run opaque-root ls /old
	lacks "$(wherry run opaque-root ls /)" file
	equal "$(lowers opaque-root)" 1
}

no_whiteouts() {
	made opaque
	equal "$(names opaque /seen /seen/below)" $'below new\n*'
}

# Such a name would be listed and could not be opened.
no_whiteouts_of_nothing() {
	made new-directory
	equal "$(names new-directory /seen /seen/new /plain)" $'new\nfile\n*'
	made bottom
	equal "$(names bottom /seen)" file
	equal "$(wherry fsck)" "$STORE: all that is left is whole"
}

# The same layer elsewhere, where there is something to hide: it still does.
whiteouts_elsewhere() {
	made both
	equal "$(names both /seen /seen/new)" $'new\nfile'
	equal "$(names new-directory /seen /seen/new)" $'new\nfile'
}

# A layer that depends on what is below it is another one elsewhere.
takes_from_below() {
	made low
	made high
	equal "$(wherry run low stat -c '%a %u' /seen)" "755 0"
	equal "$(wherry run high stat -c '%a %u' /seen)" "710 3"
}

# ramfs has none.
no_attributes() {
	local said
	mkdir "$SCRATCH/ramfs"
	mount -t ramfs none "$SCRATCH/ramfs"
	python3 "$TOP/tests/rootfs/layers.py" "$SCRATCH/attributes.tar" attributes "$IMAGES/busybox.layers"/*.tar
	said=$("$WHERRY" --root "$SCRATCH/ramfs/store" load -q "$SCRATCH/attributes.tar" 2>&1 >/dev/null) || said+=" failed"
	cat "$SCRATCH/ramfs/store/layers"/*/two-2 >>"$SCRATCH/two" || said+=" two is missing"
	umount "$SCRATCH/ramfs"
	equal "$said" "wherry: extended attributes are left out: the store's file system or the file's type has none of user.note"
}

# Names longer than 4 KiB together, as XFS and tmpfs take them: a layer's own, a layer's that takes them from below,
# in the index of an archive, and saved.
many_attributes() {
	local status=0
	mkdir "$SCRATCH/tmpfs"
	mount -t tmpfs none "$SCRATCH/tmpfs"
	python3 "$TOP/tests/rootfs/layers.py" "$SCRATCH/many-attributes.tar" many-attributes "$IMAGES/busybox.layers"/*.tar
	attributes_kept "$WHERRY" --root "$SCRATCH/tmpfs/store" --state "$STATE" || status=$?
	umount "$SCRATCH/tmpfs"
	return "$status"
}

attributes_kept() {
	"$@" load -q "$SCRATCH/many-attributes.tar" &&
		equal "$(getfattr --absolute-names -R "$SCRATCH/tmpfs/store/layers"/*/seen | grep -c '^user.')" 80 &&
		"$@" run --no-unpack "$SCRATCH/many-attributes.tar" true &&
		equal "$(cat "$SCRATCH/tmpfs/store/indexes"/*/tree.erofs | grep -aoE '[0-9]{3}n{200}' | wc -l)" 40 &&
		"$@" save many-attributes -o "$SCRATCH/tmpfs/saved.tar" &&
		equal "$(grep -aoE 'SCHILY.xattr.user.[0-9]{3}n{200}=' "$SCRATCH/tmpfs/saved.tar" | wc -l)" 80
}

root() {
	made root
	equal "$(wherry run root stat -c '%a %u:%g' /)" "711 5:6"
	equal "$(wherry run root stat -c '%a %u:%g' /)" "711 5:6"
	wherry run --overlay "$SCRATCH/kept" root true
	equal "$(getfattr --absolute-names --only-values -n user.note "$SCRATCH/kept/upper")" kept
}

it "shows a layer that is there twice where it is uppermost" twice
it "leaves empty layers out" empty
it "shows five hundred layers, and refuses more" deep
it "shows nothing that lies below an opaque root" opaque_root
it "lists no whiteout in an opaque directory" no_whiteouts
it "lists no whiteout in a directory that no layer below has" no_whiteouts_of_nothing
it "keeps such a whiteout where the layer lies on another" whiteouts_elsewhere
it "gives a layer what lies below it in this image, not in another" takes_from_below
it "leaves attributes out where the store has none, and warns once" no_attributes
mkdir "$SCRATCH/probe"
mount -t tmpfs none "$SCRATCH/probe"
touch "$SCRATCH/probe/file"
if setfattr -n user.note -v x "$SCRATCH/probe/file" 2>/dev/null; then
	it "keeps more attributes than 4 KiB can name" many_attributes
else
	skip "keeps more attributes than 4 KiB can name" "tmpfs has none of user.* before Linux 6.6"
fi
umount "$SCRATCH/probe"
it "gives the container's root what the image says of it" root
finish_clean
