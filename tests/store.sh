#!/bin/bash
# The store: names, sharing, removal, what happens to two at once, to a kill, to an old or a full store.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/launch.sh"

BUSYBOX=$(image busybox docker)
LAYERED=$(image layered oci:gzip)
MANY=$(image many docker)
COUNT=$(find "$IMAGES/many.layers" -name '*.tar' | wc -l)

fresh() { rm -rf "$STORE"; }
names_of() { wherry images --json | jq -r '.[].names[]'; }
id_of() { wherry inspect "$1" | jq -r .id; }
layers_there() { find "$STORE/layers" -mindepth 1 -maxdepth 1 -type d | wc -l; }
work_there() { find "$STORE/tmp" -mindepth 1 -maxdepth 1 | wc -l; }

private() {
	fresh
	load busybox
	equal "$(stat -c %a "$STORE")" 700
	equal "$(cat "$STORE/version")" 1
	equal "$(work_there)" 0
}

config_is_the_id() {
	fresh
	load busybox
	local id
	for id in "$STORE"/images/*; do
		equal "$(sha256sum <"$id" | cut -d' ' -f1)" "$(basename "$id")"
	done
	equal "$(cat "$STORE/names/busybox:latest")" "$(basename "$id")"
}

shares_layers() {
	fresh
	load busybox
	local before
	before=$(layers_there)
	wherry load -q "$LAYERED" >/dev/null
	equal "$(($(layers_there) - before))" "$(($(wherry inspect layered | jq '.layers | length') - before))"
	wherry rmi layered >/dev/null
	equal "$(layers_there)" "$before"
	equal "$(wherry run busybox echo still)" still
}

finds() {
	fresh
	load busybox
	local id
	id=$(id_of busybox)
	wherry tag busybox library/box:1.36
	equal "$(names_of | sort | tr '\n' ' ')" "busybox:latest library/box:1.36 "
	equal "$(id_of busybox:latest)" "$id"
	equal "$(id_of library/box:1.36)" "$id"
	equal "$(id_of box:1.36)" "$id"
	equal "$(id_of "@$id")" "$id"
	equal "$(id_of "${id#sha256:}")" "$id"
	equal "$(id_of "${id:7:6}")" "$id"
	fails_with 125 "there is no image 'box'" wherry inspect box
	fails_with 125 "there is no image '@sha256:00'" wherry inspect @sha256:00
}

ambiguous() {
	fresh
	load busybox
	wherry load -q "$LAYERED" >/dev/null
	wherry tag busybox a/twin
	wherry tag layered b/twin
	fails_with 125 "the end of several names" wherry inspect twin
	equal "$(id_of a/twin)" "$(id_of busybox)"
}

bad_names() {
	fresh
	load busybox
	local name
	for name in "" / a/ /a a//b a:b:c 'a b' ../a a/../b .a a: 'a:.b' $'a\nb' "$(printf 'a%.0s' {1..260})"; do
		fails_with 125 "is no name for an image" wherry tag busybox "$name"
	done
	equal "$(names_of)" busybox:latest
}

one_name_of_two() {
	fresh
	load busybox
	wherry tag busybox second
	contains "$(wherry rmi second)" "removed the name second"
	equal "$(names_of)" busybox:latest
	contains "$(wherry rmi busybox)" "removed busybox: "
	equal "$(layers_there)" 0
	equal "$(wherry images --json)" "[]"
}

# An end that is one name's alone stands for that name; one that two names of the image have, for neither.
end_of_a_name() {
	fresh
	load busybox
	wherry tag busybox lab/app:1.0
	wherry tag busybox yard/box:2
	wherry tag busybox shed/box:2
	equal "$(wherry rmi app:1.0)" "removed the name app:1.0"
	fails_with 125 "the end of several names" wherry rmi box:2
	equal "$(names_of | tr '\n' ' ')" "busybox:latest shed/box:2 yard/box:2 "
}

# As docker does it: each that can't be removed has its line, and the others go.
removes_the_others() {
	fresh
	load busybox
	wherry load -q "$LAYERED" >/dev/null
	fails_with 125 "there is no image 'none'" wherry rmi none busybox 'a b' layered >"$SCRATCH/removed"
	equal "$(names_of)" ""
	local status=0 said
	load busybox
	said=$(wherry rmi none 'a b' busybox 2>&1) || status=$?
	equal "$status" 125
	contains "$said" "there is no image 'none'"
	contains "$said" "'a b'"
	contains "$said" "removed busybox: "
	equal "$(names_of)" ""
}

moves_the_name() {
	fresh
	load busybox
	local old
	old=$(id_of busybox)
	wherry load -q --name busybox "$LAYERED" >/dev/null
	[ "$(id_of busybox)" != "$old" ]
	equal "$(id_of "@$old")" "$old"
	contains "$(wherry prune)" "removed 1 images"
	fails_with 125 "there is no image" wherry inspect "@$old"
}

in_use() {
	fresh
	load busybox
	start hang busybox sh -c 'echo up; sleep 30'
	fails_with 125 "image busybox is in use by a container that runs" wherry rmi busybox
	equal "$(wherry inspect busybox | jq .in_use)" true
	equal "$(names_of)" busybox:latest
	kill "$started"
	wait "$started" || [ $? = 143 ]
	wherry rmi busybox >/dev/null
	equal "$(layers_there)" 0
}

# Who only asks whether an image is in use has its lock for a moment: no run fails for that, and nobody
# takes it for a run.
asked_while_it_starts() {
	fresh
	load busybox
	strace -qq -o "$SCRATCH/locks" -e trace=flock -e inject=flock:delay_exit=500000:when=2 \
		"$WHERRY" --root "$STORE" inspect busybox >/dev/null &
	local slow=$!
	eventually grep -q LOCK_EX "$SCRATCH/locks"
	equal "$(wherry run busybox echo ran)" ran
	wait "$slow"
	strace -qq -o "$SCRATCH/locks" -e trace=flock -e inject=flock:delay_exit=5000 \
		"$WHERRY" --root "$STORE" inspect busybox >/dev/null &
	slow=$!
	eventually grep -q LOCK_SH "$SCRATCH/locks"
	equal "$(wherry inspect busybox | jq .in_use)" false
	wait "$slow"
}

# A run that has found the name before it is taken away finds its image gone, or keeps both.
keeps_the_name() {
	fresh
	load busybox
	strace -qq -o "$SCRATCH/locks" -e trace=flock,unlinkat -e inject=unlinkat:delay_enter=500000 \
		"$WHERRY" --root "$STORE" rmi busybox >/dev/null &
	local slow=$!
	eventually locked_twice
	fails_with 125 "has just been removed" wherry run busybox true
	wait "$slow"
	equal "$(layers_there)" 0
}

locked_twice() { [ "$(grep -c LOCK_EX "$SCRATCH/locks")" = 2 ]; }

prune_spares_what_runs() {
	fresh
	load busybox
	start hang busybox sh -c 'echo up; sleep 30'
	wherry load -q --name busybox "$LAYERED" >/dev/null
	contains "$(wherry prune)" "removed 0 images, 0 layers"
	kill "$started"
	wait "$started" || [ $? = 143 ]
	contains "$(wherry prune)" "removed 1 images"
}

two_at_once() {
	local i pids=()
	for i in 1 2 3; do
		fresh
		pids=()
		for _ in 1 2 3; do
			wherry load -q "$MANY" >/dev/null &
			pids+=($!)
		done
		for _ in "${pids[@]}"; do wait "$_"; done
		equal "$(work_there)" 0
		equal "$(wherry run many cat /count)" "$COUNT"
		contains "$(wherry fsck)" "all that is left is whole"
	done
}

# Killed at any moment, main process or any of its children: the next load removes what was left.
killed() {
	local delay
	fresh
	for delay in 0 0.005 0.01 0.02 0.04 0.08 0.15; do
		setsid "$WHERRY" --root "$STORE" load -q "$MANY" >/dev/null 2>&1 &
		local pid=$!
		sleep "$delay"
		kill -9 "$pid" 2>/dev/null || true # it may have ended
		wait "$pid" || true
		eventually none_left "$pid"
		[ ! -d "$STORE/names" ] || no_half_image
	done
	wherry load -q "$MANY" >/dev/null
	equal "$(work_there)" 0
	equal "$(wherry run many cat /count)" "$COUNT"
	contains "$(wherry fsck)" "all that is left is whole"
}

# Killed at each of its first writes: what says the store's version is among them.
killed_at_a_write() {
	local n
	for n in 1 2 3 4 5 6; do
		fresh
		strace -qq -o "$SCRATCH/trace" -e trace=write -e "inject=write:signal=KILL:when=$n" \
			"$WHERRY" --root "$STORE" load -q "$BUSYBOX" >/dev/null 2>&1 || [ $? = 137 ]
		wherry load -q "$BUSYBOX" >/dev/null
		equal "$(cat "$STORE/version")" 1
		equal "$(work_there)" 0
	done
}

none_left() { [ -z "$(pgrep -s "$1")" ]; }

# A name is there only if all that it leads to is.
no_half_image() {
	local name
	for name in $(names_of); do
		wherry inspect "$name" >/dev/null
		equal "$(wherry run "$name" cat /count)" "$COUNT"
	done
}

sweeps() {
	fresh
	load busybox
	mkdir -p "$STORE/tmp/0123456789abcdef/deep/er"
	touch "$STORE/tmp/stray"
	wherry load -q "$LAYERED" >/dev/null
	equal "$(work_there)" 0
}

# What an image leads to is on the disk before it can be found: rules 24 and 25.
order() {
	fresh
	load busybox
	strace -f -y -s 200 -e trace=syncfs,fsync,renameat,renameat2 -o "$SCRATCH/trace" \
		"$WHERRY" --root "$STORE" load -q "$LAYERED" >/dev/null
	sed -En -e "s#.*(syncfs|fsync)\(.*<$STORE/(layers|images|names|tmp)(/[^>]*)?>.*#\1 \2#p" \
		-e "s#.*rename.*<$STORE/(layers|images|names)>.*#rename \1#p" "$SCRATCH/trace" | uniq >"$SCRATCH/order"
	equal "$(tr '\n' ',' <"$SCRATCH/order")" "syncfs tmp,rename layers,fsync layers,fsync tmp,rename images,fsync images,\
fsync tmp,rename names,fsync names,"
}

# What others read is not removed under them, and the other way round.
waits() {
	fresh
	load busybox
	exec 9<"$STORE/layers"
	flock -s 9
	"$WHERRY" --root "$STORE" prune 2>"$SCRATCH/said" >/dev/null &
	eventually grep -q "waiting for another wherry" "$SCRATCH/said"
	wherry load -q "$LAYERED" >/dev/null
	exec 9<&-
	wait $!
	exec 9<"$STORE/layers"
	flock -x 9
	"$WHERRY" --root "$STORE" load -q "$LAYERED" 2>"$SCRATCH/said" >/dev/null &
	eventually grep -q "waiting for another wherry" "$SCRATCH/said"
	exec 9<&-
	wait $!
}

# Somebody works there: it is locked.
spares_work() {
	fresh
	load busybox
	mkdir "$STORE/tmp/0123456789abcdef"
	exec 9<"$STORE/tmp/0123456789abcdef"
	flock -x 9
	wherry load -q "$LAYERED" >/dev/null
	[ -d "$STORE/tmp/0123456789abcdef" ]
	exec 9<&-
	wherry prune >/dev/null
	equal "$(work_there)" 0
}

newer() {
	fresh
	load busybox
	echo 2 >"$STORE/version"
	fails_with 125 "written by a newer wherry (version '2'" wherry load -q "$LAYERED"
	fails_with 125 "written by a newer wherry" wherry images
	fails_with 125 "written by a newer wherry" wherry run busybox true
}

# One load makes the store and fails while another has only begun: what it takes back is not the other's.
failed_beside_another() {
	fresh
	mkfifo "$SCRATCH/bad" "$SCRATCH/good"
	"$WHERRY" --root "$STORE" load -q <"$SCRATCH/bad" >/dev/null 2>&1 &
	local bad=$! good
	exec 8>"$SCRATCH/bad"
	eventually [ -e "$STORE/version" ]
	"$WHERRY" --root "$STORE" load -q <"$SCRATCH/good" >/dev/null 8>&- &
	good=$!
	exec 9>"$SCRATCH/good"
	eventually two_works
	exec 8>&-
	ends "$bad" 125
	cat "$BUSYBOX" >&9
	exec 9>&-
	ends "$good" 0
	equal "$(wherry run busybox echo there)" there
}

two_works() { [ "$(work_there)" = 2 ]; }

somebody_elses() {
	fresh
	mkdir -m 700 "$STORE"
	chown 12345 "$STORE"
	fails_with 125 "belongs to user 12345" wherry load -q "$BUSYBOX"
}

second_time() {
	fresh
	load busybox
	local before after
	strace -f -e trace=pread64,read -o "$SCRATCH/trace" "$WHERRY" --root "$STORE" load -q "$BUSYBOX" >/dev/null
	before=$(find "$STORE" -printf '%P %T@ %i\n' | sort)
	awk '/pread64/ { sum += $NF } END { exit sum > 600000 }' "$SCRATCH/trace"
	load busybox
	after=$(find "$STORE" -printf '%P %T@ %i\n' | grep -v '^ \|^tmp ' | sort)
	equal "$after" "$(grep -v '^ \|^tmp ' <<<"$before")"
}

# EAGAIN: somebody renamed something, anywhere on the machine, and the kernel wants to be asked again.
asks_again() {
	fresh
	mkdir -p "$SCRATCH/again/dir/in" && ln -s dir "$SCRATCH/again/link" && echo text >"$SCRATCH/again/dir/in/file"
	tar -C "$SCRATCH/again" -cf "$SCRATCH/again.tar" dir/in/file link
	echo linked >"$SCRATCH/again/link/other"
	ln "$SCRATCH/again/link/other" "$SCRATCH/again/hard"
	tar -C "$SCRATCH/again" -rf "$SCRATCH/again.tar" link/other hard
	rm -rf "$SCRATCH/again.oci"
	make_image '{"Cmd": ["sh"]}' again:latest oci "$SCRATCH/again.oci" "$IMAGES/busybox.layers/001.tar" "$SCRATCH/again.tar"
	strace -f -qq -o "$SCRATCH/trace" -e trace=openat2 -e inject=openat2:error=EAGAIN:when=1+2 \
		"$WHERRY" --root "$STORE" load -q "$SCRATCH/again.oci" >/dev/null
	local resolve
	for resolve in BENEATH IN_ROOT; do
		grep -q "RESOLVE_$resolve.*INJECTED" "$SCRATCH/trace"
	done
	equal "$(wherry run again cat /hard /dir/in/file)" $'linked\ntext'
}

# An image's author says when it was made, and may say anything.
not_a_date() {
	fresh
	local when
	for when in '\u001b[2J' '2024-02-29T12:00:00.000000000é'; do
		rm -rf "$SCRATCH/dated"
		cp -r "$(image busybox oci)" "$SCRATCH/dated"
		python3 - "$SCRATCH/dated" "$when" <<-'END'
		import hashlib, json, os, sys
		top, when = sys.argv[1], json.loads('"' + sys.argv[2] + '"')
		def read(digest):
		    with open(f"{top}/blobs/sha256/{digest[7:]}") as file:
		        return json.load(file)
		def write(entry, document):
		    data = json.dumps(document).encode()
		    entry["size"], entry["digest"] = len(data), "sha256:" + hashlib.sha256(data).hexdigest()
		    with open(f"{top}/blobs/sha256/{entry['digest'][7:]}", "wb") as file:
		        file.write(data)
		with open(f"{top}/index.json") as file:
		    index = json.load(file)
		manifest = read(index["manifests"][0]["digest"])
		write(manifest["config"], dict(read(manifest["config"]["digest"]), created=when))
		write(index["manifests"][0], manifest)
		with open(f"{top}/index.json", "w") as file:
		    json.dump(index, file)
		END
		wherry load -q "$SCRATCH/dated" >/dev/null
		equal "$(wherry images | tail -n 1 | tr -d '[:print:]')" ""
		equal "$(wherry images --json | jq -r '.[-1].created')" ""
		equal "$(wherry inspect busybox | jq -r .created)" ""
		wherry rmi busybox >/dev/null
	done
}

missing_layer_comes_back() {
	fresh
	load busybox
	local layer
	layer=$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -type d | head -n 1)
	rm -rf "$layer"
	equal "$(wherry run busybox true 2>&1)" "wherry: image $(cut -c1-12 "$STORE/names"/*busybox*) lacks its layer $(basename "$layer" | cut -c1-12) in $STORE"$'\n'"wherry: load it again"
	contains "$(wherry images)" incomplete
	load busybox
	equal "$(wherry run busybox echo back)" back
}

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
	contains "$(wherry fsck 2>&1 || [ $? = 125 ])" "its config is not what its ID says: it is in use, so it stays"
	[ "$(layers_there)" -gt 0 ]
	printf x >>"$(find "$STORE/layers" -name message)"
	contains "$(wherry fsck || [ $? = 125 ])" "files in it have another size: it is in use, so it stays"
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

# An archive of them is no larger than what is in them, and who reads it finds them again; so does an import.
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
	wherry save holes -o "$SCRATCH/holes.tar"
	[ "$(stat -c %s "$SCRATCH/holes.tar")" -lt 20000000 ]
	wherry rmi holes >/dev/null
	wherry load -q "$SCRATCH/holes.tar" >/dev/null
	same_holes
	rm "$tree/n"*
	wherry import "$tree" fewer >/dev/null
	wherry save fewer -o "$SCRATCH/fewer.tar"
	skopeo copy -q "oci-archive:$SCRATCH/fewer.tar" "oci:$SCRATCH/fewer:latest" >/dev/null
	umoci unpack --image "$SCRATCH/fewer:latest" "$SCRATCH/fewer-tree" >/dev/null 2>&1
	diff <(python3 "$TOP/tests/tree.py" "$tree") <(python3 "$TOP/tests/tree.py" "$SCRATCH/fewer-tree/rootfs")
}

same_holes() {
	local layer
	layer=$STORE/layers/$(wherry inspect holes | jq -r '.layers[0].directory')
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
	diff <(python3 "$TOP/tests/tree.py" "$SCRATCH/reference/rootfs" --no-root) \
		<(python3 "$TOP/tests/tree.py" "$SCRATCH/unpacked/rootfs" --no-root)
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
	layer=$STORE/layers/$(wherry inspect tree:1 | jq -r '.layers[0].directory')
	diff <(python3 "$TOP/tests/tree.py" "$tree") <(python3 "$TOP/tests/tree.py" "$layer")
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

# In a layer such a name removes another: the file itself can't be told.
imports_no_whiteout() {
	fresh
	mkdir -p "$SCRATCH/marked/dir"
	echo here >"$SCRATCH/marked/dir/.wh.file"
	echo here >"$SCRATCH/marked/dir/file"
	contains "$(wherry import "$SCRATCH/marked" marked 2>&1)" "dir/.wh.file: it is left out: "
	equal "$(ls -A "$STORE"/layers/*/dir)" file
}

