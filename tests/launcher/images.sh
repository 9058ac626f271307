#!/bin/bash
# How images are named and shown: docker's names, documents and templates.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/images.sh"

STORE=$SCRATCH/store
wherry() { "$WHERRY" --root "$STORE" --state "$SCRATCH/state" "$@"; }
fresh() {
	rm -rf "$STORE"
	wherry load -q -i "$(image app docker)" >/dev/null
	wherry tag app busybox
	wherry rmi app >/dev/null
}

# Scripts ask so whether an image is there.
exists() {
	fresh
	wherry image inspect busybox >/dev/null 2>&1
	[ -n "$(wherry images -q busybox)" ]
	[ -n "$(wherry image ls --quiet docker.io/library/busybox:latest)" ]
	[ -z "$(wherry images -q box)" ]
	[ -z "$(wherry images -q busybox:1)" ]
	wherry image exists busybox
	equal "$(wherry image exists box 2>&1; echo $?)" 1
	fails_with 125 "there is no image 'box'" wherry image inspect box
	equal "$(wherry inspect box 2>/dev/null | jq -c .)" "[]"
}

one_name() {
	local name
	fresh
	for name in busybox library/busybox docker.io/busybox docker.io/library/busybox index.docker.io/library/busybox:latest; do
		equal "$(wherry inspect -f '{{.RepoTags}}' "$name")" "[busybox:latest]"
		wherry tag busybox "${name%:latest}:1"
		equal "$(wherry images --format '{{.Repository}}:{{.Tag}}' | tr '\n' ' ')" "busybox:1 busybox:latest "
		equal "$(wherry rmi "${name%:latest}:1")" "Untagged: busybox:1"
	done
	wherry tag busybox localhost/x
	equal "$(wherry images x --format '{{.Names}}')" localhost/x:latest
	wherry image exists x
}

templates() {
	fresh
	local id
	id=$(wherry inspect --format '{{.Id}}' busybox)
	equal "$(wherry inspect busybox | jq -r '.[0].Id')" "$id"
	equal "$(wherry images --no-trunc --format '{{.ID}}')" "$id"
	equal "$(wherry images -q)" "$(cut -c 8-19 <<<"$id")"
	equal "$(wherry inspect busybox busybox | jq length)" 2
	equal "$(wherry inspect -f '{{json .Config.Cmd}}' busybox)" "$(wherry inspect busybox | jq -c '.[0].Config.Cmd')"
	equal "$(wherry inspect -f '{{range .RepoTags}}{{.}}\n{{end}}{{.Architecture}}' busybox)" \
		$'busybox:latest\n'"$(wherry inspect busybox | jq -r '.[0].Architecture')"
	equal "$(wherry images --format 'table {{.Repository}}\t{{.Tag}}')" $'REPOSITORY  TAG\nbusybox     latest'
	equal "$(wherry images --json | jq -r '.[0].RepoTags[0]')" busybox:latest
	equal "$(wherry images --format json | jq -r '.[0].Id')" "$id"
	fails_with 125 'there is no field "Foo"' wherry inspect -f '{{.Foo}}' busybox
	fails_with 125 'function "foo" not defined' wherry images --format '{{foo .ID}}'
}

filters() {
	fresh
	local id
	id=$(wherry images -q)
	equal "$(wherry images -q --filter reference='busy*')" "$id"
	equal "$(wherry images -q --filter reference='b?sybox:latest' -f dangling=false)" "$id"
	equal "$(wherry images -q --filter "id=$id")" "$id"
	equal "$(wherry images -q --filter dangling=true)" ""
	equal "$(wherry images -q --filter label=none)" ""
	fails_with 125 "--filter since=x is not to be had" wherry images --filter since=x
}

# As skopeo says it, and as people pin it.
digests() {
	local layout digest
	layout=$(image busybox oci)
	digest=$(skopeo inspect "oci:$layout" | jq -r .Digest)
	rm -rf "$STORE"
	wherry load -q -n box "$layout" >/dev/null
	equal "$(wherry inspect -f '{{index .RepoDigests 0}}' box)" "box@$digest"
	equal "$(wherry inspect -f '{{.RepoTags}}' "docker.io/library/box@$digest")" "[box:latest]"
	equal "$(wherry run --rm "box:latest@$digest" echo ran)" ran
	contains "$(wherry images --digests)" "$digest"
	equal "$(wherry rmi box | head -n 1)" "Untagged: box:latest"
	equal "$(ls "$STORE/names" "$STORE/images")" "$STORE/images:"$'\n\n'"$STORE/names:"
}

several_names() {
	fresh
	local id
	id=$(wherry images -q)
	wherry tag busybox other
	fails_with 125 "has 2 names" wherry rmi "$id"
	equal "$(wherry rmi -f "$id" | head -n 2)" $'Untagged: busybox:latest\nUntagged: other:latest'
	wherry rmi --ignore busybox
	fails_with 125 "there is no image 'busybox'" wherry rmi busybox
}

history() {
	fresh
	equal "$(wherry history -q busybox | head -n 1)" "$(wherry images -q)"
	equal "$(wherry history --no-trunc --format '{{.CreatedBy}}' busybox | wc -l)" \
		"$(jq '.history | length' "$STORE/images/$(wherry images --no-trunc -q | cut -c 8-)")"
	contains "$(wherry image history busybox)" "CREATED BY"
}

prunes() {
	fresh
	wherry load -q -n other "$(image busybox docker)" >/dev/null
	wherry image prune -f >/dev/null
	equal "$(wherry images --format '{{.Repository}}' | tr '\n' ' ')" "busybox other "
	wherry system prune -a -f >/dev/null
	equal "$(wherry images -q)" ""
}

narrow() {
	fresh
	wherry tag busybox a-registry.example.org/a/very/long/name/of/an/image:with-a-long-tag
	local width
	for width in 40 80; do
		script -qec "stty cols $width; '$WHERRY' --root '$STORE' images" /dev/null >"$SCRATCH/screen"
		[ "$(tr -d '\r' <"$SCRATCH/screen" | wc -L)" -le "$width" ]
		contains "$(cat "$SCRATCH/screen")" "IMAGE ID"
	done
	contains "$(wherry images | cat)" a-registry.example.org/a/very/long/name/of/an/image
}

it "answers the ways in which scripts ask whether an image is there" exists
it "takes all of docker's ways to write one name for one" one_name
it "shows images by templates, as docker's and podman's scripts have them" templates
it "lists the images that fit a filter" filters
it "finds an image by its manifest's digest, which is skopeo's" digests
it "removes an ID with several names only when told to" several_names
it "shows how an image was made" history
it "prunes images with names only when told to" prunes
it "cuts tables to a terminal's width, and nowhere else" narrow
finish
