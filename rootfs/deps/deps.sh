#!/bin/bash
# Builds what wherry is linked with, from the distribution's own packages:
#
#	rootfs/deps/deps.sh DEBIAN-ARCHITECTURE TRIPLET DIR
#
# musl comes as the package of the target's own architecture, the kernel's headers are
# those beside the compiler; zlib, for x86-64 ISA-L too, libzstd, liblzma, libarchive and jansson
# come as source packages, of which only the decoders are compiled. DIR gets include/, lib/, licenses/ and
# a stamp for each finished part, so that a second run does only what is missing. Sources
# and apt's state are in DIR/../../ (src, apt) and serve every architecture.
#
# apt runs on a state of its own, with a copy of the host's entries: the system's
# configuration and package lists are not touched, and every file is verified against
# the distribution's signature as apt does it.
set -euo pipefail
unset CFLAGS CPPFLAGS LDFLAGS LIBS MAKEFLAGS MFLAGS # musl's configure would take them
shopt -s extglob nullglob inherit_errexit

debian=$1 triplet=$2 deps=$3
top=$PWD
mkdir -p "$deps"
deps=$(cd "$deps" && pwd)
build=$(cd "$deps/../.." && pwd)
apt=$build/apt
source=$build/src
config=$top/rootfs/deps/libarchive_config.h
jobs=$(nproc)

say() { printf 'deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Done already, and since the last change of how it is done?
have() { [[ $deps/$1.stamp -nt $0 && $deps/$1.stamp -nt $config ]]; }
done_with() { touch "$deps/$1.stamp"; }

. "$top/rootfs/deps/apt.sh"

fetch_source() { # PACKAGE: prints the directory of its unpacked source
	local dir=$source/$1
	if [[ ! -d $dir ]]; then
		rm -rf "$dir.new"
		mkdir -p "$dir.new"
		apt_update
		say "fetch the source of $1"
		(cd "$dir.new" && apt_get -qq source "$1" >log 2>&1) || { cat "$dir.new/log" >&2; exit 1; }
		local unpacked=("$dir.new"/*/)
		mv "${unpacked[0]}" "$dir"
		rm -rf "$dir.new"
	fi
	printf '%s\n' "$dir"
}

# compile LIBRARY FLAGS... -- FILES...: an archive of the files, in an order and with
# contents that depend on the sources alone. nasm (*.asm) writes the name it is given into the
# object: hence without a directory, which it searches.
compile() {
	local library=$1 flags=()
	shift
	while [[ $1 != -- ]]; do flags+=("$1"); shift; done
	shift
	local objects=$deps/obj/$library
	rm -rf "$objects"
	mkdir -p "$objects" "$deps/lib"
	printf '%s\0' "$@" | xargs -0 -P "$jobs" -n 4 bash -c '
		set -e
		objects=$1; shift
		while [[ $1 != -- ]]; do command+=("$1"); shift; done; shift
		for file; do
			object=$objects/${file##*/}.o
			case $file in
			*.asm) (cd "${file%/*}" && nasm -f elf64 -I ../include/ "${file##*/}" -o "$object") ;;
			*) "${command[@]}" -c "$file" -o "$object" ;;
			esac
		done
	' compile "$objects" "${cc[@]}" "${flags[@]}" --
	rm -f "$deps/lib/$library.a"
	LC_ALL=C; "$triplet-ar" rcsD "$deps/lib/$library.a" "$objects"/*.o
	rm -rf "$objects"
}

license() { # NAME FILES...
	local name=$1
	shift
	mkdir -p "$deps/licenses/$name"
	cp "$@" "$deps/licenses/$name/"
}

# No unwind tables: nothing here throws. -Os costs zlib and liblzma no speed (350 and 66 MB/s
# with -Os, 350 and 61 with -O2), libzstd more than half of it (570 and 1,300 MB/s, for 40 KB).
cc=("$triplet-gcc" -nostdinc -isystem "$deps/include"
	-isystem "$("$triplet-gcc" -print-file-name=include)"
	-Os -fPIE -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
	-fno-unwind-tables -fstack-protector-strong -fvisibility=hidden -w
	"-ffile-prefix-map=$build=." "-ffile-prefix-map=$top=.")

# The directory that the compiler finds a header of the kernel's in.
kernel_headers() { # HEADER
	local file
	file=$("$triplet-gcc" -M -x c - <<<"#include <$1>" | tr ' ' '\n' | grep "/$1\$")
	printf '%s\n' "${file%/*}"
}

# The start files and libc.a of the architecture's own package.
musl_from_package() {
	local dir=$deps/obj/musl
	(cd "$dir" && apt_get -qq download "musl-dev:$debian" >&2)
	dpkg-deb -x "$dir"/*.deb "$dir"
	cp -r "$dir"/usr/include/*-linux-musl*/. "$deps/include/"
	cp "$dir"/usr/lib/*-linux-musl*/*.[ao] "$deps/lib/"
	license musl "$dir/usr/share/doc/musl-dev/copyright"
}

