"""Cases of one layer or a few: what entries become, and which are refused (rules 5 to 21)."""
import os
import struct

from hostile_make import (END, block, char, d, encoded, entry, f, fifo, gnu_long, gz, h, header, l, padded, pax,
                          skippable, tar, wh, xz, zstd_frame)

CASES = []


def case(rule, says, *entries, **rest):
    """A docker archive of one layer made of ENTRIES, unless REST has layers of its own."""
    if entries:
        rest["layers"] = [tar(*entries)]
    CASES.append(dict(rest, rule=rule, says=says))


FILE = "file 644 'x'"
BASE = tar(d("etc"), f("etc/file", "x"))


def on_base(*entries):
    return [BASE, tar(*entries)]


# ---- 5: compression ----
PLAIN = tar(d("etc"), f("etc/file", "x" * 3000))
SEEN = {"etc": "dir 755", "etc/file": f"file 644 {'x' * 40!r}"}


def blob(rule, says, data, **rest):
    CASES.append(dict(rest, rule=rule, says=says, layers=[PLAIN], blobs=[data]))


HALF = len(PLAIN) // 2
blob(5, "reads all members of a gzip file", gz(PLAIN[:HALF]) + gz(PLAIN[HALF:]), tree=SEEN)
blob(5, "reads an empty gzip member between two", gz(PLAIN[:HALF]) + gz(b"") + gz(PLAIN[HALF:]), tree=SEEN)
blob(5, "lets zeros stand behind gzip", gz(PLAIN) + bytes(1000), tree=SEEN)
blob(5, "refuses garbage behind gzip", gz(PLAIN) + b"garbage", refused="garbage behind its end")
blob(5, "refuses garbage behind the zeros behind gzip", gz(PLAIN) + bytes(10) + b"x",
     refused="garbage behind its end")
blob(5, "refuses gzip that is cut off", gz(PLAIN)[:-20], refused="truncated")
blob(5, "refuses gzip without its length", gz(PLAIN)[:-4], refused="truncated")
blob(5, "refuses gzip with a wrong checksum", gz(PLAIN)[:-8] + b"\1\2\3\4" + gz(PLAIN)[-4:],
     refused="incorrect data check")
blob(5, "refuses gzip with a wrong length", gz(PLAIN)[:-4] + b"\1\2\3\4", refused="incorrect length check")
blob(5, "refuses a second gzip member that is cut off", gz(PLAIN[:HALF]) + gz(PLAIN[HALF:])[:-9],
     refused="truncated")
blob(5, "reads a zstd frame", zstd_frame(PLAIN), tree=SEEN)
blob(5, "reads all zstd frames", zstd_frame(PLAIN[:HALF]) + zstd_frame(PLAIN[HALF:]), tree=SEEN)
blob(5, "skips skippable zstd frames", skippable() + zstd_frame(PLAIN[:HALF]) + skippable() +
     zstd_frame(PLAIN[HALF:]) + skippable(), tree=SEEN)
blob(5, "refuses zstd that is cut off", zstd_frame(PLAIN)[:-5], refused="truncated")
blob(5, "refuses a zstd frame without its last block", zstd_frame(PLAIN, last=False), refused="truncated")
blob(5, "refuses garbage behind zstd", zstd_frame(PLAIN) + b"garbage", refused="zstd: ")
blob(5, "reads zstd with a window of 8 MiB", zstd_frame(PLAIN, window=23), tree=SEEN)
blob(5, "refuses zstd with a window of 16 MiB", zstd_frame(PLAIN, window=24), refused="window of more than 8 MiB")
blob(5, "reads zstd with a window of 16 MiB when told to", zstd_frame(PLAIN, window=24), tree=SEEN,
     options=["--window", "16M"])
blob(5, "refuses zstd with a window that is larger than a byte when told to", zstd_frame(PLAIN, window=20),
     refused="zstd: it needs a window", options=["--window", "1"])
blob(5, "reads zstd where more was allowed than there can be", zstd_frame(PLAIN), tree=SEEN,
     options=["--window", "1T"])
blob(5, "reads xz", xz(PLAIN), tree=SEEN)
blob(5, "reads all xz streams", xz(PLAIN[:HALF]) + xz(PLAIN[HALF:]), tree=SEEN)
blob(5, "refuses xz that is cut off", xz(PLAIN)[:-8], refused="truncated")
blob(5, "refuses xz with a dictionary of 64 MiB", xz(PLAIN, preset=9), refused="more memory than a window of 8 MiB")
blob(5, "reads xz with a dictionary of 64 MiB when told to", xz(PLAIN, preset=9), tree=SEEN,
     options=["--window", "64M"])
