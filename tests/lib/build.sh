#!/bin/bash
# What make leaves behind, and the rules that the sources keep.
. "$(dirname "$0")/../lib/lib.sh"

make_here() { env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$TOP" ARCH="${BUILD##*/}" "$@"; }

stands_alone() {
	local headers dynamic
	headers=$(readelf -lW "$WHERRY")
	dynamic=$(readelf -dW "$WHERRY")
	lacks "$headers" INTERP
	lacks "$dynamic" NEEDED
	contains "$(readelf -hW "$WHERRY")" "DYN (Position-Independent"
}

is_hardened() {
	local headers
	headers=$(readelf -lW "$WHERRY")
	contains "$headers" GNU_RELRO
	contains "$(readelf -dW "$WHERRY")" BIND_NOW
	equal "$(awk '$1 == "GNU_STACK" { print $7 }' <<<"$headers")" RW
	equal "$(awk '$1 == "LOAD" && /W.*E|E.*W/' <<<"$headers")" ""
	contains "$(nm "$BUILD/libwherry.a")" " U __stack_chk_fail"
}

protects_relocations() {
	strace -o "$SCRATCH/calls" "$WHERRY" --help >/dev/null
	grep -q 'mprotect(.*, PROT_READ) = 0' "$SCRATCH/calls"
}

# Its own start-up code knows how to move addresses, not how to find symbols; for each processor that was built for.
relocates_alone() {
	local program
	for program in "$BUILD"/../*/wherry.debug; do
		equal "$(readelf -rW "$program" | grep -o ' R_[A-Z0-9_]*' | grep -v '_RELATIVE$' | sort -u)" ""
		[ "$(readelf -rW "$program" | grep -c '_RELATIVE')" -gt 0 ]
	done
}

init_is_bare() {
	local headers
	headers=$(readelf -lW "$WHERRY_INIT")
	lacks "$headers" INTERP
	lacks "$headers" DYNAMIC
	equal "$(awk '$1 == "LOAD" && /W.*E|E.*W/' <<<"$headers")" ""
	equal "$(awk '$1 == "GNU_STACK" { print $7 }' <<<"$headers")" RW
	contains "$(readelf -hW "$WHERRY_INIT")" "EXEC (Executable file)"
}

# A copy of the sources in another directory, with the libraries that are there already.
copy_tree() { # DIRECTORY
	mkdir -p "$1/build/${BUILD##*/}"
	cp -a "$TOP"/{Makefile,init,launcher,rootfs} "$1/"
	cp -a "$BUILD/deps" "$BUILD/tools" "$1/build/${BUILD##*/}/"
}

builds_the_same_elsewhere() {
	local there=$SCRATCH/another/directory product
	copy_tree "$there"
	make_here -C "$there" -j2 all
	for product in wherry wherry-init; do
		cmp "$BUILD/$product" "$there/build/${BUILD##*/}/$product"
		lacks "$(strings -a "$there/build/${BUILD##*/}/$product")" "$SCRATCH"
	done
}

# names_directory FILE DIRECTORY: as a path of its own, not as a part of another, which "/w" might be.
names_directory() {
	strings -a "$1" | awk -v at="$2/" '
		{ for (line = $0; (n = index(line, at)); line = substr(line, n + 1))
			if (n == 1 || substr(line, n - 1, 1) !~ /[[:alnum:]_.-]/) { print; found = 1 } }
		END { exit !found }'
}

# As after an interruption: of two libraries the stamp, which comes last, is missing.
takes_up_libraries() {
	local there=$SCRATCH/interrupted deps library
	deps=$there/build/${BUILD##*/}/deps
	copy_tree "$there"
	cp -a "$TOP/build/src" "$there/build/"
	rm "$deps"/{stamp,jansson.stamp,lzma.stamp} "$deps/lib/libjansson.a"
	: >"$deps/lib/liblzma.a"
	make_here -C "$there" deps 2>"$SCRATCH/said"
	equal "$(sed -n 's/^deps: //p' "$SCRATCH/said" | tr '\n' ' ')" "liblzma jansson "
	for library in "$BUILD"/deps/lib/*.a; do
		cmp "$library" "$deps/lib/${library##*/}"
		if names_directory "$library" "$TOP"; then return 1; fi
	done
}

is_within_budget() { make_here size; }

# `-o all`: the sizes are those of the files that lie there.
is_over_budget() {
	truncate -s 1M "$SCRATCH/wherry"
	truncate -s 10241 "$SCRATCH/wherry-init"
	fails_with 2 "size" make_here -o all size B="$SCRATCH"
	truncate -s 10240 "$SCRATCH/wherry-init"
	make_here -o all size B="$SCRATCH"
	truncate -s 1048577 "$SCRATCH/wherry"
	fails_with 2 "size" make_here -o all size B="$SCRATCH"
}

installs() {
	make_here install DESTDIR="$SCRATCH/image" PREFIX=/usr
	equal "$(cd "$SCRATCH/image" && find . ! -type d -printf '%P %m\n' | sort)" "$(
		cat <<-END
		usr/bin/wherry 755
		usr/libexec/wherry/wherry-init 755
		usr/share/man/man1/wherry-init.1 644
		usr/share/man/man1/wherry.1 644
		END
	)"
	cmp "$WHERRY" "$SCRATCH/image/usr/bin/wherry"
}

builds_libraries_once() {
	contains "$(make_here deps)" "Nothing to be done for 'deps'"
}

entries_of() { # prints what rootfs/deps/apt.sh makes of the entries in $SCRATCH/apt
	(
		shopt -s nullglob
		etc=$SCRATCH/apt debian=arm64
		. "$TOP/rootfs/deps/apt.sh"
		apt_sources
	)
}

copies_only_own_entries() {
	mkdir -p "$SCRATCH/apt/sources.list.d"
	cat >"$SCRATCH/apt/sources.list" <<-'END'
	# deb http://commented.example/debian bookworm main
	deb http://mirror.example/debian bookworm main contrib # note
	deb-src http://mirror.example/debian trixie main
	deb [arch=amd64 signed-by=/keys/a.gpg] http://mirror.example/debian-security/ bookworm-security main
	deb http://mirror.example/debian bookworm-backports main
	deb http://tools.example/apt bookworm main
	deb http://someone.example/ppa/ubuntu jammy main
	END
	cat >"$SCRATCH/apt/sources.list.d/a.sources" <<-'END'
	Types: deb deb-src
	URIs: http://mirror.example/ubuntu
	Suites: noble noble-updates noble-backports
	Components: main universe restricted
	Signed-By:
	 -----BEGIN PGP PUBLIC KEY BLOCK-----
	 .
	 mQ

	Types: deb
	URIs: http://off.example/debian
	Suites: bookworm
	Components: main
	Enabled: no
	END
	equal "$(entries_of)" "$(
		cat <<-'END'
		Types: deb deb-src
		URIs: http://mirror.example/debian
		Suites: bookworm
		Components: main
		Architectures: arm64

		Types: deb deb-src
		URIs: http://mirror.example/debian-security/
		Suites: bookworm-security
		Components: main
		Architectures: arm64
		signed-by: /keys/a.gpg

		Types: deb deb-src
		URIs: http://mirror.example/ubuntu
		Suites: noble noble-updates
		Components: main universe
		Architectures: arm64
		signed-by: 
		 -----BEGIN PGP PUBLIC KEY BLOCK-----
		 .
		 mQ
		END
	)"
}

