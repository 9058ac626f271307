#!/bin/bash
# Bad input: one clear line, exit 125, and nothing left in the store.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

GOOD=$(image busybox docker)
BLOBS=$(image busybox oci)

store_tree() { find "$STORE" -printf '%P %s\n' | sort; }
BEFORE=$(store_tree)

# refused TEXT COMMAND…: exit 125, "wherry: …TEXT…" on the first line, at most a second one that
# says how to go on, and a store that is what it was.
refused() {
	local text=$1 said=$SCRATCH/refused status=0
	shift
	"$@" 2>"$said" >"$said.out" </dev/null || status=$?
	cat "$said" >&2
	equal "$status" 125
	contains "$(head -n 1 "$said")" "$text"
	[[ $(head -n 1 "$said") == 'wherry: '* ]]
	[ "$(wc -l <"$said")" -le 2 ]
	equal "$(cat "$said.out")" ""
	equal "$(store_tree)" "$BEFORE"
}

# in_fresh COMMAND…: with a store that has never held anything, and holds nothing afterwards: in the
# other one a bad layer could be there already, from a good image.
in_fresh() {
	local status=0 left
	timeout -k 5 "$PATIENCE" "$WHERRY" --root "$SCRATCH/fresh" --state "$STATE" "$@" || status=$?
	left=$(find "$SCRATCH"/fresh/{layers,images,names,tmp} -mindepth 1 2>/dev/null || [ ! -e "$SCRATCH/fresh" ])
	if [ -n "$left" ]; then echo "left in the store: $left" >&2; fi
	rm -rf "$SCRATCH/fresh"
	return "$status"
}

# both TEXT FILE: by load and by run
both() {
	refused "$1" in_fresh load -q "$2"
	refused "$1" in_fresh run "$2" true
}

missing_file() { both "$SCRATCH/none.tar: No such file or directory" "$SCRATCH/none.tar"; }

empty_file() {
	: >"$SCRATCH/empty.tar"
	both "$SCRATCH/empty.tar" "$SCRATCH/empty.tar"
	both "empty" "$SCRATCH/empty.tar"
}

truncated() {
	local size
	for size in 300 1024 20000 1000000 $(($(stat -c %s "$GOOD") - 12000)); do
		head -c "$size" "$GOOD" >"$SCRATCH/truncated.tar"
		both "$SCRATCH/truncated.tar" "$SCRATCH/truncated.tar"
	done
}

truncated_layer() {
	local layer
	image busybox oci:gzip >/dev/null
	cp -r "$(image busybox oci:gzip)" "$SCRATCH/cut"
	layer=$(find "$SCRATCH/cut/blobs" -size +100k)
	truncate -s -1000 "$layer"
	both "$(basename "$layer" | head -c 12)" "$SCRATCH/cut"
}

no_archive() {
	head -c 100000 /dev/urandom >"$SCRATCH/noise.tar"
	both "$SCRATCH/noise.tar" "$SCRATCH/noise.tar"
	printf 'hello, world\n%.0s' {1..1000} >"$SCRATCH/text.tar"
	both "$SCRATCH/text.tar" "$SCRATCH/text.tar"
	both "/dev/null" /dev/null
	mkfifo "$SCRATCH/fifo.tar"
	both "$SCRATCH/fifo.tar" "$SCRATCH/fifo.tar"
	{ printf 'BZh91AY&SY' && head -c 1000 /dev/zero; } >"$SCRATCH/image.tar.bz2"
	both "$SCRATCH/image.tar.bz2: it is compressed with bzip2; wherry reads gzip, zstd and xz" "$SCRATCH/image.tar.bz2"
	fails_with 125 "wherry: -: it is compressed with bzip2" wherry load -q - < <(cat "$SCRATCH/image.tar.bz2")
}

no_manifest() {
	tar -C "$SCRATCH" -cf "$SCRATCH/plain.tar" -T /dev/null --transform 's,^,x/,' /etc/hostname 2>/dev/null
	both "manifest" "$SCRATCH/plain.tar"
	mkdir "$SCRATCH/no-index"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$SCRATCH/no-index/oci-layout"
	both "index.json" "$SCRATCH/no-index"
}

unknown_name() {
	refused "no-such-image" wherry run no-such-image true
	refused "busybox:2" wherry run busybox:2 true
	refused "no-such-image" wherry rmi no-such-image
	refused "@sha256:" wherry run "@sha256:$(printf '0%.0s' {1..64})" true
}

# edit KIND PYTHON: takes the good image apart, lets PYTHON change files (name → bytes), puts it together.
edit() {
	python3 - "$GOOD" "$SCRATCH/edited.tar" "$1" <<-'END'
	import io, json, sys, tarfile
	good, out, program = sys.argv[1:]
	with tarfile.open(good) as tar:
	    files = {m.name: tar.extractfile(m).read() for m in tar if m.isreg()}
	manifest = json.loads(files["manifest.json"])
	config = manifest[0]["Config"]
	exec(program)
	with tarfile.open(out, "w") as tar:
	    for name, data in files.items():
	        entry = tarfile.TarInfo(name)
	        entry.size = len(data)
	        tar.addfile(entry, io.BytesIO(data))
	END
}

