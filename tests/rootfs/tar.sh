#!/bin/bash
# Tar archives as GNU tar, bsdtar and Python read and write them.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

fresh() { rm -rf "$STORE"; }

# load_layer LAYER.tar: loads an image of it, and prints where its layer is.
load_layer() {
	fresh
	make_image '{"Cmd": ["sh"]}' layer:1 docker "$SCRATCH/image.tar" "$1"
	wherry load -q "$SCRATCH/image.tar" >/dev/null
	echo "$STORE/layers/$(sha256sum "$1" | cut -d ' ' -f 1)"
}

# tar_of TOOL LAYER FILE: its contents, as that tool reads them.
gnu_reads() { tar -xOf "$1" "$2"; }
python_reads() { python3 -c 'import sys, tarfile; sys.stdout.buffer.write(tarfile.open(sys.argv[1]).extractfile(sys.argv[2]).read())' "$1" "$2"; }

# edit LAYER CODE: Python that changes the bytes of DATA, headers at the offsets AT[name], checksums anew.
edit() {
	python3 - "$1" "$2" <<-'END'
	import sys, tarfile
	with tarfile.open(sys.argv[1]) as tar:
	    AT = {member.name: member.offset_data - 512 for member in tar}
	DATA = bytearray(open(sys.argv[1], "rb").read())
	def sign(at):
	    DATA[at + 148:at + 156] = b" " * 8
	    DATA[at + 148:at + 156] = b"%06o\0 " % sum(DATA[at:at + 512])
	exec(sys.argv[2])
	open(sys.argv[1], "wb").write(DATA)
	END
}

make_files() {
	rm -rf "$SCRATCH/tree"
	mkdir "$SCRATCH/tree"
	echo first >"$SCRATCH/tree/first"
	seq 1000 >"$SCRATCH/tree/script"
	echo last >"$SCRATCH/tree/last"
	tar -C "$SCRATCH/tree" --sort=name --format=gnu -cf "$SCRATCH/layer.tar" first last script
}

same_as_tar() {
	local dir file
	dir=$(load_layer "$SCRATCH/layer.tar")
	for file in first last script; do
		cmp "$dir/$file" <(gnu_reads "$SCRATCH/layer.tar" "$file")
		cmp "$dir/$file" <(python_reads "$SCRATCH/layer.tar" "$file")
	done
	contains "$(wherry fsck)" "all that is left is whole"
}

real_size() {
	local digits
	for digits in 00000100000 00000000001 00000000000 77777777777; do
		make_files
		edit "$SCRATCH/layer.tar" "DATA[AT['script'] + 483:AT['script'] + 494] = b'$digits'; sign(AT['script'])"
		same_as_tar
	done
}

sparse_digits() {
	make_files
	edit "$SCRATCH/layer.tar" "DATA[AT['script'] + 386:AT['script'] + 410] = b'00000010000\0' b'00000000100\0'; sign(AT['script'])"
	same_as_tar
	edit "$SCRATCH/layer.tar" "DATA[AT['script'] + 482] = 1; sign(AT['script'])"
	same_as_tar
}

# The header is the last block of what wherry reads at once, and the first.
real_size_at_edges() {
	local before
	for before in 125 126 127 128 129; do
		make_files
		head -c $((before * 512 - 512)) /dev/zero >"$SCRATCH/tree/first"
		tar -C "$SCRATCH/tree" --format=gnu -cf "$SCRATCH/layer.tar" first script last
		edit "$SCRATCH/layer.tar" "DATA[AT['script'] + 483:AT['script'] + 494] = b'00000100000'; sign(AT['script'])"
		same_as_tar
	done
}

# A file with holes stays one, by either kind of header.
really_sparse() {
	local format dir
	for format in gnu posix; do
		rm -rf "$SCRATCH/tree"
		mkdir "$SCRATCH/tree"
		for n in 1 3 5 7 9 11 13 15 17 19 21 23 25 27 29 31; do
			printf %4096d $n | dd of="$SCRATCH/tree/holes" bs=4096 seek=$n conv=notrunc status=none
		done
		truncate -s 1M "$SCRATCH/tree/holes"
		echo after >"$SCRATCH/tree/z"
		tar -C "$SCRATCH/tree" --format=$format -S -cf "$SCRATCH/layer.tar" holes z
		dir=$(load_layer "$SCRATCH/layer.tar")
		cmp "$dir/holes" "$SCRATCH/tree/holes"
		cmp "$dir/z" "$SCRATCH/tree/z"
		[ "$(stat -c %b "$dir/holes")" -lt 1000 ]
	done
}

