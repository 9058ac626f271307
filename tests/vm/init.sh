#!/bin/bash
# timeout: 600
# The init as a machine's PID 1: Debian's kernel in QEMU, an initramfs that holds busybox and little else.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/vm.sh"

# root NAME: a new initramfs in $ROOT, whose program is read from standard input
root() {
	local applet
	ROOT=$SCRATCH/$1
	mkdir -p "$ROOT/bin"
	cp "$WHERRY_INIT" "$ROOT/init"
	cp "$(type -P busybox)" "$ROOT/bin/busybox"
	for applet in sh cat ls mount mkdir sleep kill tty stty ps grep sed readlink stat unshare umount \
		pivot_root setsid id env lsmod dmesg sync reboot poweroff touch chmod head wc; do
		ln -s busybox "$ROOT/bin/$applet"
	done
	cat >"$ROOT/program"
	chmod 755 "$ROOT/program"
}

# shown NAME: what the program printed between "=== NAME" and the next "==="
shown() { tr -d '\r' <"$VM_LOG" | sed -n "/^=== $1\$/,/^===/p" | sed '1d;/^===/d'; }

powers_off() { contains "$(<"$VM_LOG")" 'reboot: Power down'; }
restarts() { contains "$(<"$VM_LOG")" 'reboot: Restarting system'; }
survives() { lacks "$(<"$VM_LOG")" 'Kernel panic'; }

# softdog SECONDS: the modules of a watchdog in software, and the list that loads them
softdog() {
	local modules
	read -r _ modules < <(vm_kernel)
	find "$modules" '(' -name watchdog.ko -o -name softdog.ko ')' -exec cp {} "$ROOT/" ';'
	printf '# in order\n\n/watchdog.ko\n/softdog.ko soft_margin=%d\n' "$1" >"$ROOT/modules"
}

# ---- one boot for what a running machine shows, with a disk, a module, and something left behind
disk() {
	truncate -s 16M "$SCRATCH/disk"
	mkfs.ext4 -q "$SCRATCH/disk"
}

full_boot() {
	root full <<-'END'
	#!/bin/sh
	echo "=== arguments"; for word; do echo "[$word]"; done
	echo "=== environment"; env | grep -v -e ^SHLVL -e ^PWD -e ^PATH
	echo "=== mounts"; cat /proc/mounts
	echo "=== links"; for link in fd stdin stdout stderr; do readlink /dev/$link; done
	echo "=== controllers"; cat /sys/fs/cgroup/cgroup.subtree_control
	echo "=== tty"; tty; ps -o pid,sid,tty,comm | grep -e ' program' -e '^ *1 '
	echo "=== descriptors"; ls -l /proc/1/fd | sed -n 's/.* \([0-9]* -> .*\)/\1/p'
	echo "=== own"; ls /proc/$$/fd
	echo "=== job"; sh -ic 'sleep 1000 & kill %1; echo job control' 2>&1
	echo "=== modules"; lsmod | grep -c ^softdog; dmesg | grep -o soft_margin=55
	echo "=== pivot"
	mkdir /tmp/new
	unshare -m sh -c 'mount -t tmpfs none /tmp/new; mkdir /tmp/new/old /tmp/new/bin; cat /bin/busybox >/tmp/new/bin/sh
		chmod 755 /tmp/new/bin/sh; cd /tmp/new; pivot_root . old && /bin/sh -c "echo pivoted; echo /*"' 2>&1
	echo "=== container"
	unshare --pid --fork --mount --mount-proc /init --on-exit halt true; echo "status $?"
	unshare --pid --fork --mount --mount-proc /init sh -c 'echo "container $$"; exit 3'; echo "status $?"
	unshare --pid --fork sh -c 'umount -l /proc; exec /init sh -c "exit 4"'; echo "status $?"
	mount -t proc proc /proc 2>/dev/null
	ls -d /proc/1/fd
	echo "=== memory"; grep -E 'Vm(RSS|Size)' /proc/1/status
	mount -t ext4 /dev/nvme0n1 /mnt
	echo data >/mnt/file
	# HUP, since its terminal is gone when the program is
	(trap "" HUP; trap 'echo "=== drained" >/dev/console; exit' TERM; cd /mnt; exec 5>>/mnt/open; while :; do sleep 1; done) &
	until [ -e /mnt/open ]; do sleep 1; done
	echo "=== end"
	exit 7
	END
	mkdir "$ROOT/mnt"
	softdog 55
	echo /none.ko >>"$ROOT/modules"
	disk
	vm_boot "$ROOT" 'COLOUR=red rdinit=/init -- --modules /modules --watchdog=/dev/watchdog --exit-to port:1281 /program one "two words"' \
		-drive "file=$SCRATCH/disk,if=none,id=disk,format=raw" -device nvme,serial=1,drive=disk \
		-device isa-debug-exit,iobase=0x501,iosize=2
	equal "$VM_STATUS" $((7 * 2 + 1)) # QEMU's way
}

