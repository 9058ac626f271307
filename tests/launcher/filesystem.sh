#!/bin/bash
# A squashfs or EROFS file as the root: run as it is, nothing loaded, nothing written to it.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

TREE=$(rootfs busybox)
mksquashfs "$TREE" "$SCRATCH/box.squashfs" -quiet -all-root >/dev/null
mkfs.erofs "$SCRATCH/box.erofs" "$TREE" >/dev/null 2>&1
cat >"$SCRATCH/config.json" <<'END'
{"architecture": "any", "os": "linux", "config": {"Env": ["PATH=/bin", "FROM=beside"], "Cmd": ["sh", "-c", "echo $FROM; pwd"],
 "WorkingDir": "/srv", "User": "0:0"}}
END

loops() { losetup -n -O BACK-FILE | grep -F "$SCRATCH" || true; }

runs() {
	local file=$SCRATCH/box.$1
	equal "$(wherry run "$file" cat /srv/message)" "$(cat "$TREE/srv/message")"
	equal "$(wherry run "$file" sh -c 'echo new >/srv/message; cat /srv/message')" new
	equal "$(wherry run "$file" cat /srv/message)" "$(cat "$TREE/srv/message")"
	[ ! -e "$STORE/layers" ]
	equal "$(loops)" ""
}

unchanged() {
	local before
	before=$(sha256sum "$SCRATCH/box.$1")
	wherry run "$SCRATCH/box.$1" sh -c 'echo x >/file; rm -r /srv'
	equal "$(sha256sum "$SCRATCH/box.$1")" "$before"
}

config_beside() {
	cp "$SCRATCH/box.$1" "$SCRATCH/with.$1"
	cp "$SCRATCH/config.json" "$SCRATCH/with.$1.json"
	equal "$(wherry run "$SCRATCH/with.$1")" $'beside\n/srv'
	equal "$(wherry run -e FROM=line "$SCRATCH/with.$1")" $'line\n/srv'
	equal "$(wherry run "$SCRATCH/with.$1" echo words)" words
	echo '{"config": 7}' >"$SCRATCH/with.$1.json"
	fails_with 125 "config is not an object" wherry run "$SCRATCH/with.$1"
	echo '{' >"$SCRATCH/with.$1.json"
	fails_with 125 "no JSON" wherry run "$SCRATCH/with.$1"
	fails_with 125 "nothing to run" wherry run "$SCRATCH/box.$1"
}

swapped_while_it_runs() {
	start out "$SCRATCH/box.squashfs" sh -c 'cat /srv/message; exec sleep 60'
	mksquashfs "$TREE/bin" "$SCRATCH/next" -quiet -all-root >/dev/null
	mv "$SCRATCH/next" "$SCRATCH/swapped.squashfs"
	kill "$started"
	ends "$started" 143
	equal "$(loops)" ""
}

killed() {
	start out "$SCRATCH/box.squashfs" sh -c 'echo up; exec sleep 60'
	kill -KILL "$started"
	ends "$started" 137
	eventually bash -c "! losetup -n -O BACK-FILE | grep -qF '$SCRATCH'"
}

damaged() {
	head -c 3000 "$SCRATCH/box.squashfs" >"$SCRATCH/cut.squashfs"
	fails_with 125 "cut.squashfs" wherry run "$SCRATCH/cut.squashfs" true
	head -c 2000 "$SCRATCH/box.erofs" >"$SCRATCH/cut.erofs"
	fails_with 125 "cut.erofs" wherry run "$SCRATCH/cut.erofs" true
	equal "$(loops)" ""
}

kept() {
	wherry run --overlay "$SCRATCH/kept" "$SCRATCH/box.squashfs" sh -c 'echo kept >/file; rm /srv/message'
	equal "$(wherry run --overlay "$SCRATCH/kept" "$SCRATCH/box.squashfs" sh -c 'cat /file; ls /srv')" kept
	fails_with 1 "Read-only" wherry run --read-only "$SCRATCH/box.erofs" touch /x
}

# The kernel's own parser would read them: it is not even asked.
not_without_root() {
	local home=$SCRATCH/home
	install -d -o 65534 -g 65534 "$home"
	cp "$WHERRY" "$home/"
	chmod 755 "$SCRATCH"
	fails_with 125 "box.$1: a file system in a file is root's to mount" setpriv --reuid 65534 --regid 65534 --clear-groups \
		env -i HOME="$home" PATH="$PATH" strace -qq -f -o "$home/calls" -e trace=fsopen,fsmount,mount,ioctl,openat \
		"$home/wherry" --root "$home/store" --state "$home/state" run "$SCRATCH/box.$1" true
	equal "$(grep -E 'fsopen|fsmount|mount\(|/dev/loop' "$home/calls")" ""
	rm -r "$home"
}

for kind in squashfs erofs; do
	it "runs an image file of $kind without loading it" runs $kind
	it "never writes to an image file of $kind" unchanged $kind
	it "mounts no image file of $kind without root" not_without_root $kind
	it "takes what to run from the config beside an image file of $kind" config_beside $kind
done
it "gives the loop device back at the end" swapped_while_it_runs
it "gives the loop device back after kill -9" killed
it "says which file is damaged" damaged
it "writes where --overlay says, or nowhere" kept
finish_clean
