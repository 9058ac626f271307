#!/bin/bash
# wherry save and import.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

LAYERED=$(image layered oci:gzip)

fresh() { rm -rf "$STORE"; }
names_of() { wherry images --json | jq -r '.[].Names[]'; }
id_of() { wherry inspect "$1" | jq -r '.[0].Id'; }

# An import has the holes of its files, which are as long as they were.
holes() {
	fresh
	local tree=$SCRATCH/holes name n
	mkdir "$tree"
	for name in begin middle end none many "$(printf 'n%.0s' {1..150})"; do truncate -s 20M "$tree/$name"; done
	echo data | dd of="$tree/begin" conv=notrunc status=none
	echo data | dd of="$tree/middle" bs=1 seek=10000001 conv=notrunc status=none
	echo data >>"$tree/end"
	truncate -s 200M "$tree/$(printf 'n%.0s' {1..150})"
	# more than the map has room for
	python3 -c 'import os, sys
file = os.open(sys.argv[1], os.O_WRONLY)
for n in range(1400): os.pwrite(file, b"x%d" % n, n * 8192)' "$tree/many"
	wherry import "$tree" holes >/dev/null
	same_holes
	rm "$tree/n"*
	wherry import "$tree" fewer >/dev/null
	wherry save fewer -o "$SCRATCH/fewer.tar"
	# In the layer of an image they are zeros: image-spec.
	[ "$(stat -c %s "$SCRATCH/fewer.tar")" -gt 60000000 ]
	skopeo copy -q "oci-archive:$SCRATCH/fewer.tar" "oci:$SCRATCH/fewer:latest" >/dev/null
	umoci unpack --image "$SCRATCH/fewer:latest" "$SCRATCH/fewer-tree" >/dev/null 2>&1
	diff <(python3 "$TOP/tests/lib/tree.py" "$tree") <(python3 "$TOP/tests/lib/tree.py" "$SCRATCH/fewer-tree/rootfs")
}

same_holes() {
	local layer
	layer=$STORE/layers/$(wherry inspect holes | jq -r '.[0].Storage.Layers[0].Directory')
	diff <(cd "$tree" && stat -c '%n %s %y' ./*) <(cd "$layer" && stat -c '%n %s %y' ./*)
	for name in begin middle end none many; do cmp "$tree/$name" "$layer/$name"; done
	[ "$(du -sk "$layer" | cut -f1)" -lt 20000 ]
}

# The same tree, whoever reads it.
saves() {
	fresh
	wherry load -q "$LAYERED" >/dev/null
	wherry save layered -o "$SCRATCH/saved.tar"
	mkdir -p "$SCRATCH/saved" && tar -xf "$SCRATCH/saved.tar" -C "$SCRATCH/saved"
	umoci unpack --image "$SCRATCH/saved:layered:latest" "$SCRATCH/unpacked" >/dev/null 2>&1
	umoci unpack --image "$LAYERED:latest" "$SCRATCH/reference" >/dev/null 2>&1 ||
		umoci unpack --image "$LAYERED:layered:latest" "$SCRATCH/reference" >/dev/null
	diff <(python3 "$TOP/tests/lib/tree.py" "$SCRATCH/reference/rootfs" --no-root) \
		<(python3 "$TOP/tests/lib/tree.py" "$SCRATCH/unpacked/rootfs" --no-root)
	skopeo inspect "oci-archive:$SCRATCH/saved.tar" >/dev/null
	wherry load -q --name again "$SCRATCH/saved.tar" >/dev/null
	equal "$(wherry run again echo read)" read
	[ ! -e "$SCRATCH/saved.tar.part" ]
}

# Under the whole name, whatever end of it was given; called by its ID it has none.
saves_the_name() {
	fresh
	load busybox
	wherry tag busybox lab/app:1.0
	wherry save app:1.0 -o "$SCRATCH/named.tar"
	wherry save "$(id_of busybox)" -o "$SCRATCH/nameless.tar"
	fresh
	wherry load -q "$SCRATCH/named.tar" >/dev/null
	wherry load -q "$SCRATCH/nameless.tar" >/dev/null
	equal "$(names_of | tr '\n' ' ')" "lab/app:1.0 nameless:latest "
	skopeo inspect "oci-archive:$SCRATCH/nameless.tar" >/dev/null
}

saves_the_same_twice() {
	wherry save layered -o "$SCRATCH/one.tar"
	wherry load -q --name one "$SCRATCH/one.tar" >/dev/null
	wherry save one -o "$SCRATCH/two.tar"
	equal "$(tar -tf "$SCRATCH/one.tar" | wc -l)" "$(tar -tf "$SCRATCH/two.tar" | wc -l)"
	equal "$(id_of one)" "$(wherry load -q --name two "$SCRATCH/two.tar")"
}

# Where others may write, somebody may have laid a link there: nothing is written through it.
saves_beside_a_link() {
	echo precious >"$SCRATCH/precious"
	ln -s precious "$SCRATCH/linked.tar.part"
	wherry save layered -o "$SCRATCH/linked.tar"
	equal "$(head -c 100 "$SCRATCH/precious" | tr -d "\0")" precious
	[ ! -L "$SCRATCH/linked.tar" ]
	wherry load -q "$SCRATCH/linked.tar" >/dev/null
	mkdir "$SCRATCH/other.tar.part"
	fails_with 125 "other.tar.part" wherry save layered -o "$SCRATCH/other.tar"
	[ -d "$SCRATCH/other.tar.part" ]
}

# As many attributes as a file may have, on a tmpfs that has no other limit.
many_attributes() {
	fresh
	local i
	mkdir -p "$SCRATCH/tmpfs"
	mount -t tmpfs none "$SCRATCH/tmpfs"
	mkdir -p "$SCRATCH/tmpfs/tree/dir"
	for i in $(seq 100 139); do
		setfattr -n "user.$(printf 'n%.0s' {1..240})$i" -v "$i" "$SCRATCH/tmpfs/tree/dir"
	done
	"$WHERRY" --root "$SCRATCH/tmpfs/store" import "$SCRATCH/tmpfs/tree" many >/dev/null
	local kept
	kept=$(getfattr -d --absolute-names "$SCRATCH"/tmpfs/store/layers/*/dir)
	umount "$SCRATCH/tmpfs"
	equal "$(grep -c ^user <<<"$kept")" 40
}