blob(5, "refuses xz that is damaged", xz(PLAIN)[:40] + b"\0\0\0\0" + xz(PLAIN)[44:], refused="xz: ")
blob(4, "names a compression that it doesn't have", b"BZh91AY&SY" + bytes(600), refused="bzip2")

# ---- 6: limits, truncation ----
case(6, "refuses an archive that ends within a file", layers=[f("a", "x" * 5000)[:2048]], form="oci",
     refused="Truncated")
case(6, "refuses an archive that ends within a header", layers=[f("a", "x") + header(b"b")[:100]], form="oci",
     refused="tar: ")
case(6, "refuses an archive that ends within a pax header", form="oci",
     layers=[f("a", "x") + pax({b"path": b"p" * 2000})[:1024]], refused="tar: ")
case(6, "takes an archive without an end marker", layers=[f("a", "x")], tree={"a": FILE})
case(6, "takes an archive of nothing but its end", layers=[END], tree={})
case(3, "hashes what lies behind the archive's end", layers=[tar(f("a", "x")) + bytes(20000)], tree={"a": FILE})
case(3, "ignores entries behind the archive's end", layers=[tar(f("a", "x")) + tar(f("b", "x"))],
     tree={"a": FILE})
case(6, "refuses more than 16 MiB behind the archive's end", form="oci",
     layers=[tar(f("a", "x")) + bytes(17 << 20)], blobs=[gz(tar(f("a", "x")) + bytes(17 << 20))],
     refused="behind its archive's end")
case(6, "refuses a file larger than 256 GiB", f("a", stated=1 << 39), form="oci", refused="larger than")
case(6, "refuses a sparse file larger than 256 GiB",
     entry("a", b"1\n0\n0\n" + bytes(506), records={b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0",
                                                 b"GNU.sparse.name": b"big", b"GNU.sparse.realsize": b"1099511627776"}),
     refused="larger than")
case(6, "refuses a long name header of more than 1 MiB",
     header(b"././@LongLink", 2 << 20, b"L") + bytes(2 << 20), f("a"), refused="tar: ")
case(6, "refuses a pax header of more than 1 MiB",
     header(b"PaxHeaders/x", 3 << 20, b"x") + padded(b"%d path=" % (3 << 20) + b"a" * (3 << 20))[:3 << 20],
     f("a"), refused="tar: ")
case(6, "refuses attributes of more than 72 KiB",
     f("a", records={b"SCHILY.xattr.user.a": b"x" * 60000, b"SCHILY.xattr.user.b": b"x" * 60000}),
     refused="attributes take more than")
case(6, "refuses a file whose size is negative", header(b"a", -512) + END, refused="a")
case(7, "refuses what is no tar archive", layers=[b"no archive at all " * 100], refused="tar: ")
case(4, "takes a tar archive whose first name begins as bzip2 does", f("BZhello", "x"), tree={"BZhello": FILE})
case(7, "refuses a header with a wrong checksum", f("a", "x"), header(b"b")[:148] + b"000000\0 " +
     header(b"b")[156:], refused="tar: ")
case(7, "refuses a pax header that makes no sense",
     header(b"x", 12, b"x") + padded(b"99 path=abc\n"), f("a"), refused="tar: ")

# ---- 8: names ----
case(8, "strips a leading slash", d("/etc"), f("/etc/file", "x"), tree={"etc": "dir 755", "etc/file": FILE})
case(8, "strips dots and double slashes", d("./etc/."), f("./etc/.//file", "x"),
     tree={"etc": "dir 755", "etc/file": FILE})
for name in ("../outside", "etc/../../../outside", "etc/..", "..", "/../outside"):
    case(8, f"refuses {name}", d("etc"), f(name, "evil"), refused="leads out of the layer")
case(8, "refuses a directory ..", d("a/.."), refused="leads out of the layer")
case(8, "takes an empty name as the root", d("", mode=0o700), f("a", "x"), tree={".": "dir 700", "a": FILE})
case(8, "refuses an empty name of a file", header(b"", 0) + END, refused="the layer's root is no directory")
case(8, "keeps names that only begin with dots", f("..a", "x"), f("...", "x"), tree={"..a": FILE, "...": FILE})
case(8, "takes components of 255 bytes", f("n" * 255, "x"), tree={"n" * 255: FILE})
case(8, "refuses components of 256 bytes", f("n" * 256, "x"), refused="longer than 255 bytes")
case(8, "refuses names of more than 4095 bytes", f("/".join(["n" * 200] * 21), "x"),
     refused="longer than 4095 bytes")
