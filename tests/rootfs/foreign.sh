#!/bin/bash
# Layouts and archives that hold more than images for this machine, made by skopeo, umoci, buildah, tar and Python.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

LAYOUT=$SCRATCH/layout
fresh() { rm -rf "$STORE"; }
names_of() { wherry images --json | jq -r '.[].Names[]' | sort | tr '\n' ' '; }

# copy_in TAG: busybox under that tag.
copy_in() {
	skopeo --insecure-policy copy -q "oci:$(image busybox oci)" "oci:$LAYOUT:$1" 2>/dev/null
}

start_layout() {
	rm -rf "$LAYOUT"
	fresh
	copy_in good
}

# blob_in MEDIA-TYPE [TAG] <DATA: a blob and its entry in the index.
blob_in() {
	local digest entry
	cat >"$SCRATCH/blob"
	digest=$(sha256sum "$SCRATCH/blob" | cut -d ' ' -f 1)
	cp "$SCRATCH/blob" "$LAYOUT/blobs/sha256/$digest"
	entry=$(jq -n --arg type "$1" --arg digest "sha256:$digest" --arg tag "${2-}" --argjson size "$(stat -c %s "$SCRATCH/blob")" \
		'{mediaType: $type, digest: $digest, size: $size} +
		(if $tag == "" then {} else {annotations: {"org.opencontainers.image.ref.name": $tag}} end)')
	echo "$entry"
	[ "${2-none}" = none ] || index_in "$entry"
}

index_in() {
	jq --argjson entry "$1" '.manifests += [$entry]' "$LAYOUT/index.json" >"$SCRATCH/index"
	cp "$SCRATCH/index" "$LAYOUT/index.json"
}

OCI=application/vnd.oci.image

# manifest_in TAG CONFIG-TYPE LAYER-TYPE [MORE]
manifest_in() {
	local config layer
	config=$(echo '{"os":"","architecture":"","rootfs":{"type":"layers","diff_ids":["sha256:'"$(printf %064d 0)"'"]}}' | blob_in "$2")
	layer=$(echo "something of $1" | blob_in "$3")
	jq -n --argjson config "$config" --argjson layer "$layer" --argjson more "${4-{\}}" \
		'{schemaVersion: 2, mediaType: "'$OCI'.manifest.v1+json", config: $config, layers: [$layer]} + $more' |
		blob_in $OCI.manifest.v1+json "$1" >/dev/null
}

loads_good() {
	local said
	said=$(wherry load "$LAYOUT" 2>&1)
	contains "$said" "$1"
	equal "$(names_of)" "layout:good "
	equal "$(wherry run layout:good echo ran)" ran
	fresh
	lacks "$(wherry load -q "$LAYOUT" 2>&1)" "passed over"
	equal "$(wherry run "$LAYOUT" echo ran 2>&1)" ran
}

# The example of image-index.md.
unknown_type() {
	start_layout
	echo '<xml/>' | blob_in application/xml "a document" >/dev/null
	loads_good "layout: a document is passed over: it is of an unknown type: 'application/xml'"
}

# One beside platforms of the same image, none of which has a name.
unknown_type_within() {
	local index
	start_layout
	index=$(jq '{schemaVersion, manifests: [.manifests[0] | del(.annotations) | .platform = {os: "linux", architecture: $arch},
		(. | .platform.architecture = "ppc64le"), {mediaType: "application/xml", size: 7, digest: ("sha256:" + "1" * 64)}]}' \
		--arg arch "$(skopeo inspect "oci:$LAYOUT:good" | jq -r .Architecture)" "$LAYOUT/index.json" |
		blob_in $OCI.index.v1+json)
	jq --argjson entry "$index" '.manifests = [$entry + {annotations: .manifests[0].annotations}]' "$LAYOUT/index.json" >"$SCRATCH/index"
	cp "$SCRATCH/index" "$LAYOUT/index.json"
	loads_good "layout: good is passed over: it is of an unknown type: 'application/xml'"
	lacks "$(wherry load "$LAYOUT" 2>&1)" ppc64le
}

signature() {
	start_layout
	manifest_in sha256-1234.sig $OCI.config.v1+json application/vnd.dev.cosign.simplesigning.v1+json
	loads_good "sha256-1234.sig is passed over: its layer sha256:"
}

