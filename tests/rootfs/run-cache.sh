#!/bin/bash
# What a run needs of an image, worked out when it was loaded: that a run reads nothing else, and that
# without it, or with a wrong one, everything goes as with it.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

MANY=$(image many docker)

fresh() { rm -rf "$STORE"; }
ready() { echo "$STORE"/ready/*; }
kept() { cat "$(ready)"; }

# Layers by their numbers, which the last one has in /count.
seen() { wherry run many sh -c 'cat /count; ls /layers | wc -l; echo $PATH'; }

same_without() {
	fresh
	wherry load -q "$MANY" >/dev/null
	local before text
	before=$(seen)
	text=$(kept)
	rm "$(ready)"
	equal "$(seen)" "$before"
	rm -r "$STORE/ready"
	equal "$(seen)" "$before"
	wherry load -q "$MANY" >/dev/null
	equal "$(kept)" "$text"
	[ "$(grep -c '^lower' "$(ready)")" -gt 60 ]
}

# As a disk or a person may have it: cut anywhere, of a later wherry, empty, with other words in it.
survives_a_wrong_one() {
	fresh
	load busybox
	local whole later wrong
	whole=$(kept)
	later=${whole/wherry 1/wherry 2}
	for wrong in "" "wherry 1" "${whole:0:100}" "${whole%?????}" "${later/=yes/=no}" "${whole/lower /lover }" \
		"${whole/lower ??/lower ..}"; do
		printf %s "$wrong" >"$(ready)"
		equal "$(wherry run busybox sh -c 'echo $FROM_IMAGE')" yes
	done
}

fsck_repairs() {
	fresh
	load busybox
	local whole said
	whole=$(kept)
	sed -i 's/"FROM_IMAGE=yes"/"FROM_IMAGE=no"/' "$(ready)"
	equal "$(wherry run busybox sh -c 'echo $FROM_IMAGE')" no
	said=$(wherry fsck)
	contains "$said" "image busybox:latest: what a run needs of it was not right: written anew"
	equal "$(kept)" "$whole"
	equal "$(wherry fsck)" "$STORE: all that is left is whole"
	rm "$(ready)"
	wherry fsck >/dev/null
	equal "$(kept)" "$whole"
}

goes_with_its_image() {
	fresh
	load busybox
	wherry rmi busybox >/dev/null
	equal "$(find "$STORE" -path '*/ready/*')" ""
	[ ! -e "$STORE" ] || equal "$(ls "$STORE/images")" ""
}

# Sixty layers more are not one file more to read.
reads_one_file() {
	fresh
	wherry load -q "$MANY" >/dev/null
	strace -f -o "$SCRATCH/trace" "$WHERRY" --root "$STORE" --state "$SCRATCH/state" run many true
	equal "$(grep -c '\.about"' "$SCRATCH/trace" || [ $? -eq 1 ])" 0
	[ "$(grep -c '"ready/' "$SCRATCH/trace")" -eq 1 ]
	[ "$(grep -c 'pread64' "$SCRATCH/trace" || [ $? -eq 1 ])" -eq 0 ]
}

it "runs an image without it as with it, and writes it at the next load" same_without
it "takes no notice of one that is broken" survives_a_wrong_one
it "is compared and written anew by fsck" fsck_repairs
it "is removed with its image" goes_with_its_image
if command -v strace >/dev/null; then
	it "is all that a run reads of an image" reads_one_file
else
	skip "is all that a run reads of an image" "strace is not installed"
fi
finish_clean