missing_layer() {
	edit 'del files[manifest[0]["Layers"][1]]'
	both "$(tar -xOf "$GOOD" manifest.json | jq -r '.[0].Layers[1]' | head -c 12)" "$SCRATCH/edited.tar"
}

missing_config() {
	edit 'del files[config]'
	both ".json" "$SCRATCH/edited.tar"
}

wrong_diff_id() {
	edit 'name = manifest[0]["Layers"][1]; files[name] = files[name].replace(b"second layer", b"wicked layer")'
	both "sha256:" "$SCRATCH/edited.tar"
}

wrong_digest() {
	local blob
	cp -r "$BLOBS" "$SCRATCH/wrong"
	blob=$(grep -rl 'from the second layer' "$SCRATCH/wrong/blobs")
	sed -i 's/second layer/wicked layer/' "$blob"
	both "$(basename "$blob" | head -c 12)" "$SCRATCH/wrong"
}

too_many_layers() {
	edit 'manifest[0]["Layers"].append(manifest[0]["Layers"][0]); files["manifest.json"] = json.dumps(manifest).encode()'
	both "lists 3 layers, the image's config 2" "$SCRATCH/edited.tar"
}

bad_json() {
	edit 'files["manifest.json"] = b"[{"'
	both "manifest.json" "$SCRATCH/edited.tar"
	edit 'files[config] = b"not json at all"'
	both "$SCRATCH/edited.tar" "$SCRATCH/edited.tar"
}

