#!/usr/bin/env python3
"""Seeds for the fuzzers: the layers and archives of tests/rootfs/hostile.py. seeds.py DIR makes DIR/{layer,archive,documents,index}."""
import hashlib
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "rootfs"))
import hostile_documents  # noqa: E402
import hostile_layers  # noqa: E402
from hostile_make import BLOCK, archive_of, block, char, d, entry, f, fifo, h, l, padded, pax, header, tar, wh  # noqa: E402

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

# What an index has a way of its own for: holes, names, attributes, links, many names, nothing below.
LAYERED = [
    tar(d("a", 0o1777), f("a/file", "x" * 700, records={b"SCHILY.xattr.user.note": b"n" * 300}), h("a/again", "a/file"),
        l("a/link", "b" * 600), d("many"), *(f(f"many/name-{n}") for n in range(60)), char("char", 250, 70000),
        block("block", 7, 3), fifo("fifo", mtime=-5), f("+", "1"), d("a/b"), f("a/b/c", "1")),
    tar(f("a/b/new", "2" * 512), wh("many/name-7"), f("many/name-70"), wh("char"), f("a/.wh..wh..opq"),
        pax({b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0", b"GNU.sparse.name": b"holes",
             b"GNU.sparse.realsize": b"500000"}) + header(b"x", 517) + padded(b"1\n400000\n5\n") + padded(b"12345")),
    tar(entry("./", kind=b"5", mode=0o700, uid=5, records={b"SCHILY.xattr.user.root": b"r"}), f("block", "none"),
        d("more"), h("new", "block")),
]


def stacked(layers):
    """The archive that tests/fuzz/index.c reads; None where it can't."""
    sizes = [len(padded(layer)) // BLOCK for layer in layers]
    if not 1 <= len(layers) <= 4 or max(sizes) > 255:
        return None
    return padded(bytes([len(layers) - 1] + sizes)) + b"".join(padded(layer) for layer in layers)


def keep(place, data):
    if len(data) <= SMALL:
        with open(os.path.join(place, hashlib.sha256(data).hexdigest()[:16]), "wb") as out:
            out.write(data)


def main():
    places = {name: os.path.join(sys.argv[1], name) for name in ("layer", "archive", "documents", "index")}
    for place in places.values():
        os.makedirs(place, exist_ok=True)
    for data in (INDEX, NESTED, DOCKER):
        keep(places["documents"], data)
    keep(places["index"], stacked(LAYERED))
    for case in hostile_layers.CASES + hostile_documents.CASES:
        for layer in case.get("layers", []) + [blob for blob in case.get("blobs", []) if blob]:
            keep(places["layer"], layer)
        together = stacked(case.get("layers", []))
        if together:
            keep(places["index"], together)
        if case.get("directory"):
            continue
        scratch = tempfile.mkdtemp()
        with open(archive_of(case, scratch).path, "rb") as file:
            keep(places["archive"], file.read())
        shutil.rmtree(scratch)


main()