case(8, "takes names that are 256 directories deep", f("/".join(["n"] * 256), "x"))
case(8, "refuses names that are 257 directories deep", f("/".join(["n"] * 257), "x"),
     refused="more than 256 directories deep")
case(8, "keeps bytes that are no UTF-8", f(b"caf\xe9", "x"), tree={"caf\xe9": FILE})
case(8, "keeps bytes that are no UTF-8 in a pax header", f(b"\xff" * 120, "x"), tree={"\xff" * 120: FILE})
case(8, "keeps UTF-8 as it stands, in any form", f("e\u0301/".encode() + b"n" * 100, "x"),
     tree={"e\u0301".encode().decode("latin-1"): "dir 755",
           "e\u0301/".encode().decode("latin-1") + "n" * 100: FILE})
case(8, "reads GNU long names", gnu_long("long/" + "n" * 150), f("short", "x"),
     tree={"long": "dir 755", "long/" + "n" * 150: FILE})
case(8, "shows control characters as question marks", f("a\x1b[31m/../b"), refused="a?[31m")
case(8, "shows control characters that take two bytes, or one above 127, as question marks, and letters as they are",
     f(b"\xc3\xa9\xc2\x9b2J\x9b2J/../b"), refused="\xc3\xa9\xc2?2J?2J/")
case(8, "keeps newlines and other controls in names", f("a\nb\x1b", "x"), tree={"a\nb\x1b": FILE})

# ---- 9: symbolic links on the way ----
case(9, "follows a link of this layer", d("usr"), d("usr/lib"), l("lib", "usr/lib"), f("lib/file", "x"),
     tree={"usr": "dir 755", "usr/lib": "dir 755", "lib": "link usr/lib", "usr/lib/file": FILE})
case(9, "follows an absolute link inside the layer", d("usr"), l("lib", "/usr"), f("lib/file", "x"),
     tree={"usr": "dir 755", "lib": "link /usr", "usr/file": FILE})
case(9, "takes .. in a link no further than the layer's root", d("usr"), l("up", "../../../usr"),
     f("up/file", "x"), tree={"usr": "dir 755", "up": "link ../../../usr", "usr/file": FILE})
case(9, "writes nothing through a link to the host", l("up", "/tmp"), f("up/wherry-was-here", "evil"),
     refused="follow the symbolic link")
case(9, "writes nothing through a link that climbs out", l("up", "../../../../.."), l("up/outside", "x"),
     tree={"up": "link ../../../../..", "outside": "link x"})
case(9, "refuses links that go round in circles", l("a", "b"), l("b", "a"), f("a/file"), refused="follow")
case(9, "refuses links through /proc", l("a", "/proc/self/root"), f("a/file"), refused="follow")
case(9, "never follows a link of a layer below", layers=[tar(d("usr"), l("lib", "usr")), tar(f("lib/file", "x"))],
     tree={"lib": "dir 755", "lib/file": FILE}, about=["implied"])
case(9, "refuses a file as a directory", f("a", "x"), f("a/b", "x"), refused="what should be its directory is none")
case(9, "replaces a link by a file, not what it leads to", f("target", "x"), l("a", "target"), f("a", "y"),
     tree={"target": FILE, "a": "file 644 'y'"})
case(9, "goes on after a link was replaced by a directory", d("real"), l("a", "real"), f("a/one", "x"), d("a"),
     f("a/two", "x"), tree={"real": "dir 755", "real/one": FILE, "a": "dir 755 opaque", "a/two": FILE})
case(9, "goes on after a directory was replaced through a link",
     d("dir"), d("dir/sub"), l("dir/sub/up", "../../dir"), f("dir/sub/up/sub", "x"), f("dir/new", "x"),
     tree={"dir": "dir 755", "dir/sub": FILE, "dir/new": FILE})

case(9, "refuses what goes on in a directory that was replaced through a link",
     d("dir"), d("dir/sub"), l("dir/sub/up", "../../dir"), f("dir/sub/up/sub", "x"), f("dir/sub/up/new", "x"),
     refused="what should be its directory is none")



