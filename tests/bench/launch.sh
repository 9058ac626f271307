#!/bin/bash
# How long a container takes, from nothing to nothing, that runs busybox `true`: wherry against the
# floor that makes the same system calls, and against what Debian has. Budgets: 1.25 times the floor,
# half of crun, 0.15 of runc; with sixty layers 1.2 times its own time with five.
set -euo pipefail
. "$(dirname "$0")/begin.sh"
. "$TOP/tests/bench/newer.sh"
trap 'rm -rf --one-file-system "$SCRATCH"' EXIT
ROUNDS=${ROUNDS:-100}

# What each of the engines' tools is, if it is here.
cases=()
add() {
	if type -P "${2%% *}" >/dev/null; then
		cases+=("$1" "${*:2}")
	else
		echo "($1: there is no ${2%% *} here)"
	fi
}

# Layers are mounted around the runtime, as an engine does it.
under_docker() { add "$1" "$BUILD/bench/overlaid" "$SCRATCH/over" "$(lowers five)" "$2 --root $SCRATCH/$1.state run --bundle $SCRATCH/docker wherry-bench"; }
plainly() { add "$1" "$2 --root $SCRATCH/$1.state run --bundle $SCRATCH/plain wherry-bench"; }

# Its own limits of files and processes are above what some machines let it have.
add_podman() {
	local podman="podman --root $SCRATCH/podman --runroot $SCRATCH/podman.run --tmpdir $SCRATCH/podman.tmp"
	podman+=" --storage-driver overlay --cgroup-manager cgroupfs --events-backend none --runtime crun"
	if ! type -P podman >/dev/null; then
		echo "(podman is not installed)"
	elif $podman load -q -i "$SCRATCH/five.tar" >/dev/null; then
		add podman "$podman run --rm --network none --log-driver none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 $LIMITS five true"
	else
		echo "(podman cannot load the image)"
	fi
}

load five 5
load sixty 60
make_root
mkdir "$SCRATCH"/{staging,over,files}
touch "$SCRATCH"/files/{hosts,hostname,resolv.conf}
bundle docker "$SCRATCH/over/root" --limits --cgroups --seccomp --files "$SCRATCH/files"
bundle plain "$ROOT" --limits --plain
newer_crun=$(newer trixie crun crun libc6 libcap2 libseccomp2 libsystemd0 libyajl2 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1) ||
	echo "(trixie's crun cannot be had)"

echo "-- the same work: docker's defaults, five layers, memory, cpu and pids limits, a new network namespace"
add floor "$BUILD/bench/floor $SCRATCH/staging $BUILD/wherry-init $(lowers five) true"
add wherry "$RUN $LIMITS five true"
under_docker crun crun
[ -z "$newer_crun" ] || under_docker crun-trixie "$newer_crun"
under_docker runc runc
add_podman
pace "$ROUNDS" "${cases[@]}"
echo "crun and runc have no init in the container; their overlay is mounted and unmounted around them."
verdict "wherry / floor" "$(ratio wherry floor)" 1.25
verdict "wherry / crun" "$(ratio wherry crun)" 0.5
[ -z "$newer_crun" ] || verdict "wherry / trixie's crun" "$(ratio wherry crun-trixie)" 0.5
verdict "wherry / runc" "$(ratio wherry runc)" 0.15

echo
echo "-- less work than wherry's: a plain directory, no seccomp, nothing masked; those with a star: no limits either"
cases=()
add wherry "$RUN $LIMITS five true"
plainly crun crun
[ -z "$newer_crun" ] || plainly crun-trixie "$newer_crun"
plainly runc runc
add 'bubblewrap*' "bwrap --unshare-all --hostname bench --bind $ROOT / --proc /proc --dev /dev --ro-bind /sys /sys --tmpfs /tmp /bin/true"
add 'unshare*' "unshare --mount --pid --uts --ipc --net --cgroup --fork --root=$ROOT --mount-proc /bin/true"
pace "$ROUNDS" "${cases[@]}"

echo
echo "-- wherry's own"
pace "$ROUNDS" five-layers "$RUN $LIMITS five true" sixty-layers "$RUN $LIMITS sixty true" \
	no-limits "$RUN five true" host-network "$RUN --network host $LIMITS five true"
verdict "sixty / five layers" "$(ratio sixty-layers five-layers)" 1.2

echo
echo "-- with 1,000 mounts more on the host"
mkdir "$SCRATCH/mounts"
cases=(floor "$BUILD/bench/floor $SCRATCH/staging $BUILD/wherry-init $(lowers five) true" wherry "$RUN $LIMITS five true")
under_docker crun crun
export -f pace
BUILD=$BUILD SCRATCH=$SCRATCH unshare --mount --propagation private bash -euo pipefail -c '
	mount -t tmpfs none "$SCRATCH/mounts"
	mkdir "$SCRATCH"/mounts/{1..1000}
	for n in {1..1000}; do mount --bind "$SCRATCH/mounts/$n" "$SCRATCH/mounts/$n"; done
	pace "$@"' bash "$ROUNDS" "${cases[@]}"
