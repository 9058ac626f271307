#!/usr/bin/env python3
"""The archives of tests/rootfs/hostile.py once more, run by --no-unpack: what load refuses is refused, with the same
words; what it takes looks the same from inside.

Prints TAP. Needs root, $WHERRY, $SCRATCH and busybox. hostile_in_place.py N runs case N alone.
"""
import os
import shutil
import subprocess
import sys

import hostile_documents
import hostile_layers
from hostile_make import archive_of

WHERRY = os.environ["WHERRY"]
SCRATCH = os.environ["SCRATCH"]
BUSYBOX = shutil.which("busybox")
COMPRESSED = "it is compressed"

# Directories' sizes and links are their file system's own; the times of / and /etc are changed by what is made there.
LIST = r"""cd /; /own/busybox find . -xdev \( -path ./own -o -path ./proc -o -path ./sys -o -path ./dev -o -path ./etc/hosts \
-o -path ./etc/hostname -o -path ./etc/resolv.conf \) -prune -o -print | /own/busybox sort | while IFS= read -r f; do
if [ -L "$f" ]; then /own/busybox stat -c '%n %f %u %g %Y' "$f"; /own/busybox readlink "$f"
elif [ -d "$f" ]; then case $f in .|./etc) /own/busybox stat -c '%n %f %u %g' "$f" ;; *) /own/busybox stat -c '%n %f %u %g %Y' "$f" ;; esac
else /own/busybox stat -c '%n %f %u %g %s %t %T %Y' "$f"; fi
if [ -f "$f" ] && [ ! -L "$f" ]; then /own/busybox head -c 100000 "$f" | /own/busybox md5sum; fi; done"""


def wherry(place, store, *words):
    command = [WHERRY, "--root", f"{place}/{store}", "--state", f"{place}/state"]
    return subprocess.run(command + list(words), stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def run(place, store, path, *options):
    return wherry(place, store, "run", *options, "--tmpfs", "/own:exec", "-v", f"{BUSYBOX}:/own/busybox:ro", path,
                  "/own/busybox", "sh", "-c", LIST)


def compare(place, case):
    made = archive_of(case, place)
    loaded = wherry(place, "loaded", "load", "-q", made.path)
    placed = run(place, "placed", made.path, "--no-unpack")
    said = placed.stderr.decode("latin-1")
    if COMPRESSED in said:
        assert placed.returncode == 125 and said.count("\n") <= 2, said
        return "compressed"
    if loaded.returncode:
        wanted = loaded.stderr.decode("latin-1").split("\n")[0]
        assert placed.returncode == 125 and said.split("\n")[0] == wanted, f"wanted: {wanted}\ngot:    {said}"
        assert not os.path.exists(f"{place}/placed"), "a store was left behind"
        return "refused"
    if b"images in it" in placed.stderr:
        return "several images"
    same = run(place, "loaded", made.path)
    assert placed.returncode == same.returncode, f"{same.returncode} {same.stderr}\ngot: {placed.returncode} {said}"
    assert placed.stdout == same.stdout, f"wanted: {same.stdout.decode('latin-1')}\ngot: {placed.stdout.decode('latin-1')}"
    return "same tree" if same.returncode == 0 else "same failure"


def judge(number, case):
    place = f"{SCRATCH}/hostile"
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    name = f"rule {case['rule']}: {case['says']}"
    try:
        print(f"ok {number} - {name}: {compare(place, case)}")
        return True
    except (AssertionError, subprocess.TimeoutExpired, OSError, ValueError) as wrong:
        print(f"not ok {number} - {name}")
        for line in str(wrong).split("\n"):
            print("# " + line)
        return False


def main():
    cases = [case for case in hostile_layers.CASES + hostile_documents.CASES
             if "options" not in case and not case.get("stdin")]
    chosen = [int(sys.argv[1])] if len(sys.argv) > 1 else range(1, len(cases) + 1)
    failed = sum(not judge(number, cases[number - 1]) for number in chosen)
    print(f"1..{len(chosen)}")
    sys.exit(1 if failed else 0)


main()
