#!/bin/bash
# The store: two at once, a kill, other versions and users, a full disk, a kernel that has lost its way.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

BUSYBOX=$(image busybox docker)
LAYERED=$(image layered oci:gzip)
MANY=$(image many docker)
COUNT=$(find "$IMAGES/many.layers" -name '*.tar' | wc -l)

fresh() { rm -rf "$STORE"; }
names_of() { wherry images --json | jq -r '.[].Names[]'; }
work_there() { find "$STORE/tmp" -mindepth 1 -maxdepth 1 | wc -l; }

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

# What an image leads to is on the disk before it can be found: rules 24 and 25. Its names are two, one with
# its manifest's digest.
order() {
	fresh
	load busybox
	strace -f -y -s 200 -e trace=syncfs,fsync,renameat,renameat2 -o "$SCRATCH/trace" \
		"$WHERRY" --root "$STORE" load -q "$LAYERED" >/dev/null
	sed -En -e "s#.*(syncfs|fsync)\(.*<$STORE/(layers|images|names|tmp)(/[^>]*)?>.*#\1 \2#p" \
		-e "s#.*rename.*<$STORE/(layers|images|names)>.*#rename \1#p" "$SCRATCH/trace" | uniq >"$SCRATCH/order"
	equal "$(tr '\n' ',' <"$SCRATCH/order")" "syncfs tmp,rename layers,fsync layers,fsync tmp,rename images,fsync images,\
fsync tmp,rename names,fsync names,fsync tmp,rename names,fsync names,"
}

# Layers that are done begin to reach the disk while others are extracted; the last sync, of the process that
# publishes them, is after all of that and on a descriptor of its own.
syncs_on_the_way() {
	fresh
	strace -f -y -s 200 -e trace=syncfs,pwrite64,renameat2,openat -o "$SCRATCH/trace" \
		"$WHERRY" --root "$STORE" load -q "$(image debian docker)" >/dev/null
	sed -En -e 's/^([0-9]+) +syncfs\(([0-9]+)<.*/sync \1/p' -e 's/.* pwrite64\(.*/write/p' \
		-e 's/.* renameat2\(.*/rename/p' "$SCRATCH/trace" | uniq >"$SCRATCH/order"
	local syncs
	mapfile -t syncs < <(grep ^sync "$SCRATCH/order")
	[ "${#syncs[@]}" -ge 2 ]
	[ "${syncs[0]}" != "${syncs[-1]}" ]
	contains "$(sed -n "/${syncs[0]}/,\$p" "$SCRATCH/order")" write
	equal "$(sed -n "/${syncs[-1]}/,\$p" "$SCRATCH/order" | tr '\n' ,)" "${syncs[-1]},rename,"
	grep -qE "^${syncs[0]#sync } +openat\(.*, \"\.\", " "$SCRATCH/trace"
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

# A disk that has room, whose file system takes no more of one file.
large_attribute() {
	fresh
	python3 - "$TOP/tests/rootfs" "$SCRATCH/attribute.tar" <<-'END'
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
	it "begins to sync while it extracts, and has all on the disk at the end" syncs_on_the_way
	it "reads nothing but the index a second time, and writes nothing" second_time
	it "is whole after a kill at its first writes" killed_at_a_write
	it "asks again where the kernel lost its way for a moment" asks_again
else
	skip "has layers on the disk before their image, and that before its name" "strace is not installed"
	skip "begins to sync while it extracts, and has all on the disk at the end" "strace is not installed"
	skip "reads nothing but the index a second time, and writes nothing" "strace is not installed"
	skip "is whole after a kill at its first writes" "strace is not installed"
	skip "asks again where the kernel lost its way for a moment" "strace is not installed"
fi
if [ -b /dev/loop0 ] || [ -c /dev/loop-control ]; then
	it "tells a file system without room for an attribute from a full one" large_attribute
	it "says when it is inodes that are used up" no_inodes
else
	skip "tells a file system without room for an attribute from a full one" "there is no loop device"
	skip "says when it is inodes that are used up" "there is no loop device"
fi
finish_clean
