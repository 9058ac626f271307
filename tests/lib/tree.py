#!/usr/bin/env python3
"""Prints a directory tree, a line for each path, with all that an image says of it.

tree.py DIR [--no-root] [--skip NAME,…]: type, mode, owner, size, nanosecond times, device numbers, digest of the
content, link target, which paths are links of one file, extended attributes. For diff(1).
"""
import hashlib
import os
import stat
import sys

KINDS = {stat.S_IFDIR: "dir", stat.S_IFREG: "file", stat.S_IFLNK: "link", stat.S_IFCHR: "char",
         stat.S_IFBLK: "block", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}


def content(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()[:16]


def attributes(path):
    found = []
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        if name.startswith("trusted.overlay.") or name == "security.selinux":
            continue
        found.append(name + "=" + os.getxattr(path, name, follow_symlinks=False).hex())
    return found


def describe(path, shown, first):
    st = os.lstat(path)
    kind = stat.S_IFMT(st.st_mode)
    line = [repr(shown), KINDS[kind], oct(stat.S_IMODE(st.st_mode)), f"{st.st_uid}:{st.st_gid}",
            str(st.st_mtime_ns)]
    if kind == stat.S_IFREG:
        line += [str(st.st_size), content(path)]
    if kind == stat.S_IFLNK:
        line.append(repr(os.fsencode(os.readlink(path))))
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        line.append(f"{os.major(st.st_rdev)},{os.minor(st.st_rdev)}")
    if kind != stat.S_IFDIR and st.st_nlink > 1:
        line.append("same as " + repr(first.setdefault(st.st_ino, shown)))
    return " ".join(line + attributes(path))


SKIPPED = set()


def walk(top, below, first):
    names = sorted(os.listdir(os.path.join(top, below)))
    for name in names:
        shown = os.path.join(below, name)
        path = os.path.join(top, shown)
        if shown in SKIPPED:
            continue
        print(describe(path, shown, first))
        if stat.S_ISDIR(os.lstat(path).st_mode):
            walk(top, shown, first)


def main():
    top = os.fsencode(sys.argv[1])
    if "--skip" in sys.argv:
        SKIPPED.update(os.fsencode(name) for name in sys.argv[sys.argv.index("--skip") + 1].split(","))
    if "--no-root" not in sys.argv:
        print(describe(top, b".", {}))
    walk(top, b"", {})


main()