def deeper_by_links(times):
    """A file 250 directories down, then as far below a link to there, and so on: no name of it is long."""
    down, made, here = "/".join(["n"] * 250), [], ""
    for i in range(times):
        made += [l(f"way{i}", here)] if here else []
        here = f"way{i}/{down}"
        made.append(f(here + "/file", "x"))
    return made


case(9, "refuses links that lead deeper than 256 directories, and removes them with few descriptors",
     *deeper_by_links(8), descriptors=1024, refused="more than 256 directories deep")

# ---- 10: the last entry wins ----
case(10, "lets the last of two files win", f("a", "first"), f("a", "x"), tree={"a": FILE})
case(10, "never writes into an earlier file's links", f("a", "first"), h("b", "a"), f("a", "x"),
     tree={"a": FILE, "b": "file 644 'first'"})
case(10, "lets a file replace a directory", d("a"), f("a/b", "x"), d("a/c"), f("a", "x"), tree={"a": FILE})
case(10, "keeps a directory's children when it comes again", d("a"), f("a/b", "x"), d("a", mode=0o700, uid=5),
     tree={"a": "dir 700 5:0", "a/b": FILE})
case(10, "drops attributes when a directory comes again",
     d("a", records={b"SCHILY.xattr.user.old": b"1"}), d("a", records={b"SCHILY.xattr.user.new": b"1"}),
     tree={"a": "dir 755 user.new"})
case(10, "lets a link replace a file", f("a", "x"), l("a", "b"), tree={"a": "link b"})
case(10, "lets a fifo replace a link", l("a", "b"), fifo("a"), tree={"a": "fifo 644"})

# ---- 11: the root ----
case(11, "takes the root's mode and owner", d("./", mode=0o1770, uid=7, gid=8), f("a", "x"),
     tree={".": "dir 1770 7:8", "a": FILE})
case(11, "says that a layer has no entry for its root", f("a", "x"), tree={"a": FILE}, about=["no-root"])
case(11, "refuses a root that is a file", l("./", "x"),
     refused="root is no directory")
case(11, "refuses a root that is a hard link", f("a"), h(".", "a"), refused="root is no directory")

# ---- 12: directories without an entry ----
case(12, "gives a directory without an entry what the layer below has",
     layers=[tar(d("etc", mode=0o710, uid=3, gid=4, mtime=77)), tar(f("etc/file", "x"))],
     tree={"etc": "dir 710 3:4", "etc/file": FILE}, times={"etc": 77 * 10**9}, about=["implied"])
case(12, "looks for it in all layers below, the topmost first",
     layers=[tar(d("etc", mode=0o700)), tar(d("etc", mode=0o750)), tar(f("other", "x")), tar(f("etc/file", "x"))],
     tree={"etc": "dir 750", "etc/file": FILE})
case(12, "looks no further than a whiteout",
     layers=[tar(d("etc", mode=0o700)), tar(wh("etc")), tar(f("etc/file", "x"))],
     tree={"etc": "dir 755", "etc/file": FILE})
case(12, "looks no further than an opaque directory",
     layers=[tar(d("a"), d("a/b", mode=0o700)), tar(d("a"), f("a/.wh..wh..opq")), tar(f("a/b/c", "x"))],
     tree={"a": "dir 755", "a/b": "dir 755", "a/b/c": FILE})
case(12, "looks no further than an opaque root",
     layers=[tar(d("a", mode=0o700)), tar(f(".wh..wh..opq"), f("other", "x")), tar(f("a/b", "x"))],
     tree={"a": "dir 755", "a/b": FILE})
case(12, "makes it 0755 root where no layer has it", f("a/b", "x"), tree={"a": "dir 755", "a/b": FILE},
     times={"a": 0})
case(12, "takes its attributes, too",
     layers=[tar(d("etc", records={b"SCHILY.xattr.user.a": b"1"})), tar(f("etc/file", "x"))],
     tree={"etc": "dir 755 user.a", "etc/file": FILE})
case(12, "takes the entry if it comes later", f("a/b", "x"), d("a", mode=0o700), tree={"a": "dir 700", "a/b": FILE})

# ---- 13: hard links ----
case(13, "links files", f("a", "x"), h("b", "a"), tree={"a": FILE + " links 2", "b": FILE + " links 2"})
case(13, "counts a file of three names once", f("a", "eight of"), h("b", "a"), h("c", "b"),
     tree={name: "file 644 'eight of' links 3" for name in "abc"})
