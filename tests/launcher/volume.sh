#!/bin/bash
# Named volumes: what they are given, what they keep, and who may remove them; labels beside them.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox app

VOLUMES=$STORE/volumes
TREE=$SCRATCH/tree

# A root file system whose /data has everything that a directory can have, and /many a lot of files.
make_tree() {
	local data=$TREE/data
	cp -a "$(rootfs busybox)" "$TREE"
	mkdir -p "$data/dir/deep" "$data/shared" "$TREE/many"
	echo content >"$data/dir/file"
	ln "$data/dir/file" "$data/dir/deep/same"
	ln "$data/dir/file" "$data/same-too"
	truncate -s 5M "$data/sparse"
	printf middle | dd of="$data/sparse" bs=1 seek=2000000 conv=notrunc status=none
	truncate -s 100M "$data/hole"
	ln -s /etc/passwd "$data/absolute"
	ln -s nowhere "$data/dangling"
	mkfifo -m 620 "$data/fifo"
	ln "$data/fifo" "$data/dir/fifo-too"
	mkdir "$data/pairs" "$data/pairs-too"
	for n in $(seq 300); do : >"$data/pairs/$n"; done
	ln "$data"/pairs/* "$data/pairs-too"
	mknod -m 640 "$data/block" b 7 200
	mknod -m 604 "$data/char" c 1 3
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$data/dir/socket"
	setfattr -n user.colour -v green "$data/dir/file"
	setfattr -n user.colour -v blue "$data/shared"
	# u::rw-,u:1234:rw-,g::r--,m::rw-,o::r--
	setfattr -n system.posix_acl_access "$data/same-too" \
		-v 0x0200000001000600ffffffff02000600d204000004000400ffffffff10000600ffffffff20000400ffffffff
	printf '#!/bin/sh\n' >"$data/suid"
	setcap cap_net_raw+ep "$data/suid"
	: >"$data"/$'odd \n name'
	chown -h 4711:4712 "$data/absolute" "$data/suid" "$data/char"
	chown 1000:100 "$data/dir" "$data"
	chmod 6755 "$data/suid"
	setcap cap_net_raw+ep "$data/suid"
	chmod 3771 "$data/shared"
	chmod 0710 "$data"
	find "$data" -depth -exec touch -h -d '2001-02-03 04:05:06.123456789' {} +
	for n in $(seq 2000); do echo "$n" >"$TREE/many/$n"; done
}
make_tree

# same DIR VOLUME: these are the same in all that a file system says of them, but for device nodes.
same() {
	diff <(python3 "$TOP/tests/lib/tree.py" "$1" | grep -v " \(block\|char\) ") <(python3 "$TOP/tests/lib/tree.py" "$2")
	equal "$(stat -c '%a %u:%g %y' "$1")" "$(stat -c '%a %u:%g %y' "$2")"
}

keeps() {
	wherry run -v box:/srv/box busybox sh -c 'echo kept >/srv/box/file'
	equal "$(cat "$VOLUMES/box/file")" kept
	equal "$(wherry run -v box:/elsewhere busybox cat /elsewhere/file)" kept
	equal "$(stat -c %a "$VOLUMES/box")" 755
	equal "$(stat -c %a "$VOLUMES")" 700
}

copies_all() {
	wherry run -v all:/data "$TREE" /bin/true
	same "$TREE/data" "$VOLUMES/all"
	equal "$(getfattr -n user.colour --only-values "$VOLUMES/all/same-too")" green
	contains "$(getcap "$VOLUMES/all/suid")" cap_net_raw
	[ "$(du -k "$VOLUMES/all" | tail -n 1 | cut -f 1)" -lt 1024 ]
}

copies_layers() {
	equal "$(wherry run --entrypoint '' -v seeds:/data app cat /data/seed)" "the volume as the image has it"
	equal "$(cat "$VOLUMES/seeds/seed")" "the volume as the image has it"
}

copies_once() {
	wherry run -v once:/data "$TREE" /bin/rm -r /data/dir /data/sparse
	equal "$(wherry run -v once:/data "$TREE" /bin/ls /data/hole)" /data/hole
	fails_with 1 "No such file" wherry run -v once:/data "$TREE" /bin/ls /data/sparse
	wherry run -v once:/data "$TREE" /bin/sh -c 'rm -r /data/*; chmod 700 /data'
	equal "$(ls -A "$VOLUMES/once")" ""
	wherry run -v once:/data "$TREE" /bin/true
	same "$TREE/data" "$VOLUMES/once"
}

created() {
	equal "$(wherry volume create early other)" $'early\nother'
	equal "$(ls -A "$VOLUMES/early")" ""
	wherry run -v early:/data "$TREE" /bin/true
	same "$TREE/data" "$VOLUMES/early"
	echo mine >"$VOLUMES/early/mine"
	wherry volume create early
	[ -e "$VOLUMES/early/mine" ]
}

not_copied() {
	equal "$(wherry run -v bare:/data:nocopy "$TREE" /bin/ls -A /data)" ""
	equal "$(wherry run --mount type=volume,source=bare,target=/data,volume-nocopy "$TREE" /bin/ls -A /data)" ""
	contains "$(wherry run -v bare:/data "$TREE" /bin/ls -A /data)" sparse
	fails_with 125 "unknown option 'nocopy'" wherry run -v /tmp:/data:nocopy busybox true
}

read_only() {
	contains "$(wherry run -v sealed:/data:ro "$TREE" /bin/ls /data)" sparse
	fails_with 1 "Read-only file system" wherry run -v sealed:/data:ro "$TREE" /bin/touch /data/x
	fails_with 1 "Read-only file system" wherry run --mount source=sealed,target=/data,readonly "$TREE" /bin/touch /data/x
	wherry run --read-only -v sealed:/data "$TREE" /bin/touch /data/x
	[ -e "$VOLUMES/sealed/x" ]
	wherry run --read-only -v unsealed:/not/there busybox touch /not/there/x
	[ -e "$VOLUMES/unsealed/x" ]
}

users() {
	wherry run -u 1000:100 -v homely:/data "$TREE" /bin/sh -c 'echo x >/data/mine'
	equal "$(stat -c %u:%g "$VOLUMES/homely/mine")" 1000:100
	fails_with 1 "Permission denied" wherry run -u 1000 -v rootly:/srv busybox touch /srv/x
}

in_words() {
	wherry run --mount type=volume,source=words,target=/srv/w busybox touch /srv/w/one
	wherry run --mount src=words,dst=/srv/w busybox touch /srv/w/two
	equal "$(ls "$VOLUMES/words")" $'one\ntwo'
	# one without a name ends with its container
	wherry run --read-only --mount type=volume,target=/srv/w busybox touch /srv/w/x
	fails_with 125 "without a source ends with" wherry run --mount type=volume,target=/w,readonly busybox true
	fails_with 125 "cannot be a volume's name" wherry run --mount type=volume,source=/tmp,target=/w busybox true
}

names() {
	local name long
	long=$(printf 'x%.0s' {1..255})
	for name in _a -a 'a b' 'a/b' 'ä' '' "x$long"; do
		fails_with 125 "neither a path nor a volume's name" wherry run -v "$name:/data" busybox true
		fails_with 125 "cannot be a volume's name" wherry volume rm -- "$name"
	done
	wherry run -v 0:/a -v A.b_c-d:/b -v "$long:/c" busybox true
	[ -d "$VOLUMES/0" ] && [ -d "$VOLUMES/A.b_c-d" ] && [ -d "$VOLUMES/$long" ]
	[ ! -e "$SCRATCH/a" ]
}

mounted_twice() {
	equal "$(wherry run -v twice:/data -v twice:/second -v twice:/third:nocopy "$TREE" /bin/sh -c 'touch /second/x; ls /data/x /third/x')" \
		$'/data/x\n/third/x'
	[ -e "$VOLUMES/twice/sparse" ]
}

# What is copied is the image's, whatever else is mounted in its place.
image_alone() {
	mkdir -p "$SCRATCH/over/dir"
	touch "$SCRATCH/over/dir/host"
	equal "$(wherry run -v "$SCRATCH/over:/data" -v below:/data/dir "$TREE" /bin/ls -A /data/dir)" \
		$'deep\nfifo-too\nfile\nsocket'
	wherry run -v etc:/etc busybox true
	[ ! -s "$VOLUMES/etc/hosts" ]
	fails_with 125 "Not a directory" wherry run -v filled:/etc/motd busybox true
	[ ! -e "$VOLUMES/filled" ]
}

# The author of an image chooses what its paths lead to.
links() {
	local fd
	ln -s data "$TREE/link"
	ln -s ../../../../../../../../data "$TREE/climbing"
	ln -s "$SCRATCH/over" "$TREE/outside"
	wherry run -v link:/link "$TREE" /bin/true
	same "$TREE/data" "$VOLUMES/link"
	wherry run -v climbing:/climbing "$TREE" /bin/true
	same "$TREE/data" "$VOLUMES/climbing"
	mkdir -p "$SCRATCH/over"
	touch "$SCRATCH/over/host"
	equal "$(wherry run -v outside:/outside "$TREE" /bin/ls -A /outside)" ""
	for fd in $(seq 3 20); do
		ln -sfn "/proc/self/fd/$fd" "$TREE/fd"
		wherry run -v "fd$fd:/fd/" "$TREE" /bin/find /fd/ >"$SCRATCH/fd.out" 2>&1 || grep -q '^wherry: ' "$SCRATCH/fd.out"
		ln -sfn "/proc/self/fd/$fd/made" "$TREE/fd"
		wherry run -v "fd$fd:/fd" "$TREE" /bin/true >"$SCRATCH/fd.out" 2>&1 || grep -q '^wherry: ' "$SCRATCH/fd.out"
		ln -sfn "/proc/self/fd/$fd/.." "$TREE/fd"
		wherry run -v "fd$fd:/fd" "$TREE" /bin/true >"$SCRATCH/fd.out" 2>&1 || grep -q '^wherry: ' "$SCRATCH/fd.out"
	done
	# such a link may lead to the volume itself, which is the container's
	equal "$(find "$VOLUMES"/fd* -mindepth 1 ! -name made)" ""
	equal "$(find "$STORE" -name made ! -path "$VOLUMES/fd*/made")" ""
	rm "$TREE/fd"
}

