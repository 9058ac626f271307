#!/bin/bash
# wherry run --network bridge, container:, ns:. The host here is a network namespace of this file's own, 203.0.113.2,
# and outside is another one, 203.0.113.1, which knows no way to what lies behind the host.
if [ -z "${NETWORK_OF_ITS_OWN:-}" ] && [ "$(id -u)" -eq 0 ]; then
	exec env NETWORK_OF_ITS_OWN=1 unshare -n "$0" "$@"
fi
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

ip link set lo up
unshare -n sleep 1000 &
outside=$!
disown
trap 'kill $outside; scratch_remove' EXIT
eventually eval '[ "$(readlink /proc/$outside/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
ip link add up0 type veth peer name up1 netns "$outside"
ip addr add 203.0.113.2/24 dev up0
ip addr add 2001:db8::2/64 dev up0 nodad
ip link set up0 up
outside() { nsenter -t "$outside" -n "$@"; }
outside ip link set lo up
outside ip addr add 203.0.113.1/24 dev up1
outside ip addr add 2001:db8::1/64 dev up1 nodad
outside ip link set up1 up
if ! ip link add probe0 type bridge 2>"$SCRATCH/none"; then
	echo "1..0 # SKIP this kernel has no bridge: $(cat "$SCRATCH/none")"
	exit 0
fi
ip link del probe0
load busybox
host_before=$(host_now)

ANSWER=$BUILD/tests/launcher/answer

# serve NAME PORTS OPTION…: a container that answers on its ports, "80 53/udp"; leaves wherry's pid in $started.
serve() {
	local name=$1 ports=$2
	shift 2
	start "$name" --name "$name-$ID" -h "$name" --network bridge -v "$ANSWER:/answer:ro" "$@" busybox \
		sh -c "/answer $ports & hostname; ip -o -4 addr show eth0 | awk '{ print \$4 }'; wait"
	eventually eval '[ $(wc -l <"$SCRATCH/$name") -ge 2 ]'
	address=$(sed -n '2s|/.*||p' "$SCRATCH/$name")
}

# ask ADDRESS PORT [udp]: what it answers; in the network of whoever runs this.
cat >"$SCRATCH/ask" <<'END'
import socket, sys
address, port, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM if kind else socket.SOCK_STREAM)
s.settimeout(2)
s.connect((address, port))
if kind:
    s.send(b"x\n")
print(s.recv(100).decode().strip())
END
ask() { python3 "$SCRATCH/ask" "$@"; }
names() { eventually "$@" && "$@" | cut -d ' ' -f 1; }

stop() {
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null || [ $? -eq 137 ]
}
finish_run() {
	kill -TERM "$1"
	wait "$1" || [ $? -le 143 ]
}

# Everything of ours that the host has, but what this file made itself.
traces() {
	ip -o link | awk -F': ' '{ print "link", $2 }' | grep -v '^link lo$\|^link up0@'
	nft list tables
	find "$STATE" -mindepth 1 2>/dev/null
	return 0
}
no_traces() { [ -z "$(traces)" ]; }
# What is being killed still has its locks for a moment: then it is the command after the next.
swept() { wherry run busybox true && no_traces; }
gone() { eventually no_traces || { traces; return 1; }; }

reaches_out() {
	nsenter -t "$outside" -n "$ANSWER" 203.0.113.1,80 & tcp=$!
	eventually outside python3 "$SCRATCH/ask" 203.0.113.1 80
	equal "$(wherry run --network bridge busybox nc 203.0.113.1 80 | cut -d ' ' -f 2)" 203.0.113.2
	kill $tcp
}

reaches_out_6() {
	nsenter -t "$outside" -n "$ANSWER" 2001:db8::1,80 & tcp=$!
	eventually outside python3 "$SCRATCH/ask" 2001:db8::1 80
	contains "$(wherry run --network bridge busybox nc 2001:db8::1 80)" 2001:db8::2
	kill $tcp
}

