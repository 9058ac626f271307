# Images for the tests, made once and kept under $BUILD/images.
#
#	image NAME KIND		prints the path of an image file, and makes it where it is missing
#	rootfs NAME		prints the path of a directory with its files (busybox, app, many)
#
# NAME: busybox  two layers, no entrypoint, PATH and a variable of its own
#       app      busybox with everything that a config can say
#       layered  whiteouts, an opaque directory, replaced types, upper over lower
#       many     busybox below sixty small layers
#       large    busybox below eight layers of 7 MiB, in which no two blocks are the same
#       debian   a Debian of six layers made by buildah (KIND docker, oci:gzip or oci:zstd)
# KIND: docker, docker-blobs, oci (a directory) or oci-tar; ":gzip" or ":zstd" behind all but the
#       first compresses the layers.
IMAGES=$BUILD/images

# images_fresh TARGET: it is newer than all that it is made from.
images_fresh() {
	[ -e "$1" ] && [ "$1" -nt "$TOP/tests/lib/images.sh" ] && [ "$1" -nt "$TOP/tests/lib/images.py" ] &&
		[ "$1" -nt "$TOP/tests/lib/tool.c" ]
}

# layer_tar DIR OUT: all of DIR as root's, with one time, so that digests don't change.
layer_tar() {
	tar --create --file "$2" --directory "$1" --sort=name --format=posix --numeric-owner \
		--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \
		--mtime=@1700000000 --owner=0 --group=0 .
}

busybox_tree() {
	local root=$1 applet
	mkdir -p "$root"/{bin,etc,root,tmp,var/tmp,home/alice,proc,sys,dev}
	chmod 1777 "$root/tmp" "$root/var/tmp"
	cp "$(type -P busybox)" "$root/bin/busybox"
	for applet in $(busybox --list); do
		if [ "$applet" != busybox ]; then ln -s busybox "$root/bin/$applet"; fi
	done
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'alice:x:1000:1000:Alice:/home/alice:/bin/sh' \
		'bob:x:1001:100::/nowhere:/bin/sh' 'nobody:x:65534:65534:nobody:/:/bin/false' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'users:x:100:' 'audio:x:29:alice,bob' 'video:x:44:bob,alice' \
		'alice:x:1000:' 'nogroup:x:65534:' >"$root/etc/group"
	echo 'made in a layer' >"$root/etc/motd"
}

build_tool() {
	local cc=cc
	if type -P musl-gcc >/dev/null; then cc=musl-gcc; fi
	"$cc" -D_GNU_SOURCE -static -Os -s -o "$1" "$TOP/tests/lib/tool.c"
}

layers_busybox() {
	busybox_tree "$1/1"
	mkdir -p "$1/2/bin" "$1/2/srv"
	build_tool "$1/2/bin/tool"
	echo 'from the second layer' >"$1/2/srv/message"
}

layers_app() {
	layers_busybox "$1"
	mkdir -p "$1/3"/{data,app/start,etc}
	echo 'the volume as the image has it' >"$1/3/data/seed"
	printf '#!/bin/sh\necho "entry: $*"\nexec "$@"\n' >"$1/3/app/entry"
	printf '#!/bin/sh\nexec /bin/tool -signals\n' >"$1/3/app/signals"
	chmod 755 "$1/3/app/entry" "$1/3/app/signals"
	ln -s / "$1/3/app/escape"
	ln -s /etc/target "$1/3/etc/link"
}

layers_layered() {
	layers_busybox "$1"
	mkdir -p "$1/3/a" "$1/3/dir/deep" "$1/3/becomes-file" "$1/4/a" "$1/4/dir/fresh" "$1/4/becomes-dir"
	echo one >"$1/3/a/over"
	echo gone >"$1/3/a/deleted"
	echo old >"$1/3/dir/old"
	echo old >"$1/3/dir/deep/old"
	echo file >"$1/3/becomes-dir"
	echo in >"$1/3/becomes-file/in"
	echo linked >"$1/3/a/linked"
	ln "$1/3/a/linked" "$1/3/a/linked-too"
	echo two >"$1/4/a/over"
	: >"$1/4/a/.wh.deleted"
	: >"$1/4/dir/.wh..wh..opq"
	echo new >"$1/4/dir/new"
	echo in >"$1/4/becomes-dir/in"
	echo file >"$1/4/becomes-file"
}

