#!/bin/bash
# The store: names, sharing, removal, and who uses an image meanwhile.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

LAYERED=$(image layered oci:gzip)

fresh() { rm -rf "$STORE"; }
names_of() { wherry images --json | jq -r '.[].Names[]'; }
id_of() { wherry inspect "$1" | jq -r '.[0].Id'; }
layers_there() { find "$STORE/layers" -mindepth 1 -maxdepth 1 -type d | wc -l; }
work_there() { find "$STORE/tmp" -mindepth 1 -maxdepth 1 | wc -l; }

private() {
	fresh
	load busybox
	equal "$(stat -c %a "$STORE")" 700
	equal "$(cat "$STORE/version")" 1
	equal "$(work_there)" 0
}

config_is_the_id() {
	fresh
	load busybox
	local id
	for id in "$STORE"/images/*; do
		equal "$(sha256sum <"$id" | cut -d' ' -f1)" "$(basename "$id")"
	done
	equal "$(cat "$STORE/names/busybox:latest")" "$(basename "$id")"
}

shares_layers() {
	fresh
	load busybox
	local before
	before=$(layers_there)
	wherry load -q "$LAYERED" >/dev/null
	equal "$(($(layers_there) - before))" "$(($(wherry inspect layered | jq '.[0].Storage.Layers | length') - before))"
	wherry rmi layered >/dev/null
	equal "$(layers_there)" "$before"
	equal "$(wherry run busybox echo still)" still
}

finds() {
	fresh
	load busybox
	local id
	id=$(id_of busybox)
	wherry tag busybox library/box:1.36
	equal "$(names_of | sort | tr '\n' ' ')" "box:1.36 busybox:latest "
	equal "$(id_of busybox:latest)" "$id"
	equal "$(id_of library/box:1.36)" "$id"
	equal "$(id_of box:1.36)" "$id"
	equal "$(id_of "@$id")" "$id"
	equal "$(id_of "${id#sha256:}")" "$id"
	equal "$(id_of "${id:7:6}")" "$id"
	fails_with 125 "there is no image 'box'" wherry inspect box
	fails_with 125 "there is no image '@sha256:00'" wherry inspect @sha256:00
}

ambiguous() {
	fresh
	load busybox
	wherry load -q "$LAYERED" >/dev/null
	wherry tag busybox a/twin
	wherry tag layered b/twin
	fails_with 125 "the end of several names" wherry inspect twin
	equal "$(id_of a/twin)" "$(id_of busybox)"
}

bad_names() {
	fresh
	load busybox
	local name
	for name in "" / a/ /a a//b a:b:c 'a b' ../a a/../b .a a: 'a:.b' $'a\nb' "$(printf 'a%.0s' {1..260})"; do
		fails_with 125 "is no name for an image" wherry tag busybox "$name"
	done
	equal "$(names_of)" busybox:latest
}

one_name_of_two() {
	fresh
	load busybox
	wherry tag busybox second
	contains "$(wherry rmi second)" "Untagged: second:latest"
	equal "$(names_of)" busybox:latest
	contains "$(wherry rmi busybox)" "removed busybox: "
	equal "$(layers_there)" 0
	equal "$(wherry images --json)" "[]"
}

# An end that is one name's alone stands for that name; one that two names of the image have, for neither.
end_of_a_name() {
	fresh
	load busybox
	wherry tag busybox lab/app:1.0
	wherry tag busybox yard/box:2
	wherry tag busybox shed/box:2
	equal "$(wherry rmi app:1.0)" "Untagged: lab/app:1.0"
	fails_with 125 "the end of several names" wherry rmi box:2
	equal "$(names_of | tr '\n' ' ')" "busybox:latest shed/box:2 yard/box:2 "
}

# As docker does it: each that can't be removed has its line, and the others go.
removes_the_others() {
	fresh
	load busybox
	wherry load -q "$LAYERED" >/dev/null
	fails_with 125 "there is no image 'none'" wherry rmi none busybox 'a b' layered >"$SCRATCH/removed"
	equal "$(names_of)" ""
	local status=0 said
	load busybox
	said=$(wherry rmi none 'a b' busybox 2>&1) || status=$?
	equal "$status" 125
	contains "$said" "there is no image 'none'"
	contains "$said" "'a b'"
	contains "$said" "removed busybox: "
	equal "$(names_of)" ""
}

moves_the_name() {
	fresh
	load busybox
	local old
	old=$(id_of busybox)
	wherry load -q --name busybox "$LAYERED" >/dev/null
	[ "$(id_of busybox)" != "$old" ]
	equal "$(id_of "@$old")" "$old"
	contains "$(wherry prune)" "removed 1 images"
	fails_with 125 "there is no image" wherry inspect "@$old"
}

in_use() {
	fresh
	load busybox
	start hang busybox sh -c 'echo up; sleep 30'
	fails_with 125 "image busybox is in use by a container that runs" wherry rmi busybox
	equal "$(wherry inspect busybox | jq '.[0].Storage.InUse')" true
	equal "$(names_of)" busybox:latest
	kill "$started"
	wait "$started" || [ $? = 143 ]
	wherry rmi busybox >/dev/null
	equal "$(layers_there)" 0
}

# Who only asks whether an image is in use has its lock for a moment: no run fails for that, and nobody
# takes it for a run.
asked_while_it_starts() {
	fresh
	load busybox
	strace -qq -o "$SCRATCH/locks" -e trace=flock -e inject=flock:delay_exit=500000:when=1 \
		"$WHERRY" --root "$STORE" inspect busybox >/dev/null &
	local slow=$!
	eventually grep -q LOCK_EX "$SCRATCH/locks"
	equal "$(wherry run busybox echo ran)" ran
	wait "$slow"
	strace -qq -o "$SCRATCH/locks" -e trace=flock -e inject=flock:delay_exit=5000 \
		"$WHERRY" --root "$STORE" inspect busybox >/dev/null &
	slow=$!
	eventually grep -q LOCK_EX "$SCRATCH/locks"
	equal "$(wherry inspect busybox | jq '.[0].Storage.InUse')" false
	wait "$slow"
}

# A run that has found the name before it is taken away finds its image gone, or keeps both.
keeps_the_name() {
	fresh
	load busybox
	strace -qq -o "$SCRATCH/locks" -e trace=flock,unlinkat -e inject=unlinkat:delay_enter=500000:when=1 \
		"$WHERRY" --root "$STORE" rmi busybox >/dev/null &
	local slow=$!
	eventually locked_twice
	fails_with 125 "has just been removed" wherry run busybox true
	wait "$slow"
	equal "$(layers_there)" 0
}

locked_twice() { [ "$(grep -c LOCK_EX "$SCRATCH/locks")" = 2 ]; }

prune_spares_what_runs() {
	fresh
	load busybox
	start hang busybox sh -c 'echo up; sleep 30'
	wherry load -q --name busybox "$LAYERED" >/dev/null
	contains "$(wherry prune)" "removed 0 images, 0 layers"
	kill "$started"
	wait "$started" || [ $? = 143 ]
	contains "$(wherry prune)" "removed 1 images"
}

# An image's author says when it was made, and may say anything.
not_a_date() {
	fresh
	local when
	for when in '\u001b[2J' '2024-02-29T12:00:00.000000000é'; do
		rm -rf "$SCRATCH/dated"
		cp -r "$(image busybox oci)" "$SCRATCH/dated"
		python3 - "$SCRATCH/dated" "$when" <<-'END'
		import hashlib, json, os, sys
		top, when = sys.argv[1], json.loads('"' + sys.argv[2] + '"')
		def read(digest):
		    with open(f"{top}/blobs/sha256/{digest[7:]}") as file:
		        return json.load(file)
		def write(entry, document):
		    data = json.dumps(document).encode()
		    entry["size"], entry["digest"] = len(data), "sha256:" + hashlib.sha256(data).hexdigest()
		    with open(f"{top}/blobs/sha256/{entry['digest'][7:]}", "wb") as file:
		        file.write(data)
		with open(f"{top}/index.json") as file:
		    index = json.load(file)
		manifest = read(index["manifests"][0]["digest"])
		write(manifest["config"], dict(read(manifest["config"]["digest"]), created=when))
		write(index["manifests"][0], manifest)
		with open(f"{top}/index.json", "w") as file:
		    json.dump(index, file)
		END
		wherry load -q "$SCRATCH/dated" >/dev/null
		equal "$(wherry images | tail -n 1 | tr -d '[:print:]')" ""
		equal "$(wherry images --json | jq -r '.[-1].CreatedAt')" ""
		equal "$(wherry inspect busybox | jq -r '.[0].Created')" ""
		wherry rmi busybox >/dev/null
	done
}

missing_layer_comes_back() {
	fresh
	load busybox
	local layer
	layer=$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -type d | head -n 1)
	rm -rf "$layer"
	equal "$(wherry run busybox true 2>&1)" "wherry: image $(cut -c1-12 "$STORE/names"/*busybox*) lacks its layer $(basename "$layer" | cut -c1-12) in $STORE"$'\n'"wherry: load it again"
	contains "$(wherry images)" incomplete
	load busybox
	equal "$(wherry run busybox echo back)" back
}

it "is its user's alone, and says its version" private
it "keeps an image's config under its digest" config_is_the_id
it "shares layers between images, and removes only what no other has" shares_layers
it "finds images by name, by a name's end and by ID" finds
it "refuses an end that several names have" ambiguous
it "refuses what is no name" bad_names
it "removes a name alone where there are others" one_name_of_two
it "removes the name that an end stands for, and no other" end_of_a_name
it "removes the other images where one of them cannot be" removes_the_others
it "moves a name to the new image, and prunes the old one" moves_the_name
it "refuses to remove an image that runs" in_use
it "does not prune an image that runs" prune_spares_what_runs
it "loads again the layer that is missing, and nothing else" missing_layer_comes_back
it "shows no date that is none, and nothing of it" not_a_date
if command -v strace >/dev/null; then
	it "starts an image while somebody asks whether it is in use" asked_while_it_starts
	it "takes the name of no image that a run may still take" keeps_the_name
else
	skip "starts an image while somebody asks whether it is in use" "strace is not installed"
	skip "takes the name of no image that a run may still take" "strace is not installed"
fi
finish_clean
