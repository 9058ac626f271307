#!/usr/bin/env python3
"""Images whose layers an overlay could show wrongly, each on the layers of busybox.

layers.py OUT CASE BUSYBOX-LAYER.tar…: an archive of `docker save`, called CASE.
"""
import sys

from hostile_make import Docker, END, block, char, d, f, l, tar, wh, write_archive


def without_end(layer):
    """Its entries alone, so that others can stand behind them."""
    end = len(layer)
    while end >= 512 and not any(layer[end - 512:end]):
        end -= 512
    return layer[:end]


def twice(busybox):
    first = tar(d("seen"), f("seen/file", "first"), f("seen/one", "1"))
    return busybox + [first, tar(f("seen/file", "second"), f("seen/two", "2"), d("seen")), first]


def empty(busybox):
    return busybox + [END, END + bytes(512), tar(d("seen"))]


def deep(busybox):
    """As many layers as overlayfs takes."""
    return busybox + [tar(d("seen"), f(f"seen/{n}", "x"), f("seen/last", str(n)))
                      for n in range(500 - len(busybox))]


def deeper(busybox):
    return deep(busybox) + [tar(f("one-more", "x"))]


def opaque_root(busybox):
    below = tar(d("old"), f("old/file", "x"), f("file", "x"))
    return [below, f(".wh..wh..opq") + b"".join(map(without_end, busybox)) + END]


def opaque(busybox):
    """Whiteouts in an opaque directory, before and after it became so, and further down."""
    return busybox + [
        tar(d("seen"), f("seen/old", "x"), d("seen/below"), f("seen/below/old", "x")),
        tar(d("seen"), wh("seen/old"), f("seen/.wh..wh..opq"), wh("seen/gone"), d("seen/below"),
            wh("seen/below/old"), f("seen/new", "x"))]


def new_directory(busybox):
    """Whiteouts in directories that no layer below has: there is nothing that they could hide."""
    return busybox + [
        tar(d("seen"), f("seen/old", "x"), f("plain", "x")),
        tar(d("seen"), wh("seen/old"), d("seen/new"), wh("seen/new/gone"), f("seen/new/file", "x"),
            d("plain"), wh("plain/gone"), l("way", "seen/new"), wh("way/far"))]


def bottom(busybox):
    """The same in the lowest layer of all."""
    return [tar(d("seen"), wh("seen/gone"), f("seen/file", "x"))] + busybox


def both(busybox):
    """The layer that new_directory has at the top, where it does hide something."""
    return new_directory(busybox)[:-2] + [tar(d("seen"), d("seen/new"), f("seen/new/gone", "x"))] + \
        new_directory(busybox)[-1:]


TAKER = tar(f("seen/file", "x"))


def low(busybox):
    """A directory without an entry, at the bottom: it takes nothing from anybody."""
    return [TAKER] + busybox


def high(busybox):
    """The same layer, where there is something to take."""
    return busybox + [tar(d("seen", mode=0o710, uid=3)), TAKER]


def attributes(busybox):
    return busybox + [tar(*(f(f"{layer}-{n}", "1", records={b"SCHILY.xattr.user.note": b"x"}) for n in range(3)))
                      for layer in ("one", "two")]


def many_attributes(busybox):
    """More names than 4 KiB hold, on a directory that the upper layer has no entry for."""
    note = {b"SCHILY.xattr.user." + b"%03d" % n + b"n" * 200: b"x" for n in range(40)}
    return busybox + [tar(d("seen", records=note)), tar(f("seen/file", "x"))]


def devices(busybox):
    """More than one, in more than one layer."""
    return busybox + [tar(*(char(f"{layer}-{n}", 1, n) for n in range(3, 8)), block(f"{layer}-disk", 7, 0),
                          f(f"{layer}-file", "x")) for layer in ("one", "two")]


def root(busybox):
    return busybox + [tar(d("./", mode=0o711, uid=5, gid=6, records={b"SCHILY.xattr.user.note": b"kept"})),
                      tar(f("file", "x"))]


def main():
    out, case, *paths = sys.argv[1:]
    busybox = []
    for path in paths:
        with open(path, "rb") as file:
            busybox.append(file.read())
    made = Docker(globals()[case.replace("-", "_")](busybox))
    made.config["config"] = {"Env": ["PATH=/bin"], "Cmd": ["sh"]}
    made.tags = [case + ":latest"]
    made.seal()
    write_archive(made.files, out)


main()
