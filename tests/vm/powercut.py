#!/usr/bin/env python3
"""Replays the log of a disk's writes (dm-log-writes' format, as QEMU's blklogwrites driver makes it) as a power
cut leaves them: all up to the last flush, and any of those behind it.

powercut.py LOG count                    how many writes and flushes there are
powercut.py LOG cut BASE OUT ENTRY SEED  OUT: the disk after a cut at that entry; BASE: the disk before the log
"""
import os
import random
import struct
import sys

MAGIC = 0x6a736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


def entries(log):
    """(sector's offset, bytes, flags, where the data are in the log) of each."""
    with open(log, "rb") as file:
        magic, version, count, sector = struct.unpack("<QQQI", file.read(28))
        assert magic == MAGIC and version == 1, "this is no log of writes"
        at = sector
        for _ in range(count):
            file.seek(at)
            start, length, flags, extra = struct.unpack("<QQQQ", file.read(32))
            has_data = not flags & DISCARD
            yield start * sector, length * sector, flags, at + sector
            at += sector + (length * sector if has_data else 0) + (extra if flags & MARK else 0)


def apply(disk, log, entry):
    start, length, flags, at = entry
    if not length:
        return
    disk.seek(start)
    if flags & DISCARD:
        return  # what a discarded block holds is anybody's guess: here, what it held
    log.seek(at)
    disk.write(log.read(length))


def copy_sparse(base, out):
    """Many disks are made of one that is nearly empty."""
    with open(base, "rb") as source, open(out, "wb") as disk:
        size = os.fstat(source.fileno()).st_size
        disk.truncate(size)
        at = 0
        while at < size:
            piece = source.read(1 << 16)
            if piece.count(0) != len(piece):
                disk.seek(at)
                disk.write(piece)
            at += len(piece)


def cut(path, base, out, upto, seed):
    every = list(entries(path))[:upto]
    chance = random.Random(seed)
    flushed = max((i for i, entry in enumerate(every) if entry[2] & FLUSH), default=0)
    copy_sparse(base, out)
    with open(path, "rb") as log, open(out, "r+b") as disk:
        for entry in every[:flushed]:
            apply(disk, log, entry)
        for entry in every[flushed:]:
            if entry[2] & FUA or chance.random() < 0.5:
                apply(disk, log, entry)


if sys.argv[2] == "count":
    print(sum(1 for _ in entries(sys.argv[1])))
else:
    cut(sys.argv[1], sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))