# A disk that has room, whose file system takes no more of one file.
large_attribute() {
	fresh
	python3 - "$TOP/tests" "$SCRATCH/attribute.tar" <<-'END'
	import sys
	sys.path.insert(0, sys.argv[1])
	from hostile_make import f, tar
	with open(sys.argv[2], "wb") as out:
	    out.write(tar(f("file", "x", records={b"SCHILY.xattr.user.large": b"v" * 5000})))
	END
	truncate -s 20M "$SCRATCH/ext4"
	mkfs.ext4 -q "$SCRATCH/ext4"
	mkdir -p "$SCRATCH/mnt"
	mount -o loop "$SCRATCH/ext4" "$SCRATCH/mnt"
	local status=0 said
	said=$("$WHERRY" --root "$SCRATCH/mnt/store" import "$SCRATCH/attribute.tar" large 2>&1) || status=$?
	umount "$SCRATCH/mnt"
	equal "$status" 125
	contains "$said" "file: set its attribute user.large: No space left on device"
	contains "$said" "the disk isn't full: "
	lacks "$said" "all layers together"
}

# A disk has room for bytes, and none for one more file.
no_inodes() {
	truncate -s 40M "$SCRATCH/inodes"
	mkfs.ext4 -q -N 200 "$SCRATCH/inodes"
	mkdir -p "$SCRATCH/mnt"
	mount -o loop "$SCRATCH/inodes" "$SCRATCH/mnt"
	local status=0 said
	said=$("$WHERRY" --root "$SCRATCH/mnt/store" load -q "$BUSYBOX" 2>&1) || status=$?
	umount "$SCRATCH/mnt"
	equal "$status" 125
	contains "$said" "No space left on device"
	contains "$said" "the disk has no inodes left: each file, directory and link takes one"
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

it "is its user's alone, and says its version" private
it "keeps an image's config under its digest" config_is_the_id
it "shares layers between images, and removes only what no other has" shares_layers
it "finds images by name, by a name's end and by ID" finds
it "refuses an end that several names have" ambiguous
it "refuses what is no name" bad_names
it "removes a name alone where there are others" one_name_of_two
it "removes the name that an end stands for, and no other" end_of_a_name
it "removes the other images where one of them cannot be" removes_the_others
it "moves a name to the new image, and prunes the old one" moves_the_name
it "refuses to remove an image that runs" in_use
it "does not prune an image that runs" prune_spares_what_runs
it "loads the same image three times at once" two_at_once
it "is whole after a kill at any moment, and left with nothing after the next load" killed
it "removes what broken loads have left" sweeps
it "leaves alone what others are working on" spares_work
it "refuses a store of a newer version" newer
it "takes back nothing of another's when it fails" failed_beside_another
it "refuses a store of another user" somebody_elses
it "waits for who reads the store before it removes, and for who removes before it reads" waits
if command -v strace >/dev/null; then
	it "has layers on the disk before their image, and that before its name" order
	it "reads nothing but the index a second time, and writes nothing" second_time
	it "is whole after a kill at its first writes" killed_at_a_write
	it "starts an image while somebody asks whether it is in use" asked_while_it_starts
	it "takes the name of no image that a run may still take" keeps_the_name
	it "asks again where the kernel lost its way for a moment" asks_again
else
	skip "has layers on the disk before their image, and that before its name" "strace is not installed"
	skip "is whole after a kill at its first writes" "strace is not installed"
	skip "starts an image while somebody asks whether it is in use" "strace is not installed"
	skip "takes the name of no image that a run may still take" "strace is not installed"
	skip "asks again where the kernel lost its way for a moment" "strace is not installed"
	skip "reads nothing but the index a second time" "strace is not installed"
fi
it "loads again the layer that is missing, and nothing else" missing_layer_comes_back
it "shows no date that is none, and nothing of it" not_a_date
it "finds nothing wrong with a whole store" fsck_clean
it "removes an image whose config is not its ID's" fsck_config
it "keeps an image that runs, whatever its config has become" fsck_config_in_use
it "removes a name that holds nothing, and loads it anew" fsck_name
it "finds a file that has lost its content" fsck_layer
it "finds a bit that has turned over in any file" fsck_flipped
it "does not take a file that an archive has twice for damaged" fsck_twice
it "finds what is known of a layer to be gone, or no longer right" fsck_about
it "finds what broken removals have left" fsck_leftovers
it "saves an image that umoci, skopeo and wherry read" saves
it "saves what it loaded from its own file with the same digests" saves_the_same_twice
it "saves to a file of its own, whatever is beside it" saves_beside_a_link
it "leaves no file when it can't save" no_save
it "saves an image under its whole name, and none that was called by its ID" saves_the_name
it "imports a directory, an archive and a pipe" imports
it "imports as many attributes as a file may have" many_attributes
it "leaves out what would remove a file in an image, and says so" imports_no_whiteout
if [ -b /dev/loop0 ] || [ -c /dev/loop-control ]; then
	it "tells a file system without room for an attribute from a full one" large_attribute
	it "says when it is inodes that are used up" no_inodes
else
	skip "says when it is inodes that are used up" "there is no loop device"
	skip "tells a file system without room for an attribute from a full one" "there is no loop device"
fi
it "imports nothing of what is none" no_import
it "saves and imports files with holes as such" holes
finish_clean
