#!/bin/bash
# Capabilities, users, namespaces and settings of the program.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

# caps OPTION…: its effective, permitted and bounding sets, in one line each.
caps() { wherry run "$@" busybox sed -n 's/^Cap\(Eff\|Prm\|Bnd\|Inh\|Amb\):\t/\1 /p' /proc/self/status | sort; }

capabilities() {
	local chown=0000000000000001 none=0000000000000000
	equal "$(caps --cap-drop ALL --cap-add CHOWN)" "Amb $none"$'\n'"Bnd $chown"$'\n'"Eff $chown"$'\n'"Inh $none"$'\n'"Prm $chown"
	equal "$(caps --cap-drop all --cap-add cap_chown -u 1000)" "Amb $none"$'\n'"Bnd $chown"$'\n'"Eff $none"$'\n'"Inh $none"$'\n'"Prm $none"
	equal "$(caps --cap-add ALL | grep Eff)" "Eff $(sed -n 's/^CapBnd:\t//p' /proc/self/status)"
	equal "$(caps --cap-add ALL --cap-drop ALL)" "$(caps --cap-add ALL)"
	equal "$(caps --cap-drop ALL --cap-add ALL --cap-drop CHOWN)" "$(caps --cap-add ALL --cap-drop CHOWN)"
	equal "$(caps --cap-drop CHOWN --cap-add CHOWN)" "$(caps)"
	equal "$(caps --privileged | grep Eff)" "Eff $(sed -n 's/^CapBnd:\t//p' /proc/self/status)"
	[ "$(caps | grep Eff)" != "$(caps --cap-drop NET_RAW | grep Eff)" ]
	fails_with 125 "no capability FLY" wherry run --cap-add FLY busybox true
}

dropped() {
	fails_with 1 "not permitted" wherry run --cap-drop CHOWN busybox chown 5 /etc/passwd
	wherry run busybox chown 5 /etc/passwd
	fails_with 1 "permission denied" wherry run busybox mount -t tmpfs x /tmp
	wherry run --privileged busybox mount -t tmpfs x /tmp
}

groups() {
	equal "$(wherry run -u 1000:1000 --group-add 5555 --group-add audio busybox id -G)" "1000 29 5555"
	fails_with 125 "the group nosuch is not in the image's" wherry run --group-add nosuch busybox id
}

settings() {
	equal "$(wherry run --umask 027 busybox sh -c umask)" 0027
	equal "$(wherry run busybox sh -c umask)" 0022
	fails_with 125 "'9' is not an octal mode" wherry run --umask 9 busybox true
	equal "$(wherry run --ulimit nofile=100:200 busybox sh -c 'ulimit -Sn; ulimit -Hn')" $'100\n200'
	fails_with 125 "'nofile' is not NAME=SOFT" wherry run --ulimit nofile busybox true
	fails_with 125 "'nofile=5:4' is not" wherry run --ulimit nofile=5:4 busybox true
	equal "$(wherry run --oom-score-adj 321 busybox cat /proc/self/oom_score_adj)" 321
	fails_with 125 "-1000 to 1000" wherry run --oom-score-adj 2000 busybox true
	equal "$(wherry run --shm-size 2M busybox sh -c 'df -k /dev/shm | tail -1' | awk '{print $2}')" 2048
}

# The kernel's choice falls on the program, whose own value is the caller's. Where root has no
# CAP_SYS_RESOURCE (bit 24) nobody can lower a score: tests/vm/cgroup2.sh has a root who can.
init_is_last() {
	local wanted=-999
	[ $((0x$(sed -n 's/^CapEff:\t//p' /proc/self/status) >> 24 & 1)) = 1 ] || wanted=$(cat /proc/self/oom_score_adj)
	start out busybox sh -c 'cat /proc/self/oom_score_adj; exec sleep 60'
	equal "$(cat "$SCRATCH/out")" "$(cat /proc/self/oom_score_adj)"
	local init
	init=$(pgrep -P "$started")
	eventually grep -qx -e "$wanted" "/proc/$init/oom_score_adj"
	kill "$started"
	ends "$started" 143
}

# There a number of ours is somebody else's.
foreign_proc() {
	strace -f -qq -o "$SCRATCH/foreign" -e trace=open,openat unshare --pid --fork --kill-child \
		"$WHERRY" --root "$STORE" --state "$STATE" run busybox true
	lacks "$(cat "$SCRATCH/foreign")" oom_score_adj
}

