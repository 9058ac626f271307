#!/usr/bin/python3
"""Says what a container's /proc/self/mountinfo lacks of what has to be hidden, read-only or without devices.

    masks.py [held] FILE…

FILE: a container's mountinfo. Docker's lists are given here a second time, as what a path shows, not as what was
mounted. HELD: devices are kept away by a controller, so that only volumes have to be nodev. Prints a line a fault.
"""
import os
import sys

HIDDEN = ["/proc/" + name for name in ("acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "scsi",
                                       "sched_debug", "timer_list", "timer_stats")]
HIDDEN += ["/sys/devices/virtual/powercap", "/sys/firmware"]
READ_ONLY = ["/proc/" + name for name in ("bus", "fs", "irq", "sys", "sysrq-trigger")]


class Mount:
    def __init__(self, line):
        words = line.split()
        self.number, self.parent, self.source, self.at = words[0], words[1], words[3], words[4]
        self.options = words[5].split(",")
        self.type = words[words.index("-") + 1]


def below(path, top):
    return path == top or path.startswith(top.rstrip("/") + "/")


def seen(mounts, path):
    """The mount that PATH is on: from the root down, at each step the topmost."""
    at = next(mount for mount in mounts if mount.parent not in {m.number for m in mounts})
    while True:
        inner = [m for m in mounts if m.parent == at.number and m is not at and below(path, m.at)]
        if not inner:
            return at
        # of several on one place the last covers the others; of several places the first on the way is met first
        at = min(inner, key=lambda m: len(m.at))


def faults_of_masks(mounts):
    for path in HIDDEN:
        if not os.path.exists(path):
            continue
        mount = seen(mounts, path)
        hidden = mount.at == path and (
            mount.source == "/null" or mount.type == "devtmpfs" or
            mount.type == "tmpfs" and {"ro", "nodev", "nosuid", "noexec"} <= set(mount.options))
        if not hidden:
            yield f"{path} is not hidden"
    for path in READ_ONLY:
        mount = seen(mounts, path)
        if os.path.exists(path) and not (mount.at == path and "ro" in mount.options and mount.type == "proc"):
            yield f"{path} is not read-only"
    if "ro" not in seen(mounts, "/sys").options:
        yield "/sys is not read-only"


def faults_of_places(mounts):
    for mount in mounts:
        if mount.type == "proc" and not below(mount.at, "/proc"):
            yield f"a procfs at {mount.at}"
        if mount.type in ("sysfs", "cgroup", "cgroup2") and not below(mount.at, "/sys"):
            yield f"a {mount.type} at {mount.at}"
    if seen(mounts, "/proc").type != "proc" or seen(mounts, "/sys").type != "sysfs":
        yield "/proc or /sys is something else"


def faults_of_devices(mounts, held):
    for mount in mounts:
        null = mount.source == "/null" and mount.at in HIDDEN
        if "nodev" not in mount.options and not below(mount.at, "/dev") and not null and not (held and mount.at == "/"):
            yield f"devices at {mount.at}"


def main():
    held = sys.argv[1] == "held"
    for path in sys.argv[1 + held:]:
        with open(path) as file:
            mounts = [Mount(line) for line in file if " - " in line]
        if not mounts:
            print(f"{path}: nothing")
            continue
        for fault in (*faults_of_masks(mounts), *faults_of_places(mounts), *faults_of_devices(mounts, held)):
            print(f"{path}: {fault}")


main()