referrer() {
	start_layout
	manifest_in "" application/vnd.oci.empty.v1+json application/spdx+json \
		"$(jq -c '{artifactType: "application/spdx+json", subject: .manifests[0]}' "$LAYOUT/index.json")"
	loads_good " is passed over: it holds no image but 'application/vnd.oci.empty.v1+json'"
}

chart() {
	start_layout
	manifest_in chart application/vnd.cncf.helm.config.v1+json application/vnd.cncf.helm.chart.content.v1.tar+gzip
	loads_good "chart is passed over: it holds no image but 'application/vnd.cncf.helm.config.v1+json'"
}

other_machines() {
	start_layout
	copy_in other
	umoci config --image "$LAYOUT:other" --architecture s390x
	copy_in windows
	umoci config --image "$LAYOUT:windows" --os windows
	loads_good "layout: other is passed over: it is for linux/s390x"
	contains "$(wherry load "$LAYOUT" 2>&1)" "layout: windows is passed over: it is for windows/"
}

without_layers() {
	start_layout
	umoci new --image "$LAYOUT:nothing"
	equal "$(wherry load "$LAYOUT" 2>&1 | grep -c passed || test $? = 1)" 0
	equal "$(names_of)" "layout:good layout:nothing "
	fails_with 127 "" wherry run layout:nothing /bin/true
	fails_with 127 "" wherry run "$LAYOUT:nothing" /bin/true
	fresh
	jq '.manifests |= .[1:]' "$LAYOUT/index.json" >"$SCRATCH/index"
	cp "$SCRATCH/index" "$LAYOUT/index.json"
	skopeo --insecure-policy copy -q "oci:$LAYOUT:nothing" "docker-archive:$SCRATCH/nothing.tar:nothing:1"
	wherry load -q "$SCRATCH/nothing.tar" >/dev/null
	equal "$(names_of)" "nothing:1 "
}

# As docker build writes it of FROM scratch: no list at all.
without_lists() {
	python3 - "$SCRATCH/scratch.tar" "$(uname -m | sed s/x86_64/amd64/)" <<-'END'
	import io, json, sys, tarfile
	config = json.dumps({"os": "linux", "architecture": sys.argv[2], "rootfs": {"type": "layers"}}).encode()
	manifest = json.dumps([{"Config": "c.json", "RepoTags": ["scratch:1"], "Layers": None}]).encode()
	with tarfile.open(sys.argv[1], "w") as tar:
	    for name, data in (("c.json", config), ("manifest.json", manifest)):
	        entry = tarfile.TarInfo(name)
	        entry.size = len(data)
	        tar.addfile(entry, io.BytesIO(data))
	END
	fresh
	wherry load -q "$SCRATCH/scratch.tar" >/dev/null
	equal "$(names_of)" "scratch:1 "
}

# One name, two manifests, and only their configs tell which is for this machine.
configs_tell() {
	local order
	for order in '.' 'reverse'; do
		rm -rf "$LAYOUT"
		fresh
		copy_in other
		umoci config --image "$LAYOUT:other" --architecture s390x
		copy_in good
		jq ".manifests |= ($order | map(.annotations[\"org.opencontainers.image.ref.name\"] = \"good\"))" \
			"$LAYOUT/index.json" >"$SCRATCH/index"
		cp "$SCRATCH/index" "$LAYOUT/index.json"
		equal "$(wherry load "$LAYOUT" 2>&1 | grep -c passed || test $? = 1)" 0
		equal "$(names_of)" "layout:good "
		equal "$(wherry run layout:good echo ran)" ran
	done
}

nothing_left() {
	rm -rf "$LAYOUT"
	fresh
	copy_in other
	umoci config --image "$LAYOUT:other" --architecture s390x
	fails_with 125 "only for linux/s390x" wherry load "$LAYOUT"
	manifest_in chart application/vnd.cncf.helm.config.v1+json text/plain
	fails_with 125 "in it, only other: it is for linux/s390x; chart: it holds no image but 'application/vnd.cncf" wherry load "$LAYOUT"
	[ ! -e "$STORE" ]
}

