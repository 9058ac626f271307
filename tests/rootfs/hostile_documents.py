"""Cases of archives and their documents: indexes, manifests, configs, names (rules 1 to 4)."""
import copy
import gzip
import json
import os

from hostile_make import ARCH, END, OCI, Layout, d, f, gz, h, header, l, padded, sha, tar, xz, zstd_frame

CASES = []
LAYER = tar(d("etc"), f("etc/file", "x"))
TREE = {"etc": "dir 755", "etc/file": "file 644 'x'"}


def case(rule, says, **rest):
    rest.setdefault("layers", [LAYER])
    CASES.append(dict(rest, rule=rule, says=says))


def oci(rule, says, **rest):
    case(rule, says, form="oci", **rest)


# ---- 1: the outer archive ----

def replace_by(make):
    """Puts a link or something else where the first layer was, and its bytes under another name."""
    def change(parts):
        name = parts.names[0]
        parts.files["elsewhere/layer.tar"] = parts.files[name]
        parts.files[name] = (make(name),)
    return change



case(1, "follows a layer's link within the archive", tree=TREE,
     change=replace_by(lambda name: l(name, "../elsewhere/layer.tar")))
case(1, "follows a layer's hard link within the archive", tree=TREE,
     change=replace_by(lambda name: h(name, "elsewhere/layer.tar")))
case(1, "follows no link out of the archive", refused="is missing",
     change=replace_by(lambda name: l(name, "/etc/passwd")))
case(1, "follows no link that climbs out of the archive", refused="is missing",
     change=replace_by(lambda name: l(name, "../../../../../../etc/passwd")))
case(1, "follows no links that go round in circles", refused="leads through more than",
     change=replace_by(lambda name: l(name, "layer.tar")))
case(1, "takes no directory as a layer", refused="is not a file", change=replace_by(d))
case(1, "opens no path of the host that a manifest names", refused="is missing",
     change=lambda parts: parts.names.__setitem__(0, "/etc/passwd"))
case(1, "opens no path of the host that a manifest climbs to", refused="is missing",
     change=lambda parts: parts.names.__setitem__(0, "../../../../etc/passwd"))
case(1, "opens no config of the host", refused="is missing", directory=True, form="oci",
     change=lambda parts: parts.manifest.update(config={
         "mediaType": OCI + "config.v1+json", "digest": "sha256:" + "0" * 64, "size": 5}))


case(1, "opens nothing above a directory that a manifest climbs out of", refused="/../outside: ", directory=True,
     change=lambda parts: parts.names.__setitem__(0, "../outside"))
case(1, "opens nothing of the host's by its name in a directory", refused="//etc/passwd: ", directory=True,
     change=lambda parts: parts.names.__setitem__(0, "/etc/passwd"))


def swap_blob(make):
    def after(path):
        for name in os.listdir(path + "/blobs/sha256"):
            place = f"{path}/blobs/sha256/{name}"
            with open(place, "rb") as file:
                data = file.read()
            if data == LAYER:
                os.remove(place)
                make(place)
    return after


oci(1, "follows no link out of a layout's directory", directory=True, refused="it leads out of the layout's directory",
    after=swap_blob(lambda place: os.symlink("/etc/passwd", place)))
oci(1, "follows no link round in circles", directory=True, refused="blobs/sha256/",
    after=swap_blob(lambda place: os.symlink(place, place)))
oci(1, "says that a blob which a link promises is missing", directory=True, refused="is missing",
    after=swap_blob(lambda place: os.symlink("nowhere", place)))


def move_blobs(path):
    os.rename(path + "/blobs", path + "-elsewhere")
    os.symlink("../" + os.path.basename(path) + "-elsewhere", path + "/blobs")


def move_blobs_within(path):
    os.rename(path + "/blobs", path + "/elsewhere")
    os.symlink("elsewhere", path + "/blobs")


oci(1, "follows no link out of it on the way to a blob", directory=True, refused="it leads out of the layout's directory",
    after=move_blobs)
oci(1, "follows a link on the way to a blob", directory=True, tree=TREE, after=move_blobs_within)
oci(1, "takes no fifo in a layout's directory, and doesn't wait for it", directory=True, refused="is not a file",
    after=swap_blob(os.mkfifo))
