# A newer release's package beside the host's own, for benchmarks: behind `TOP` and `BUILD`.
#
#	newer SUITE PROGRAM PACKAGE…	prints the path of PROGRAM out of the first PACKAGE, with the
#					libraries of the others; 1: it can't be had, and why
#
# The packages come from where the host's own come from (rootfs/deps/apt.sh), and stay in $BUILD/newer.
. "$TOP/rootfs/deps/apt.sh"
say() { echo "$*" >&2; }
die() {
	say "$*"
	exit 1
}

newer_fetch() {
	local suite=$1 file
	shopt -s nullglob
	apt=$PWD/apt debian=$(dpkg --print-architecture)
	mkdir -p apt/etc/sources.list.d root
	apt_sources | awk -v RS= -v ORS='\n\n' -v suite="$suite" '!done && /\nURIs:[^\n]*\/debian/ {
		gsub(/Suites:[^\n]*/, "Suites: " suite); gsub(/deb-src/, ""); print; done = 1 }' >own.sources
	[ -s own.sources ] || die "no entry for Debian's archive in /etc/apt"
	mv own.sources apt/etc/sources.list.d/
	etc=$PWD/apt/etc
	apt_update
	shift
	apt_get -qq download "$@" >&2
	for file in *.deb; do dpkg-deb -x "$file" root; done
}

# Its own loader and libraries, whatever the host has.
newer_link() {
	local loader
	loader=$(find "$PWD/root" -name 'ld-linux*' | head -n 1)
	patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$(dirname "$(find "$PWD/root" -name 'libc.so.6')"):$PWD/root/lib:$PWD/root/usr/lib/$(uname -m)-linux-gnu" \
		--output "$PWD/program" "$(find "$PWD/root" -type f -path "*bin/$1" | head -n 1)"
	"$PWD/program" --version >/dev/null
}

newer() {
	local suite=$1 program=$2 dir=$BUILD/newer/$1-$2
	shift 2
	if [ ! -x "$dir/program" ]; then
		mkdir -p "$dir"
		(set -euo pipefail; cd "$dir"; newer_fetch "$suite" "$@"; newer_link "$program") || return 1
	fi
	echo "$dir/program"
}