# The same from the package's source, where the suite has no such architecture.
musl_from_source() {
	local src
	src=$(fetch_source musl)
	(
		cd "$deps/obj/musl"
		CC="$triplet-gcc" CFLAGS="-Os -fPIE -w -ffile-prefix-map=$src=." "$src/configure" \
			--target="$triplet" --prefix= --disable-shared
		make -j "$jobs" install DESTDIR="$deps"
	) >"$deps/musl.log" 2>&1 || { cat "$deps/musl.log" >&2; die "musl cannot be built"; }
	license musl "$src/COPYRIGHT"
}

build_musl() {
	have musl && return
	rm -rf "$deps/obj/musl"
	mkdir -p "$deps/obj/musl" "$deps/include" "$deps/lib"
	apt_update
	say "musl"
	if apt_has "musl-dev:$debian"; then musl_from_package; else musl_from_source; fi
	local header dir
	for header in linux/version.h asm/types.h asm-generic/types.h; do
		dir=$(kernel_headers "$header")
		ln -sfn "$dir" "$deps/include/${header%/*}"
	done
	rm -rf "$deps/obj/musl"
	done_with musl
}

build_zlib() {
	have zlib && return
	local src
	src=$(fetch_source zlib)
	say "zlib"
	compile libz -- "$src"/{adler32,crc32,inflate,inffast,inftrees,zutil}.c
	cp "$src"/{zlib,zconf}.h "$deps/include/"
	license zlib "$src/debian/copyright"
	done_with zlib
}

# ISA-L's inflate, which takes under half of zlib's time, for x86-64 alone. It finds out at run time
# what the processor has: BMI2, SSE4.2 or neither. Its own choice of a CRC brings those of other
# polynomials and AVX-512's: ours has three. Nothing of zlib's format is read,
# and nothing written: igzip.c and adler32 are there to be linked, by a function or two.
build_isal() {
	have isal && return
	local src
	src=$(fetch_source libisal)
	say "libisal"
	mkdir -p "$deps/obj/isal/crc" "$deps/include/isa-l"
	ln -sfn "$src/include" "$deps/obj/isal/include"
	cat >"$deps/obj/isal/crc/choice.asm" <<-END
	default rel
	[bits 64]
	%include "reg_sizes.asm"
	extern crc32_gzip_refl_base
	extern crc32_gzip_refl_by8
	extern crc32_gzip_refl_by8_02
	%include "multibinary.asm"
	mbin_interface crc32_gzip_refl
	mbin_dispatch_init_clmul crc32_gzip_refl, crc32_gzip_refl_base, crc32_gzip_refl_by8, \
		crc32_gzip_refl_by8_02, crc32_gzip_refl_by8_02
	extern adler32_base
	mbin_interface isal_adler32
	mbin_dispatch_init2 isal_adler32, adler32_base
	END
	compile libisal -O2 -I"$src/include" -I"$src/igzip" -- \
		"$src"/igzip/{igzip,igzip_inflate,hufftables_c,adler32_base}.c "$src/crc/crc_base.c" \
		"$src"/igzip/{igzip_inflate_multibinary,igzip_decode_block_stateless_0[14]}.asm \
		"$src"/igzip/rfc1951_lookup.asm "$src"/crc/crc32_gzip_refl_by8{,_02}.asm "$deps/obj/isal/crc/choice.asm"
	cp "$src"/include/{crc,igzip_lib}.h "$deps/include/isa-l/"
	license libisal "$src/LICENSE"
	rm -rf "$deps/obj/isal"
	done_with isal
}

