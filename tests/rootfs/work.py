#!/usr/bin/env python3
"""Archives that ask for much work: twice the archive may take twice the processor time, or is refused by a count.

Each generator makes an archive of size N. wherry loads it at N and at 2 N, and what all of its processes take of the
processor together (user and system, so that a busy machine doesn't matter) is compared. Prints TAP. Needs root,
$WHERRY and $SCRATCH. work.py NAME runs one generator alone.
"""
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile

from hostile_make import OCI, Docker, Layout, d, f, h, header, l, padded, pax, tar, wh, write_archive

WHERRY = os.environ["WHERRY"]
SCRATCH = os.environ["SCRATCH"]
# In memory: what a disk's file system does of its own accord is not of interest.
STORE = tempfile.mkdtemp(prefix="wherry-work.", dir="/dev/shm") + "/store"
GENERATORS = []


def generator(size, says, refused=None):
    """SIZE: N. REFUSED: what wherry says at 2 N; it must be sure of that in no more than that work."""
    def add(make):
        GENERATORS.append((make.__name__, size, says, refused, make))
        return make
    return add


def docker(path, *layers, change=None):
    parts = Docker(layers)
    if change:
        change(parts)
    parts.seal()
    write_archive(parts.files, path)


# ---- whiteouts ----

@generator(4000, "marks of an opaque directory that come again")
def opaque_again(n, path):
    docker(path, tar(d("a"), *(f(f"a/{i}") for i in range(n)), *([f("a/.wh..wh..opq")] * n)))


@generator(4000, "marks of an opaque root that come again")
def opaque_root_again(n, path):
    docker(path, tar(*(d(f"{i}") for i in range(n)), *([f(".wh..wh..opq")] * n)))


@generator(4000, "whiteouts of one directory that come again")
def whiteouts_again(n, path):
    docker(path, tar(d("a"), *(f(f"a/{i}") for i in range(n)), *([wh("a")] * n)))


@generator(100, "opaque directories one in the other, the innermost first")
def opaque_nested(n, path):
    names = ["/".join(["d"] * depth) for depth in range(1, n + 1)]
    docker(path, tar(*(d(name) for name in names), *(f(f"{names[-1]}/{i}") for i in range(20 * n)),
                     *(f(name + "/.wh..wh..opq") for name in reversed(names))))


@generator(2000, "whiteouts in a deep directory")
def whiteouts_deep(n, path):
    deep = "/".join("d" * 60)
    docker(path, tar(f("etc/x"), f(deep + "/x")), tar(d(deep), *(wh(f"{deep}/{i}") for i in range(n))))


@generator(1000, "whiteouts, each in a directory of its own that is in no layer below")
def whiteouts_spread(n, path):
    docker(path, tar(f("etc/x")), tar(*(wh(f"a/{i}/x") for i in range(n))))


# ---- directories without an entry ----

@generator(500, "implied directories on many layers that have the one above")
def implied_layers(n, path):
    docker(path, *(tar(f(f"{'d/' * 20}{i}/x")) for i in range(40)),
           tar(*(f(f"{'d/' * 20}{i}/x") for i in range(100, 100 + n))))


@generator(240, "deep implied directories on ever more layers", refused="too many layers lie below directories")
def implied_layers_deep(n, path):
    docker(path, *(tar(f(f"{'d/' * 40}{i}/x")) for i in range(n)))


@generator(600, "deep implied directories that no layer below has")
def implied_deep(n, path):
    base = [tar(d("a"), f(f"a/{i}")) for i in range(30)]
    docker(path, *base, tar(*(f(f"a/{i}/{'d/' * 40}x") for i in range(n))))


@generator(600, "implied directories that alternate between two deep ones")
def implied_alternating(n, path):
    base = [tar(f("a/" * 50 + str(i)), f("b/" * 50 + str(i))) for i in range(30)]
    docker(path, *base, tar(*(f(f"{('a/', 'b/')[i % 2] * 50}{i}/x") for i in range(n))))


# ---- the tree ----

@generator(1000, "directories that are replaced again and again")
def replaced(n, path):
    docker(path, tar(*(e for i in range(n) for e in (d("a"), f("a/x"), f("a/y"), f("a")))))


@generator(500, "a deep directory of many that goes")
def removed_deep(n, path):
    deep = "/".join("d" * 80)
    docker(path, tar(*(f(f"{deep}/{i}/x") for i in range(n)), f("d")))


@generator(2000, "hard links to one file")
def hard_links(n, path):
    docker(path, tar(f("a", "x"), *(h(f"l{i}", "a") for i in range(n)), *(h(f"l{i}", "a") for i in range(n))))


@generator(500, "names that lead through long symbolic links")
def followed(n, path):
    far = "x/../" * 400 + "x"
    docker(path, tar(d("x"), *(l(f"l{i}", far) for i in range(20)), *(f(f"l{i % 20}/{i}") for i in range(n))))


@generator(60, "attributes of files")
def attributes(n, path):
    records = {b"SCHILY.xattr.user.%d" % i: b"v" for i in range(n)}
    docker(path, tar(f("a", "x", records=records), *(f(f"{i}", records=records) for i in range(100))))


@generator(20000, "pieces of a sparse file")
def sparse(n, path):
    numbers = b"%d\n" % n + b"".join(b"%d\n1\n" % (2 * i) for i in range(n))
    body = padded(numbers) + b"x" * n
    docker(path, tar(pax({b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0", b"GNU.sparse.name": b"a",
                          b"GNU.sparse.realsize": b"%d" % (2 * n)}) + header(b"x", len(body)) + padded(body)))