case(13, "links symbolic links themselves", l("a", "/etc/passwd"), h("b", "a"),
     tree={"a": "link /etc/passwd", "b": "link /etc/passwd"})
case(13, "ignores a link's own metadata", f("a", "x"), h("b", "./a", mode=0o777, uid=9, mtime=5),
     tree={"a": FILE + " links 2", "b": FILE + " links 2"}, times={"a": 0})
case(13, "leaves a link to itself alone", f("a", "x"), h("a", "a"), tree={"a": FILE})
case(13, "leaves a link to itself by another way alone", d("d"), f("d/a", "x"), l("e", "d"), h("e/a", "d/a"),
     tree={"d": "dir 755", "d/a": FILE, "e": "link d"})
case(13, "names both when a target is missing", h("b", "nowhere"), refused="b: a link to nowhere: this layer has no")
case(13, "links nothing of a layer below", layers=on_base(h("b", "etc/file")), refused="b: a link to etc/file")
case(13, "refuses a link to a directory", d("a"), h("b", "a"), refused="that is a directory")
case(13, "refuses a link to a whiteout", wh("a"), h("b", "a"), refused="this layer has removed that")
case(13, "refuses a link to a device", char("a", 1, 3), h("b", "a"), refused="neither a file nor")
case(13, "refuses a link out of the layer", h("b", "../outside"), refused="leads out of the layer")
case(13, "takes a link to an absolute name as one of the layer", h("b", "/etc/hostname"),
     refused="this layer has no such file")
case(13, "links nothing through a link out of the layer", l("up", "../../.."), h("b", "up/outside"),
     refused="this layer has no such file")
for climb in range(1, 8):
    case(13, f"links nothing {climb} directories above the layer", l("up", "../" * climb), h("b", "up/outside"),
         refused="this layer has no such file")
case(13, "replaces what is there by a link", f("a", "x"), d("b"), f("b/c"), h("b", "a"),
     tree={"a": FILE + " links 2", "b": FILE + " links 2"})
case(13, "refuses a link to what its own place removes", d("b"), f("b/c", "x"), h("b", "b/c"),
     refused="no such file any more")

# ---- 14: names of whiteouts ----
case(14, "removes what lies below", layers=on_base(d("etc"), wh("etc/file")),
     tree={"etc": "dir 755", "etc/file": "whiteout"})
case(14, "takes a whiteout of any type", d(".wh.a"), l(".wh.b", "x"), f(".wh.c", "content"), fifo(".wh.d"),
     tree={"a": "whiteout", "b": "whiteout", "c": "whiteout", "d": "whiteout"})
case(14, "refuses .wh.", f(".wh."), refused="whiteout of nothing")
case(14, "refuses .wh..", f("a/.wh.."), refused="whiteout of nothing")
case(14, "refuses .wh...", f("a/.wh..."), refused="whiteout of nothing")
case(14, "refuses a whiteout as a directory", f(".wh.a/b", "x"), refused="a whiteout is no directory")
case(14, "ignores AUFS' own files and all below them", f(".wh..wh.aufs"), d(".wh..wh.plnk"),
     f(".wh..wh.plnk/1.2", "x"), f("a", "x"), tree={"a": FILE})
case(14, "makes a directory opaque", layers=on_base(d("etc"), f("etc/.wh..wh..opq"), f("etc/new", "x")),
     tree={"etc": "dir 755 opaque", "etc/new": FILE})

# ---- 15: whiteouts and what this layer has ----
case(15, "does nothing where this layer has a file", f("a", "x"), wh("a"), tree={"a": FILE})
case(15, "does nothing where this layer has a file later", wh("a"), f("a", "x"), tree={"a": FILE})
case(15, "makes a directory of this layer opaque", d("a"), f("a/b", "x"), wh("a"),
     tree={"a": "dir 755 opaque", "a/b": FILE})
case(15, "makes a directory opaque that comes later", wh("a"), d("a"), f("a/b", "x"),
     tree={"a": "dir 755 opaque", "a/b": FILE})
case(15, "makes a directory without an entry opaque", wh("a"), f("a/b", "x"),
     tree={"a": "dir 755 opaque", "a/b": FILE})
