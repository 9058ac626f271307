#!/bin/bash
# timeout: 900
# An archive run as it is, by an index of it: nothing unpacked, nothing hashed twice.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

LAYERED=$(image layered docker)
OCI=$(image layered oci)
OCI_TAR=$(image layered oci-tar)

place() { wherry run --no-unpack "$@"; }
indexes() { find "$STORE/indexes" -mindepth 1 -maxdepth 1; }

# A tree without what wherry mounts in it, and without the time of /etc, where it may have made a place for that.
listing() {
	python3 "$TOP/tests/lib/tree.py" "$1" --skip proc,sys,dev,etc/hosts,etc/hostname,etc/resolv.conf |
		sed "s/^\(b'etc' dir [^ ]* [^ ]*\) [0-9]*/\1/"
}

# look OUT STORE RUN-ARGUMENTS…: the tree that a container shows, seen from outside.
look() {
	local out=$1 store=$2 tool
	shift 2
	STORE=$store start "$out.said" "$@" sh -c 'echo up; exec sleep 60'
	tool=$(inside "$started" sleep)
	listing "/proc/$tool/root/." >"$SCRATCH/$out"
	kill "$started"
	ends "$started" 143
}

same_tree() {
	look wanted "$SCRATCH/loaded" "$1"
	look got "$STORE" --no-unpack "$1"
	diff "$SCRATCH/wanted" "$SCRATCH/got"
	[ "$(wc -l <"$SCRATCH/got")" -ge "$2" ]
	[ -z "$(ls -A "$STORE/layers" "$STORE/images" "$STORE/tmp" | grep -v : )" ]
}

# All that a layer can say, in two, the upper without entries for its directories (rule 12).
make_all() {
	local lower=$SCRATCH/all/lower upper=$SCRATCH/all/upper n
	mkdir -p "$lower"/{bin,proc,sys,dev,etc,many,deep,sticky,opaque/in} "$upper"
	cp "$(type -P busybox)" "$lower/bin/busybox"
	for n in sh sleep; do ln -s busybox "$lower/bin/$n"; done
	for n in $(seq 3000); do : >"$lower/many/a-rather-long-name-of-a-file-$n"; done
	# Before "." in a directory's order.
	for n in $(seq 200); do : >"$lower/many/+$n"; : >"$lower/many/!$n"; done
	echo one >"$lower/bin/capable"
	setcap cap_net_raw=ep "$lower/bin/capable"
	setfattr -n user.note -v "$(head -c 900 /dev/zero | tr '\0' n)" "$lower/bin/capable"
	setfattr -n user.dir -v yes "$lower/deep"
	echo linked >"$lower/linked"
	for n in 1 2 3; do ln "$lower/linked" "$lower/linked-$n"; done
	mkdir "$lower/pairs" "$lower/pairs-too"
	for n in $(seq 300); do echo "$n" >"$lower/pairs/$n"; done
	ln "$lower"/pairs/* "$lower/pairs-too"
	mkfifo "$lower/fifo"
	mknod "$lower/char" c 250 70000
	mknod "$lower/block" b 7 3
	chown 4000000000:4000000001 "$lower/linked"
	chown -h 70000:70001 "$lower/bin/sh"
	chmod 6755 "$lower/linked"
	chmod 1777 "$lower/sticky"
	ln -s "$(printf '%0700d' 7)" "$lower/long-link"
	echo x >"$lower/$(printf '%0250d' 1)"
	echo x >"$lower/$(printf 'latin-\351')"
	head -c 511 /dev/urandom >"$lower/511"
	head -c 512 /dev/urandom >"$lower/512"
	head -c 1500000 /dev/urandom >"$lower/large"
	: >"$lower/empty"
	truncate -s 40M "$lower/hole"
	truncate -s 30M "$lower/sparse"
	echo begin | dd of="$lower/sparse" conv=notrunc status=none
	head -c 70000 /dev/urandom | dd of="$lower/sparse" bs=1 seek=1000001 conv=notrunc status=none
	echo end >>"$lower/sparse"
	# Past 256 MiB a chunk is larger than what tmpfs keeps holes by.
	truncate -s 300M "$lower/wide"
	echo wide | dd of="$lower/wide" bs=1 seek=100003840 conv=notrunc status=none
	echo hidden >"$lower/opaque/in/file"
	touch -d '1969-12-31 23:59:58.123456789' "$lower/empty"
	touch -d '2100-01-02 03:04:05.999999999' "$lower/512"
	chmod 710 "$lower/deep"
	tar -C "$lower" --xattrs --xattrs-include='*' --numeric-owner --format=posix -S --sort=name -cf "$SCRATCH/all/1.tar" .
	mkdir -p "$upper"/{deep,opaque,bin}
	echo new >"$upper/deep/new"
	: >"$upper/.wh.linked-2"
	: >"$upper/opaque/.wh..wh..opq"
	: >"$upper/many.wh"
	tar -C "$upper" --numeric-owner --format=posix -cf "$SCRATCH/all/2.tar" deep/new .wh.linked-2 opaque/.wh..wh..opq
	make_image '{"Cmd": ["sh"], "Env": ["PATH=/bin"]}' all:latest "$1" "$2" "$SCRATCH/all/1.tar" "$SCRATCH/all/2.tar"
}

everything() {
	make_all docker "$SCRATCH/all.tar"
	same_tree "$SCRATCH/all.tar" 3000
	grep -q "security.capability" "$SCRATCH/got"
	grep -q "user.note" "$SCRATCH/got"
	grep -q "'deep' dir 0o710 .*user.dir" "$SCRATCH/got"
	grep -q "'linked-3' .*same as b'linked'" "$SCRATCH/got"
	[ "$(grep -c "'linked" "$SCRATCH/got")" = 3 ]
	grep -q "'char' char .* 250,70000" "$SCRATCH/got"
	grep -q "4000000000:4000000001" "$SCRATCH/got"
	[ "$(stat -c %s "$(grep -l all.tar "$STORE"/indexes/*/seals | xargs dirname)/tree.erofs")" -lt 1000000 ]
}