sysctls() {
	equal "$(wherry run --sysctl kernel.msgmax=4567 --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward)" $'4567\n1'
	fails_with 125 "kernel.panic is not the container's own" wherry run --sysctl kernel.panic=1 busybox true
	fails_with 125 "net.ipv4.ip_forward is not" wherry run --network host --sysctl net.ipv4.ip_forward=1 busybox true
	fails_with 125 "'kernel.msgmax' is not KEY=VALUE" wherry run --sysctl kernel.msgmax busybox true
	fails_with 125 "not a parameter's name" wherry run --sysctl net.ipv4/../../kernel/panic=1 busybox true
	[ "$(cat /proc/sys/kernel/msgmax)" != 4567 ]
}

# As under docker: in a network of its own a low port, and an echo, take no rights.
low_ports() {
	local values="cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range"
	equal "$(wherry run busybox sh -c "$values")" $'0\n0\t2147483647'
	# it listens until it is asked to end
	equal "$(wherry run -u 1000 --cap-drop ALL busybox sh -c 'timeout 1 nc -l -p 80 >/dev/null 2>&1; echo $?')" 143
	contains "$(wherry run -u 1000 --sysctl net.ipv4.ip_unprivileged_port_start=1024 busybox nc -l -p 80 2>&1 || [ $? -eq 1 ])" \
		"Permission denied"
	equal "$(wherry run --sysctl net.ipv4.ip_unprivileged_port_start=100 busybox sh -c "$values" | head -n 1)" 100
	equal "$(wherry run --network host busybox sh -c "$values")" "$(eval "$values")"
}

names() {
	local said
	said=$(wherry run --add-host box:192.0.2.1 --add-host six:2001:db8::1 --dns 192.0.2.53 busybox cat /etc/hosts /etc/resolv.conf)
	contains "$said" $'192.0.2.1\tbox'
	contains "$said" $'2001:db8::1\tsix'
	contains "$said" "nameserver 192.0.2.53"
	said=$(wherry run --add-host box=192.0.2.1 --add-host "six:[2001:db8::1]" --add-host seven=::7 --dns ::53 busybox cat /etc/hosts /etc/resolv.conf)
	contains "$said" $'192.0.2.1\tbox'
	contains "$said" $'2001:db8::1\tsix'
	contains "$said" $'::7\tseven'
	contains "$said" "nameserver ::53"
	contains "$(wherry run --network host --add-host gate:host-gateway busybox cat /etc/hosts)" $'127.0.0.1\tgate'
}

# What a resolver would not read, or would read as more than one line.
wrong_names() {
	local word
	for word in box :192.0.2.1 =192.0.2.1 "a b:192.0.2.1" $'a\n:192.0.2.1' "#a:192.0.2.1" ""; do
		fails_with 125 "' is not NAME:ADDRESS" wherry run --add-host "$word" busybox true
	done
	for word in box: box:nowhere box:192.0.2 box:192.0.2.256 box:[::1 box:::1] $'box:192.0.2.1\n192.0.2.2' box:fe80::1%eth0; do
		fails_with 125 "' is no IP address" wherry run --add-host "$word" busybox true
	done
	for word in "" ns.example.org $'192.0.2.53\nsearch example.org' "192.0.2.53 " "[::1]"; do
		fails_with 125 "--dns: '$word" wherry run --dns "$word" busybox true
	done
	fails_with 125 "--add-host gate:host-gateway: a network with loopback alone has no gateway" \
		wherry run --add-host gate:host-gateway busybox true
}

host_namespaces() {
	equal "$(wherry run --uts host busybox hostname)" "$(hostname)"
	equal "$(wherry run --pid host busybox readlink /proc/self/ns/pid)" "$(readlink /proc/self/ns/pid)"
	equal "$(wherry run --ipc host busybox readlink /proc/self/ns/ipc)" "$(readlink /proc/self/ns/ipc)"
	[ "$(wherry run busybox readlink /proc/self/ns/ipc)" != "$(readlink /proc/self/ns/ipc)" ]
	equal "$(wherry run --pid private busybox sh -c 'echo $$')" 2
	equal "$(wherry run --uts private --hostname boat busybox hostname)" boat
	fails_with 125 "--pid: 'other' is neither private nor host" wherry run --pid other busybox true
	fails_with 125 "exclude each other" wherry run --uts host --hostname x busybox true
}

# No PID namespace ends it: the next command does, and wherry itself where its init is killed.
host_pid_ends() {
	start out --pid host busybox sh -c 'echo up; exec sleep 986'
	kill -KILL "$started"
	ends "$started" 137
	wherry run busybox true
	eventually bash -c '! pgrep -fx "sleep 986"'
	start out --pid host busybox sh -c 'sleep 985 & echo up; exec sleep 986'
	pkill -KILL -P "$started"
	ends "$started" 137
	equal "$(pgrep -fx 'sleep 98[56]' | wc -l)" 0
}