# kill -9 while it is copied, early and late: there is no such volume, or there is all of it.
interrupted() {
	local delay pid caught=0
	for delay in 0 0 0.005 0.01 0.02 0.03 0.05 0.08; do
		"$WHERRY" --root "$STORE" --state "$STATE" run -v cut:/many "$TREE" /bin/true &
		pid=$!
		until compgen -G "$STORE/tmp/*/cut/*" >/dev/null || [ -d "$VOLUMES/cut" ]; do
			[ -d "/proc/$pid" ]
		done
		sleep "$delay"
		kill -9 "$pid" 2>/dev/null || [ ! -e "/proc/$pid" ]
		wait "$pid" || caught=$((caught + 1))
		if [ -e "$VOLUMES/cut" ]; then
			same "$TREE/many" "$VOLUMES/cut"
			rm -r "$VOLUMES/cut"
		fi
	done
	[ "$caught" -gt 0 ]
	equal "$(wherry run -v cut:/many "$TREE" /bin/sh -c 'ls /many | wc -l')" 2000
	eventually [ -z "$(ls "$STORE/tmp")" ]
}

full() {
	mkdir "$SCRATCH/small"
	fails_with 125 "No space left" unshare -m --propagation private bash -euc '
		mount -t tmpfs -o size=4m,mode=700 small "$1/small"
		truncate -s 0 "$2/many/large"
		head -c 6000000 /dev/urandom >"$2/many/large"
		trap "find \"$1/small\" -name big >\"$1/left\"; rm \"$2/many/large\"" EXIT
		"$3" --root "$1/small" --state "$4" run -v big:/many "$2" /bin/true' \
		- "$SCRATCH" "$TREE" "$WHERRY" "$STATE"
	equal "$(cat "$SCRATCH/left")" ""
}