it "boots, runs the program, ends, and tells the host by a port" full_boot
it "passes arguments and environment from the kernel's command line" eval '
	equal "$(shown arguments)" "$(printf "[one]\n[two words]")"
	contains "$(shown environment)" COLOUR=red'
mounts() {
	local line
	for line in 'devtmpfs /dev devtmpfs' 'proc /proc proc' 'sysfs /sys sysfs' 'devpts /dev/pts devpts' \
		'tmpfs /dev/shm tmpfs' 'tmpfs /run tmpfs' 'tmpfs /tmp tmpfs' 'cgroup2 /sys/fs/cgroup cgroup2'; do
		equal "$(shown mounts | grep -c "^$line ")" 1
	done
	equal "$(shown links | xargs)" '/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2'
}
it "mounts what a program expects, and links /dev/fd and its kin" mounts
it "enables all controllers for children" eval 'contains " $(shown controllers) " " memory "; contains " $(shown controllers) " " pids "'
terminal() {
	equal "$(shown tty | head -n 1)" /dev/ttyS0
	contains "$(shown job)" 'job control'
	lacks "$(shown job)" "can't access tty"
}
it "gives the program the real console as its terminal, with job control" terminal
it "holds the console and the watchdog, and gives the program nothing of its own" eval '
	equal "$(shown descriptors | xargs)" "0 -> /dev/console 1 -> /dev/console 2 -> /dev/console 3 -> /dev/watchdog"
	equal "$(shown own | xargs)" "0 1 10 2"'
it "loads modules in order, with parameters, and tells of those that it cannot" eval '
	equal "$(shown modules | xargs)" "1 soft_margin=55"
	contains "$(<"$VM_LOG")" "wherry-init: module /none.ko: No such file or directory"'
it "makes pivot_root possible" eval 'equal "$(shown pivot | head -n 1)" pivoted'
container() {
	contains "$(shown container)" 'only for a machine: --on-exit'
	equal "$(shown container | grep -v wherry-init: | xargs)" 'status 125 container 2 status 3 status 4 /proc/1/fd'
}
it "does not take a privileged container for a machine, with /proc or without" container
it "drains what the program has left" eval 'contains "$(<"$VM_LOG")" "=== drained"'
it "prints the exit status" eval 'contains "$(<"$VM_LOG")" "wherry-init: exit 7"'
clean_disk() {
	e2fsck -fn "$SCRATCH/disk"
	lacks "$(dumpe2fs -h "$SCRATCH/disk" 2>&1)" needs_recovery
	equal "$(debugfs -R 'cat file' "$SCRATCH/disk" 2>/dev/null)" data
}
it "leaves a disk that was being written to clean" clean_disk
it "stops the watchdog when it powers off" eval 'lacks "$(<"$VM_LOG")" "watchdog did not stop"'

# ---- ends
missing() {
	root missing </dev/null
	vm_boot "$ROOT" 'rdinit=/init -- --on-exit respawn /no/such'
	contains "$(<"$VM_LOG")" 'wherry-init: /no/such: No such file or directory'
	contains "$(<"$VM_LOG")" 'wherry-init: exit 127'
	powers_off
	survives
}
it "powers off where there is no such program" missing

usage() {
	root usage </dev/null
	vm_boot "$ROOT" 'rdinit=/init -- --nonsense'
	contains "$(<"$VM_LOG")" 'wherry-init: unknown option: --nonsense'
	contains "$(<"$VM_LOG")" 'wherry-init: exit 125'
	powers_off
	survives
}
it "powers off for a usage error" usage

no_mount() {
	root no-mount </dev/null
	echo x >"$ROOT/run"
	vm_boot "$ROOT" 'rdinit=/init -- /program'
	contains "$(<"$VM_LOG")" 'wherry-init: mount /run: Not a directory'
	powers_off
	survives
}
it "powers off when it cannot mount" no_mount