layers_many() {
	local n
	layers_busybox "$1"
	for n in $(seq 3 62); do
		mkdir -p "$1/$n/layers"
		echo "$n" >"$1/$n/layers/$n"
		echo "$n" >"$1/$n/count"
	done
}

# A block is its number, over and over: it packs well, and is neither zero nor another one.
layers_large() {
	local n
	layers_busybox "$1"
	for n in $(seq 3 10); do
		mkdir -p "$1/$n/large"
		awk -v "n=$n" 'BEGIN {
			for (i = n * 1792; i < (n + 1) * 1792; i++) {
				block = sprintf("%07d\n", i)
				while (length(block) < 4096) block = block block
				printf "%s", block
			}
		}' | split --bytes=999999 - "$1/$n/large/$n."
	done
}

config_of() {
	local path='"PATH=/usr/local/bin:/bin"'
	case $1 in
	app) cat <<-END
		{"Env": [$path, "COLOUR=green", "EMPTY=", "QUOTED=a \"b\" c"],
		 "Entrypoint": ["/app/entry"], "Cmd": ["tool", "-show"], "WorkingDir": "/app/start",
		 "User": "alice", "StopSignal": "SIGUSR1", "Volumes": {"/data": {}},
		 "Labels": {"org.example.kind": "test"}, "ExposedPorts": {"80/tcp": {}}}
	END
	;;
	*) echo "{\"Env\": [$path, \"FROM_IMAGE=yes\"], \"Cmd\": [\"sh\"]}" ;;
	esac
}

# make_layers NAME: $IMAGES/NAME.layers/N.tar
make_layers() {
	local name=$1 out=$IMAGES/$1.layers work n
	! images_fresh "$out" || return 0
	work=$(mktemp -d "$IMAGES/tmp.XXXXXX")
	mkdir "$work/trees" "$work/tars"
	"layers_$name" "$work/trees"
	for n in $(cd "$work/trees" && printf '%s\n' * | sort -n); do
		layer_tar "$work/trees/$n" "$work/tars/$(printf %03d "$n").tar"
	done
	rm -rf "$out"
	mv "$work/tars" "$out"
	rm -rf "$work"
}

# make_image CONFIG-JSON NAME:TAG KIND OUT LAYER.tar…
make_image() {
	local config=$1 tagged=$2 kind=$3 out=$4
	shift 4
	python3 "$TOP/tests/lib/images.py" "$kind" "$out" "$config" "$tagged" "$@"
}

image_path() {
	local suffix=.tar
	case $2 in oci | oci:*) suffix= ;; esac
	echo "$IMAGES/$1.${2/:/-}$suffix"
}

image_make() {
	local name=$1 kind=$2 out
	out=$(image_path "$name" "$kind")
	! images_fresh "$out" || return 0
	if [ "$name" = debian ]; then
		. "$TOP/tests/lib/debian.sh"
		debian_make "$kind" "$out"
		return
	fi
	make_layers "$name"
	rm -rf "$out.tmp"
	make_image "$(config_of "$name")" "$name:latest" "$kind" "$out.tmp" "$IMAGES/$name.layers"/*.tar
	rm -rf "$out"
	mv "$out.tmp" "$out"
	touch "$out"
}

# locked COMMAND…: one maker at a time; two test runs may share $BUILD.
locked() {
	mkdir -p "$IMAGES"
	(
		flock 9
		"$@" >&2 9>&-
	) 9>"$IMAGES/lock"
}

image() {
	locked image_make "$1" "$2"
	image_path "$1" "$2"
}

rootfs_make() {
	local name=$1 out=$IMAGES/$1.rootfs layer
	! images_fresh "$out/." || return 0
	make_layers "$name"
	rm -rf "$out" "$out.tmp"
	mkdir "$out.tmp"
	for layer in "$IMAGES/$name.layers"/*.tar; do
		tar --extract --file "$layer" --directory "$out.tmp"
	done
	touch "$out.tmp"
	mv "$out.tmp" "$out"
}

rootfs() {
	locked rootfs_make "$1"
	echo "$IMAGES/$1.rootfs"
}
