#!/usr/bin/env python3
"""Seeds for the fuzzers: the layers and archives of tests/hostile.py. seeds.py DIR makes DIR/{layer,archive,documents}."""
import hashlib
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import hostile_documents  # noqa: E402
import hostile_layers  # noqa: E402
from hostile_make import archive_of  # noqa: E402

SMALL = 256 << 10
INDEX = (b'\1{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",@2,'
         b'"platform":{"os":"linux","architecture":"amd64"},"annotations":{"org.opencontainers.image.ref.name":"a:1"}}]}\0'
         b'{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",@3},"layers":'
         b'[{"mediaType":"application/vnd.oci.image.layer.v1.tar",@3}]}\0'
         b'{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:' + b"0" * 64 + b'"]}}')
NESTED = (b'\1{"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json",@2}]}\0'
          b'{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",@3}]}\0{"layers":[],"config":{}}')
DOCKER = (b'\0[{"Config":"config","RepoTags":["a:1"],"Layers":["layer"]}]\0'
          b'{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["sha256:' + b"0" * 64 + b'"]}}\0tar')


def keep(place, data):
    if len(data) <= SMALL:
        with open(os.path.join(place, hashlib.sha256(data).hexdigest()[:16]), "wb") as out:
            out.write(data)


def main():
    places = {name: os.path.join(sys.argv[1], name) for name in ("layer", "archive", "documents")}
    for place in places.values():
        os.makedirs(place, exist_ok=True)
    for data in (INDEX, NESTED, DOCKER):
        keep(places["documents"], data)
    for case in hostile_layers.CASES + hostile_documents.CASES:
        for layer in case.get("layers", []) + [blob for blob in case.get("blobs", []) if blob]:
            keep(places["layer"], layer)
        if case.get("directory"):
            continue
        scratch = tempfile.mkdtemp()
        with open(archive_of(case, scratch).path, "rb") as file:
            keep(places["archive"], file.read())
        shutil.rmtree(scratch)


main()