oci(1, "reads a layout as a directory", directory=True, tree=TREE)
oci(1, "reads a layout as an archive", tree=TREE)
case(1, "reads from a pipe or a file on standard input", stdin=True, tree=TREE)
case(1, "reads an archive that is compressed as a whole", whole=gz, tree=TREE)
case(1, "reads an archive that is compressed with xz as a whole", whole=xz, tree=TREE)
case(1, "reads an archive that is compressed with zstd as a whole", whole=zstd_frame, tree=TREE)
case(1, "reads a compressed archive on standard input", whole=gz, stdin=True, tree=TREE)
case(1, "refuses a compressed archive that is cut off", whole=lambda data: gz(data)[:-100], refused="truncated")
case(1, "refuses a compressed archive of nothing", bytes=gz(b""), refused="empty")
case(1, "refuses an archive that ends in the middle", whole=lambda data: data[:len(data) // 2], refused="truncated")
case(1, "refuses an archive of 70,000 members", bytes=b"".join(header(b"m%d" % i) for i in range(70000)) + END,
     refused="too many members")
case(1, "refuses a member larger than the archive", bytes=header(b"manifest.json", 1 << 33) + END,
     refused="truncated within manifest.json")
case(1, "refuses an empty file", bytes=b"", refused="empty")
case(1, "refuses zeros", bytes=bytes(10240), refused="neither a manifest.json nor an index.json")
case(1, "refuses noise", bytes=bytes(range(1, 256)) * 40, refused="not an archive")
case(1, "takes the last member of a name", tree=TREE,
     change=lambda parts: parts.files.update({"./" + parts.names[0]: parts.files[parts.names[0]]}))

# ---- 2: digests ----
for digest in ("sha512:" + "0" * 128, "sha256:" + "0" * 63, "sha256:" + "0" * 65, "sha256:" + "A" * 64,
               "sha256:../../../../etc/passwd", "", "0" * 64, "sha256:" + "0" * 63 + "/"):
    oci(2, f"refuses the digest '{digest[:24]}' ({len(digest)} long)", refused="is no sha256 digest",
        change=lambda parts, digest=digest: parts.layers[0].update(digest=digest))
oci(2, "refuses a diff ID that is no digest", refused="diff ID that is no sha256 digest",
    change=lambda parts: parts.config["rootfs"].update(diff_ids=["sha256:xyz"]))
oci(2, "refuses a layer that is longer than stated", refused="are stated",
    change=lambda parts: parts.layers[0].update(size=len(LAYER) - 1))
oci(2, "refuses a layer that is shorter than stated", refused="are stated",
    change=lambda parts: parts.layers[0].update(size=len(LAYER) + 1))


def manifest_size(more):
    def change(parts):
        parts.seal()
        parts.index["manifests"][0]["size"] += more
    return change


oci(2, "refuses a manifest that is longer than stated", change=manifest_size(-1), refused="are stated")
oci(2, "refuses a manifest that is shorter than stated", change=manifest_size(1), refused="are stated")
oci(2, "refuses a negative size", refused="is missing", change=lambda parts: parts.layers[0].update(size=-5))
oci(2, "refuses a size that is text", refused="is missing", change=lambda parts: parts.layers[0].update(size="5"))

# ---- 3: each against what points at it ----


def damage(kind):
    """Another byte in the blob of that kind, its size and its name as they were."""
    def sealed(parts):
        for name, data in parts.files.items():
            if kind in data and name.startswith("blobs/"):
                parts.files[name] = data.replace(kind, kind[:-1] + bytes([kind[-1] ^ 1]), 1)
                return
        raise ValueError("nothing to damage")
    return sealed


def remove(kind):
    def sealed(parts):
        for name, data in list(parts.files.items()):
            if kind in data and name.startswith("blobs/"):
                del parts.files[name]
                return
    return sealed


oci(3, "refuses a manifest that is not what the index says", sealed=damage(b'"schemaVersion": 2'),
    refused="the wrong digest")
oci(3, "refuses a config that is not what the manifest says", sealed=damage(b'"linux"'), refused="the wrong digest")
oci(3, "refuses a layer that is not what the manifest says", sealed=damage(b"etc/file"),
    refused="its digest is wrong")


def same_content(parts):
    """Another compressor's mark in the header: the stream is the same, the blob is not."""
    for name, data in parts.files.items():
        if data == gz(LAYER):
            parts.files[name] = data[:9] + bytes([data[9] ^ 1]) + data[10:]


oci(3, "refuses a blob that is another, though what it unpacks to is the same", blobs=[gz(LAYER)],
    sealed=same_content, refused="its digest is wrong")
oci(3, "blames the digest, not what a damaged layer looks like", sealed=damage(b"ustar"),
    refused="its digest is wrong")
oci(3, "names a manifest that is missing", sealed=remove(b'"schemaVersion"'), refused="the manifest blobs/sha256/")
oci(3, "names a config that is missing", sealed=remove(b'"rootfs"'), refused="the config blobs/sha256/")
oci(3, "names a layer that is missing", sealed=remove(b"etc/file"), refused="layer blobs/sha256/")
oci(3, "refuses a wrong diff ID", refused="its diff ID is wrong",
    change=lambda parts: parts.config["rootfs"].update(diff_ids=["sha256:" + "1" * 64]))
oci(3, "refuses a wrong diff ID of a compressed layer", blobs=[gz(LAYER)], refused="its diff ID is wrong",
    change=lambda parts: parts.config["rootfs"].update(diff_ids=["sha256:" + "1" * 64]))
oci(3, "refuses bytes behind a layer's end that the diff ID lacks", blobs=[gz(LAYER + b"more")],
    refused="its diff ID is wrong")
oci(3, "refuses more layers than diff IDs", refused="lists 2 layers, the image's config 1",
    change=lambda parts: parts.layers.append(parts.layers[0]))
oci(3, "refuses fewer layers than diff IDs", refused="lists 0 layers, the image's config 1",
    change=lambda parts: parts.layers.clear())
case(3, "refuses a docker archive's wrong diff ID", refused="its diff ID is wrong",
     change=lambda parts: parts.files.update({parts.names[0]: tar(f("other"))}))
case(3, "refuses a docker archive's config whose name is another digest", refused="the wrong digest",
     sealed=lambda parts: parts.files.update({
         "manifest.json": json.dumps([{"Config": "1" * 64 + ".json", "Layers": parts.names}]).encode(),
         "1" * 64 + ".json": json.dumps(parts.config).encode()}))

case(3, "refuses a docker archive's layer whose name is another digest", refused="its digest is wrong",
     form="docker", change=lambda parts: (parts.files.update({"blobs/sha256/" + "1" * 64: LAYER}),
                                          parts.names.__setitem__(0, "blobs/sha256/" + "1" * 64)))
case(3, "refuses a docker archive with more layers than diff IDs", refused="lists 2 layers, the image's config 1",
     change=lambda parts: parts.names.append(parts.names[0]))

# ---- 4: JSON ----


def index_is(text):
    def change(parts):
        parts.index_text = text
    return change


def nested(depth):
    return b'{"schemaVersion":2,"manifests":[],"x":' + b"[" * depth + b"]" * depth + b"}"


oci(4, "refuses what is no JSON", change=index_is(b"{'single': 1}"), refused="it is no JSON")
oci(4, "refuses JSON with something behind it", change=index_is(b'{"manifests":[]} x'), refused="it is no JSON")
oci(4, "refuses a NUL in a string", change=index_is(b'{"manifests":[],"x":"\\u0000"}'), refused="it is no JSON")
oci(4, "refuses a member that is there twice", change=index_is(b'{"manifests":[],"manifests":[]}'),
    refused="it is no JSON")
oci(4, "refuses 65 levels", change=index_is(nested(64)), refused="nested more than 64 levels")
oci(4, "takes 64 levels", change=index_is(nested(63)), refused="lists no image")
oci(4, "minds no brackets in strings", change=index_is(b'{"manifests":[],"x":"' + b"[" * 100 + b'"}'),
    refused="lists no image")
oci(4, "refuses 100,000 levels", change=index_is(nested(100000)), refused="nested more than 64 levels")
oci(4, "refuses more than 4 MiB", change=index_is(b'{"x":"' + b"a" * (4 << 20) + b'"}'), refused="larger than 4 MiB")
oci(4, "takes null as absent", change=index_is(b'{"manifests":null}'), refused="lists no image")
oci(4, "takes what is of another type as absent", change=index_is(b'{"manifests":"all"}'), refused="lists no image")
oci(4, "refuses an index that is an array", change=index_is(b"[]"), refused="lists no image")
case(4, "refuses a manifest.json that is no list", change=lambda parts: setattr(parts, "manifest", b"{}"),
     refused="is no list of images")
case(4, "refuses a manifest.json without an image", change=lambda parts: setattr(parts, "manifest", b"[]"),
     refused="there is no image in it")
case(4, "refuses an image without a config", change=lambda parts: setattr(parts, "manifest", b'[{"Layers":[]}]'),
     refused="an image without a config")
case(4, "refuses an entry that is no object", change=lambda parts: setattr(parts, "manifest", b"[7]"),
     refused="an image without a config")
case(4, "refuses an image that has layers and says that it has none", refused="lists 1 layers, the image's config 0",
     change=lambda parts: parts.config.update(rootfs={}))

# manifests and indexes
oci(4, "refuses a manifest that is an index, too", refused="a manifest that is an index",
    change=lambda parts: parts.manifest.update(manifests=[]))


def both_in_index(parts):
    parts.seal()
    parts.index["layers"] = []


oci(4, "refuses an index that is a manifest, too", change=both_in_index, refused="an index that is a manifest")
oci(4, "refuses a manifest that says it is something else", refused="says otherwise",
    change=lambda parts: (parts.seal(), parts.index["manifests"][0].update(
        mediaType="application/vnd.docker.distribution.manifest.v2+json")))


def deep(levels):
    def change(parts):
        parts.seal()
        for _ in range(levels):
            inner = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": parts.index["manifests"]}
            parts.index = {"schemaVersion": 2, "manifests": [parts.put_json(inner, OCI + "index.v1+json")]}
    return change


oci(4, "reads indexes 4 deep", change=deep(3), tree=TREE)
oci(4, "refuses indexes 5 deep", change=deep(4), refused="nested more than 4 deep")


def names_of_one(names):
    """Entries of an index that are the same manifest by several names."""
    def entries(parts):
        return [dict(parts.index["manifests"][0], annotations={"org.opencontainers.image.ref.name": f"case:{name}"})
                for name in names]
    return entries


def wide(count):
    def change(parts):
        parts.seal()
        parts.index["manifests"] = names_of_one(range(count))(parts)
    return change


def wide_and_deep(indexes, count):
    def change(parts):
        parts.seal()
        inner = []
        for i in range(indexes):
            document = {"schemaVersion": 2, "manifests": names_of_one(range(i * count, (i + 1) * count))(parts)}
            inner.append(dict(parts.put_json(document, OCI + "index.v1+json"),
                              annotations={"org.opencontainers.image.ref.name": f"index:{i}"}))
        parts.index["manifests"] = inner
    return change


def copies(count):
    """An image's config is found again and again."""
    def change(parts):
        parts.config["comment"] = "x" * (100 << 10)
        text = json.dumps(parts.config).encode()
        parts.files["config.json"] = text
        parts.manifest = [{"Config": "config.json", "Layers": parts.names}] * count
    return change


def listed(count):
    def change(parts):
        parts.files["config.json"] = json.dumps(parts.config).encode()
        parts.manifest = [{"Config": "config.json", "RepoTags": [f"case:{i}"], "Layers": parts.names}
                          for i in range(count)]
    return change


oci(6, "takes an index of 1000 images", change=wide(1000), tree=TREE)
oci(6, "refuses an index of 1001 images", change=wide(1001), refused="its index lists more than 1000 images")
oci(6, "refuses 1001 images in indexes of an index", change=wide_and_deep(7, 143), refused="more than 1000 images are in it")
case(6, "takes a manifest.json of 1000 images", change=listed(1000), tree=TREE)
case(6, "refuses a manifest.json of 1001 images", change=listed(1001), refused="more than 1000 images are in it")
case(6, "refuses configs of more than 16 MiB together", change=copies(200), refused="configs take more than 16 MiB")


case(5, "refuses a whole archive that is xz with a dictionary of 64 MiB", whole=lambda data: xz(data, preset=9),
     refused="more memory than a window of 8 MiB (see --window)")
case(5, "reads a whole archive that is xz with a dictionary of 64 MiB when told to", options=["--window", "64M"],
     whole=lambda data: xz(data, preset=9), tree=TREE)
case(5, "refuses a whole archive that is zstd with a window of 16 MiB", refused="window of more than 8 MiB (see --window)",
     whole=lambda data: zstd_frame(data, window=24))
case(5, "reads a whole archive that is zstd with a window of 16 MiB when told to", options=["--window", "16M"],
     whole=lambda data: zstd_frame(data, window=24), tree=TREE)


def media(place, kind):
    def change(parts):
        if place == "layer":
            parts.layers[0]["mediaType"] = kind
        elif place == "index":
            parts.seal()
            parts.index["manifests"][0]["mediaType"] = kind
        else:
            parts.manifest["config"] = parts.put_json(parts.config, kind)
    return change


oci(4, "refuses a layer of an unknown type", change=media("layer", "application/x-elf"), refused="of an unknown type")
oci(4, "refuses a layer without a type", change=media("layer", ""), refused="of an unknown type")
oci(4, "refuses an encrypted layer", change=media("layer", OCI + "layer.v1.tar+gzip+encrypted"),
    refused="is encrypted")
oci(4, "reads a layer that is compressed otherwise than its type says",
    change=media("layer", OCI + "layer.v1.tar+zstd"), blobs=[gz(LAYER)], tree=TREE)
oci(4, "reads Docker's own types", tree=TREE,
    change=lambda parts: (media("layer", "application/vnd.docker.image.rootfs.diff.tar.gzip")(parts),
                          media("config", "application/vnd.docker.container.image.v1+json")(parts),
                          parts.manifest.update(mediaType="application/vnd.docker.distribution.manifest.v2+json")))
oci(4, "refuses Docker's schema 1", refused="old schema 1",
    change=media("index", "application/vnd.docker.distribution.manifest.v1+prettyjws"))
oci(4, "refuses schema 1 by what is in it", refused="old schema 1",
    change=lambda parts: parts.manifest.update(schemaVersion=1))
oci(4, "refuses an index that points at something else", change=media("index", "text/plain"),
    refused="is of an unknown type: 'text/plain'")
oci(4, "refuses what is packed like an image and is none", refused="it holds no image but",
    change=media("config", "application/vnd.example.chart.v1+json"))

# platforms


def for_platform(os_name, arch, variant=None):
    def change(parts):
        parts.config.update(os=os_name, architecture=arch, **({"variant": variant} if variant else {}))
    return change


oci(4, "refuses an image for Windows", change=for_platform("windows", ARCH), refused="only for windows/")
oci(4, "names both architectures", change=for_platform("linux", "s390x"), refused=", only for linux/s390x")
oci(4, "takes an image for another machine when told to", change=for_platform("linux", "s390x"),
    options=["--platform", "linux/s390x"], tree=TREE)
oci(4, "refuses a platform that is none", options=["--platform", "linux/"], refused="is no platform")


def platforms(*entries):
    """An index of several manifests, each with a layer that says which one it is."""
    def change(parts):
        parts.files = {"oci-layout": parts.files["oci-layout"]}
        parts.index["manifests"] = []
        for os_name, arch, variant in entries:
            one = Layout([LAYER if (os_name, arch, variant) == entries[-1] else tar(f(f"{arch}{variant}"))])
            one.config.update(os=os_name, architecture=arch)
            one.seal()
            parts.files.update({name: data for name, data in one.files.items() if name.startswith("blobs/")})
            described = one.index["manifests"][0]
            described["platform"] = {"os": os_name, "architecture": arch, **({"variant": variant} if variant else {})}
            parts.index["manifests"].append(described)
    return change


oci(4, "takes this machine's image of several", tree=TREE,
    change=platforms(("linux", "s390x", ""), ("windows", ARCH, ""), ("linux", ARCH, "")))
oci(4, "takes the variant that fits best", tree=TREE, options=["--platform", "linux/arm/v7"],
    change=platforms(("linux", "arm", "v5"), ("linux", "arm", "v6"), ("linux", "arm", "v8"), ("linux", "arm", "v7")))
oci(4, "takes an older variant where there is no better one", tree=TREE, options=["--platform", "linux/arm/v6"],
    change=platforms(("linux", "arm", "v7"), ("linux", "arm", "v5")))
oci(4, "takes 64-bit ARM without a variant as v8", tree=TREE, options=["--platform", "linux/arm64"],
    change=platforms(("linux", "arm", "v8"), ("linux", "arm64", "v8")))
oci(4, "says which platforms there are", refused="only for linux/s390x, linux/mips64le",
    change=platforms(("linux", "s390x", ""), ("linux", "mips64le", "")))


case(4, "refuses more names than anybody gives", refused="more than 1000 names",
     change=lambda parts: parts.tags.extend(f"n{i}:1" for i in range(1000)))


def listed(times):
    def sealed(parts):
        entry = json.loads(parts.files["manifest.json"])[0]
        parts.files["manifest.json"] = json.dumps([entry] * times).encode()
    return sealed


def many_layers(parts):
    parts.names *= 400
    parts.config["rootfs"]["diff_ids"] *= 400


case(4, "refuses configs that take too much together", refused="configs take more than 16 MiB together", sealed=listed(5),
     change=lambda parts: parts.config.update(history=[{"comment": "x" * 4000000}]))
case(4, "refuses too many layers of all images together", refused="more than 20000 layers", sealed=listed(51),
     change=many_layers)


def with_attestation(parts):
    parts.seal()
    other = parts.put_json({"schemaVersion": 2, "config": {}, "layers": []}, OCI + "manifest.v1+json")
    other["platform"] = {"os": "unknown", "architecture": "unknown"}
    parts.index["manifests"].insert(0, other)


oci(4, "passes over the records of a build", change=with_attestation, tree=TREE)