no_save() {
	fails_with 125 "it is not a file" wherry save layered -o /dev/full
	[ -c /dev/full ]
	mkdir "$SCRATCH/small"
	mount -t tmpfs -o size=1M none "$SCRATCH/small"
	fails_with 125 "No space left" wherry save layered -o "$SCRATCH/small/saved.tar"
	local left
	left=$(ls "$SCRATCH/small")
	umount "$SCRATCH/small"
	equal "$left" ""
	fails_with 125 "no image 'none'" wherry save none -o "$SCRATCH/none.tar"
	[ ! -e "$SCRATCH/none.tar" ]
}

imports() {
	fresh
	local tree=$SCRATCH/tree
	mkdir -p "$tree/bin" && cp /bin/busybox "$tree/bin/" && ln -s busybox "$tree/bin/echo"
	touch "$tree/$(printf 'n%.0s' {1..150})" && setfattr -n user.note -v kept "$tree/bin/busybox"
	chown 70000:80000 "$tree/bin" && touch -d '1969-12-31 23:59:58.5Z' "$tree/bin"
	wherry import "$tree" tree:1 >/dev/null
	equal "$(wherry run tree:1 /bin/echo hello)" hello
	local layer
	layer=$STORE/layers/$(wherry inspect tree:1 | jq -r '.[0].Storage.Layers[0].Directory')
	diff <(python3 "$TOP/tests/lib/tree.py" "$tree") <(python3 "$TOP/tests/lib/tree.py" "$layer")
	tar -C "$tree" --xattrs -czf "$SCRATCH/tree.tar.gz" .
	wherry import "$SCRATCH/tree.tar.gz" gz >/dev/null
	wherry import - piped <"$SCRATCH/tree.tar.gz" >/dev/null
	equal "$(id_of gz)" "$(id_of piped)"
	equal "$(wherry run gz /bin/echo hello)" hello
	gzip -dc "$SCRATCH/tree.tar.gz" | xz -9 >"$SCRATCH/tree.tar.xz"
	fails_with 125 "(see --window)" wherry import "$SCRATCH/tree.tar.xz" xz
	wherry import --window 64M "$SCRATCH/tree.tar.xz" xz >/dev/null
	equal "$(id_of gz)" "$(id_of xz)"
}