# For the virtual machines' other kernels.
takes_another_suite() {
	equal "$(apt_suite=bullseye entries_of | grep -e Types -e URIs -e Suites)" "$(
		cat <<-'END'
		Types: deb
		URIs: http://mirror.example/debian
		Suites: bullseye
		Types: deb
		URIs: http://mirror.example/ubuntu
		Suites: bullseye
		END
	)"
}

keeps_rooms_in_order() { python3 "$TOP/tests/lib/rooms.py" "$TOP"; }

# rejects FILE HEADER: the rooms' test, where FILE includes HEADER.
rejects() {
	local there=$SCRATCH/planted
	rm -rf "$there"
	mkdir "$there"
	cp -a "$TOP"/{init,launcher,rootfs} "$there/"
	sed -i "1i #include \"$2\"" "$there/$1"
	if python3 "$TOP/tests/lib/rooms.py" "$there" >"$SCRATCH/planted.said"; then
		echo "$1 may include $2"
		return 1
	fi
	contains "$(cat "$SCRATCH/planted.said")" "$1 includes $2"
}

# In each room one include of a room above it; of one beside it; of what isn't there.
notices_planted_includes() {
	local room rooms file above=''
	mapfile -t rooms < <(cd "$TOP" && ls -d launcher launcher/*/ rootfs/*/ | sed 's#/$##')
	[ "${#rooms[@]}" -ge 14 ]
	for room in "${rooms[@]}"; do
		file=$(cd "$TOP" && find "$room" -maxdepth 1 -name "*.c" | sort | sed -n 1p)
		[ -n "$file" ] || continue
		case $room in
		launcher) above=init/report.h ;;
		launcher/command) above=init/report.h ;;
		launcher/*) above=launcher/command/commands.h ;;
		rootfs/*) above=launcher/spec/spec.h ;;
		esac
		rejects "$file" "$above"
	done
	rejects rootfs/base/err.c rootfs/load/loader.h
	rejects rootfs/store/names.c rootfs/load/loader.h
	rejects launcher/mount/binds.c launcher/cgroup/cgroup.h
	rejects init/init.c rootfs/base/err.h
	sed -i '1i #include "rootfs/err.h"' "$SCRATCH/planted/launcher/main.c"
	contains "$(python3 "$TOP/tests/lib/rooms.py" "$SCRATCH/planted" || [ $? -eq 1 ])" \
		"launcher/main.c includes rootfs/err.h, which is not at the top"
}

has_no_drawers() {
	cd "$TOP"
	equal "$(find init launcher rootfs tests -name 'util*.[ch]' -o -name 'common*.[ch]' -o -name 'misc*.[ch]')" ""
}

# Every option of every command, as its --help prints them, has its line in the manual.
documents_every_option() {
	local commands command option count=0 bad=0 manual
	manual=$(sed -n 's/\\-/-/g; /^\.[BI]/p; /^\\fB/p' "$TOP/launcher/wherry.1")
	commands=$("$WHERRY" --help | sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p')
	while read -r command; do
		for option in $("$WHERRY" $command --help | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
			count=$((count + 1))
			grep -qE -- "$option([^a-z-]|$)" <<<"$manual" ||
				{ echo "wherry $command $option is not in wherry.1"; bad=1; }
		done
	done <<<"
$commands"
	equal "$bad" 0
	[[ $count -ge 15 ]] || { echo "only $count options found in the help"; return 1; }
}

it "links wherry with nothing to be found at run time" stands_alone
it "hardens wherry: RELRO, BIND_NOW, no executable stack, stack protector" is_hardened
it "makes what relocation wrote read-only before main" protects_relocations
it "links wherry with no symbols to be looked up" relocates_alone
it "links wherry-init at a fixed address, with no relocations" init_is_bare
it "builds the same bytes in another directory" builds_the_same_elsewhere
it "keeps within the budgets" is_within_budget
it "fails over a budget, by one byte" is_over_budget
it "installs below DESTDIR" installs
it "builds the libraries only once" builds_libraries_once
it "takes up interrupted libraries, to the same bytes elsewhere" takes_up_libraries
it "copies only the distribution's own entries of apt" copies_only_own_entries
it "takes another suite from the same archive" takes_another_suite
it "lets no room include one above or beside it" keeps_rooms_in_order
it "notices such an include in each room" notices_planted_includes
it "has no file called util, common or misc" has_no_drawers
it "describes every option in the manual" documents_every_option
finish