as_umoci_unpacks() {
	make_image '{"Cmd": ["sh"]}' all:latest oci:gzip "$SCRATCH/all.oci" "$SCRATCH/all/1.tar" "$SCRATCH/all/2.tar"
	umoci unpack --image "$SCRATCH/all.oci:latest" "$SCRATCH/umoci" 2>&1
	listing "$SCRATCH/umoci/rootfs" >"$SCRATCH/wanted"
	[ "$(wc -l <"$SCRATCH/wanted")" -gt 3000 ]
	diff "$SCRATCH/wanted" "$SCRATCH/got"
}

# fsck.erofs knows blocks of 512 bytes since erofs-utils 1.6.
checked() {
	local index
	for index in "$STORE"/indexes/*; do
		fsck.erofs --device="$(sed -n 's/^archive //p' "$index/seals")" "$index/tree.erofs"
	done
}

# traced FILE COMMAND…: what it and its children read.
traced() {
	local file=$1
	shift
	strace -f -y -e trace=pread64,read,fork,vfork,clone,clone3 -o "$file" "$@"
}

hashes_once() {
	cp "$LAYERED" "$SCRATCH/once.tar"
	traced "$SCRATCH/first" "$WHERRY" --root "$STORE" --state "$STATE" run --no-unpack "$SCRATCH/once.tar" true
	[ "$(grep -c 'pread64.*once\.tar' "$SCRATCH/first")" -gt 10 ]
	traced "$SCRATCH/other-trace" "$WHERRY" --root "$SCRATCH/other" --state "$STATE" run "$(rootfs busybox)" true
	traced "$SCRATCH/second" "$WHERRY" --root "$STORE" --state "$STATE" run --no-unpack "$SCRATCH/once.tar" true
	# What kind of file it is takes four bytes.
	equal "$(grep 'once\.tar' "$SCRATCH/second" | grep -v ', 4, [0-9]*) = 4$')" ""
	equal "$(grep -c clone "$SCRATCH/second")" "$(grep -c clone "$SCRATCH/other-trace")"
}

# The bytes change; name, size, inode and mtime do not.
changed_in_place() {
	local file=$SCRATCH/changed.tar where
	cp "$LAYERED" "$file"
	equal "$(place "$file" cat /srv/message)" "from the second layer"
	touch -r "$file" "$SCRATCH/when"
	where=$(grep -abo 'from the second layer' "$file" | head -n 1 | cut -d: -f1)
	printf X | dd of="$file" bs=1 seek="$where" conv=notrunc status=none
	touch -r "$SCRATCH/when" "$file"
	fails_with 125 "its diff ID is wrong: sha256:" place "$file" cat /srv/message
	# The old index is of no use, and is not used.
	fails_with 125 "its diff ID is wrong: sha256:" place "$file" cat /srv/message
}

replaced() {
	local file=$SCRATCH/replaced.tar count
	cp "$LAYERED" "$file"
	place "$file" true
	count=$(indexes | wc -l)
	cp "$(image app docker)" "$SCRATCH/next.tar"
	mv "$SCRATCH/next.tar" "$file"
	equal "$(place --entrypoint '' "$file" cat /data/seed)" "the volume as the image has it"
	equal "$(indexes | wc -l)" "$count"
}

damaged() {
	local file=$SCRATCH/damaged.tar
	cp "$LAYERED" "$file"
	printf X | dd of="$file" bs=1 seek="$(grep -abo 'from the second layer' "$file" | head -n 1 | cut -d: -f1)" conv=notrunc status=none
	fails_with 125 "damaged.tar: layer " place "$file" true
	fails_with 125 "its diff ID is wrong" place "$file" true
	equal "$(grep -ls damaged.tar "$STORE"/indexes/*/seals)" ""
}

