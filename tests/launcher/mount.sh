#!/bin/bash
# --mount, and how mounts below a volume pass from and to the host. Each shared mount is made in a
# mount namespace of its own: the host's stay as they are.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox app

HOST=$SCRATCH/host
mkdir "$HOST"
echo seen >"$HOST/file"

binds() {
	equal "$(wherry run --mount "type=bind,source=$HOST,target=/data" busybox cat /data/file)" seen
	equal "$(wherry run --mount "type=bind,src=$HOST,dst=/data" busybox sh -c 'echo x >/data/new; cat /data/new')" x
	rm "$HOST/new"
	fails_with 1 "Read-only" wherry run --mount "type=bind,src=$HOST,dst=/data,readonly" busybox touch /data/x
	fails_with 125 "bind $HOST/nothing" wherry run --mount "type=bind,src=$HOST/nothing,dst=/data" busybox true
	[ ! -e "$HOST/nothing" ]
	equal "$(wherry run --mount "Type=Bind,SRC=$HOST,dst=/data,ro=0" busybox sh -c 'echo x >/data/new; cat /data/new')" x
	rm "$HOST/new"
	fails_with 1 "Read-only" wherry run --mount "type=bind,src=$HOST,dst=/data,readonly=1" busybox touch /data/x
	# which docker knows, and heeds on another system
	equal "$(wherry run --mount "type=bind,src=$HOST,dst=/data,consistency=cached" busybox cat /data/file)" seen
	equal "$(wherry run -v "$HOST:/data:delegated" -v "$HOST:/d:ro,cached" -v "$HOST:/e:consistent" busybox cat /data/file)" seen
	fails_with 125 "unknown option 'warm'" wherry run -v "$HOST:/data:warm" busybox true
}

tmpfs() {
	local said
	said=$(wherry run --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=0700 busybox sh -c 'stat -c %a /t; grep " /t " /proc/mounts')
	contains "$said" 700
	contains "$said" size=1024k
	contains "$said" noexec
	said=$(wherry run --mount type=tmpfs,target=/t,tmpfs-size=64kib,readonly busybox grep " /t " /proc/mounts)
	contains "$said" size=64k
	contains "$said" ro,
	# as mount(8) writes them
	said=$(wherry run --tmpfs /t:defaults,nodiratime,size=64k,sync busybox grep " /t " /proc/mounts)
	contains "$said" nodiratime
	contains "$said" sync
	contains "$(wherry run --tmpfs /t:rw,strictatime busybox grep " /t " /proc/mounts)" "rw,nosuid,nodev,noexec "
	contains "$(wherry run --tmpfs /t:noatime,relatime busybox grep " /t " /proc/mounts)" ,relatime
}

refusals() {
	fails_with 125 "unknown key 'colour'" wherry run --mount type=bind,colour=red busybox true
	fails_with 125 "it has no target" wherry run --mount type=bind,src=/tmp busybox true
	fails_with 125 "it has no source" wherry run --mount type=bind,dst=/x busybox true
	fails_with 125 "the type is bind, tmpfs or volume" wherry run --mount type=pipe,dst=/x busybox true
	fails_with 125 "unknown propagation 'both'" wherry run --mount type=bind,src=/tmp,dst=/x,bind-propagation=both busybox true
	fails_with 125 "readonly takes true or false, not 'maybe'" wherry run --mount type=bind,src=/tmp,dst=/x,readonly=maybe busybox true
	fails_with 125 "'9' is not an octal mode" wherry run --mount type=tmpfs,dst=/x,tmpfs-mode=9 busybox true
	fails_with 125 "'many' is not a size" wherry run --mount type=tmpfs,dst=/x,tmpfs-size=many busybox true
	fails_with 125 "'some' is not enabled or disabled" wherry run --mount type=bind,src=/tmp,dst=/x,bind-recursive=some busybox true
	fails_with 125 "unknown key 'source'" wherry run --mount type=bind,source,dst=/x busybox true
	fails_with 125 "has a .. in it" wherry run --mount type=tmpfs,dst=/x/../y busybox true
}