case(15, "makes a directory opaque that replaces a file", f("a", "x"), d("a"), tree={"a": "dir 755 opaque"})
case(15, "removes once what is removed twice", wh("a"), wh("a"), tree={"a": "whiteout"})
case(15, "keeps a directory's times when it becomes opaque", d("a", mtime=99), wh("a"),
     tree={"a": "dir 755 opaque"}, times={"a": 99 * 10**9})

case(15, "keeps them, too, when that removes a whiteout from it", d("a", mtime=99), wh("a/b"), wh("a"),
     tree={"a": "dir 755 opaque"}, times={"a": 99 * 10**9})

# ---- 16: no whiteouts in opaque directories ----
case(16, "leaves no whiteout in an opaque directory", d("a"), wh("a/b"), f("a/.wh..wh..opq"), wh("a/c"),
     tree={"a": "dir 755 opaque"})
case(16, "leaves none further down either", d("a"), d("a/b"), wh("a/b/c"), f("a/.wh..wh..opq"), d("a/d"),
     wh("a/d/e"), tree={"a": "dir 755 opaque", "a/b": "dir 755", "a/d": "dir 755"})
case(16, "sees through a link that it is in an opaque directory", d("a"), f("a/.wh..wh..opq"), d("a/b"),
     l("l", "a/b"), wh("l/c"), tree={"a": "dir 755 opaque", "a/b": "dir 755", "l": "link a/b"})

case(16, "keeps the times of directories that it removes whiteouts from", d("a"), d("a/b", mtime=9), wh("a/b/c"),
     d("x"), f("a/.wh..wh..opq"), tree={"a": "dir 755 opaque", "a/b": "dir 755", "x": "dir 755"},
     times={"a/b": 9 * 10**9})

# ---- 17: an opaque root ----
case(17, "records an opaque root", layers=on_base(f(".wh..wh..opq"), f("a", "x")), tree={"a": FILE},
     about=["opaque-root"])
case(17, "leaves no whiteout below an opaque root", layers=on_base(wh("etc"), f(".wh..wh..opq"), wh("b")), tree={},
     about=["opaque-root"])

# ---- 18 ----
case(18, "takes the same layer twice", layers=[BASE, tar(f("a", "x")), BASE],
     tree={"etc": "dir 755", "etc/file": FILE})
case(18, "takes empty layers", layers=[BASE, END, END])

# ---- 19: attributes and devices ----
case(19, "makes devices", char("null", 1, 3, mode=0o666), block("ram", 1, 0), fifo("pipe"),
     tree={"null": "char 666 1,3", "ram": "block 644 1,0", "pipe": "fifo 644"})
case(19, "refuses a character device 0/0", char("a", 0, 0), refused="overlayfs' own")
case(19, "refuses a device that would become 0/0", char("a", 1 << 12, 0), refused="larger than Linux has")
case(19, "refuses a device that would become another", block("a", 8, 1 << 20), refused="larger than Linux has")
case(19, "makes a device of the largest number", block("a", 0xfff, 0xfffff), tree={"a": "block 644 4095,1048575"})
OWN = {b"SCHILY.xattr.user.note": b"kept"}
BAD = {b"SCHILY.xattr." + name: b"y" for name in (
    b"trusted.overlay.opaque", b"trusted.overlay.redirect", b"trusted.overlay.metacopy", b"trusted.other",
    b"user.overlay.opaque", b"security.selinux", b"security.ima", b"security.evm",
    b"system.posix_acl_access")}
case(19, "drops attributes that are not the image's to give", d("a", records={**OWN, **BAD}),
     f("b", "x", records={**OWN, **BAD}), tree={"a": "dir 755 user.note", "b": FILE + " user.note"})
case(19, "drops them in libarchive's spelling, too",
     d("a", records={b"LIBARCHIVE.xattr.trusted.overlay.opaque": b"eQ==", b"LIBARCHIVE.xattr.user.note": b"eQ=="}),
     tree={"a": "dir 755 user.note"})
CAPABILITY = struct.pack("<IIIII", 0x02000001, 0x2000, 0, 0, 0)
case(19, "keeps a program's capabilities", f("ping", "x", mode=0o755, uid=1,
                                             records={b"SCHILY.xattr.security.capability": CAPABILITY}),
     tree={"ping": "file 755 1:0 'x' security.capability"})
case(19, "refuses an attribute without a name", f("a", "x", records={b"SCHILY.xattr.user.": b"x"}),
     refused="attribute user.")