other_architecture() {
	local other=s390x ours
	ours=$(skopeo inspect "docker-archive:$GOOD" | jq -r .Architecture)
	make_image "{\"Cmd\": [\"sh\"], \"architecture\": \"$other\"}" far:1 docker "$SCRATCH/far.tar" "$IMAGES"/busybox.layers/*.tar
	both "$other" "$SCRATCH/far.tar"
	both "$ours" "$SCRATCH/far.tar"
}

unknown_option() {
	refused "--frobnicate" wherry run --frobnicate busybox true
	refused "-Z" wherry run -Z busybox true
	refused "--frobnicate" wherry load --frobnicate "$GOOD"
	refused "--frobnicate" wherry --frobnicate run busybox true
	refused "frobnicate" wherry frobnicate
}

bad_values() {
	refused "'64Q'" wherry run -m 64Q busybox true
	refused "'few'" wherry run --cpus few busybox true
	refused "'few'" wherry run --pids-limit few busybox true
	refused "'sea'" wherry run --network sea busybox true
	refused "too few words" wherry run
	refused "--memory" wherry run -m
}

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

no_permission() {
	local store=$SCRATCH/closed
	mkdir -m 700 "$store"
	cp "$WHERRY" "$GOOD" "$SCRATCH/"
	chmod 755 "$SCRATCH" "$SCRATCH/wherry"
	refused "$store" as_nobody "$SCRATCH/wherry" --root "$store/x" --state "$store/y" load "$SCRATCH/$(basename "$GOOD")"
	chmod 600 "$SCRATCH/$(basename "$GOOD")"
	mkdir -m 777 "$SCRATCH/open"
	refused "Permission denied" as_nobody "$SCRATCH/wherry" --root "$SCRATCH/open/x" --state "$SCRATCH/open/y" \
		load "$SCRATCH/$(basename "$GOOD")"
}

# small_disk SIZE: a tmpfs at $SCRATCH/disk until the test ends.
small_disk() {
	mkdir -p "$SCRATCH/disk"
	mount -t tmpfs -o "size=$1" tmpfs "$SCRATCH/disk"
	trap 'umount -l "$SCRATCH/disk"' EXIT
}

on_disk() { timeout -k 5 "$PATIENCE" "$WHERRY" --root "$SCRATCH/disk/store" --state "$STATE" "$@"; }

# What can't fit is refused before a byte of it is written: by the length that gzip's end states, too.
too_small_a_disk() {
	small_disk 1M
	strace -f -qq -o "$SCRATCH/trace" -e trace=pwrite64 "$WHERRY" --root "$SCRATCH/disk/store" load -q "$GOOD" || [ $? = 125 ]
	lacks "$(cat "$SCRATCH/trace")" pwrite64
	head -c 8M /dev/zero >"$SCRATCH/zeros"
	tar -C "$SCRATCH" -cf "$SCRATCH/zeros.tar" zeros
	make_image '{"Cmd": ["sh"]}' zeros:latest oci:gzip "$SCRATCH/zeros.oci" "$SCRATCH/zeros.tar"
	[ "$(du -sk "$SCRATCH/zeros.oci" | cut -f1)" -lt 200 ]
	refused "its layers need at least 8 MiB" on_disk load -q "$SCRATCH/zeros.oci"
}

# A file of one byte takes 1 KiB of the archive and 4 of the disk: seen only when the disk is full.
filled_disk() {
	small_disk 1M
	mkdir "$SCRATCH/small"
	(cd "$SCRATCH/small" && for n in {1..500}; do echo >"$n"; done)
	tar -C "$SCRATCH/small" -cf "$SCRATCH/small.tar" .
	make_image '{"Cmd": ["sh"]}' small:latest docker "$SCRATCH/small.docker" "$SCRATCH/small.tar"
	refused "No space left" on_disk load -q "$SCRATCH/small.docker" 2>&1 | tee "$SCRATCH/said"
	contains "$(on_disk load -q "$SCRATCH/small.docker" 2>&1)" "all layers together need at least 1 MiB"
	equal "$(cd "$SCRATCH/disk/store" && find layers images names tmp -mindepth 1)" ""
}

# What is unpacked into the store first: refused before that where its end says how long it is; else when the disk is
# full, and what is said then is what is known of it.
filled_by_unpacking() {
	local said
	small_disk 1M
	gzip -c "$GOOD" >"$SCRATCH/packed.gz"
	xz -c "$GOOD" >"$SCRATCH/packed.xz"
	refused "$SCRATCH/packed.gz: unpacked it needs at least 2 MiB, and $SCRATCH/disk/store has 0 MiB free" \
		on_disk load -q "$SCRATCH/packed.gz"
	said=$(on_disk load -q "$SCRATCH/packed.xz" 2>&1) || true
	contains "$said" "wherry: unpack $SCRATCH/packed.xz into the store: No space left on device"
	contains "$said" "that takes more than the 0 MiB that had been written, and its layers come on top"
	umount "$SCRATCH/disk"
	mount -t tmpfs -o size=2M tmpfs "$SCRATCH/disk"
	said=$(cat "$GOOD" | on_disk load -q - 2>&1) || true
	contains "$said" "wherry: unpack - into the store: No space left on device"
	contains "$said" "that takes more than the 1 MiB that had been written, and its layers come on top"
	mkdir "$SCRATCH/large"
	cp "$GOOD" "$SCRATCH/large/file"
	fails_with 125 "wherry: pack the directory into the store: No space left on device" on_disk import "$SCRATCH/large" large
	fails_with 125 "more than the 1 MiB that had been written, and its layers come on top" on_disk import "$SCRATCH/large" large
	equal "$(cd "$SCRATCH/disk/store" && find layers images names tmp -mindepth 1)" ""
}

full_disk() {
	small_disk 1M
	refused "its layers need at least 2 MiB, and $SCRATCH/disk/store has 0 MiB free" on_disk load -q "$GOOD"
	equal "$(cd "$SCRATCH/disk/store" && find layers images names tmp -mindepth 1)" ""
	on_disk images
}

read_only_store() {
	small_disk 8M
	on_disk load -q "$GOOD" >/dev/null
	mount -o remount,ro "$SCRATCH/disk"
	refused "Read-only file system" on_disk load -q "$(image layered docker)"
	equal "$(on_disk run busybox echo runs)" runs
}

no_store() {
	# A command that fails makes no store.
	refused "$SCRATCH/none.tar" timeout "$PATIENCE" "$WHERRY" --root "$SCRATCH/never" --state "$STATE" load "$SCRATCH/none.tar"
	refused "nowhere" timeout "$PATIENCE" "$WHERRY" --root "$SCRATCH/never" --state "$STATE" run nowhere true
	[ ! -e "$SCRATCH/never" ]
}

it "names a file that is missing" missing_file
it "names a file that is empty" empty_file
it "refuses an archive that is cut off, wherever" truncated
it "refuses a compressed layer that is cut off" truncated_layer
it "refuses what is no archive" no_archive
it "refuses an archive without a manifest, a layout without an index" no_manifest
it "names an image that it doesn't know" unknown_name
it "names a layer that is missing" missing_layer
it "names a config that is missing" missing_config
it "refuses a layer that is not the one its diff ID says" wrong_diff_id
it "refuses a blob that is not the one its digest says" wrong_digest
it "refuses a manifest with more layers than diff IDs" too_many_layers
it "refuses documents that are no JSON" bad_json
it "names both architectures of an image for another" other_architecture
it "refuses options and commands that it doesn't have" unknown_option
it "refuses values that are none" bad_values
if as_nobody unshare --user true 2>/dev/null; then
	it "says what it may not read or write" no_permission
else
	skip "says what it may not read or write" "users may not make user namespaces here"
fi
it "leaves nothing on a disk that is full" full_disk
it "says how much is needed before it writes anything" too_small_a_disk
it "says how much is needed when the disk is full" filled_disk
it "says how much is needed when the disk is full of what is unpacked first" filled_by_unpacking
it "loads nothing into a read-only store, and runs from it" read_only_store
it "makes no store for a command that fails" no_store
finish_clean
