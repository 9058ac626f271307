#!/bin/bash
# wherry load as a person uses it: files, names, progress, memory, what is written.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

fresh() { rm -rf "$STORE"; }
names_of() { wherry images --json | jq -r '.[].Names[]' | sort | tr '\n' ' '; }

every_form() {
	local kind file id="" was=""
	for kind in docker docker-blobs docker-blobs:gzip oci oci:gzip oci:zstd oci-tar:gzip; do
		fresh
		file=$(image layered "$kind")
		id=$(wherry load -q "$file")
		equal "$(wherry run layered echo "$kind")" "$kind"
		echo "$kind $id"
	done
}

# Layers compressed with xz, and the archive compressed as a whole, from a pipe.
xz_and_pipes() {
	local file
	file=$(image busybox docker)
	for how in "gzip -c" "zstd -qc" "xz -0c"; do
		fresh
		$how "$file" | wherry load -q >/dev/null
		equal "$(wherry run busybox echo "$how")" "$how"
		equal "$(find "$STORE/tmp" -mindepth 1)" ""
	done
	fresh
	wherry load -q - <"$file" >/dev/null
	equal "$(names_of)" "busybox:latest "
	fresh
	(head -c 1000 >/dev/null; wherry load -q) <<<"" 2>/dev/null && return 1
	[ ! -e "$STORE" ]
}

several() {
	fresh
	skopeo copy -q "docker-archive:$(image busybox docker)" "docker-archive:$SCRATCH/a.tar:one:1" 2>/dev/null
	python3 - "$(image busybox docker)" "$(image layered docker)" "$SCRATCH/both.tar" <<-'END'
	import io, json, sys, tarfile
	files, manifests = {}, []
	for path in sys.argv[1:3]:
	    with tarfile.open(path) as tar:
	        for member in tar:
	            if member.isreg():
	                files[member.name] = tar.extractfile(member).read()
	    manifests += json.loads(files.pop("manifest.json"))
	manifests[0]["RepoTags"] = ["first:1", "first:latest", "not a name"]
	manifests[1]["RepoTags"] = ["library/second:2"]
	files["manifest.json"] = json.dumps(manifests).encode()
	with tarfile.open(sys.argv[3], "w") as tar:
	    for name, data in files.items():
	        entry = tarfile.TarInfo(name)
	        entry.size = len(data)
	        tar.addfile(entry, io.BytesIO(data))
	END
	local said
	said=$(wherry load "$SCRATCH/both.tar" 2>&1)
	contains "$said" "'not a name' is no name for an image"
	equal "$(names_of)" "first:1 first:latest second:2 "
	equal "$(wherry run second:2 echo two)" two
	fails_with 125 "there are 2 images in it" wherry run "$SCRATCH/both.tar" true
	fails_with 125 "they can't have one name, 'mine'" wherry load -q --name mine "$SCRATCH/both.tar"
}

named() {
	fresh
	wherry load -q --name my/box:3 "$(image busybox docker)" >/dev/null
	equal "$(names_of)" "my/box:3 "
	fails_with 125 "is no name for an image" wherry load -q --name 'my box' "$(image busybox docker)"
}

# An image that nobody has named is called after its file.
# An index has a line for each name: the image is one all the same, and may be run by its file.
named_twice() {
	fresh
	cp -r "$(image busybox oci)" "$SCRATCH/twice"
	jq '.manifests[0] as $it | .manifests = ["one:1", "two:2" |
		. as $name | $it | .annotations = {"org.opencontainers.image.ref.name": $name}]' \
		"$(image busybox oci)/index.json" >"$SCRATCH/twice/index.json"
	contains "$(wherry load "$SCRATCH/twice")" $'Loaded image: one:1\nLoaded image: two:2'
	equal "$(names_of)" "one:1 two:2 "
	equal "$(wherry run "$SCRATCH/twice" echo ran)" ran
}

# It is not for the platform that was asked for: nobody runs another one without a word.
other_platform() {
	fresh
	local ours
	wherry load -q "$(image busybox docker)" >/dev/null
	ours=$(wherry inspect busybox | jq -r '.[0].Storage.Platform')
	equal "$(wherry run --platform "$ours" busybox echo ran)" ran
	fails_with 125 "image busybox is for $ours, not for linux/s390x" wherry run --platform linux/s390x busybox true
	fails_with 125 "'s390x/' is no platform" wherry run --platform s390x/ busybox true
}

nameless() {
	fresh
	cp -r "$(image busybox oci)" "$SCRATCH/Some-App"
	jq 'del(.manifests[].annotations)' "$(image busybox oci)/index.json" >"$SCRATCH/Some-App/index.json"
	wherry load -q "$SCRATCH/Some-App" >/dev/null
	equal "$(names_of)" "some-app:latest "
}

quiet() {
	fresh
	local out
	out=$(wherry load -q "$(image busybox docker)" 2>&1)
	equal "$out" "sha256:$(basename "$STORE"/images/*)"
}