# ---- 20: modes and owners ----
case(20, "keeps setuid, setgid and sticky bits", f("a", "x", mode=0o6755, uid=3, gid=4), d("b", mode=0o3777, gid=5),
     f("b/c", "x"), tree={"a": "file 6755 3:4 'x'", "b": "dir 3777 0:5", "b/c": FILE})
case(20, "minds no umask", f("a", "x", mode=0o666), d("b", mode=0o777), tree={"a": "file 666 'x'", "b": "dir 777"})
case(20, "takes the largest ids", f("a", "x", records={b"uid": b"4294967294", b"gid": b"4294967294"}),
     tree={"a": "file 644 4294967294:4294967294 'x'"})
case(20, "refuses the id that is none", f("a", records={b"uid": b"4294967295"}), refused="owner is not between")
case(20, "refuses ids of more than 32 bits", f("a", records={b"gid": b"4294967296"}), refused="owner is not between")
case(20, "refuses negative ids", header(b"a", uid=-1) + END, refused="owner is not between")

# ---- 21: times, holes ----
def accessed(times):
    def check(root):
        found = {name: os.lstat(f"{root}/{name}").st_atime_ns for name in times}
        assert found == times, f"wanted: {times}\ngot:    {found}"
    return check


case(21, "keeps nanoseconds", f("a", "x", records={b"mtime": b"1234567890.123456789"}), tree={"a": FILE},
     times={"a": 1234567890123456789})
case(21, "sets a directory's times after its files", d("a", mtime=5), f("a/b", "x"), d("c", mtime=6),
     f("a/d", "x"), tree={"a": "dir 755", "a/b": FILE, "a/d": FILE, "c": "dir 755"},
     times={"a": 5 * 10**9, "c": 6 * 10**9})
case(21, "sets the root's times last", d("./", mtime=5), f("a", "x"), tree={"a": FILE}, times={".": 5 * 10**9})
case(21, "gives links, devices and fifos their times", l("a", "b", mtime=5), fifo("c", mtime=6),
     char("d", 1, 3, mtime=7), tree={"a": "link b", "c": "fifo 644", "d": "char 644 1,3"},
     times={"a": 5 * 10**9, "c": 6 * 10**9, "d": 7 * 10**9})
case(21, "keeps the time of access where there is one, else that of the change",
     f("a", "x", mtime=5, records={b"atime": b"1234567890.5"}), f("b", "x", mtime=6), fifo("c", mtime=7,
       records={b"atime": b"8.25"}), d("d", mtime=9, records={b"atime": b"10"}),
     checks=[accessed({"a": 1234567890500000000, "b": 6 * 10**9, "c": 8250000000, "d": 10 * 10**9})])
case(21, "takes times before 1970", f("a", "x", records={b"mtime": b"-1.5"}), tree={"a": FILE},
     times={"a": -1500000000})


def sparse(name, pieces, size, stated=None):
    """GNU's format 1.0 in a pax header: the map stands before the data."""
    text = f"{len(pieces)}\n" + "".join(f"{at}\n{len(data)}\n" for at, data in pieces)
    body = padded(text.encode()) + b"".join(data for _, data in pieces)
    return entry("GNUSparseFile.0/" + name, body, stated=stated, records={
        b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0", b"GNU.sparse.name": encoded(name),
        b"GNU.sparse.realsize": str(size).encode()})


def is_sparse(layer):
    st = os.stat(layer + "/a")
    assert st.st_size == 10 << 20 and st.st_blocks * 512 < 1 << 20, f"size {st.st_size}, blocks {st.st_blocks}"
    with open(layer + "/a", "rb") as file:
        file.seek(5 << 20)
        assert file.read(4) == b"data", "the data are not where they belong"


case(21, "keeps holes", sparse("a", [(0, b"x" * 512), (5 << 20, b"data" * 128)], 10 << 20),
     tree={"a": f"file 644 {'x' * 40!r}"}, checks=[is_sparse])
case(21, "refuses a sparse map that goes backwards", sparse("a", [(4096, b"x" * 512), (0, b"y" * 512)], 8192),
     refused="")
case(21, "refuses a sparse map that doesn't fit", sparse("a", [(0, b"x" * 512), (9000, b"y" * 512)], 8192),
     refused="")
case(21, "refuses a sparse map of negative numbers", entry("a", padded(b"1\n-5\n10\n") + bytes(512), records={
    b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0", b"GNU.sparse.name": b"a",
    b"GNU.sparse.realsize": b"8192"}), refused="")