from_config() {
	contains "$(place "$(image app docker)")" "entry: tool -show"
	equal "$(place "$LAYERED" sh -c 'echo $FROM_IMAGE')" yes
}

layout() {
	same_tree "$OCI" 20
	same_tree "$OCI_TAR" 20
	cp -r "$OCI" "$SCRATCH/layout"
	equal "$(place "$SCRATCH/layout" cat /a/over)" two
	local blob
	blob=$(grep -l 'from the second layer' "$SCRATCH/layout"/blobs/sha256/* | head -n 1)
	sed -i 's/from the second layer/from the secund layer/' "$blob"
	fails_with 125 "its digest is wrong" place "$SCRATCH/layout" true
}

writes() {
	local before
	before=$(sha256sum "$LAYERED")
	equal "$(place "$LAYERED" sh -c 'rm -r /a; echo new >>/srv/message; cat /srv/message')" $'from the second layer\nnew'
	place --overlay "$SCRATCH/kept" "$LAYERED" sh -c 'echo kept >/file; rm /srv/message'
	equal "$(place --overlay "$SCRATCH/kept" "$LAYERED" sh -c 'cat /file; ls /srv')" kept
	fails_with 1 "Read-only" place --read-only "$LAYERED" touch /x
	equal "$(sha256sum "$LAYERED")" "$before"
}

mapped() {
	grep -q "^root:" /etc/subuid || echo root:100000:65536 >>/etc/subuid
	grep -q "^root:" /etc/subgid || echo root:100000:65536 >>/etc/subgid
	equal "$(place --userns root "$LAYERED" sh -c 'stat -c %u:%g /srv/message /; cat /srv/message; echo >/srv/new')" \
		$'0:0\n0:0\nfrom the second layer'
}

compressed() {
	fails_with 125 "it is compressed" place "$(image busybox oci:gzip)" true
	fails_with 125 "without --no-unpack" place "$(image busybox oci:gzip)" true
	gzip -c "$LAYERED" >"$SCRATCH/whole.tar.gz"
	fails_with 125 "compressed as a whole" place "$SCRATCH/whole.tar.gz" true
}

no_archive() {
	fails_with 125 "open $SCRATCH/none.tar: No such file" place "$SCRATCH/none.tar" true
	fails_with 125 "open busybox: No such file" place busybox true
	equal "$(place "$(rootfs busybox)" cat /srv/message)" "from the second layer"
}

# A user without root's rights has a user namespace, in which nothing is mounted from files.
ordinary_user() {
	cp "$LAYERED" "$SCRATCH/user.tar"
	cp "$WHERRY" "$SCRATCH/wherry" # a checkout may lie where nobody else can enter
	chmod 644 "$SCRATCH/user.tar"
	chmod 755 "$SCRATCH"
	install -d -o 12345 -g 12345 "$SCRATCH/home"
	fails_with 125 "--no-unpack: an archive in its place is root's to mount" \
		setpriv --reuid 12345 --regid 12345 --clear-groups env HOME="$SCRATCH/home" XDG_RUNTIME_DIR="$SCRATCH/home" \
		"$SCRATCH/wherry" --root "$SCRATCH/home/store" --state "$SCRATCH/home/state" run --no-unpack "$SCRATCH/user.tar" true
}

# EROFS reads no metadata from a tmpfs: an initramfs is one.
on_tmpfs() {
	mkdir "$SCRATCH/tmpfs"
	equal "$(unshare --mount sh -c "mount -t tmpfs tmpfs '$SCRATCH/tmpfs' && cp '$LAYERED' '$SCRATCH/tmpfs/a.tar' && for n in 1 2; do
		'$WHERRY' --root '$SCRATCH/tmpfs/store' --state '$STATE' run --no-unpack '$SCRATCH/tmpfs/a.tar' cat /a/over; done")" $'two\ntwo'
}

# Runs that make the same index at once all find one.
at_once() {
	local n pids='' file=$SCRATCH/once-more.tar
	cp "$LAYERED" "$file"
	for n in 1 2 3 4 5 6; do
		place "$file" cat /a/over >"$SCRATCH/at-once.$n" 2>&1 &
		pids="$pids $!"
	done
	for n in $pids; do ends "$n" 0; done
	equal "$(sort -u "$SCRATCH"/at-once.*)" two
	equal "$(grep -ls once-more.tar "$STORE"/indexes/*/seals | wc -l)" 1
	equal "$(ls -A "$STORE/tmp")" ""
}

