#!/usr/bin/env python3
"""Archives made to break a loader: each rule of rootfs/, one case or more, with its tree or its message.

Prints TAP. Needs root, $WHERRY and $SCRATCH. hostile.py N runs case N alone and keeps its archive.
"""
import os
import stat
import subprocess
import sys
from resource import RLIMIT_NOFILE, setrlimit

import hostile_documents
import hostile_gzip
import hostile_layers
from hostile_make import archive_of

WHERRY = os.environ["WHERRY"]
SCRATCH = os.environ["SCRATCH"]


def describe(path, opaque):
    st = os.lstat(path)
    mode = f"{stat.S_IMODE(st.st_mode):o}"
    owner = "" if (st.st_uid, st.st_gid) == (0, 0) else f" {st.st_uid}:{st.st_gid}"
    attributes = "".join(" " + name for name in sorted(os.listxattr(path, follow_symlinks=False))
                         if name not in ("security.selinux", opaque))
    if stat.S_ISDIR(st.st_mode):
        hides = " opaque" if opaque in os.listxattr(path) else ""
        return f"dir {mode}{owner}{hides}{attributes}"
    if stat.S_ISLNK(st.st_mode):
        return f"link {os.readlink(path)}{owner}"
    if stat.S_ISCHR(st.st_mode) and st.st_rdev == 0:
        return "whiteout"
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as file:
            text = file.read(40).decode("latin-1")
        links = f" links {st.st_nlink}" if st.st_nlink > 1 else ""
        return f"file {mode}{owner} {text!r}{links}{attributes}"
    kind = {stat.S_IFCHR: "char", stat.S_IFBLK: "block", stat.S_IFIFO: "fifo"}[stat.S_IFMT(st.st_mode)]
    numbers = f" {os.major(st.st_rdev)},{os.minor(st.st_rdev)}" if kind != "fifo" else ""
    return f"{kind} {mode}{owner}{numbers}"


def tree_of(top, opaque="trusted.overlay.opaque"):
    found = {".": describe(top, opaque)}
    for here, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(here, name)
            shown = os.path.relpath(os.fsencode(path), os.fsencode(top)).decode("latin-1")
            found[shown] = describe(path, opaque)
    return found


def about(store, key):
    with open(f"{store}/layers/{key}.about") as file:
        return {line.strip() for line in file if line.count(" ") == 0}


def newest(store, case, made):
    """The layer of the store that is the case's topmost."""
    for key in (made.chains[-1], made.diff_ids[-1]):
        if os.path.isdir(f"{store}/layers/{key}"):
            return key
    raise AssertionError("the layer is not in the store")


def load(case, place):
    made = archive_of(case, place)
    store = place + "/store"
    command = [WHERRY, "--root", store, "load", "-q"] + case.get("options", [])
    most = case.get("descriptors")
    with open(made.path, "rb") if case.get("stdin") else open(os.devnull, "rb") as stdin:
        done = subprocess.run(command + ([] if case.get("stdin") else [made.path]), stdin=stdin,
                              capture_output=True, timeout=120,
                              preexec_fn=most and (lambda: setrlimit(RLIMIT_NOFILE, (most, most))))
    return made, store, done


def check_refused(case, store, done):
    said = done.stderr.decode("latin-1")
    assert done.returncode == 125, f"exit status {done.returncode}, said: {said}"
    assert case["refused"] in said, f"wanted: {case['refused']}\ngot: {said}"
    assert said.startswith("wherry: ") and said.count("\n") <= 2, f"more than one line: {said}"
    assert not os.path.exists(store), "a store was left behind"
    assert not any(c < " " and c != "\n" for c in said), "control characters in the message"


def check_tree(case, made, store, done):
    said = done.stderr.decode("latin-1")
    assert done.returncode == 0, f"exit status {done.returncode}: {said}"
    assert case.get("warns", "") in said, f"no warning {case.get('warns')}: {said}"
    check_counts(store)
    if not {"tree", "checks"} & case.keys():
        return
    key = newest(store, case, made)
    if "tree" in case:
        found = tree_of(f"{store}/layers/{key}")
        wanted = dict(case["tree"])
        wanted.setdefault(".", "dir 755")
        assert found == wanted, f"wanted: {wanted}\ngot:    {found}"
    for mark in case.get("about", []):
        assert mark in about(store, key), f"{mark} is not in {about(store, key)}"
    for path, times in case.get("times", {}).items():
        st = os.lstat(f"{store}/layers/{key}/{path}")
        assert st.st_mtime_ns == times, f"{path}: wanted {times}, got {st.st_mtime_ns}"
    for check in case.get("checks", []):
        check(f"{store}/layers/{key}")


def check_counts(store):
    """What the load has counted on its way is what there is now."""
    done = subprocess.run([WHERRY, "--root", store, "fsck"], capture_output=True, timeout=120)
    said = (done.stdout + done.stderr).decode("latin-1")
    assert done.returncode == 0 and said.endswith(": all that is left is whole\n"), f"fsck: {said}"


def run(number, case):
    place = f"{SCRATCH}/hostile"
    subprocess.run(["rm", "-rf", place], check=True)  # shutil goes no deeper than Python's own stack
    os.makedirs(place)
    outside = f"{place}/outside"
    with open(outside, "w") as file:
        file.write("mine")
    os.chmod(outside, 0o600)
    name = f"rule {case['rule']}: {case['says']}"
    try:
        made, store, done = load(case, place)
        if "refused" in case:
            check_refused(case, store, done)
        else:
            check_tree(case, made, store, done)
        with open(outside) as file:
            assert file.read() == "mine", "a file outside was written"
        print(f"ok {number} - {name}")
        return True
    except (AssertionError, subprocess.TimeoutExpired, OSError, ValueError) as wrong:
        print(f"not ok {number} - {name}")
        for line in str(wrong).split("\n"):
            print("# " + line)
        return False


def main():
    cases = hostile_layers.CASES + hostile_gzip.CASES + hostile_documents.CASES
    chosen = [int(sys.argv[1])] if len(sys.argv) > 1 else range(1, len(cases) + 1)
    failed = sum(not run(number, cases[number - 1]) for number in chosen)
    print(f"1..{len(chosen)}")
    sys.exit(1 if failed else 0)


main()