build_zstd() {
	have zstd && return
	local src
	src=$(fetch_source libzstd)
	say "libzstd"
	compile libzstd -O2 -DZSTD_LEGACY_SUPPORT=0 -DZSTD_STRIP_ERROR_STRINGS -I"$src/lib" -- \
		"$src"/lib/common/!(pool|threading).c "$src"/lib/decompress/*.[cS]
	cp "$src"/lib/{zstd,zstd_errors}.h "$deps/include/"
	license libzstd "$src/LICENSE"
	done_with zstd
}

# Decoders of .xz with the filters that its tools write; the .lzma format is not among
# what an image may be compressed with.
build_lzma() {
	have lzma && return
	local src d
	src=$(fetch_source xz-utils)
	say "liblzma"
	d=$src/src/liblzma
	compile liblzma \
		-DHAVE_DECODERS -DHAVE_DECODER_{LZMA2,DELTA,X86,ARM,ARMTHUMB,ARM64} \
		-DHAVE_CHECK_{CRC32,CRC64,SHA256} -DHAVE_STDBOOL_H -DHAVE__BOOL -DHAVE_STDINT_H \
		-DHAVE_INTTYPES_H -DHAVE_LIMITS_H -DHAVE_STRING_H -DNDEBUG \
		-DHAVE___BUILTIN_BSWAPXX -DHAVE___BUILTIN_ASSUME_ALIGNED \
		-I"$d"/{api,common,check,lz,lzma,rangecoder,delta,simple} -I"$src/src/common" -- \
		"$d"/check/!(*_small|*gen).c \
		"$d"/common/{block_buffer_decoder,block_decoder,block_header_decoder,block_util}.c \
		"$d"/common/{common,filter_common,filter_decoder,filter_flags_decoder}.c \
		"$d"/common/{index,index_decoder,index_hash,stream_decoder}.c \
		"$d"/common/{stream_flags_common,stream_flags_decoder,vli_decoder,vli_size}.c \
		"$d"/delta/{delta_common,delta_decoder}.c "$d"/lz/lz_decoder.c \
		"$d"/lzma/{lzma_decoder,lzma2_decoder}.c \
		"$d"/simple/{arm,arm64,armthumb,simple_coder,simple_decoder,x86}.c
	cp -r "$d"/api/lzma.h "$d"/api/lzma "$deps/include/"
	license xz-utils "$src/COPYING"
	done_with lzma
}

# tar in all its dialects is read, pax and ustar tar and newc cpio are written: neither
# decoders nor encoders of its own, nothing of the disk.
build_libarchive() {
	have libarchive && return
	local src d
	src=$(fetch_source libarchive)
	say "libarchive"
	d=$src/libarchive
	compile libarchive "-DPLATFORM_CONFIG_H=\"$config\"" -I"$d" -- \
		"$d"/archive_{acl,check_magic,entry*,options,pack_dev,pathmatch,random,rb}.c \
		"$d"/archive_{string*,util,virtual}.c \
		"$d"/archive_read{,_append_filter,_data_into_fd,_open_*,_set_*}.c \
		"$d"/archive_read_add_passphrase.c \
		"$d"/archive_read_support_f{ilter_none,ormat_tar}.c \
		"$d"/archive_write{,_add_filter_none,_open_*,_set_format,_set_options,_set_passphrase}.c \
		"$d"/archive_write_set_format_{pax,ustar,cpio_newc}.c
	cp "$d"/archive{,_entry}.h "$deps/include/"
	license libarchive "$src/COPYING"
	done_with libarchive
}

build_jansson() {
	have jansson && return
	local src
	src=$(fetch_source jansson)
	say "jansson"
	sed -e 's/@json_inline@/inline/; s/@json_have_[a-z_]*@/1/' \
		"$src/src/jansson_config.h.in" >"$deps/include/jansson_config.h"
	mkdir -p "$deps/obj"
	: >"$deps/obj/jansson_private_config.h" # said by -D below
	compile libjansson -I"$deps/include" -I"$deps/obj" -I"$src/src" -DINITIAL_HASHTABLE_ORDER=3 \
		-DHAVE_{ENDIAN,FCNTL,LOCALE,SCHED,STDINT,UNISTD}_H -DHAVE_SYS_{PARAM,STAT,TIME,TYPES}_H \
		-DHAVE_{CLOSE,GETPID,GETTIMEOFDAY,OPEN,READ,SCHED_YIELD,SETLOCALE,STRTOLL} \
		-DHAVE_ATOMIC_BUILTINS -DUSE_URANDOM -- "$src"/src/*.c
	cp "$src/src/jansson.h" "$deps/include/"
	license jansson "$src/LICENSE"
	done_with jansson
}

mkdir -p "$source" "$apt"
exec 9>"$build/deps.lock"
flock 9 # one architecture at a time: apt's state and the sources are shared
rm -f "$apt/updated"
build_musl
build_zlib
[[ $debian != amd64 ]] || build_isal
build_zstd
build_lzma
build_libarchive
build_jansson