# Another run that made the same index at the same time puts its own in the place of what is being read, and removes
# that: then the new one is taken, and none is made again.
replaced_while_read() {
	local file=$SCRATCH/replaced.tar index number
	cp "$LAYERED" "$file"
	place "$file" true
	index=$(dirname "$(grep -ls replaced.tar "$STORE"/indexes/*/seals)")
	cp -a "$index" "$SCRATCH/new-index"
	number=$(stat -c %i "$SCRATCH/new-index")
	strace -f -qq -o "$SCRATCH/slow" -P "$index" -e inject=openat:delay_enter=1000000:when=1 \
		"$WHERRY" --root "$STORE" --state "$STATE" run --no-unpack "$file" cat /a/over >"$SCRATCH/slow.out" 2>&1 &
	eventually is_held "$index"
	mv "$index" "$SCRATCH/old-index"
	mv "$SCRATCH/new-index" "$index"
	rm -r "$SCRATCH/old-index"
	ends $! 0
	equal "$(cat "$SCRATCH/slow.out")" two
	equal "$(stat -c %i "$index")" "$number"
}

is_held() { [ -n "$(find /proc/[0-9]*/fd -lname "$1" 2>/dev/null)" ]; }

# An index with 3 MiB of its own: a file with holes is copied into it.
full_disk() {
	local disk=$SCRATCH/disk size said
	mkdir -p "$SCRATCH/holey" "$disk"
	truncate -s 5M "$SCRATCH/holey/file"
	head -c 3M /dev/urandom | dd of="$SCRATCH/holey/file" bs=1M seek=1 conv=notrunc iflag=fullblock status=none
	tar -C "$SCRATCH/holey" -S --format=posix -cf "$SCRATCH/holey.tar" file
	make_image '{"Cmd": ["sh"]}' holey:latest docker "$SCRATCH/holey.docker" "$SCRATCH/holey.tar"
	mount -t tmpfs -o size=2M tmpfs "$disk"
	trap 'umount -l "$SCRATCH/disk"' EXIT
	STORE=$disk/store fails_with 125 \
		"$SCRATCH/holey.docker: its index needs at least 4 MiB, and $disk/store has 1 MiB free" \
		place "$SCRATCH/holey.docker" true
	[ ! -e "$disk/store" ]
	# There comes a size that the index fits into, but not what belongs to it: that is seen when the disk is full.
	for size in $(seq 3072 4 3400); do
		mount -o "remount,size=${size}k" "$disk"
		said=$(STORE=$disk/store place "$SCRATCH/holey.docker" true 2>&1) || [ $? = 125 ]
		case $said in *": its index needs at least 4 MiB"*) ;; *) break ;; esac
	done
	contains "$said" "write the index: No space left on device"
	contains "$said" "the index needs at least 4 MiB; wherry prune makes room, --root DIR names another place"
	equal "$(find "$disk" -name tree.erofs -o -name seals)" ""
}