looks_like() {
	seen=$(wherry run --network bridge -h box busybox sh -c 'ip -o addr show eth0; ip route; ip -6 route; cat /etc/hosts')
	contains "$seen" "10.177."
	contains "$seen" "default via 10.177.0.1 dev eth0"
	contains "$seen" "default via fd77:6865:7272:7900::1 dev eth0"
	grep -q '^10\.177\.[0-9.]*	box$' <<<"$seen"
	grep -q '^fd77:[0-9a-f:]*	box$' <<<"$seen"
	lacks "$seen" tentative
	gone
}

published() {
	serve web "80 53/udp" -p 8080:80 -p 5300:53/udp
	equal "$(names outside python3 "$SCRATCH/ask" 203.0.113.2 8080)" web
	equal "$(names outside python3 "$SCRATCH/ask" 203.0.113.2 5300 udp)" web
	equal "$(names outside python3 "$SCRATCH/ask" 2001:db8::2 8080)" web
	equal "$(names outside python3 "$SCRATCH/ask" 2001:db8::2 5300 udp)" web
	equal "$(names ask 203.0.113.2 8080)" web
	equal "$(names ask 127.0.0.1 8080)" web
	equal "$(names ask 127.0.0.1 5300 udp)" web
	equal "$(names ask 2001:db8::2 8080)" web
	equal "$(names ask "$address" 80)" web
	finish_run "$started"
	gone
}

source_kept() {
	serve web 80 -p 8080:80
	contains "$(outside python3 "$SCRATCH/ask" 203.0.113.2 8080)" 203.0.113.1
	contains "$(outside python3 "$SCRATCH/ask" 2001:db8::2 8080)" 2001:db8::1
	finish_run "$started"
}

# hairpin VALUE: from the container itself and from another one, by the host's address and by the bridge's.
hairpin() {
	sysctl -q -w net.bridge.bridge-nf-call-iptables="$1" net.bridge.bridge-nf-call-ip6tables="$1" || return 0
	start web --name "web-$ID" -h web --network bridge -v "$ANSWER:/answer:ro" -p 8080:80 busybox sh -c '
		/answer 80 &
		until nc -w 2 127.0.0.1 80 >/dev/null 2>&1; do sleep 0.1; done
		nc -w 2 203.0.113.2 8080; nc -w 2 10.177.0.1 8080; nc -w 2 2001:db8::2 8080; echo end; wait'
	eventually grep -q end "$SCRATCH/web"
	equal "$(cut -d ' ' -f 1 "$SCRATCH/web" | tr '\n' ' ')" "web web web end "
	equal "$(wherry run --network bridge busybox sh -c 'nc -w 2 203.0.113.2 8080; nc -w 2 10.177.0.1 8080; nc -w 2 2001:db8::2 8080' |
		cut -d ' ' -f 1 | tr '\n' ' ')" "web web web "
	finish_run "$started"
}

range() {
	serve web "80 81 82 9001" -p 8080-8082:80-82 -p 9000-9002:9000-9002
	for port in 8080 8081 8082 9001; do
		equal "$(names outside python3 "$SCRATCH/ask" 203.0.113.2 $port)" web
	done
	finish_run "$started"
}

bound() {
	serve web 80 -p 127.0.0.1:8080:80
	equal "$(names ask 127.0.0.1 8080)" web
	! outside python3 "$SCRATCH/ask" 203.0.113.2 8080 2>/dev/null
	# It is sent to the loopback by who knows the way.
	outside ip route add 127.0.0.1/32 via 203.0.113.2 table 7
	outside sysctl -q -w net.ipv4.conf.all.route_localnet=1
	outside ip rule add pref 1 to 127.0.0.1 dport 8080 table 7
	outside ip rule add pref 2 lookup local
	outside ip rule del pref 0
	! outside python3 "$SCRATCH/ask" 127.0.0.1 8080 2>/dev/null
	outside ip rule add pref 0 lookup local
	outside ip rule del pref 1
	finish_run "$started"
	serve web 80 -p 203.0.113.2:8080:80
	equal "$(names outside python3 "$SCRATCH/ask" 203.0.113.2 8080)" web
	! ask 127.0.0.1 8080 2>/dev/null
	finish_run "$started"
}

