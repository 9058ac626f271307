#!/usr/bin/env python3
"""Times loaders side by side: interleaved rounds, medians; then memory, then bytes written.

load.py [--keep] ROUNDS SCRATCH CASE…: a case is NAME=COMMAND, where {} is a fresh directory's path. --keep: what a
round leaves stays, since on ext4 a tree made where one was removed takes long to find inodes.
load.py --memory COMMAND: the peak of what all processes of COMMAND hold together (PSS), in KB.
load.py --split TAR DIR COUNT: makes COUNT layers out of TAR, together about three times its size; as in what
a build makes, a layer's directories are those that its files are in.
"""
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import time


def run_once(command, place, keep):
    # What the last one's end has left to do is not this one's.
    subprocess.run(["sync", "-f", os.path.dirname(place)], check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    subprocess.run(command.replace("{}", place), shell=True, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not keep:
        shutil.rmtree(place, ignore_errors=True)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(rounds, scratch, cases, keep):
    results = {name: [] for name, _ in cases}
    for n in range(rounds):
        for i, (name, command) in enumerate(cases):
            results[name].append(run_once(command, f"{scratch}/fresh{n}-{i}", keep))
    base = statistics.median(wall for wall, _ in results[cases[0][0]])
    for name, _ in cases:
        wall = statistics.median(w for w, _ in results[name])
        cpu = statistics.median(c for _, c in results[name])
        print(f"{name:<34} {wall:6.3f} s  ({cpu:6.3f} s of processors)  {wall / base:5.2f}")


def pss_of(group):
    total = 0
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            if int(fields[2]) != group:
                continue
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (OSError, ValueError, IndexError):
            continue  # it has ended meanwhile
    return total


def memory(command):
    child = subprocess.Popen("exec " + command, shell=True, stdout=subprocess.DEVNULL, start_new_session=True)
    peak = 0
    while child.poll() is None:
        peak = max(peak, pss_of(child.pid))
        time.sleep(0.005)
    print(peak)


def above(members):
    return {str(parent) for m in members for parent in pathlib.PurePosixPath(m.name).parents}


def split(source, out, count):
    with tarfile.open(source) as tar:
        members = [m for m in tar if m.isreg() or m.isdir() or m.issym()]
        for n in range(count):
            chosen = [m for i, m in enumerate(members) if not m.isdir() and (i * 7 + n) % 8 < 3]
            wanted = above(chosen) | {m.name for m in chosen}
            with tarfile.open(f"{out}/{n:03}.tar", "w", format=tarfile.GNU_FORMAT) as layer:
                for member in members:
                    if member.name not in wanted:
                        continue
                    data = tar.extractfile(member) if member.isreg() else None
                    name = member.name
                    member.name = f"copy{n}/{name}"
                    layer.addfile(member, data)
                    member.name = name


keep = sys.argv[1] == "--keep"
if keep:
    del sys.argv[1]
if sys.argv[1] == "--memory":
    memory(sys.argv[2])
elif sys.argv[1] == "--split":
    split(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    compare(int(sys.argv[1]), sys.argv[2], [case.split("=", 1) for case in sys.argv[3:]], keep)
