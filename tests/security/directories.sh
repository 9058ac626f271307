#!/bin/bash
# The directories that wherry makes and is given: nobody else's, and closed to others. What a container leaves in them may
# be setuid, and belongs to root.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

mode() { stat -c '%a %u' "$@"; }

overlay_is_closed() {
	wherry run --overlay "$SCRATCH/kept" busybox sh -c 'cp /bin/busybox /left; chmod 4755 /left'
	equal "$(mode "$SCRATCH/kept/upper/left")" "4755 0"
	equal "$(mode "$SCRATCH/kept")" "700 0"
	fails_with 126 "Permission denied" setpriv --reuid 65534 --clear-groups env "$SCRATCH/kept/upper/left" true
}

overlay_is_ours() {
	mkdir -m 755 "$SCRATCH/open"
	fails_with 125 "--overlay $SCRATCH/open: it is open to other users" wherry run --overlay "$SCRATCH/open" busybox true
	equal "$(ls -A "$SCRATCH/open")" ""
	mkdir -m 700 "$SCRATCH/others"
	chown 12345 "$SCRATCH/others"
	fails_with 125 "--overlay $SCRATCH/others: it belongs to user 12345, not to 0" \
		wherry run --overlay "$SCRATCH/others" busybox true
	equal "$(ls -A "$SCRATCH/others")" ""
	touch "$SCRATCH/file"
	fails_with 125 "--overlay $SCRATCH/file: $SCRATCH/file is not a directory" wherry run --overlay "$SCRATCH/file" busybox true
}

state_is_ours() {
	local dir=$SCRATCH/runs
	mkdir -m 700 "$dir"
	chown 12345 "$dir"
	fails_with 125 "--state $dir: it belongs to user 12345, not to 0" \
		"$WHERRY" --root "$STORE" --state "$dir" run busybox true
	chown 0 "$dir"
	chmod 770 "$dir"
	fails_with 125 "--state $dir: it is open to other users" "$WHERRY" --root "$STORE" --state "$dir" run busybox true
	equal "$(ls -A "$dir")" ""
	chmod 755 "$dir" # as somebody may have made it: nobody else writes there
	"$WHERRY" --root "$STORE" --state "$dir" run busybox true
	rmdir "$dir"
}

# DIRECTORY is what the link leads to: root's own, and closed.
link_of_somebody() { # OPTION COMMAND…
	local link=$SCRATCH/link target=$SCRATCH/target before
	mkdir -m 700 "$target"
	ln -s "$target" "$link"
	"$WHERRY" "$1" "$link" "${@:2}"
	before=$(find "$target")
	chown -h 12345 "$link"
	local said="$1 $link: its way leads by a link to $target, which is user 12345's"
	[ "$1" != --root ] || said=${said/--root/the store}
	fails_with 125 "$said" "$WHERRY" "$1" "$link" "${@:2}"
	fails_with 125 "which is user 12345's" "$WHERRY" "$1" "$link/" "${@:2}"
	fails_with 125 "which is user 12345's" "$WHERRY" "$1" "$link/below/it" "${@:2}"
	ln -s link "$SCRATCH/over"
	fails_with 125 "which is user 12345's" "$WHERRY" "$1" "$SCRATCH/over/new" "${@:2}"
	equal "$(find "$target")" "$before"
	rm -r "$SCRATCH/over" "$link" "$target"
}

root_link() {
	link_of_somebody --root images
	link_of_somebody --root load -q "$(image busybox docker)"
}
state_link() { link_of_somebody --state --root "$STORE" run busybox true; }

root_is_ours() {
	mkdir -m 770 "$SCRATCH/shared"
	fails_with 125 "the store $SCRATCH/shared: it is open to other users" "$WHERRY" --root "$SCRATCH/shared" images
	chmod 755 "$SCRATCH/shared"
	"$WHERRY" --root "$SCRATCH/shared" images 2>"$SCRATCH/said"
	contains "$(cat "$SCRATCH/said")" "chmod 700"
}

own_links() {
	mkdir -m 700 "$SCRATCH/own" "$SCRATCH/own/dir"
	ln -s own "$SCRATCH/first"
	ln -s "$SCRATCH/first/../first/dir" "$SCRATCH/second"
	wherry run --overlay "$SCRATCH/second" busybox touch /file
	[ -e "$SCRATCH/own/dir/upper/file" ]
	wherry --state "$SCRATCH/second/state" run busybox true
	[ -d "$SCRATCH/own/dir/state" ]
	(cd "$SCRATCH/own" && wherry --root ../second/./store load -q "$(image busybox docker)" >"$SCRATCH/id")
	[ -d "$SCRATCH/own/dir/store/images" ]
	ln -s round "$SCRATCH/round"
	fails_with 125 "Symbolic link loop" wherry --root "$SCRATCH/round" images
	ln -s none "$SCRATCH/nothing"
	fails_with 125 "$SCRATCH/nothing" wherry --root "$SCRATCH/nothing" load -q "$(image busybox docker)"
}

all_are_closed() {
	local umask
	for umask in 022 077 000; do
		(umask "$umask"; "$WHERRY" --root "$SCRATCH/new/store" --state "$SCRATCH/new/state" run -v named:/v --overlay disk \
			"$(image busybox docker)" sh -c 'touch /v/file')
		equal "$(mode "$SCRATCH/new/store" "$SCRATCH/new/state" "$SCRATCH"/new/store/* | sort -u | grep -v '^600')" "700 0"
		rm -r "$SCRATCH/new"
	done
}

it "--overlay DIR: what a container leaves there nobody else reaches" overlay_is_closed
it "--overlay DIR: refuses one that is open to others, or another's" overlay_is_ours
it "--state: refuses one that others write to, or another's" state_is_ours
it "--root: follows no link of another user's" root_link
it "--root: refuses one that others write to" root_is_ours
it "--state: follows no link of another user's" state_link
it "follows links of root's own" own_links
it "makes its directories for nobody but its user, whatever the umask" all_are_closed
finish_clean
