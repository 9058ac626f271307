#!/usr/bin/env python3
"""Prints each include that goes against the order of the rooms, each file outside them, each page that says otherwise: `rooms.py [DIR]`.

A room includes what stands before it in ORDER, never what stands behind; rooms of one set in BESIDE never each other.
A header that is not there is printed, too. The exit status is 1 where anything is printed.
"""
import glob
import os
import re
import sys

ORDER = [
    "init",
    "rootfs/base", "rootfs/decode", "rootfs/layer", "rootfs/store", "rootfs/archive", "rootfs/load", "rootfs/index",
    "rootfs/export", "rootfs/pull",
    "launcher/format", "launcher/rights", "launcher/seccomp", "launcher/spec", "launcher/cgroup", "launcher/net", "launcher/mount",
    "launcher/supervise", "launcher/container", "launcher/command", "launcher/oci", "launcher",
]
BESIDE = [
    {"launcher/cgroup", "launcher/net", "launcher/mount"},
    {"launcher/command", "launcher/oci"},
    {"rootfs/index", "rootfs/export", "rootfs/pull"},
]
# What crosses from inside a container to outside: the one header that both sides of an exec know.
REPORT, REPORTED = "init/report.h", ("launcher/supervise", "launcher/container")


def below(room):
    """The rooms that ROOM may include, in order."""
    behind = ORDER[:ORDER.index(room)]
    return [there for there in behind if there != "init" and not any({room, there} <= rooms for rooms in BESIDE)] or ["nothing"]


def allowed(here, header):
    there = os.path.dirname(header)
    if there == here or (header == REPORT and here in REPORTED):
        return True
    return here in ORDER and there in below(here)


def main():
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else ".")
    count = bad = 0
    for file in sorted(f for part in ("init", "rootfs", "launcher") for f in glob.glob(part + "/**/*.[chS]", recursive=True)):
        count += 1
        here = os.path.dirname(file)
        if here not in ORDER and here != "rootfs/deps":
            print(f"{file} is in no room")
            bad += 1
        for header in re.findall(r'^#include "([^"]+)"', open(file).read(), re.M):
            if not os.path.isfile(header):
                print(f"{file} includes {header}, which is not at the top")
            elif not allowed(here, header):
                print(f"{file} includes {header}")
            else:
                continue
            bad += 1
    for room in ORDER:
        page = f"{room}/README.md"
        if "/" in room and os.path.isdir(room) and f"\nMay include: {', '.join(below(room))}.\n" not in (os.path.exists(page) and open(page).read() or ""):
            print(f"{page} does not say: May include: {', '.join(below(room))}.")
            bad += 1
    if count < 100:
        print(f"only {count} sources found")
        bad += 1
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