# Containers that start at the same time and want the same new volume all find it complete.
together() {
	local n pids=()
	for n in 1 2 3 4 5; do
		wherry run -v fleet:/many "$TREE" /bin/sh -c "ls /many | wc -l; touch /many/of-$n" \
			>"$SCRATCH/fleet.$n" 2>"$SCRATCH/fleet.$n.err" &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n"; done
	for n in 1 2 3 4 5; do [ "$(head -n 1 "$SCRATCH/fleet.$n")" -ge 2000 ]; done
	equal "$(ls "$VOLUMES/fleet" | wc -l)" 2005
}

# A container that runs for long keeps nobody from other volumes.
nothing_in() { [ -z "$(ls -A "$1")" ]; }

not_alone() {
	start long --name "$ID-long" -v long:/data "$TREE" /bin/sh -c 'echo up; sleep 10000'
	# a launch clears what is left of it when the program runs already
	eventually nothing_in "$STORE/tmp"
	equal "$(timeout "$PATIENCE" "$WHERRY" --root "$STORE" --state "$STATE" run -v brief:/data "$TREE" /bin/echo through)" through
	# an empty volume that somebody uses is the same for both
	wherry volume create shared
	kill -9 "$started"
	ends "$started" 137
	start long --name "$ID-long" -v shared:/srv busybox sh -c 'rm -rf /srv/*; echo up; while ! [ -e /srv/go ]; do sleep 0.05; done; echo went'
	equal "$(wherry run -v shared:/data "$TREE" /bin/sh -c 'ls -A /data; touch /data/go')" ""
	ends "$started" 0
	contains "$(cat "$SCRATCH/long")" went
}

