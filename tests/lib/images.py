#!/usr/bin/python3
"""Puts layers and a config together as an image file, in every form that images come in.

    images.py KIND OUT CONFIG NAME LAYER.tar…

KIND is docker (`docker save` until version 24), docker-blobs (since 25), oci (a directory) or
oci-tar, each with ":gzip" or ":zstd" behind it for compressed layers. CONFIG is JSON: the config's
"config" object; an "architecture" in it goes to the image. Only tests use this.
"""
import gzip
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm"}
DOCKER = "application/vnd.docker."
OCI = "application/vnd.oci.image."
SUFFIX = {"": "", "gzip": "+gzip", "zstd": "+zstd"}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def compress(data, how):
    if how == "gzip":
        return gzip.compress(data, 6, mtime=0)
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


def dump(document):
    return json.dumps(document, separators=(",", ":")).encode()


def config_of(settings, layers):
    machine = platform.machine()
    architecture = settings.pop("architecture", ARCHITECTURES.get(machine, machine))
    return dump({
        "architecture": architecture,
        "os": "linux",
        "created": "2024-02-29T12:00:00Z",
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(layer) for layer in layers]},
        "history": [{"created": "2024-02-29T12:00:00Z", "created_by": "test"} for _ in layers],
    })


def docker(config, name, layers):
    """The old form: a directory for each layer, named for an id of its own."""
    files, ids, parent = {}, [], ""
    for layer in layers:
        layer_id = sha256((parent + sha256(layer)).encode())
        files[layer_id + "/VERSION"] = b"1.0"
        files[layer_id + "/json"] = dump({"id": layer_id, "os": "linux", **({"parent": parent} if parent else {})})
        files[layer_id + "/layer.tar"] = layer
        ids.append(layer_id)
        parent = layer_id
    config_name = sha256(config) + ".json"
    files[config_name] = config
    files["manifest.json"] = dump([{"Config": config_name, "RepoTags": [name],
                                    "Layers": [i + "/layer.tar" for i in ids]}])
    repository, tag = name.rsplit(":", 1)
    files["repositories"] = dump({repository: {tag: parent}})
    return files


def oci(config, name, layers, how):
    """Blobs under their digests; returns the files and the blobs' names in the manifest's order."""
    files, names, descriptors = {"oci-layout": dump({"imageLayoutVersion": "1.0.0"})}, [], []

    def blob(data, media_type):
        digest = sha256(data)
        files["blobs/sha256/" + digest] = data
        names.append("blobs/sha256/" + digest)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    config_descriptor = blob(config, OCI + "config.v1+json")
    for layer in layers:
        descriptors.append(blob(compress(layer, how), OCI + "layer.v1.tar" + SUFFIX[how]))
    manifest = blob(dump({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                          "config": config_descriptor, "layers": descriptors}), OCI + "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": name.rsplit(":", 1)[1],
                               "io.containerd.image.name": name}
    files["index.json"] = dump({"schemaVersion": 2, "manifests": [manifest]})
    return files, names


def docker_blobs(config, name, layers, how):
    files, names = oci(config, name, layers, how)
    files["manifest.json"] = dump([{"Config": names[0], "RepoTags": [name], "Layers": names[1:-1]}])
    return files


def write_tar(out, files):
    with tarfile.open(out, "w", format=tarfile.GNU_FORMAT) as tar:
        made = set()
        for name, data in files.items():
            folder = ""
            for part in name.split("/")[:-1]:
                folder = folder + part + "/"
                if folder not in made:
                    made.add(folder)
                    entry = tarfile.TarInfo(folder)
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(entry)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))


def write_directory(out, files):
    for name, data in files.items():
        path = os.path.join(out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def main():
    kind, out, settings, name, *paths = sys.argv[1:]
    kind, _, how = kind.partition(":")
    layers = []
    for path in paths:
        with open(path, "rb") as file:
            layers.append(file.read())
    config = config_of(json.loads(settings), layers)
    if kind == "docker":
        files = docker(config, name, layers)
    elif kind == "docker-blobs":
        files = docker_blobs(config, name, layers, how)
    else:
        files, _ = oci(config, name, layers, how)
    shutil.rmtree(out, ignore_errors=True)
    if kind == "oci":
        write_directory(out, files)
    else:
        write_tar(out, files)


main()