closed() {
	serve web "80 81" -p 8080:80
	outside ip route add 10.177.0.0/16 via 203.0.113.2
	! outside python3 "$SCRATCH/ask" "$address" 81 2>/dev/null
	! outside python3 "$SCRATCH/ask" "$address" 80 2>/dev/null
	outside ip route del 10.177.0.0/16
	finish_run "$started"
}

# 127.0.0.1 of the host is not the containers', though the bridge lets it pass.
no_loopback() {
	"$ANSWER" 127.0.0.1,7777 & tcp=$!
	eventually ask 127.0.0.1 7777
	equal "$(wherry run --network bridge -p 8080:80 --cap-add NET_ADMIN busybox sh -c '
		ip route del local 127.0.0.0/8 dev lo table local; ip route del local 127.0.0.1 dev lo table local
		ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via 10.177.0.1
		nc -w 1 127.0.0.1 7777; echo end')" end
	kill $tcp
}

taken() {
	serve web 80 -p 8080:80
	fails_with 125 "publish 8080:90: port 8080/tcp: Address in use" wherry run --network bridge -p 8080:90 busybox true
	! timeout 5 "$ANSWER" 127.0.0.1,8080 2>"$SCRATCH/said"
	contains "$(cat "$SCRATCH/said")" "in use"
	finish_run "$started"
	wherry run --network bridge -p 8080:90 busybox true
	"$ANSWER" 127.0.0.1,8081 & tcp=$!
	eventually ask 127.0.0.1 8081
	fails_with 125 "port 8081/tcp: Address in use" wherry run --network bridge -p 8081:90 busybox true
	kill $tcp
	gone
}

free_port() {
	serve web 80 -p 80
	port=$(grep -o '^port .*' "$STATE/web-$ID" | cut -d ' ' -f 2)
	equal "$(names outside python3 "$SCRATCH/ask" 203.0.113.2 "$port")" web
	finish_run "$started"
}

stays() {
	serve web 80
	was=$address
	finish_run "$started"
	serve web 80
	equal "$address" "$was"
	finish_run "$started"
	equal "$(wherry run --network bridge --ip 10.177.4.5 --mac-address 02:00:00:00:00:07 busybox ip addr show eth0 |
		grep -c '10.177.4.5/16\|02:00:00:00:00:07')" 2
	fails_with 125 "not an address of the network" wherry run --network bridge --ip 10.1.1.1 busybox true
	serve web 80 --ip 10.177.4.5
	fails_with 125 "--ip 10.177.4.5: another container has it" wherry run --network bridge --ip 10.177.4.5 busybox true
	finish_run "$started"
}

no_overlap() {
	ip route add 10.177.3.0/24 dev up0
	ip route add 10.128.0.0/9 dev up0 table 99
	seen=$(wherry run --network bridge busybox ip route)
	ip route del 10.177.3.0/24 dev up0
	ip route del 10.128.0.0/9 dev up0 table 99
	contains "$seen" "default via 10.2.0.1"
}

host_gateway() {
	seen=$(wherry run --network bridge --add-host me:host-gateway busybox cat /etc/hosts)
	grep -q '^10\.177\.0\.1	me$' <<<"$seen"
}