damage() {
	local blob
	start_layout
	manifest_in chart application/vnd.cncf.helm.config.v1+json text/plain
	blob=$(jq -r '.manifests[1].digest' "$LAYOUT/index.json")
	echo x >>"$LAYOUT/blobs/sha256/${blob#sha256:}"
	fails_with 125 "bytes; " wherry load "$LAYOUT"
	rm "$LAYOUT/blobs/sha256/${blob#sha256:}"
	fails_with 125 "is missing" wherry load "$LAYOUT"
}

one_of_several() {
	start_layout
	copy_in second
	umoci config --image "$LAYOUT:second" --config.env WHICH=second
	copy_in third
	umoci config --image "$LAYOUT:third" --config.env WHICH=third
	wherry load -q "$LAYOUT:second" >/dev/null
	equal "$(names_of)" "layout:second "
	fresh
	wherry load -q --ref third "$LAYOUT" >/dev/null
	equal "$(names_of)" "layout:third "
	fails_with 125 "there is no image 'fourth' in it, only good, second, third" wherry load "$LAYOUT:fourth"
	fails_with 125 "$LAYOUT:NAME is one of them" wherry run "$LAYOUT" true
	equal "$(wherry run "$LAYOUT:second" sh -c 'echo $WHICH')" second
	(cd "$SCRATCH" && equal "$(wherry run ./layout:third sh -c 'echo $WHICH')" third)
}

one_of_several_in_place() {
	start_layout
	local file
	mkdir "$SCRATCH/plain"
	for name in one two; do
		buildah --root "$SCRATCH/storage" --storage-driver vfs from --name "$name" scratch >/dev/null
		buildah --root "$SCRATCH/storage" --storage-driver vfs copy -q "$name" "$(rootfs busybox)" / >/dev/null
		buildah --root "$SCRATCH/storage" --storage-driver vfs config --env "WHICH=$name" --cmd sh "$name"
		buildah --root "$SCRATCH/storage" --storage-driver vfs commit -q --disable-compression "$name" "oci:$SCRATCH/plain:$name" >/dev/null
	done
	fails_with 125 "$SCRATCH/plain:NAME is one of them" wherry run --no-unpack "$SCRATCH/plain" true
	equal "$(wherry run --no-unpack "$SCRATCH/plain:one" sh -c 'echo $WHICH')" one
	equal "$(wherry run --no-unpack "$SCRATCH/plain:two" sh -c 'echo $WHICH')" two
	equal "$(wherry run --no-unpack "$SCRATCH/plain:one" sh -c 'echo $WHICH')" one
	equal "$(ls "$STORE/indexes" | wc -l)" 2
}

one_of_an_archive() {
	fresh
	rm -f "$SCRATCH/both.tar"
	skopeo --insecure-policy copy -q "oci:$(image busybox oci)" "docker-archive:$SCRATCH/both.tar:one:1" 2>/dev/null
	python3 - "$SCRATCH/both.tar" <<-'END'
	import io, json, sys, tarfile
	with tarfile.open(sys.argv[1]) as tar:
	    files = {member.name: tar.extractfile(member).read() for member in tar if member.isreg()}
	manifest = json.loads(files["manifest.json"])
	config = json.loads(files[manifest[0]["Config"]])
	files["other.json"] = json.dumps({**config, "architecture": "s390x"}).encode()
	files["second.json"] = json.dumps({**config, "author": "me"}).encode()
	manifest += [{**manifest[0], "Config": "other.json", "RepoTags": ["other:1"]},
	             {**manifest[0], "Config": "second.json", "RepoTags": ["second:1", "second:2"]}]
	files["manifest.json"] = json.dumps(manifest).encode()
	with tarfile.open(sys.argv[1], "w") as tar:
	    for name, data in files.items():
	        entry = tarfile.TarInfo(name)
	        entry.size = len(data)
	        tar.addfile(entry, io.BytesIO(data))
	END
	contains "$(wherry load "$SCRATCH/both.tar" 2>&1)" "other:1 is passed over: it is for linux/s390x"
	equal "$(names_of)" "one:1 second:1 second:2 "
	fresh
	wherry load -q "$SCRATCH/both.tar:second:2" >/dev/null
	equal "$(names_of)" "second:2 "
	fails_with 125 "only for linux/s390x" wherry load --ref other:1 "$SCRATCH/both.tar"
}

