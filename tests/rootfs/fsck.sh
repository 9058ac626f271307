#!/bin/bash
# wherry fsck: what a worn flash, a power cut and broken removals have left.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

LAYERED=$(image layered oci:gzip)

fresh() { rm -rf "$STORE"; }
names_of() { wherry images --json | jq -r '.[].Names[]'; }
layers_there() { find "$STORE/layers" -mindepth 1 -maxdepth 1 -type d | wc -l; }

fsck_clean() {
	fresh
	load busybox
	equal "$(wherry fsck)" "$STORE: all that is left is whole"
}

fsck_config() {
	fresh
	load busybox
	printf x >>"$(echo "$STORE"/images/*)"
	local said
	said=$(wherry fsck)
	contains "$said" "its config is not what its ID says: removed"
	contains "$said" "name busybox:latest: it leads to no image: removed"
	contains "$said" "layers that no image has: removed"
	equal "$(layers_there)" 0
}

# Its layers must stay where they are, too.
fsck_config_in_use() {
	fresh
	load busybox
	start hang busybox sh -c 'echo up; sleep 30'
	printf ' ' >>"$(echo "$STORE"/images/*)"
	contains "$(wherry fsck 2>&1 || [ $? = 125 ])" "its config is not what its ID says: it stays, since it is in use"
	[ "$(layers_there)" -gt 0 ]
	printf x >>"$(find "$STORE/layers" -name message)"
	contains "$(wherry fsck || [ $? = 125 ])" "files in it have another size: it stays, since it is in use"
	fails_with 125 "what is in use in $STORE is damaged" wherry fsck
	[ -e "$(find "$STORE/layers" -name message)" ]
	kill "$started"
	wait "$started" || [ $? = 143 ]
	contains "$(wherry fsck 2>&1)" "its config is not what its ID says: removed"
	equal "$(layers_there)" 0
}

# A name's file that lost what it held: all else goes on, and it is put right by who has the image.
fsck_name() {
	fresh
	load busybox
	wherry tag busybox second
	: >"$STORE/names/second:latest"
	equal "$(names_of)" busybox:latest
	fails_with 125 "the name second:latest holds no image ID" wherry run second true
	contains "$(wherry fsck)" "name second:latest: it leads to no image: removed"
	: >"$STORE/names/busybox:latest"
	load busybox
	equal "$(wherry run busybox echo back)" back
}

# As a power cut does it to ext4 without the sync: a file is there, its content is not.
fsck_layer() {
	fresh
	load busybox
	truncate -s 0 "$(find "$STORE/layers" -name busybox -size +100k)"
	fails_with 125 "must be loaded again: 1" wherry fsck
	load busybox
	equal "$(wherry run busybox echo back)" back
	equal "$(wherry fsck)" "$STORE: all that is left is whole"
}

# flip FILE AT: another bit there, size and times as they were.
flip() {
	python3 - "$1" "$2" <<-'END'
	import os, sys
	st = os.stat(sys.argv[1])
	with open(sys.argv[1], "r+b") as file:
	    file.seek(int(sys.argv[2]))
	    byte = file.read(1)
	    file.seek(-1, 1)
	    file.write(bytes([byte[0] ^ 8]))
	os.utime(sys.argv[1], ns=(st.st_atime_ns, st.st_mtime_ns))
	END
}

# As flash does it that wears out.
fsck_flipped() {
	local tree=$SCRATCH/flipped at
	mkdir "$tree"
	head -c 300001 /dev/urandom >"$tree/file"
	ln "$tree/file" "$tree/link"
	truncate -s 1M "$tree/sparse"
	printf middle | dd of="$tree/sparse" bs=1 seek=500003 conv=notrunc status=none
	printf x >"$tree/small"
	fresh
	for at in file:0 file:123457 file:300000 sparse:500007 sparse:9 small:0; do
		wherry import "$tree" flipped >/dev/null
		equal "$(wherry fsck)" "$STORE: all that is left is whole"
		flip "$(find "$STORE/layers" -name "${at%:*}")" "${at#*:}"
		fails_with 125 "must be loaded again: 1" wherry fsck
	done
	wherry import "$tree" flipped >/dev/null
	flip "$(find "$STORE/layers" -name small)" 0
	contains "$(wherry fsck 2>&1 || true)" ": files in it have changed: removed"
}

# What an archive has twice is summed up twice and there once: nothing is said of it then.
fsck_twice() {
	fresh
	mkdir -p "$SCRATCH/twice"
	head -c 5000 /dev/urandom >"$SCRATCH/twice/file"
	tar -C "$SCRATCH/twice" -cf "$SCRATCH/twice.tar" .
	head -c 7000 /dev/urandom >"$SCRATCH/twice/file"
	tar -C "$SCRATCH/twice" -rf "$SCRATCH/twice.tar" ./file
	wherry import "$SCRATCH/twice.tar" twice >/dev/null
	equal "$(wherry fsck)" "$STORE: all that is left is whole"
	lacks "$(cat "$STORE"/layers/*.about)" "sum "
}

# What is known of a layer says how it is mounted: a word that has changed must not be passed over.
fsck_about() {
	fresh
	wherry load -q "$LAYERED" >/dev/null
	local about
	about=$(grep -l '^implied$' "$STORE"/layers/*.about)
	sed -i s/^implied/impliee/ "$about"
	fails_with 125 "wherry fsck removes what is damaged" wherry load -q "$LAYERED"
	contains "$(wherry fsck 2>&1 || [ $? = 125 ])" "nothing is known of it: removed"
	wherry load -q "$LAYERED" >/dev/null
	rm "$about"
	fails_with 125 "wherry fsck removes what is damaged" wherry load -q "$LAYERED"
	contains "$(wherry fsck 2>&1 || [ $? = 125 ])" "nothing is known of it: removed"
	wherry load -q "$LAYERED" >/dev/null
	equal "$(wherry run layered cat /a/over)" two
}

fsck_leftovers() {
	fresh
	load busybox
	mkdir "$STORE/layers/$(printf '0%.0s' {1..64})"
	echo entries 5 >"$STORE/layers/$(printf '1%.0s' {1..64}).about"
	local said
	said=$(wherry fsck)
	contains "$said" "layer 000000000000: nothing is known of it: removed"
	contains "$said" "layer 111111111111: nothing of it is there: removed"
	equal "$(find "$STORE/layers" -name '000*' -o -name '111*')" ""
}

it "finds nothing wrong with a whole store" fsck_clean
it "removes an image whose config is not its ID's" fsck_config
it "keeps an image that runs, whatever its config has become" fsck_config_in_use
it "removes a name that holds nothing, and loads it anew" fsck_name
it "finds a file that has lost its content" fsck_layer
it "finds a bit that has turned over in any file" fsck_flipped
it "does not take a file that an archive has twice for damaged" fsck_twice
it "finds what is known of a layer to be gone, or no longer right" fsck_about
it "finds what broken removals have left" fsck_leftovers
finish_clean