names_of_servers() {
	printf 'nameserver 127.0.0.53\nsearch example.org\noptions edns0\n' >"$SCRATCH/resolv"
	printf 'nameserver 192.0.2.53\n' >"$SCRATCH/behind"
	mount --bind "$SCRATCH/resolv" "$(realpath /etc/resolv.conf)"
	equal "$(wherry run --network bridge busybox cat /etc/resolv.conf 2>&1)" "wherry: no name server that the container can reach: /etc/resolv.conf names the host's loopback alone; --dns ADDRESS gives it one
search example.org
options edns0"
	mkdir -p "$SCRATCH/run/systemd/resolve"
	cp "$SCRATCH/behind" "$SCRATCH/run/systemd/resolve/resolv.conf"
	mount --bind "$SCRATCH/run" /run
	equal "$(wherry run --network bridge busybox cat /etc/resolv.conf)" "nameserver 192.0.2.53"
	umount /run
	equal "$(wherry run --network bridge --dns 192.0.2.1 --dns-search . --dns-option ndots:2 busybox cat /etc/resolv.conf)" \
		$'nameserver 192.0.2.1\noptions ndots:2'
	equal "$(wherry run --dns-search a.example --dns-search b.example busybox cat /etc/resolv.conf)" "search a.example b.example"
	umount "$(realpath /etc/resolv.conf)"
}

by_path() {
	equal "$(wherry run --network "ns:/proc/$outside/ns/net" busybox ip -o -4 addr show up1 | awk '{ print $4 }')" 203.0.113.1/24
	fails_with 125 "--network ns:/none: No such file or directory" wherry run --network ns:/none busybox true
	fails_with 125 "ns:/etc/passwd" wherry run --network ns:/etc/passwd busybox true
}

by_container() {
	serve web 80
	equal "$(wherry run --network "container:web-$ID" busybox nc 127.0.0.1 80 | cut -d ' ' -f 1)" web
	finish_run "$started"
	fails_with 125 "no container of that name runs" wherry run --network "container:web-$ID" busybox true
	fails_with 125 "--publish and --network container:x exclude each other" \
		wherry run --network container:x -p 80:80 busybox true
}

rules_hold() {
	serve web 80 -p 8080:80
	nft flush ruleset 2>/dev/null || true
	equal "$(names outside python3 "$SCRATCH/ask" 203.0.113.2 8080)" web
	table=$(nft list tables | awk '/wherry/ { print $3 }')
	! nft delete table inet "$table" 2>/dev/null
	finish_run "$started"
}

# sysctls DIR…: what forwarding and its kin are now
sysctls() {
	sysctl -a 2>/dev/null | grep 'forwarding\|ip_forward \|accept_ra \|route_localnet' | grep -v 'wherry\|default'
}

sysctls_back() {
	gone
	before=$(sysctls)
	serve web 80 -p 8080:80
	equal "$(sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv6.conf.up0.accept_ra | tr '\n' ' ')" "1 1 2 "
	finish_run "$started"
	gone
	equal "$(sysctls)" "$before"
}

killed() {
	gone
	before=$(sysctls)
	serve web 80 -p 8080:80
	stop "$started"
	eventually swept || { traces; return 1; }
	equal "$(sysctls)" "$before"
}

# At what moment it is killed, the machine's own pace says.
killed_anywhere() {
	gone
	before=$(sysctls)
	for n in {1..40}; do
		"$WHERRY" --root "$STORE" --state "$STATE" run --network bridge -p 8080:80 busybox true >/dev/null 2>&1 & run=$!
		sleep "0.0$((RANDOM % 30 + 10))"
		kill -KILL $run 2>/dev/null || true
		wait $run || true
	done
	eventually swept || { traces; return 1; }
	equal "$(sysctls)" "$before"
	wherry run --network bridge -p 8080:80 busybox true
	gone
}

many() {
	local n pids=()
	for n in {1..50}; do
		"$WHERRY" --root "$STORE" --state "$STATE" run --name "many$n-$ID" -h "many$n" --network bridge \
			-v "$ANSWER:/answer:ro" -p $((9000 + n)):80 busybox /answer 80 \
			>"$SCRATCH/many.$n" 2>&1 &
		pids+=($!)
	done
	for n in {1..50}; do
		equal "$(names outside python3 "$SCRATCH/ask" 203.0.113.2 $((9000 + n)))" "many$n" ||
			{ cat "$SCRATCH/many.$n"; return 1; }
	done
	equal "$(find "$STATE/.bridge" -name '10.177.*' | wc -l)" 50
	for n in "${pids[@]}"; do finish_run "$n"; done
	gone
}