swept() {
	cp "$LAYERED" "$SCRATCH/gone.tar"
	cp "$LAYERED" "$SCRATCH/stays.tar"
	place "$SCRATCH/gone.tar" true
	place "$SCRATCH/stays.tar" true
	rm "$SCRATCH/gone.tar"
	contains "$("$WHERRY" --root "$STORE" prune)" "indexes of archives that are gone or have changed"
	equal "$(grep -ls gone.tar "$STORE"/indexes/*/seals)" ""
	[ -n "$(grep -ls stays.tar "$STORE"/indexes/*/seals)" ]
	cp "$LAYERED" "$SCRATCH/gone.tar"
	place "$SCRATCH/gone.tar" true
	rm "$SCRATCH/gone.tar"
	contains "$(wherry fsck)" "index of $SCRATCH/gone.tar: the archive has changed or is gone: removed"
	printf X | dd of="$(dirname "$(grep -ls stays.tar "$STORE"/indexes/*/seals)")/tree.erofs" bs=1 seek=2000 conv=notrunc status=none
	contains "$(wherry fsck)" "index of $SCRATCH/stays.tar: it is damaged: removed"
	lacks "$(wherry fsck)" index
	equal "$(place "$SCRATCH/stays.tar" cat /a/over)" two
}

removed() {
	cp "$LAYERED" "$SCRATCH/rmi.tar"
	place "$SCRATCH/rmi.tar" true
	equal "$(wherry rmi "$SCRATCH/rmi.tar")" "removed the index of $SCRATCH/rmi.tar"
	equal "$(grep -ls rmi.tar "$STORE"/indexes/*/seals)" ""
	fails_with 125 "there is no index of $SCRATCH/rmi.tar" wherry rmi "$SCRATCH/rmi.tar"
}

# Its files are read where they are for as long as the container runs, whatever happens to the names.
runs_on() {
	cp "$LAYERED" "$SCRATCH/runs.tar"
	start out --no-unpack "$SCRATCH/runs.tar" sh -c 'echo up; sleep 60 & wait; cat /srv/message /a/over'
	rm "$SCRATCH/runs.tar"
	wherry prune >/dev/null
	kill "$(inside "$started" sleep)"
	ends "$started" 0
	equal "$(tail -n 2 "$SCRATCH/out")" $'from the second layer\ntwo'
}

killed() {
	local n
	cp "$LAYERED" "$SCRATCH/killed.tar"
	for n in 5 15 25 30 35 40 50; do
		"$WHERRY" --root "$STORE" --state "$STATE" run --no-unpack "$SCRATCH/killed.tar" true &
		started=$!
		sleep "0.0$(printf %02d "$n")"
		kill -KILL "$started" 2>/dev/null || true
		wait "$started" || true
		equal "$(place "$SCRATCH/killed.tar" cat /a/over)" two
		wherry rmi "$SCRATCH/killed.tar" >/dev/null
	done
	equal "$(ls -A "$STORE/tmp")" ""
}

hostile() {
	python3 "$TOP/tests/rootfs/hostile_in_place.py" >"$SCRATCH/hostile.tap" || { grep -A8 '^not ok' "$SCRATCH/hostile.tap"; return 1; }
	[ "$(grep -c 'refused$' "$SCRATCH/hostile.tap")" -gt 100 ]
	[ "$(grep -c 'same tree$' "$SCRATCH/hostile.tap")" -gt 60 ]
}

it "shows the tree that the loaded image has" same_tree "$LAYERED" 20
it "shows every type, attribute, owner, time, hole and link as the loaded image has it" everything
it "shows all of that as umoci unpacks it" as_umoci_unpacks
if fsck.erofs -V 2>&1 | grep -qE ' 1\.([6-9]|[1-9][0-9])'; then
	it "makes indexes that fsck.erofs accepts" checked
else
	skip "makes indexes that fsck.erofs accepts" "erofs-utils before 1.6 know no blocks of 512 bytes"
fi
it "reads and hashes an archive once" hashes_once
it "sees that an archive has been changed where it lies" changed_in_place
it "replaces the index of an archive that has been replaced" replaced
it "refuses a layer that is not what its digest says" damaged
it "takes what to run from the image's config" from_config
it "runs OCI layouts with plain layers" layout
it "writes where --overlay says, never to the archive" writes
it "maps the owners for --userns" mapped
it "says that compressed layers have to be loaded" compressed
it "says that there is no such archive; what is no archive has nothing to unpack" no_archive
it "says that an ordinary user can't" ordinary_user
it "runs from a store on a tmpfs, as an initramfs has it" on_tmpfs
it "says how much room its index needs where a disk is too small" full_disk
it "makes one index where several runs want it at once" at_once
it "reads the index that another run has put in the place of the one it reads" replaced_while_read
it "removes indexes of what is gone, or damaged" swept
it "removes an index by its archive's name" removed
it "runs on without the archive's name, or the index's" runs_on
it "leaves nothing behind after kill -9, at any moment" killed
it "refuses what load refuses, with the same words, and shows what it takes" hostile
finish_clean