removes() {
	start used -v used:/data "$TREE" /bin/sh -c 'echo up; sleep 10000'
	fails_with 125 "the volume used is in use" wherry volume rm used
	contains "$(wherry volume ls --format '{{.Name}} {{.InUse}}')" "used yes"
	[ -e "$VOLUMES/used/sparse" ]
	kill "$started"
	ends "$started" 143
	equal "$(wherry volume rm used)" used
	[ ! -e "$VOLUMES/used" ]
	equal "$(ls "$STORE/tmp")" ""
	fails_with 125 "there is no volume 'used'" wherry volume rm used
	wherry volume create other >/dev/null
	fails_with 125 "there is no volume 'used'" wherry volume rm used other
	[ ! -e "$VOLUMES/other" ]
	fails_with 125 "cannot be a volume's name" wherry volume rm ../layers
	[ -d "$STORE/layers" ]
}

lists() {
	local root=$SCRATCH/other
	equal "$(wherry --root "$root" volume ls -q)" ""
	[ ! -e "$root" ]
	wherry --root "$root" volume create b a >/dev/null
	head -c 12345 /dev/zero >"$root/volumes/a/file"
	equal "$(wherry --root "$root" volume ls -q)" $'a\nb'
	equal "$(wherry --root "$root" volume ls | tr -s ' ')" $'DRIVER VOLUME NAME FILES SIZE IN USE\nlocal a 1 12.3kB no\nlocal b 0 0B no'
	equal "$(wherry --root "$root" volume ls --format '{{.Name}}:{{.Files}}' -f name=a)" a:1
	equal "$(wherry --root "$root" volume inspect -f '{{.Mountpoint}}' a)" "$root/volumes/a"
	equal "$(wherry --root "$root" volume inspect a b | jq -r '.[].Name')" $'a\nb'
	fails_with 125 "there is no volume 'c'" wherry --root "$root" volume inspect c
	wherry --root "$root" volume exists a
	equal "$(wherry --root "$root" volume exists c; echo $?)" 1
	wherry --root "$root" volume rm -f c
	fails_with 125 "c" wherry --root "$root" volume rm c
	fails_with 125 "unknown command volume" wherry volume
	fails_with 125 "unknown command volume boat" wherry volume boat
	fails_with 125 "too few words" wherry volume rm
	fails_with 125 "unknown option" wherry volume ls --boat
	contains "$(wherry volume --help)" "Usage: wherry volume"
}

# A store that holds volumes alone lasts; one that was made for nothing doesn't.
store_alone() {
	"$WHERRY" --root "$SCRATCH/fresh" --state "$STATE" run -v one:/data "$TREE" /bin/true
	same "$TREE/data" "$SCRATCH/fresh/volumes/one"
	equal "$("$WHERRY" --root "$SCRATCH/fresh" --state "$STATE" run -v one:/data "$TREE" /bin/ls /data/sparse)" /data/sparse
	fails_with 125 "Not a directory" "$WHERRY" --root "$SCRATCH/never" --state "$STATE" run -v one:/etc/motd "$TREE" /bin/true
	[ ! -e "$SCRATCH/never" ]
}

as_user() {
	setpriv --reuid 54321 --regid 54321 --clear-groups env -i HOME="$SCRATCH/home" PATH=/nowhere \
		"$SCRATCH/wherry" "$@"
}