says_what_it_did() {
	fresh
	local said
	said=$(wherry load "$(image layered docker)")
	contains "$said" "Loaded image: layered:latest"
	contains "$said" " layers extracted, "
	contains "$said" " MB written"
	lacks "$(wherry load "$(image layered docker)")" "extracted"
}

on_a_terminal() {
	fresh
	script -qec "$WHERRY --root $STORE load $(image debian docker)" "$SCRATCH/terminal" >/dev/null
	grep -q 'loading: .* MB, . of 6 layers, .* MB/s' "$SCRATCH/terminal"
	fresh
	script -qec "$WHERRY --root $STORE load -q $(image debian docker)" "$SCRATCH/terminal" >/dev/null
	! grep -q loading "$SCRATCH/terminal"
}

# A pipe, whose length nobody knows, and a file that is packed: both are unpacked first.
# Each takes longer than the tenth of a second after which it is shown: a pipe with a pause, and xz.
unpacking() {
	fresh
	script -qec "(head -c 1000000; sleep 0.3; cat) <$(image debian docker) | $WHERRY --root $STORE load" \
		"$SCRATCH/terminal" >/dev/null
	grep -q 'unpacking: [0-9]* MB, [0-9]* MB/s' "$SCRATCH/terminal"
	grep -q 'loading: .* MB, . of 6 layers, .* MB/s' "$SCRATCH/terminal"
	fresh
	xz -0 -T 0 -c "$(image debian docker)" >"$SCRATCH/packed.xz"
	script -qec "$WHERRY --root $STORE load $SCRATCH/packed.xz" "$SCRATCH/terminal" >/dev/null
	grep -q "unpacking: [0-9]* of $(($(stat -c %s "$SCRATCH/packed.xz") / 1000000)) MB, [0-9]* MB/s" "$SCRATCH/terminal"
	fresh
	script -qec "$WHERRY --root $STORE load -q $SCRATCH/packed.xz" "$SCRATCH/terminal" >/dev/null
	! grep -q unpacking "$SCRATCH/terminal"
}

memory() {
	fresh
	local peak kind
	for kind in docker oci:gzip; do
		rm -rf "$STORE"
		peak=$(python3 "$TOP/tests/bench/load.py" --memory "$WHERRY --root $STORE load -q $(image debian "$kind")")
		echo "$kind: $peak KB"
		[ "$peak" -gt 300 ]
		[ "$peak" -le 6144 ]
	done
}

# box SIZE: a cgroup whose memory is limited to that many MiB, cache and kernel's own included; its path.
box() {
	local controllers path
	while read -r controllers path; do
		if [[ ,$controllers, == *,memory,* ]]; then
			mkdir "$path/wherry-box$ID"
			echo "$1M" >"$path/wherry-box$ID/memory.limit_in_bytes"
		elif [ "$controllers" = unified ] && grep -qw memory "$path/cgroup.controllers"; then
			echo +memory >"$path/cgroup.subtree_control"
			mkdir "$path/wherry-box$ID"
			echo "$1M" >"$path/wherry-box$ID/memory.max"
		else
			continue
		fi
		echo "$path/wherry-box$ID"
		return
	done < <(cgroup_mounts)
	return 1
}

# The files go to a disk: a tmpfs' would count as memory.
in_little_memory() {
	local box kind size status=0 store
	box=$(box "$1")
	store=$(mktemp -d "$BUILD/images/boxed.XXXXXX")
	for kind in docker oci:gzip oci:zstd; do
		size=$(du -sm "$(image debian "$kind")" | cut -f1)
		[ "$size" -gt $(($1 * 2)) ]
		sh -c 'echo 0 >"$1/cgroup.procs" && exec "$2" --root "$3" load -q "$4"' sh "$box" "$WHERRY" "$store" \
			"$(image debian "$kind")" || status=$?
		"$WHERRY" --root "$store" fsck || status=$?
		rm -rf "$store"
	done
	cat "$box"/memory.{max_usage_in_bytes,peak} 2>/dev/null || [ -d "$box" ]
	rmdir "$box"
	return "$status"
}

# Each of these layers asks for 8 MiB to remember.
large_windows() {
	fresh
	local peak
	peak=$(python3 "$TOP/tests/bench/load.py" --memory "$WHERRY --root $STORE load -q $(image debian oci:zstd)")
	echo "$peak KB"
	[ "$peak" -gt 300 ]
	[ "$peak" -le 13000 ]
}