# Docker refuses these too: what would have no effect was meant for something else.
others_keys() {
	local key
	for key in tmpfs-size=1m tmpfs-mode=700 volume-nocopy; do
		fails_with 125 "a bind has no ${key%=*}" wherry run --mount "type=bind,src=/tmp,dst=/x,$key" busybox true
	done
	for key in src=/tmp bind-propagation=rslave bind-nonrecursive volume-nocopy; do
		fails_with 125 "a tmpfs has no " wherry run --mount "dst=/x,$key,type=tmpfs" busybox true
	done
	for key in tmpfs-size=1m bind-propagation=rslave bind-recursive=disabled; do
		fails_with 125 "a volume has no ${key%=*}" wherry run --mount "src=v,dst=/x,$key" busybox true
	done
}

alone() {
	mkdir "$SCRATCH/above"
	unshare -m --propagation private bash -euc '
		mount -t tmpfs above "$1/above"
		mkdir "$1/above/below"
		mount -t tmpfs below "$1/above/below"
		touch "$1/above/below/file"
		for words in readonly bind-recursive=enabled bind-nonrecursive=false bind-nonrecursive bind-recursive=disabled,readonly; do
			"$2" --root "$3" --state "$4" run --mount "type=bind,src=$1/above,dst=/data,$words" busybox \
				sh -c "echo $words: \$(ls /data/below)"
		done' - "$SCRATCH" "$WHERRY" "$STORE" "$STATE" >"$SCRATCH/alone"
	equal "$(cat "$SCRATCH/alone")" "readonly: file
bind-recursive=enabled: file
bind-nonrecursive=false: file
bind-nonrecursive:
bind-recursive=disabled,readonly:"
}

# below_is_seen OPTION: whether a mount that the host makes later shows in the container.
below_is_seen() {
	unshare -m --propagation private bash -euc '
		mount -t tmpfs base "$1/base"
		mount --make-shared "$1/base"
		mkdir "$1/base/below"
		"$2" --root "$3" --state "$4" run -i -v "$1/base:/data:$5" busybox \
			sh -c "echo ready; read go; ls /data/below" >"$1/out" < <(
			until grep -q ready "$1/out" 2>/dev/null; do sleep 0.02; done
			mount -t tmpfs later "$1/base/below"
			touch "$1/base/below/file"
			echo go)
		cat "$1/out"' - "$SCRATCH" "$WHERRY" "$STORE" "$STATE" "$1"
}

slaves() {
	mkdir "$SCRATCH/base"
	equal "$(below_is_seen rslave)" $'ready\nfile'
	equal "$(below_is_seen rshared)" $'ready\nfile'
	equal "$(below_is_seen rw)" ready
	equal "$(below_is_seen rprivate)" ready
}

read_only_below() {
	fails_with 1 "Read-only" unshare -m --propagation private bash -euc '
		mkdir "$1/top"
		mount -t tmpfs top "$1/top"
		mkdir "$1/top/below"
		mount -t tmpfs below "$1/top/below"
		"$2" --root "$3" --state "$4" run -v "$1/top:/data:ro" busybox touch /data/below/file' \
		- "$SCRATCH" "$WHERRY" "$STORE" "$STATE"
}

# docker: "Duplicate mount point"; a volume of the image's own, or of -v without a source, gives way.
twice() {
	local other
	for other in "-v $SCRATCH:/data" "-v named:/data/" "--tmpfs //data" "--mount type=bind,src=$SCRATCH,dst=/./data" \
		"--mount type=tmpfs,dst=/data/."; do
		# shellcheck disable=SC2086
		fails_with 125 "duplicate mount point: /data" wherry run -v "$SCRATCH:/data" $other busybox true
		# shellcheck disable=SC2086
		contains "$(wherry run -v /data/ $other busybox cat /proc/mounts | grep -c ' /data ')" 1
		# shellcheck disable=SC2086
		contains "$(wherry run $other --entrypoint '' app cat /proc/mounts | grep -c ' /data ')" 1
	done
	wherry run -v /data -v /data/ --mount type=volume,dst=/data busybox true
	wherry volume rm named
}

it "--mount binds, read-only if asked, and makes nothing of the host's" binds
it "--mount makes a tmpfs of a size and a mode" tmpfs
it "--mount says what it doesn't understand" refusals
it "--mount refuses what has no meaning for its type" others_keys
it "--mount leaves out what is mounted below, if asked" alone
it "refuses two mounts in one place, but for volumes without a source" twice
it "shows mounts that come later with rslave and rshared alone" slaves
it "makes what is mounted below a read-only volume read-only too" read_only_below
finish_clean