record() {
	root record <<-'END'
	#!/bin/sh
	echo "=== record"; id; env | grep -v -e ^SHLVL -e ^PWD -e ^PATH; /bin/busybox pwd; for word; do echo "[$word]"; done; cat /proc/self/status | grep CapEff
	exit 9
	END
	mkdir -p "$ROOT/home"
	printf '%s\0' --env LANG=C --env 'GREETING=a  b' --user 1000:100:4:24 --cwd /home --remap 9:0 /program 'x y' '' "$(printf 'two\nlines')" last >"$ROOT/wherry.run"
	vm_boot "$ROOT" 'rdinit=/init'
	contains "$(shown record)" 'uid=1000 gid=100 groups=4,24,100'
	contains "$(shown record)" "$(printf 'GREETING=a  b\nLANG=C')"
	lacks "$(shown record)" TERM=linux
	contains "$(shown record)" "$(printf '/home\n[x y]\n[]\n[two\nlines]\n[last]')"
	contains "$(shown record)" 'CapEff:	0000000000000000'
	contains "$(<"$VM_LOG")" 'wherry-init: exit 0'
	powers_off
}
it "reads program, environment, user and directory from /wherry.run" record

no_record() {
	root no-record </dev/null
	vm_boot "$ROOT" 'rdinit=/init'
	contains "$(<"$VM_LOG")" 'no program given, and /wherry.run: No such file or directory'
	powers_off
	survives
}
it "powers off where there is neither program nor record" no_record

ctrl_alt_del() {
	root cad <<-'END'
	#!/bin/sh
	trap 'echo "=== told"; exit 5' TERM
	echo "=== up"
	while :; do sleep 1; done
	END
	vm_start "$ROOT" 'rdinit=/init -- /program' -device VGA
	until vm_says '=== up'; do sleep 0.1; done
	vm_monitor 'sendkey ctrl-alt-delete'
	vm_wait
	contains "$(<"$VM_LOG")" '=== told'
	contains "$(<"$VM_LOG")" 'wherry-init: exit 5'
	restarts
}
it "restarts in order on Ctrl-Alt-Del" ctrl_alt_del

ctrl_alt_del_twice() {
	root cad-twice <<-'END'
	#!/bin/sh
	trap 'echo "=== told"' TERM
	echo "=== up"
	while :; do sleep 1; done
	END
	vm_start "$ROOT" 'rdinit=/init -- --grace 10m /program' -device VGA
	until vm_says '=== up'; do sleep 0.1; done
	vm_monitor 'sendkey ctrl-alt-delete'
	until vm_says '=== told'; do sleep 0.1; done
	vm_monitor 'sendkey ctrl-alt-delete'
	vm_monitor 'sendkey ctrl-alt-delete'
	vm_wait
	lacks "$(<"$VM_LOG")" 'wherry-init: exit'
	restarts
}
it "restarts at once on a second Ctrl-Alt-Del" ctrl_alt_del_twice

order() {
	root "order-$1" <<-END
	#!/bin/sh
	echo run >>/run/count
	echo "=== run \$(wc -l </run/count)"
	[ "\$(wc -l </run/count)" -lt 2 ] && exit 1
	kill -$1 1
	while :; do sleep 1; done
	END
	vm_start "$ROOT" 'rdinit=/init -- --on-exit respawn --grace 500ms /program'
}

respawn_reboot() {
	order TERM
	vm_wait
	contains "$(<"$VM_LOG")" '=== run 2'
	contains "$(<"$VM_LOG")" 'wherry-init: exit 143'
	restarts
}
it "starts the program again where that is asked for, and restarts on TERM" respawn_reboot

halts() {
	order "$1"
	until vm_says 'reboot: System halted'; do kill -0 "$vm_pid"; sleep 0.1; done
	vm_monitor quit
	vm_wait
	contains "$(<"$VM_LOG")" 'wherry-init: exit 143'
	survives
}
it "halts on USR1" halts USR1
it "halts on PWR" halts PWR

watchdog() {
	root watchdog <<-'END'
	#!/bin/sh
	echo "=== up"
	sleep 8
	echo "=== fed"
	mkdir /sys/fs/cgroup/frozen
	echo 1 >/sys/fs/cgroup/frozen/cgroup.procs
	echo 1 >/sys/fs/cgroup/frozen/cgroup.freeze
	echo "=== stopped"
	sleep 1000
	END
	softdog 4
	vm_boot "$ROOT" 'rdinit=/init -- --modules /modules --watchdog /dev/watchdog /program'
	contains "$(<"$VM_LOG")" '=== fed'
	contains "$(<"$VM_LOG")" '=== stopped'
	contains "$(<"$VM_LOG")" 'softdog: Initiating system reboot'
	lacks "$(<"$VM_LOG")" 'wherry-init: exit'
}
it "feeds the watchdog, which resets a machine whose init is stopped" watchdog
finish