# docker-library's branches are such: the blobs are links to files beside them.
linked_blobs() {
	start_layout
	local blob name
	mkdir "$LAYOUT/files"
	for blob in "$LAYOUT"/blobs/sha256/*; do
		name=$(basename "$blob")
		mv "$blob" "$LAYOUT/files/$name"
		ln -s "../../files/$name" "$blob"
	done
	mv "$LAYOUT/index.json" "$LAYOUT/files/"
	ln -s files/index.json "$LAYOUT/index.json"
	equal "$(wherry run "$LAYOUT" echo ran)" ran
	equal "$(wherry load -q "$LAYOUT")" "sha256:$(basename "$STORE"/images/*)"
	fresh
	tar -C "$LAYOUT" -cf "$SCRATCH/linked.tar" .
	equal "$(wherry run "$SCRATCH/linked.tar" echo ran)" ran
	fresh
	mv "$LAYOUT/files" "$SCRATCH/files-outside"
	ln -s ../files-outside "$LAYOUT/files"
	fails_with 125 "it leads out of the layout's directory" wherry load "$LAYOUT"
	rm -rf "$SCRATCH/files-outside"
}

linked_blobs_in_place() {
	mkdir "$SCRATCH/linked"
	skopeo --insecure-policy copy -q "oci:$(image busybox oci)" "dir:$SCRATCH/dir" 2>/dev/null
	cp -r "$(image busybox oci)/." "$SCRATCH/linked"
	mv "$SCRATCH/linked/blobs" "$SCRATCH/linked/elsewhere"
	ln -s elsewhere "$SCRATCH/linked/blobs"
	equal "$(wherry run --no-unpack "$SCRATCH/linked" echo ran)" ran
	equal "$(wherry run --no-unpack "$SCRATCH/linked" echo ran)" ran
}

# moby#18170: a layer of zero bytes, as it is and within each compression.
empty_layers() {
	local how
	for how in cat "gzip -c" "zstd -qc" "xz -c"; do
		python3 - "$SCRATCH/zero.tar" "$(image busybox docker)" "$how" <<-'END'
		import hashlib, io, json, subprocess, sys, tarfile
		with tarfile.open(sys.argv[2]) as tar:
		    files = {member.name: tar.extractfile(member).read() for member in tar if member.isreg()}
		manifest = json.loads(files["manifest.json"])
		config = json.loads(files[manifest[0]["Config"]])
		config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(b"").hexdigest())
		files["zero.json"] = json.dumps(config).encode()
		files["zero/layer.tar"] = subprocess.run(sys.argv[3].split(), input=b"", stdout=subprocess.PIPE, check=True).stdout
		manifest[0]["Config"] = "zero.json"
		manifest[0]["Layers"].append("zero/layer.tar")
		files["manifest.json"] = json.dumps(manifest).encode()
		with tarfile.open(sys.argv[1], "w") as tar:
		    for name, data in files.items():
		        entry = tarfile.TarInfo(name)
		        entry.size = len(data)
		        tar.addfile(entry, io.BytesIO(data))
		END
		fresh
		wherry load -q "$SCRATCH/zero.tar" >/dev/null
		equal "$(wherry run busybox echo "$how")" "$how"
		contains "$(wherry fsck)" "all that is left is whole"
	done
}

it "passes over an entry of an unknown type, and names it unless -q" unknown_type
it "passes over an entry of an unknown type among an image's platforms" unknown_type_within
it "passes over a signature" signature
it "passes over a referrer" referrer
it "passes over a chart" chart
it "passes over images for another machine and for Windows" other_machines
it "loads images without layers" without_layers
it "loads an image whose documents have no list of layers" without_lists
it "takes the one of two manifests whose config is for this machine, in either order" configs_tell
it "says what there is where nothing is left" nothing_left
it "refuses a layout whose foreign entries are damaged" damage
it "loads and runs one image of several" one_of_several
it "runs one image of several without unpacking" one_of_several_in_place
it "loads one image of several of an archive, and those for this machine" one_of_an_archive
it "follows links within a layout, and says that one leads out" linked_blobs
it "runs a layout with links within without unpacking" linked_blobs_in_place
it "takes layers of zero bytes, compressed or not" empty_layers
finish_clean
