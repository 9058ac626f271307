"""Makes tar entries, layers and image archives, as wrong as they are wanted. Python's standard library alone."""
import gzip
import hashlib
import io
import json
import lzma
import os
import struct

BLOCK = 512
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "riscv64": "riscv64"}
ARCH = MACHINES.get(os.uname().machine, os.uname().machine)


def sha(data):
    return hashlib.sha256(data).hexdigest()


# ---- tar ----

def number(value, size):
    """Octal, or base 256 where it doesn't fit."""
    text = b"%o" % value if value >= 0 else b""
    if value >= 0 and len(text) < size:
        return text.rjust(size - 1, b"0") + b"\0"
    return b"\xff" * (size - 8) + struct.pack(">q", value) if value < 0 else \
        b"\x80" + value.to_bytes(size - 1, "big")


def header(name, size=0, kind=b"0", mode=0o644, uid=0, gid=0, mtime=0, link=b"", major=0, minor=0,
           magic=b"ustar\00000"):
    block = bytearray(BLOCK)
    block[0:100] = name[:100].ljust(100, b"\0")
    block[100:108] = number(mode, 8)
    block[108:116] = number(uid, 8)
    block[116:124] = number(gid, 8)
    block[124:136] = number(size, 12)
    block[136:148] = number(int(mtime), 12)
    block[156:157] = kind
    block[157:257] = link[:100].ljust(100, b"\0")
    block[257:265] = magic
    block[329:337] = number(major, 8)
    block[337:345] = number(minor, 8)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def pax(records, kind=b"x"):
    """RECORDS: {key: value}, bytes each."""
    body = b""
    for key, value in records.items():
        rest = b" " + key + b"=" + value + b"\n"
        length = len(rest) + 1
        while len(b"%d" % length) + len(rest) != length:
            length += 1
        body += b"%d" % length + rest
    return header(b"PaxHeaders/x", len(body), kind) + padded(body)


def encoded(name):
    return name if isinstance(name, bytes) else name.encode()


def entry(name, data=b"", kind=b"0", link="", records=None, stated=None, **rest):
    """STATED: the size in the header, where it isn't the data's."""
    name, link, records = encoded(name), encoded(link), dict(records or {})
    if len(name) > 100 or b"\0" in name:
        records[b"path"] = name
    if len(link) > 100:
        records[b"linkpath"] = link
    before = pax(records) if records else b""
    size = len(data) if stated is None else stated
    return before + header(name, size, kind, link=link, **rest) + padded(data)


def f(name, data=b"", **rest):
    return entry(name, data if isinstance(data, bytes) else data.encode(), **rest)


def d(name, mode=0o755, **rest):
    return entry(name, kind=b"5", mode=mode, **rest)


def l(name, link, **rest):
    return entry(name, kind=b"2", link=link, mode=0o777, **rest)


def h(name, link, **rest):
    return entry(name, kind=b"1", link=link, **rest)


def char(name, major, minor, **rest):
    return entry(name, kind=b"3", major=major, minor=minor, **rest)


def block(name, major, minor, **rest):
    return entry(name, kind=b"4", major=major, minor=minor, **rest)


def fifo(name, **rest):
    return entry(name, kind=b"6", **rest)


def wh(name):
    """The whiteout of NAME."""
    head, _, tail = name.rpartition("/")
    return f((head + "/" if head else "") + ".wh." + tail)


END = bytes(2 * BLOCK)


def tar(*entries):
    return b"".join(entries) + END


# ---- compression ----

def gz(data):
    return gzip.compress(data, 6, mtime=0)


def zstd_frame(data, window=10, checksum=False, last=True):
    """A frame of raw blocks: no compressor is needed for one. WINDOW: its base-2 logarithm."""
    frame = b"\x28\xb5\x2f\xfd" + bytes([0x04 if checksum else 0]) + bytes([(window - 10) << 3])
    size = min(1 << window, 128 << 10)
    pieces = [data[i:i + size] for i in range(0, len(data), size)] or [b""]
    for i, piece in enumerate(pieces):
        end = last and i == len(pieces) - 1
        frame += (len(piece) << 3 | end).to_bytes(3, "little") + piece
    return frame


def skippable(data=b"nothing"):
    return b"\x5a\x2a\x4d\x18" + struct.pack("<I", len(data)) + data


def xz(data, **rest):
    return lzma.compress(data, **rest)


# ---- images ----

