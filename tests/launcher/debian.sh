#!/bin/bash
# timeout: 900
# A real image: a Debian of six layers made by buildah, saved by skopeo in three forms.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

# Each its own store, so that nothing is taken from another. The form "place" is run without unpacking.
debian() {
	local form=$1
	shift
	if [ "$form $1" = "place run" ]; then set -- run --no-unpack "${@:2}"; fi
	timeout "$PATIENCE" "$WHERRY" --root "$SCRATCH/$form" --state "$STATE" "$@"
}

loads() { debian "$1" load "$2"; }

programs() {
	contains "$(debian "$1" run "$2" dpkg -l)" "python3-minimal"
	contains "$(debian "$1" run "$2" apt-get --version)" "apt 2."
	equal "$(debian "$1" run "$2" hello.pl)" "perl 5050 Linux"
	equal "$(debian "$1" run "$2" hello.py)" "python 5050 Linux"
	equal "$(debian "$1" run "$2" bash -c 'echo $MADE_BY')" buildah
}

deleted() {
	equal "$(debian "$1" run "$2" ls /usr/share/doc /usr/share/bug)" $'/usr/share/bug:\n\n/usr/share/doc:\nREADME'
	fails_with 2 "No such file" debian "$1" run "$2" ls /usr/share/locale
	equal "$(debian "$1" run "$2" cat /etc/issue/in /etc/issue.net /etc/skel)" $'in\nin\nfile'
}

metadata() {
	equal "$(debian "$1" run "$2" getcap /usr/local/bin/bound)" "/usr/local/bin/bound cap_net_bind_service=ep"
	equal "$(debian "$1" run "$2" stat -c '%a %u:%g %h' /usr/local/bin/setuid)" "4755 0:0 1"
	equal "$(debian "$1" run "$2" stat -c '%h %s' /srv/one)" "2 5"
	equal "$(debian "$1" run "$2" stat -c '%u:%g %Y' /srv/old)" "12345:70000 981173106"
	equal "$(debian "$1" run "$2" bash -c 'stat -c %s /srv/sparse; tail -c 4 /srv/sparse')" $'8388612
end'
	equal "$(debian "$1" run "$2" stat -c '%F %t:%T' /srv/null /srv/fifo)" $'character special file 1:3\nfifo 0:0'
}

# Every path with type, mode, owner, size, nanoseconds, target, link count and attributes, as the container sees it.
# Left out: what wherry mounts over what the image has (the image has these names, so that nothing is made for it);
# access times, since the layers have none and umoci takes the hour of unpacking; directories' sizes and link counts,
# which are the file system's own.
listing='import os, stat, hashlib
def walk(top):
    for folder, folders, files in os.walk(top):
        folders.sort()
        folders[:] = [f for f in folders if os.path.relpath(os.path.join(folder, f), top) not in ("proc", "sys", "dev")]
        for name in [""] + sorted(folders) + sorted(files):
            if name in folders and not os.path.islink(os.path.join(folder, name)): continue
            yield os.path.join(folder, name) if name else folder
def line(top, path):
    s = os.lstat(path)
    kind = stat.S_IFMT(s.st_mode)
    own = os.path.relpath(path, top)
    extra = os.readlink(path) if stat.S_ISLNK(s.st_mode) else ""
    if stat.S_ISREG(s.st_mode):
        with open(path, "rb") as file: extra = hashlib.sha256(file.read()).hexdigest()
    attributes = [(a, os.getxattr(path, a, follow_symlinks=False)) for a in sorted(os.listxattr(path, follow_symlinks=False)) if not a.startswith("trusted.")]
    links = s.st_nlink if not stat.S_ISDIR(s.st_mode) else 0
    size = s.st_size if stat.S_ISREG(s.st_mode) else 0
    device = s.st_rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else 0
    time = s.st_mtime_ns
    return repr((os.fsencode(own), oct(s.st_mode), s.st_uid, s.st_gid, size, device, time, links, extra, attributes))
import sys
top = sys.argv[1]
skipped = ("etc/hosts", "etc/hostname", "etc/resolv.conf", "proc", "sys", "dev")
# os.walk follows a link to see what it is: the order depends on what the machine has there
for text in sorted(line(top, path) for path in walk(top) if os.path.relpath(path, top) not in skipped): print(text)
'

# umoci takes only what it knows: gzip.
reference() {
	local bundle=$SCRATCH/umoci
	umoci unpack --image "$(image debian oci:gzip):latest" "$bundle" >&2
	python3 -c "$listing" "$bundle/rootfs" >"$SCRATCH/wanted"
	[ "$(wc -l <"$SCRATCH/wanted")" -gt 3000 ]
}

same_tree() {
	debian "$1" run -i --read-only "$2" python3 - / <<<"$listing" >"$SCRATCH/got.$1"
	grep -q "^(b'\.', " "$SCRATCH/got.$1"
	grep -q "^(b'etc', " "$SCRATCH/got.$1"
	diff "$SCRATCH/wanted" "$SCRATCH/got.$1"
}

removes_package() {
	debian docker run debian sh -c 'dpkg -r libcap2-bin >/dev/null && ! [ -e /sbin/getcap ]'
	contains "$(debian docker run debian dpkg -l libcap2-bin)" "ii  libcap2-bin"
}

DOCKER=$(image debian docker)
GZIP=$(image debian oci:gzip)
ZSTD=$(image debian oci:zstd)
it "loads the docker-archive" loads docker "$DOCKER"
it "loads the OCI layout with gzip" loads gzip "$GZIP"
it "loads the OCI layout with zstd" loads zstd "$ZSTD"
it "unpacks with umoci, to compare" reference
for form in docker gzip zstd place; do
	case $form in docker) IMAGE=debian ;; place) IMAGE=$DOCKER ;; gzip) IMAGE=$GZIP ;; zstd) IMAGE=$ZSTD ;; esac
	it "$form: runs dpkg, apt-get, Perl and Python" programs "$form" "$IMAGE"
	it "$form: has what later layers deleted and replaced" deleted "$form" "$IMAGE"
	it "$form: keeps capabilities, setuid, links, times, owners and devices" metadata "$form" "$IMAGE"
	it "$form: has the tree that umoci unpacks" same_tree "$form" "$IMAGE"
done
it "removes a package inside only" removes_package
finish_clean
