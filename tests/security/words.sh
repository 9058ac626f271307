#!/bin/bash
# Words of an image's author on a person's terminal: none of them is obeyed by it.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

# An image whose config has every control character of Unicode in its words.
mkdir "$SCRATCH/layout"
python3 - "$SCRATCH/layout" <<'END'
import hashlib, json, os, sys
controls = "".join(map(chr, list(range(1, 32)) + list(range(127, 160)))) + "\u00a0é\u2713"
blobs = sys.argv[1] + "/blobs/sha256"
os.makedirs(blobs)
def put(kind, data):
    data = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    digest = hashlib.sha256(data).hexdigest()
    open(blobs + "/" + digest, "wb").write(data)
    return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(data)}
config = put("config.v1+json", {"architecture": "amd64", "os": "linux", "author": controls, "created": controls,
    "config": {"Env": ["A=" + controls], "Labels": {controls: controls}, "Cmd": [controls]},
    "rootfs": {"type": "layers", "diff_ids": []}})
manifest = put("manifest.v1+json", {"schemaVersion": 2, "config": config, "layers": []})
manifest["annotations"] = {"org.opencontainers.image.ref.name": "words"}
json.dump({"schemaVersion": 2, "manifests": [manifest]}, open(sys.argv[1] + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(sys.argv[1] + "/oci-layout", "w"))
END

# Of all that is printed; newlines are our own.
harmless() {
	"$@" >"$SCRATCH/out" 2>&1 || [ $? -ge 125 ]
	[ -s "$SCRATCH/out" ]
	python3 - "$SCRATCH/out" <<-'END'
	import sys, unicodedata
	text = open(sys.argv[1], encoding="utf-8", errors="replace").read()
	found = sorted({hex(ord(c)) for c in text if unicodedata.category(c) == "Cc" and c != "\n"})
	sys.exit("control characters: " + " ".join(found) if found else 0)
	END
}

prints() {
	wherry load -q -n words --platform linux/amd64 "$SCRATCH/layout"
	harmless wherry load --platform linux/amd64 "$SCRATCH/layout"
	harmless wherry images
	harmless wherry images --json
	harmless wherry inspect words
	python3 -m json.tool "$SCRATCH/out" >"$SCRATCH/parsed"
	contains "$(cat "$SCRATCH/out")" 'é✓'
	harmless wherry inspect --format '{{json .}}' words
	harmless wherry run words
}

it "prints no control character of an image's" prints
finish_clean