# More files with several names than any table begins with: they are one file each in a layer and in what is
# saved of it, and fsck sums each up once.
keeps_links() {
	fresh
	local tree=$SCRATCH/links n layer
	mkdir -p "$tree"/{a,b/c}
	for n in $(seq 300); do echo "$n" >"$tree/a/$n"; done
	ln "$tree"/a/* "$tree/b"
	ln "$tree"/a/*7 "$tree/b/c"
	wherry import "$tree" links >/dev/null
	for n in 1 2; do
		layer=$STORE/layers/$(wherry inspect links | jq -r '.[0].Storage.Layers[0].Directory')
		diff <(python3 "$TOP/tests/lib/tree.py" "$tree") <(python3 "$TOP/tests/lib/tree.py" "$layer")
		equal "$(wherry fsck)" "$STORE: all that is left is whole"
		wherry save links -o "$SCRATCH/links.tar"
		fresh
		wherry load -q "$SCRATCH/links.tar" >/dev/null
	done
}

# In a layer such a name removes another: the file itself can't be told.
imports_no_whiteout() {
	fresh
	mkdir -p "$SCRATCH/marked/dir"
	echo here >"$SCRATCH/marked/dir/.wh.file"
	echo here >"$SCRATCH/marked/dir/file"
	contains "$(wherry import "$SCRATCH/marked" marked 2>&1)" "dir/.wh.file: it is left out: "
	equal "$(ls -A "$STORE"/layers/*/dir)" file
}

no_import() {
	fresh
	fails_with 125 "No such file" wherry import "$SCRATCH/none" none
	fails_with 125 "is no name" wherry import "$SCRATCH/tree" 'a b'
	[ ! -e "$STORE" ]
	head -c 5000 /dev/urandom >"$SCRATCH/noise"
	fails_with 125 "tar: " wherry import "$SCRATCH/noise" noise
	[ ! -e "$STORE" ]
}

# What docker with its classic store does with an archive: manifest.json alone, each layer's bytes against the
# config's diff IDs (moby, image/tarexport/load.go).
read_as_docker() {
	python3 - "$1" <<'END'
import hashlib, json, sys, tarfile
tar = tarfile.open(sys.argv[1])
read = lambda name: tar.extractfile(name).read()
names = tar.getnames()
assert len(names) == len(set(names)), names
for image in json.loads(read("manifest.json")):
    config = json.loads(read(image["Config"]))
    sums = ["sha256:" + hashlib.sha256(read(layer)).hexdigest() for layer in image["Layers"]]
    assert sums == config["rootfs"]["diff_ids"], sums
    print(*(image["RepoTags"] or ["-"]), len(sums))
print(json.dumps({k: sorted(v) for k, v in json.loads(read("repositories")).items()}, sort_keys=True))
END
}

several_to_a_pipe() {
	load busybox app
	wherry tag busybox box:2
	local said root=$SCRATCH/podman layers
	layers=$(wherry inspect -f '{{len .RootFS.Layers}}' app)
	wherry save app busybox box:2 | cat >"$SCRATCH/pipe.tar"
	wherry save -o "$SCRATCH/file.tar" app busybox box:2
	cmp "$SCRATCH/pipe.tar" "$SCRATCH/file.tar"
	equal "$(read_as_docker "$SCRATCH/pipe.tar")" "app:latest $layers
busybox:latest 2
box:2 2
{\"app\": [\"latest\"], \"box\": [\"2\"], \"busybox\": [\"latest\"]}"
	said=$(podman --root "$root" --runroot "$root.run" --storage-driver vfs load -q -i "$SCRATCH/pipe.tar")
	contains "$said" box:2
	contains "$said" app:latest
	rm -rf "$root" "$root.run"
	equal "$(skopeo inspect "docker-archive:$SCRATCH/pipe.tar:busybox:latest" | jq -r '.Layers | length')" 2
	rm -rf "$STORE"
	equal "$(wherry load -q "$SCRATCH/pipe.tar" | sort -u | wc -l)" 2
}

short_write() {
	load busybox
	fails_with 125 "write standard output: No space left on device" eval 'wherry save busybox >/dev/full'
	fails_with 125 "there is no image 'none'" eval 'wherry save busybox none >"$SCRATCH/part"'
	[ ! -s "$SCRATCH/part" ]
	contains "$(script -qec "'$WHERRY' --root '$STORE' save busybox" /dev/null)" "nothing for a terminal"
}

it "saves an image that umoci, skopeo and wherry read" saves
it "saves what it loaded from its own file with the same digests" saves_the_same_twice
it "saves to a file of its own, whatever is beside it" saves_beside_a_link
it "leaves no file when it can't save" no_save
it "saves an image under its whole name, and none that was called by its ID" saves_the_name
it "imports a directory, an archive and a pipe" imports
it "keeps files that have several names one file each" keeps_links
it "imports as many attributes as a file may have" many_attributes
it "leaves out what would remove a file in an image, and says so" imports_no_whiteout
it "imports nothing of what is none" no_import
it "imports holes as such, and saves them as an image has to have them" holes
it "writes several images to a pipe, as podman, skopeo and docker's classic store read them" several_to_a_pipe
it "fails where not all could be written" short_write
finish_clean
