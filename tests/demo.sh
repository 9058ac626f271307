#!/bin/bash
# `make run`: a busybox image as `docker save` writes it, made here of nothing but Debian's
# busybox-static, then loaded and run by the one static file that has just been built.
set -euo pipefail
umask 022

top=$(cd "$(dirname "$0")/.." && pwd -P)
build=$(realpath -m "${BUILD:-$top/build/$(uname -m)}")
if [ "$(id -u)" -ne 0 ]; then
	if type -P sudo >/dev/null; then exec sudo BUILD="$build" "$0" "$@"; fi
	echo "no sudo here: as an ordinary user, without the memory limit, which needs root"
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/wherry-demo.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

digest() { sha256sum "$1" | cut -d ' ' -f 1; }

layer() { # DIRECTORY ID
	mkdir "$work/image/$2"
	tar -C "$1" --owner=0 --group=0 --numeric-owner --sort=name --mtime=@1709208000 --mode=go-w -cf "$work/image/$2/layer.tar" .
	echo 1.0 >"$work/image/$2/VERSION"
	echo "{\"id\":\"$2\"}" >"$work/image/$2/json"
}

architecture() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	arm*) echo arm ;;
	*) uname -m ;;
	esac
}

make_image() {
	local applet config one two
	mkdir -p "$work/image" "$work/one"/{bin,etc,root,tmp} "$work/two/srv"
	cp "$(type -P busybox)" "$work/one/bin/busybox"
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$work/one/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$work/one/etc/passwd"
	echo 'root:x:0:' >"$work/one/etc/group"
	echo 'This line comes from the second layer of the image.' >"$work/two/srv/message"
	one=$(printf '1%.0s' {1..64}) two=$(printf '2%.0s' {1..64})
	layer "$work/one" "$one"
	layer "$work/two" "$two"
	cat >"$work/config.json" <<-END
	{"architecture":"$(architecture)","os":"linux","created":"2024-02-29T12:00:00Z",
	 "config":{"Env":["PATH=/bin"],"Cmd":["sh"]},
	 "rootfs":{"type":"layers","diff_ids":["sha256:$(digest "$work/image/$one/layer.tar")",
	 "sha256:$(digest "$work/image/$two/layer.tar")"]}}
	END
	config=$(digest "$work/config.json").json
	mv "$work/config.json" "$work/image/$config"
	echo "{\"busybox\":{\"latest\":\"$two\"}}" >"$work/image/repositories"
	printf '[{"Config":"%s","RepoTags":["busybox:latest"],"Layers":["%s/layer.tar","%s/layer.tar"]}]\n' \
		"$config" "$one" "$two" >"$work/image/manifest.json"
	tar -C "$work/image" -cf "$work/busybox.tar" .
}

# What runs inside. The memory limit is in one of two places: cgroup v2, v1.
inside='
cd /sys/fs/cgroup
limit=$(cat memory.max memory/memory.limit_in_bytes 2>/dev/null)
echo "host name:     $(hostname)"
echo "PID 1:         $(cat /proc/1/comm)"
echo "memory limit:  $((limit >> 20)) MiB"
echo "a layer file:  $(cat /srv/message)"
echo "processes:"
ps -o pid,user,comm
'

say() { printf '\n$ %s\n' "$*"; }

make_image
cd "$work"
wherry() { "$build/wherry" --root "$work/store" --state "$work/state" "$@"; }
say wherry load busybox.tar
wherry load busybox.tar
say wherry images
wherry images
limit=(-m 64M)
[ "$(id -u)" -eq 0 ] || limit=()
say wherry run "${limit[@]}" --hostname rowing-boat busybox sh -c "'...'"
wherry run "${limit[@]}" --hostname rowing-boat busybox sh -c "$inside"