without_init() {
	equal "$(wherry run --no-init busybox sh -c 'echo $$')" 1
	fails_with 127 "run nosuch: No such file" wherry run --no-init busybox nosuch
	fails_with 126 "Permission denied" wherry run --no-init busybox /etc/passwd
	fails_with 7 seven wherry run --no-init busybox sh -c 'echo seven >&2; exit 7'
	equal "$(wherry run --init-path "$WHERRY_INIT" busybox sh -c 'echo $$')" 2
	fails_with 125 "--init-path /nosuch" wherry run --init-path /nosuch busybox true
	equal "$(wherry run --init busybox sh -c 'echo $$')" 2
	equal "$(wherry run --init=false busybox sh -c 'echo $$')" 1
	# what only an init does
	fails_with 125 "--no-init and --init-path exclude each other" wherry run --no-init --init-path "$WHERRY_INIT" busybox true
	fails_with 125 "--no-init and --stop-signal exclude each other" wherry run --no-init --stop-signal USR1 busybox true
	fails_with 125 "--no-init and --stop-timeout exclude each other" wherry run --no-init --stop-timeout 1 busybox true
}

container_names() {
	local name
	for name in 'a b' a/b .. -a "$(printf '%065d' 0)"; do
		fails_with 125 "--name: '$name' cannot be a container's name" wherry run "--name=$name" busybox true
	done
	equal "$(wherry run --name '' busybox hostname | grep -cE '^[0-9a-f]{12}$')" 1
}

cid_file() {
	wherry run --name "named$ID" --cidfile "$SCRATCH/cid" busybox true
	equal "$(cat "$SCRATCH/cid")" "named$ID"
	fails_with 125 "the user nosuch" wherry run -u nosuch --cidfile "$SCRATCH/none" busybox true
	[ ! -e "$SCRATCH/none" ]
	fails_with 125 "--cidfile $SCRATCH/cid: File exists" wherry run --cidfile "$SCRATCH/cid" busybox true
}

stops() {
	start out --stop-signal USR1 --stop-timeout 1 busybox sh -c 'trap "" USR1 TERM; echo up; while :; do sleep 0.1; done'
	kill -USR1 "$started"
	ends "$started" 137
	fails_with 125 "there is no signal 'JUMP'" wherry run --stop-signal JUMP busybox true
	start out --stop-timeout -1 busybox sh -c 'trap "echo asked" TERM; echo up; while :; do sleep 0.1; done'
	kill "$started"
	eventually grep asked "$SCRATCH/out"
	kill -KILL "$started"
	ends "$started" 137
	start out --stop-timeout 0 busybox sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done'
	kill "$started"
	ends "$started" 137
	wherry run --stop-timeout 2147483 busybox true
	fails_with 125 "--stop-timeout: 2147484 is out of range" wherry run --stop-timeout 2147484 busybox true
	fails_with 125 "--stop-timeout: -2 is out of range" wherry run --stop-timeout -2 busybox true
}

whole_environment() {
	contains "$(FOO=bar wherry run --env-host busybox env)" FOO=bar
	contains "$(FOO=bar wherry run --env-host -e FOO=baz busybox env)" FOO=baz
}

it "gives and takes capabilities, for root and others" capabilities
it "holds back what was dropped" dropped
it "--group-add adds groups by name and number" groups
it "sets umask, limits, OOM score and the size of /dev/shm" settings
it "makes the kernel kill the program before its init" init_is_last
if type -P strace >/dev/null; then
	it "changes no process of a /proc that is another PID namespace's" foreign_proc
else
	skip "changes no process of a /proc that is another PID namespace's" "no strace here"
fi
it "--sysctl sets what is the container's own, and nothing else" sysctls
it "lets every user have low ports, and ping" low_ports
it "--add-host and --dns write the files" names
it "--add-host and --dns want addresses" wrong_names
it "shares a namespace of the host's where asked" host_namespaces
it "ends what runs among the host's PIDs" host_pid_ends
it "--no-init runs the program as PID 1, --init-path another init" without_init
it "--name takes what can be a name" container_names
it "--cidfile holds the name, and is never overwritten" cid_file
it "--stop-signal and --stop-timeout end what doesn't listen" stops
it "--env-host takes the whole environment over" whole_environment
finish_clean