# The decoder as it is seen from outside while it waits for a pipe that sends nothing more.
decoder_is_alone() {
	fresh
	local file pid decoder
	file=$(image debian docker)
	(head -c 3000000 <(gzip -1 -c "$file"); sleep 20) | "$WHERRY" --root "$STORE" load -q &
	pid=$!
	eventually pgrep -P "$pid"
	sleep 0.5
	decoder=$(pgrep -P "$pid")
	cat "/proc/$decoder/status"
	equal "$(awk '/^Uid:|^Gid:/ { print $2, $3, $4, $5 }' "/proc/$decoder/status" | sort -u)" "65534 65534 65534 65534"
	equal "$(awk '/^Groups:/ { print NF }' "/proc/$decoder/status")" 1
	equal "$(awk '/^Cap(Inh|Prm|Eff|Amb)/ { print $2 }' "/proc/$decoder/status" | sort -u)" 0000000000000000
	equal "$(awk '/^(NoNewPrivs|Seccomp):/ { print $2 }' "/proc/$decoder/status" | tr '\n' ' ')" "1 2 "
	equal "$(ls "/proc/$decoder/fd" | tr '\n' ' ')" "0 1 "
	equal "$(readlink "/proc/$decoder/fd/0" "/proc/$decoder/fd/1" | sort -u)" "anon_inode:[eventfd]"
	contains "$(grep 'open files' "/proc/$decoder/limits")" " 0 "
	kill -9 "$pid"
	eventually gone "$decoder"
	wait "$pid" || [ $? = 137 ]
	wherry load -q "$(image busybox docker)" >/dev/null
	equal "$(find "$STORE/tmp" -mindepth 1)" ""
}

# A layer's decoder can write into one thing that others see, its channel: not into what the load counts with.
decoder_shares_its_channel() {
	fresh
	strace -f -qq -o "$SCRATCH/trace" -e trace=symlinkat -e inject=symlinkat:delay_enter=100000 \
		"$WHERRY" --root "$STORE" load "$(image busybox docker)" >/dev/null 2>&1 &
	local strace=$! maps
	eventually layer_decoder "$strace"
	maps=$(cat "/proc/$(layer_decoder "$strace")/maps")
	kill -9 "$(pgrep -P "$strace")"
	wait "$strace" || [ $? = 137 ]
	wherry load -q "$(image busybox docker)" >/dev/null
	equal "$(grep -c ' rw-s ' <<<"$maps")" 1
}

# Below strace are wherry, a worker and its decoder.
layer_decoder() { pgrep -u 65534 -P "$(pgrep -P "$(pgrep -P "$1")" | head -n 1)"; }

gone() { [ ! -d "/proc/$1" ]; }

# From a loop device's own counters: a load writes what it says, and little more.
writes_once() {
	fresh
	truncate -s 1G "$SCRATCH/disk"
	mkfs.ext4 -q -O ^has_journal "$SCRATCH/disk"
	mkdir -p "$SCRATCH/mnt"
	mount -o loop "$SCRATCH/disk" "$SCRATCH/mnt"
	local device before after extracted
	device=$(basename "$(findmnt -no SOURCE "$SCRATCH/mnt")")
	sync -f "$SCRATCH/mnt"
	before=$(awk '{ print $7 }' "/sys/block/$device/stat")
	"$WHERRY" --root "$SCRATCH/mnt/store" load -q "$(image debian oci:gzip)" >/dev/null
	sync -f "$SCRATCH/mnt"
	after=$(awk '{ print $7 }' "/sys/block/$device/stat")
	extracted=$(du -sB1 "$SCRATCH/mnt/store/layers" | cut -f1)
	umount "$SCRATCH/mnt"
	echo "written: $(((after - before) * 512)), extracted: $extracted"
	[ "$((after - before))" -gt 0 ]
	[ "$(((after - before) * 512 * 10))" -le "$((extracted * 11))" ]
}

it "loads every form of an image" every_form
it "loads what is compressed as a whole, and from a pipe" xz_and_pipes
it "loads all images of an archive, under all their names" several
it "names an image as it is told" named
it "takes an image that has two names for one" named_twice
it "runs no image of another platform than was asked for" other_platform
it "names an image after its file where nobody else has" nameless
it "prints the ID alone with -q" quiet
it "says what it loaded and how much it wrote" says_what_it_did
it "shows on a terminal how far it is, but not with -q" on_a_terminal
it "shows how far it is with what it unpacks first, too" unpacking
it "takes 6 MiB for all its processes" memory
if ! limits_here memory; then
	skip "loads an image of any size in 16 MiB" "memory can't be limited here"
elif [ "$(stat -fc %T "$BUILD")" = tmpfs ]; then
	skip "loads an image of any size in 16 MiB" "$BUILD is in memory itself"
else
	it "loads an image of any size in 16 MiB" in_little_memory 16
fi
it "takes no two large zstd windows at a time" large_windows
it "decodes in a process that can do nothing but compute, and ends with its parent" decoder_is_alone
if command -v strace >/dev/null; then
	it "shares with a layer's decoder its channel and nothing else" decoder_shares_its_channel
else
	skip "shares with a layer's decoder its channel and nothing else" "strace is not installed"
fi
if [ -b /dev/loop0 ] || [ -c /dev/loop-control ]; then
	it "writes no more than 1.1 times what it extracts" writes_once
else
	skip "writes no more than 1.1 times what it extracts" "there is no loop device"
fi
finish_clean
