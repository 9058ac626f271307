#!/bin/bash
# -v: directories and files of the host in a container.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox app

HOST=$SCRATCH/host
mkdir "$HOST"
echo seen >"$HOST/file"

read_write() {
	equal "$(wherry run -v "$HOST:/data" busybox sh -c 'cat /data/file; echo written >/data/new')" seen
	equal "$(cat "$HOST/new")" written
	rm "$HOST/new"
}

read_only() {
	equal "$(wherry run -v "$HOST:/data:ro" busybox cat /data/file)" seen
	fails_with 1 "Read-only file system" wherry run -v "$HOST:/data:ro" busybox touch /data/x
	equal "$(wherry run -v "$HOST:/data:rw" busybox sh -c 'touch /data/x && rm /data/x && echo fine')" fine
	# root in the container cannot lift it by writing through another mount of it
	fails_with 1 "Read-only file system" wherry run -v "$HOST:/data:ro" busybox sh -c 'echo x >>/data/file'
}

file() {
	equal "$(wherry run -v "$HOST/file:/etc/new/place" busybox cat /etc/new/place)" seen
	equal "$(wherry run -v "$HOST/file:/etc/motd:ro" busybox cat /etc/motd)" seen
	fails_with 1 "Read-only file system" wherry run -v "$HOST/file:/etc/motd:ro" busybox sh -c 'echo x >/etc/motd'
}

missing() {
	equal "$(wherry run -v "$HOST/made/here:/data" busybox sh -c 'ls -A /data; stat -c %F /data')" directory
	[ -d "$HOST/made/here" ]
	rm -r "$HOST/made"
}

relative() {
	cd "$SCRATCH"
	equal "$(wherry run -v ./host:/data busybox cat /data/file)" seen
	fails_with 125 "neither a path nor a volume's name" wherry run -v 'host/dir:/data' busybox true
	fails_with 125 "neither a path nor a volume's name" wherry run -v '~:/data' busybox true
}

# docker cleans a source before it looks: what only stands in front of a ".." is not made, nor looked for.
climbing_source() {
	local source
	for source in "$HOST/none/../file" "$HOST/none/.././/file/" "/../..$HOST/file" "./none/../host/x/../file"; do
		equal "$(cd "$SCRATCH" && wherry run -v "$source:/data" busybox cat /data)" seen
		equal "$(cd "$SCRATCH" && wherry run --mount "type=bind,src=$source,dst=/data" busybox cat /data)" seen
	done
	wherry run -v "$HOST/none/../made:/data" busybox true
	rmdir "$HOST/made"
	[ ! -e "$HOST/none" ]
	[ ! -e "$SCRATCH/none" ]
	equal "$(wherry run -v "$HOST/..:/data" busybox cat /data/host/file)" seen
	equal "$(wherry run -v /..:/data busybox cat "/data$HOST/file")" seen
}

several() {
	mkdir "$SCRATCH/outer" "$SCRATCH/inner" "$SCRATCH/outer/sub"
	touch "$SCRATCH/outer/one" "$SCRATCH/inner/two"
	equal "$(wherry run -v "$SCRATCH/inner:/data/sub" -v "$SCRATCH/outer:/data" busybox find /data -type f | sort)" \
		$'/data/one\n/data/sub/two'
}

below() {
	mkdir -p "$SCRATCH/above/mounted"
	mount -t tmpfs tmpfs "$SCRATCH/above/mounted"
	trap 'umount -l "$SCRATCH/above/mounted"' EXIT
	touch "$SCRATCH/above/mounted/deep"
	equal "$(wherry run -v "$SCRATCH/above:/data" busybox ls /data/mounted)" deep
}

under_read_only() {
	equal "$(wherry run --read-only -v "$HOST:/data" busybox sh -c 'touch /data/x && rm /data/x && echo fine')" fine
	equal "$(wherry run --read-only -v "$HOST:/not/yet/there" busybox cat /not/yet/there/file)" seen
}

# /app/escape is a link to /, /etc/link one to /etc/target, both made by the image.
links_stay_inside() {
	equal "$(wherry run --entrypoint '' -v "$HOST:/app/escape/srv/landed" app ls /srv/landed)" file
	[ ! -e /srv/landed ]
	equal "$(wherry run --entrypoint '' -v "$HOST/file:/etc/link" app cat /etc/target)" seen
	[ ! -e /etc/target ]
	mkdir -p "$SCRATCH/trap/bin" "$SCRATCH/outside"
	cp "$(rootfs busybox)/bin/busybox" "$SCRATCH/trap/bin/cat"
	ln -s "$SCRATCH/outside" "$SCRATCH/trap/absolute"
	ln -s ../../../../../../../../../../"$SCRATCH/outside" "$SCRATCH/trap/climbing"
	equal "$(wherry run -v "$HOST:/absolute/in" -v "$HOST:/climbing/in" "$SCRATCH/trap" /bin/cat /absolute/in/file /climbing/in/file)" \
		$'seen\nseen'
	equal "$(ls -A "$SCRATCH/outside")" ""
}

over_proc() {
	mkdir -p "$SCRATCH/linked/bin" "$SCRATCH/elsewhere"
	cp "$(rootfs busybox)/bin/busybox" "$SCRATCH/linked/bin/sh"
	ln -s "$SCRATCH/elsewhere" "$SCRATCH/linked/proc"
	ln -s "$SCRATCH/elsewhere" "$SCRATCH/linked/dev"
	ln -s "$SCRATCH/elsewhere" "$SCRATCH/linked/etc"
	# It may refuse or it may resolve them inside; it may not touch the host.
	wherry run "$SCRATCH/linked" /bin/sh -c 'echo ran' >"$SCRATCH/linked.out" 2>&1 || grep -q '^wherry: ' "$SCRATCH/linked.out"
	equal "$(find "$SCRATCH/elsewhere" -mindepth 1)" ""
}

refused() {
	fails_with 125 "relative" wherry run -v "$HOST:relative" busybox true
	fails_with 125 "boat" wherry run -v "$HOST:/data:boat" busybox true
	fails_with 125 ".." wherry run -v "$HOST:/data/../../x" busybox true
	fails_with 125 "'/'" wherry run -v "$HOST:/" busybox true
}

it "-v binds a directory, to read and to write" read_write
it "-v …:ro binds it read-only" read_only
it "-v binds a single file" file
it "-v makes a missing directory of the host" missing
it "-v takes a path relative to . and refuses what is neither path nor name" relative
it "-v takes .. in a source by the words, and makes nothing of what stands before it" climbing_source
it "-v mounts outer before inner, whatever their order" several
it "-v takes along what is mounted below" below
it "-v stays writable, and gets its place, under --read-only" under_read_only
it "-v never follows a link of the image out of it" links_stay_inside
it "mounts nothing through a /proc, /dev or /etc that is a link out" over_proc
it "-v refuses what makes no sense" refused
finish_clean