@generator(2000, "pax headers, two before each entry")
def pax_twice(n, path):
    docker(path, tar(*(pax({b"comment": b"c" * 300}) + pax({b"mtime": b"5"}) + f(f"{i}", "x") for i in range(n))))


@generator(600, "pax headers before one entry", refused="pax headers take more than")
def pax_many(n, path):
    docker(path, tar(b"".join(pax({b"comment": b"c" * 1000}) for _ in range(2 * n)) + f("a")))


# ---- documents ----

@generator(250, "indexes that name one another again and again", refused="more than 1000 images are in it")
def indexes_again(n, path):
    parts = Layout([tar(f("a"))])
    parts.seal()
    entries = parts.index["manifests"]
    for level in range(3):
        document = parts.put_json({"schemaVersion": 2, "manifests": entries}, OCI + "index.v1+json")
        entries = [dict(document, annotations={"org.opencontainers.image.ref.name": f"{level}-{i}"}) for i in range(n)]
    parts.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    write_archive(parts.files, path)


@generator(400, "a large document that is named again and again", refused="its documents take more than 64 MiB")
def document_again(n, path):
    parts = Layout([tar(f("a"))])
    parts.manifest["annotations"] = {"note": "x" * (1 << 20)}
    parts.seal()
    entries = [dict(parts.index["manifests"][0], annotations={"org.opencontainers.image.ref.name": str(i)})
               for i in range(n)]
    parts.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    write_archive(parts.files, path)


@generator(450, "entries of an index, of names and platforms of all kinds")
def index_wide(n, path):
    parts = Layout([tar(f("a"))])
    parts.seal()
    one = parts.index["manifests"][0]
    entries = [dict(one, annotations={"org.opencontainers.image.ref.name": str(i // 2)},
                    **({"platform": {"os": "linux", "architecture": f"a{i}"}} if i % 2 else {})) for i in range(n)]
    parts.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    write_archive(parts.files, path)


@generator(8000, "members of an archive, each a layer of some image")
def members(n, path):
    layer = tar(f("a"))
    parts = Docker([layer])
    parts.seal()
    manifest = json.loads(parts.files["manifest.json"])[0]
    config = json.loads(parts.files[manifest["Config"]])
    config["rootfs"]["diff_ids"] *= 400
    parts.files["c.json"] = json.dumps(config).encode()
    names = [f"{i}/layer.tar" for i in range(n)]
    parts.files.update({name: layer for name in names})
    images = [{"Config": "c.json", "RepoTags": [f"i{i}:1"], "Layers": names[i:i + 400]} for i in range(0, n, 400)]
    parts.files["manifest.json"] = json.dumps(images).encode()
    write_archive(parts.files, path)


@generator(200, "one layer that is another one each time", refused="extracted again more than 200 times")
def layer_again(n, path):
    docker(path, tar(f("a/b/c/d", "x")), change=lambda parts: (
        parts.names.extend(parts.names * (n - 1)),
        parts.config["rootfs"].update(diff_ids=parts.config["rootfs"]["diff_ids"] * n)))


@generator(8 << 20, "zeros that are packed as an archive", refused="there is nothing in it")
def packed_zeros(n, path):
    with open(path, "wb") as out:
        out.write(gzip.compress(bytes(n), 1))


@generator(8 << 20, "what is no archive and packed as one", refused="it is not an archive")
def packed_noise(n, path):
    with open(path, "wb") as out:
        out.write(gzip.compress(b"no archive " * (n // 11), 1))


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load(path):
    """Processor seconds, the least of some runs; status and message of the last."""
    best, store = None, STORE
    for _ in range(3):
        subprocess.run(["rm", "-rf", store], check=True)
        before = cpu()
        done = subprocess.run([WHERRY, "--root", store, "load", "-q", path], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=600)
        took = cpu() - before
        best = took if best is None else min(best, took)
        if took > 2:
            break
    subprocess.run(["rm", "-rf", store], check=True)
    return best, done.returncode, done.stderr.decode("latin-1")


def measure(make, size, refused):
    took = []
    for n in (size, 2 * size):
        path = f"{SCRATCH}/work.tar"
        subprocess.run(["rm", "-rf", path], check=True)
        make(n, path)
        seconds, status, said = load(path)
        took.append(seconds)
        if refused and n == 2 * size:
            assert status == 125 and refused in said, f"wanted: {refused}\ngot: {status} {said}"
        elif not refused:
            assert status == 0, f"{status} {said}"
    # Four times would be the square; what is done but once makes it less than twice.
    assert took[1] < 2.9 * took[0] + 0.05 and took[1] < 20, f"{took[0]:.2f} s, and {took[1]:.2f} s for twice as much"
    return took


def main():
    chosen = [one for one in GENERATORS if len(sys.argv) < 2 or one[0] in sys.argv[1:]]
    failed = 0
    for number, (_, size, says, refused, make) in enumerate(chosen, 1):
        try:
            took = measure(make, size, refused)
            print(f"ok {number} - {says}: no more work than twice for twice as many")
            print(f"# {took[0]:.3f} s, {took[1]:.3f} s", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as wrong:
            failed += 1
            print(f"not ok {number} - {says}: no more work than twice for twice as many")
            print("# " + str(wrong).replace("\n", "\n# "), flush=True)
    print(f"1..{len(chosen)}")
    os.rmdir(os.path.dirname(STORE))
    sys.exit(1 if failed else 0)


main()