# layer_of_two_headers BEFORE: a layer whose second file has two pax headers, after so many bytes.
layer_of_two_headers() {
	python3 - "$SCRATCH/layer.tar" "$1" <<-'END'
	import io, sys, tarfile
	def pax(**records):
	    info = tarfile.TarInfo("x")
	    return info._create_pax_generic_header({k.replace("__", "."): v for k, v in records.items()}, tarfile.XHDTYPE, "utf-8")
	with open(sys.argv[1], "wb") as out:
	    def add(name, data, *headers):
	        info = tarfile.TarInfo(name)
	        info.size = len(data)
	        out.write(b"".join(headers) + info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512))
	    add("first", b"f" * int(sys.argv[2]))
	    add("short", b"content\n", pax(path="a/long/name", mtime="7.5"), pax(SCHILY__xattr__user__note="n" * 700),
	        pax(mtime="9", comment="nothing"))
	    add("plain", b"plain\n", pax(mtime="11"))
	    add("last", b"last\n", pax(size="5"), pax(path="z"))
	    out.write(bytes(1024))
	END
}

two_headers() {
	local before dir
	for before in 10 60928 61440 61952 62464 62976 63488 64000 64512 65024 65536; do
		layer_of_two_headers $before
		fresh
		make_image '{"Cmd": ["sh"]}' layer:1 docker "$SCRATCH/image.tar" "$SCRATCH/layer.tar"
		wherry load -q "$SCRATCH/image.tar" >/dev/null
		dir=$(echo "$STORE"/layers/*/)
		equal "$(cat "$dir/a/long/name" "$dir/plain" "$dir/z")" $'content\nplain\nlast'
		equal "$(stat -c %Y "$dir/a/long/name" "$dir/plain" | tr '\n' ' ')" "9 11 "
		equal "$(python3 -c 'import os, sys; print(len(os.getxattr(sys.argv[1], "user.note")))' "$dir/a/long/name")" 700
		[ ! -e "$dir/short" ]
	done
}

two_headers_compressed() {
	local dir
	layer_of_two_headers 64000
	fresh
	make_image '{"Cmd": ["sh"]}' layer:1 oci-tar:gzip "$SCRATCH/image.tar" "$SCRATCH/layer.tar"
	wherry load -q "$SCRATCH/image.tar" >/dev/null
	dir=$(echo "$STORE"/layers/*/)
	equal "$(cat "$dir/a/long/name" "$dir/plain" "$dir/z")" $'content\nplain\nlast'
}

# bsdtar and Go's writers leave the root's name empty.
empty_name() {
	local dir
	make_files
	edit "$SCRATCH/layer.tar" "
tree = tarfile.TarInfo(''); tree.type = tarfile.DIRTYPE; tree.mode = 0o711
DATA = bytearray(tree.tobuf(tarfile.USTAR_FORMAT)) + DATA; DATA[0] = 0; sign(0)"
	dir=$(load_layer "$SCRATCH/layer.tar")
	equal "$(stat -c %a "$dir")" 711
	cmp "$dir/script" "$SCRATCH/tree/script"
}

# A blob with holes in it, since the file system that it came from has no room for zeros.
sparse_layout() {
	local format
	rm -rf "$SCRATCH/layout"
	dd if=/dev/zero of="$SCRATCH/zeros" bs=1M count=4 status=none
	make_files
	tar -C "$SCRATCH" -rf "$SCRATCH/layer.tar" zeros
	make_image '{"Cmd": ["sh"]}' layer:1 oci "$SCRATCH/layout" "$SCRATCH/layer.tar"
	for blob in "$SCRATCH"/layout/blobs/sha256/*; do
		cp --sparse=always "$blob" "$SCRATCH/copy"
		mv "$SCRATCH/copy" "$blob"
	done
	for format in gnu posix; do
		tar -C "$SCRATCH/layout" --format=$format -S -cf "$SCRATCH/image.tar" .
		fresh
		fails_with 125 "it is a sparse entry" wherry load "$SCRATCH/image.tar"
		fails_with 125 "make the archive without tar's option -S (--sparse)" wherry load "$SCRATCH/image.tar"
	done
	bsdtar -C "$SCRATCH/layout" --no-read-sparse -cf "$SCRATCH/image.tar" .
	wherry load -q "$SCRATCH/image.tar" >/dev/null
}

real_size_outside() {
	fresh
	make_files
	make_image '{"Cmd": ["sh"]}' layer:1 docker "$SCRATCH/image.tar" "$SCRATCH/layer.tar"
	edit "$SCRATCH/image.tar" "DATA[AT['manifest.json'] + 483:AT['manifest.json'] + 494] = b'00000000777'; sign(AT['manifest.json'])"
	fails_with 125 "manifest.json: its header is a sparse file's, its type is not" wherry load "$SCRATCH/image.tar"
}

it "reads an ordinary file with a sparse file's real size as GNU tar and Python do" real_size
it "reads an ordinary file with a sparse file's map as they do" sparse_digits
it "sees such headers wherever the pieces begin in which it reads" real_size_at_edges
it "keeps the holes of files that have some" really_sparse
it "takes the records of two pax headers before one entry together" two_headers
it "takes them together in a compressed layer" two_headers_compressed
it "takes an empty name as the root" empty_name
it "says that a layout's blob was stored as a sparse file" sparse_layout
it "refuses a document with a sparse file's real size" real_size_outside
finish_clean