rootless() {
	mkdir "$SCRATCH/home"
	chown 54321:54321 "$SCRATCH/home"
	cp "$WHERRY" "$SCRATCH/wherry"
	cp "$(image app docker)" "$SCRATCH/app.tar"
	chmod 755 "$SCRATCH" "$SCRATCH/wherry" "$SCRATCH/app.tar"
	as_user load -q "$SCRATCH/app.tar" >/dev/null
	equal "$(as_user run -u 0 --entrypoint '' -v seeds:/data app sh -c 'cat /data/seed; echo x >/data/new')" \
		"the volume as the image has it"
	equal "$(as_user run -u 0 --entrypoint '' -v seeds:/data:ro --read-only app cat /data/new)" x
	equal "$(stat -c %u "$SCRATCH/home/.local/share/wherry/volumes/seeds/new")" 54321
	equal "$(as_user volume ls -q)" seeds
	equal "$(as_user volume rm seeds)" seeds
}

# In a mount namespace of our own: /etc/subuid stays as it is.
mapped() {
	unshare -m --propagation private bash -euc '
		echo sailor:300000:65536 >"$1/subid"
		for file in /etc/subuid /etc/subgid; do
			[ -e "$file" ] || mount -t tmpfs none /etc
			mount --bind "$1/subid" "$file"
		done
		run() { "$2" --root "$3" --state "$4" run --userns sailor "${@:5}"; }
		run "$@" -v mapped:/data -v new:/srv/new --entrypoint "" -u 0 app sh -c "cat /data/seed; touch /data/x /srv/new/y"
		run "$@" -v mapped:/data:ro --entrypoint "" -u 0 app ls /data' - "$SCRATCH" "$WHERRY" "$STORE" "$STATE" >"$SCRATCH/mapped"
	equal "$(cat "$SCRATCH/mapped")" $'the volume as the image has it\nseed\nx'
	equal "$(stat -c %u:%g "$VOLUMES/mapped" "$VOLUMES/mapped/seed" "$VOLUMES/mapped/x" "$VOLUMES/new/y" | uniq)" 300000:300000
}

# The last one of that name may still be ending.
again() {
	start labelled --name "$ID-labelled" busybox sh -c 'echo up; sleep 10000' && grep -qx up "$SCRATCH/labelled"
}

labels() {
	start labelled --name "$ID-labelled" --label colour=green -l key --label 'empty=' --label 'words=a b = c' \
		--annotation org.example.note=x busybox sh -c 'echo up; sleep 10000'
	equal "$(tail -n +2 "$STATE/$ID-labelled")" \
		$'label colour=green\nlabel key\nlabel empty=\nlabel words=a b = c\nannotation org.example.note=x\nnetwork none'
	equal "$(head -n 1 "$STATE/$ID-labelled")" "$started"
	kill -9 "$started"
	ends "$started" 137
	# what a killed one noted isn't the next one's
	eventually again
	equal "$(cat "$STATE/$ID-labelled")" "$started"$'\nnetwork none'
	kill "$started"
	ends "$started" 143
	fails_with 125 "is not KEY=VALUE" wherry run --label =x busybox true
	fails_with 125 "is not KEY=VALUE" wherry run --label '' busybox true
	fails_with 125 "is not KEY=VALUE" wherry run --label 'two words=x' busybox true
	fails_with 125 "has a newline" wherry run --label $'a=b\nlabel c=d' busybox true
	fails_with 125 "--annotation: 'key' is not KEY=VALUE" wherry run --annotation key busybox true
}

it "-v NAME:DST keeps what is written, in ROOT/volumes/NAME" keeps
it "gives a new volume all that the image has there, as it is" copies_all
it "gives it what the image's layers have, in place of the image's own volume" copies_layers
it "gives it once, and again when it is empty" copies_once
it "gives it to a volume that was only created" created
it "gives it nothing with nocopy" not_copied
it "mounts it read-only with ro, to write under --read-only" read_only
it "belongs to whom the image's directory belongs" users
it "--mount type=volume does the same in words" in_words
it "takes docker's names of volumes and no others" names
it "mounts one new volume in several places" mounted_twice
it "copies the image's own directory, not what is mounted on it, nor a file" image_alone
it "follows links in the image, and none out of it" links
it "never takes an interrupted copy for a volume" interrupted
it "leaves no volume where its copy doesn't fit" full
it "fills it once for containers that start together" together
it "keeps no container waiting for one that runs" not_alone
it "removes volumes, but not from under a container" removes
it "lists volumes with their sizes" lists
it "keeps volumes in a store without images" store_alone
it "fills and keeps volumes without root" rootless
it "fills volumes with the container's ids with --userns" mapped
it "notes labels and annotations where what runs is kept" labels
finish_clean