mapped() {
	useradd_map="$SCRATCH/subid"
	echo "root:500000:65536" >"$useradd_map"
	mount --bind "$useradd_map" /etc/subuid
	mount --bind "$useradd_map" /etc/subgid
	seen=$(wherry run --userns root --network bridge -p 8080:80 busybox sh -c 'ip -o -4 addr show eth0; ping -c 1 -W 2 203.0.113.1') || true
	umount /etc/subuid /etc/subgid
	contains "$seen" "10.177."
	contains "$seen" "1 packets received"
}

words() {
	fails_with 125 "is not none, host, bridge, container:NAME or ns:PATH" wherry run --network nowhere busybox true
	fails_with 125 "a network with loopback alone has no way in" wherry run -p 80:80 busybox true
	fails_with 125 "--publish and --network host exclude each other" wherry run --network host -p 80:80 busybox true
	fails_with 125 "not a port or a range of ports" wherry run --network bridge -p 0:80 busybox true
	fails_with 125 "not a port or a range of ports" wherry run --network bridge -p 80:65536 busybox true
	fails_with 125 "2 ports of the host's for 1 of the container's" wherry run --network bridge -p 80-81:80 busybox true
	fails_with 125 "'sctp' is neither tcp nor udp" wherry run --network bridge -p 80:80/sctp busybox true
	fails_with 125 "'1.2.3' is no IP address" wherry run --network bridge -p 1.2.3:80:80 busybox true
	fails_with 125 "not an interface's address" wherry run --network bridge --mac-address 01:00:00:00:00:00 busybox true
	fails_with 125 "--ip: 'x' is no IPv4 address" wherry run --network bridge --ip x busybox true
	fails_with 125 "port 8080/tcp: Address not available" wherry run --network bridge -p 198.51.100.1:8080:80 busybox true
	gone
}

# As it, and what a test that breaks has left running ends.
alone() {
	trap 'kill -KILL $(jobs -p) 2>/dev/null || true; wait || true' EXIT
	"$@"
}
there() { it "$1" alone "${@:2}"; }

there "reaches outside under the host's address" reaches_out
there "reaches outside over IPv6" reaches_out_6
there "has an address, a gateway and its name in both families" looks_like
there "is reached at its published ports from outside, from the host and from its loopback" published
there "sees who asks from outside" source_kept
there "is reached at its published ports by itself and by others, with bridge-nf-call-iptables 0" hairpin 0
there "is reached at its published ports by itself and by others, with bridge-nf-call-iptables 1" hairpin 1
there "publishes ranges" range
there "publishes at one address of the host's alone" bound
there "is not reached from outside at what is not published" closed
there "doesn't reach the host's loopback" no_loopback
there "refuses a published port that is taken, and holds its own" taken
there "publishes at a port that is free" free_port
there "keeps its address from run to run, and takes the one that it is given" stays
there "chooses a network that no route of the host's leads to" no_overlap
there "names the host: --add-host NAME:host-gateway" host_gateway
there "has name servers that it can reach" names_of_servers
there "has the network of a namespace's file" by_path
there "has the network of another container" by_container
there "stays reachable when others flush their rules" rules_hold
there "leaves forwarding and router advertisements as they were" sysctls_back
there "leaves nothing when its supervisor is killed, once the next command has run" killed
there "leaves nothing when it is killed at any moment" killed_anywhere
there "starts fifty at once, all reachable" many
there "has a bridge with --userns, too" mapped
there "refuses words that mean nothing" words
there "leaves no link, rule, lease or file" gone
finish_clean