class Made:
    """An archive on disk, and what is known of its layers."""

    def __init__(self, path, diff_ids):
        self.path = path
        self.diff_ids = diff_ids
        self.chains = diff_ids[:1]
        for diff_id in diff_ids[1:]:
            self.chains.append(sha(f"sha256:{self.chains[-1]} sha256:{diff_id}".encode()))


def config_of(diff_ids, **more):
    config = {"architecture": ARCH, "os": "linux", "config": {"Cmd": ["sh"]},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + i for i in diff_ids]}}
    config.update(more)
    return config


OCI = "application/vnd.oci.image."


class Layout:
    """An OCI layout's parts. A case may change any of them before it is written."""

    def __init__(self, layers, blobs=None):
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
        self.diff_ids = [sha(layer) for layer in layers]
        self.config = config_of(self.diff_ids)
        self.blobs = blobs or [None] * len(layers)
        self.layers = [self.put(blob if blob is not None else layer, OCI + "layer.v1.tar")
                       for blob, layer in zip(self.blobs, layers)]
        self.manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "layers": self.layers}
        self.index = {"schemaVersion": 2}
        self.index_text = None

    def put(self, data, kind):
        digest = sha(data)
        self.files["blobs/sha256/" + digest] = data
        return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}

    def put_json(self, document, kind):
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.put(data, kind)

    def seal(self):
        """Config, manifest and index, each with the digest of the one before."""
        self.manifest.setdefault("config", None)
        if self.manifest["config"] is None:
            self.manifest["config"] = self.put_json(self.config, OCI + "config.v1+json")
        if "manifests" not in self.index:
            described = self.put_json(self.manifest, self.manifest.get("mediaType", OCI + "manifest.v1+json"))
            described["annotations"] = {"org.opencontainers.image.ref.name": "case:1"}
            self.index["manifests"] = [described]
        self.files["index.json"] = self.index_text or json.dumps(self.index).encode()


class Docker:
    """An archive of `docker save`, as it was made before the OCI layout."""

    def __init__(self, layers):
        self.diff_ids = [sha(layer) for layer in layers]
        self.config = config_of(self.diff_ids)
        self.files = {}
        self.names = []
        for i, layer in enumerate(layers):
            self.names.append(f"{i:064x}/layer.tar")
            self.files[self.names[-1]] = layer
        self.tags = ["case:1"]
        self.manifest = None
        self.extra = b""

    def seal(self):
        text = json.dumps(self.config).encode()
        name = sha(text) + ".json"
        self.files.setdefault(name, text)
        if self.manifest is None:
            self.manifest = [{"Config": name, "RepoTags": self.tags, "Layers": self.names}]
        self.files["manifest.json"] = (self.manifest if isinstance(self.manifest, bytes)
                                       else json.dumps(self.manifest).encode())


def write_archive(files, path, extra=b""):
    body = b"".join(data[0] if isinstance(data, tuple) else f(name, data) for name, data in files.items()
                    if data is not None)
    with open(path, "wb") as out:
        out.write(body + extra + END)


def write_directory(files, path):
    for name, data in files.items():
        if data is None:
            continue
        place = os.path.join(path, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as out:
            out.write(data)


def archive_of(case, place):
    """Writes what the case wants; its keys: layers, blobs, form, change, whole, bytes."""
    path = place + "/case.tar"
    layers = case.get("layers", [tar(f("etc/file", "1"), d("etc"))])
    if "bytes" in case:
        with open(path, "wb") as out:
            out.write(case["bytes"])
        return Made(path, ["0" * 64])
    parts = (Docker(layers) if case.get("form", "docker" if "blobs" not in case else "oci") == "docker"
             else Layout(layers, case.get("blobs")))
    if "change" in case:
        case["change"](parts)
    parts.seal()
    if "sealed" in case:
        case["sealed"](parts)
    if case.get("directory"):
        path = place + "/case"
        write_directory(parts.files, path)
    else:
        write_archive(parts.files, path, getattr(parts, "extra", b""))
    if "whole" in case:
        with open(path, "rb") as file:
            data = case["whole"](file.read())
        with open(path, "wb") as out:
            out.write(data)
    if "after" in case:
        case["after"](path)
    return Made(path, parts.diff_ids)


def gnu_long(name, kind=b"L"):
    body = encoded(name) + b"\0"
    return header(b"././@LongLink", len(body), kind, magic=b"ustar  \0") + padded(body)


def in_memory(data):
    return io.BytesIO(data)
