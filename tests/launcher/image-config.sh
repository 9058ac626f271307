#!/bin/bash
# What an image's config and the options over it make of the program: user, environment, directory.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox app

as_configured() {
	local seen
	seen=$(wherry run app)
	contains "$seen" "entry: tool -show"
	contains "$seen" "uid 1000 1000 gid 1000 1000"
	equal "$(wherry run app pwd | tail -n 1)" /app/start
}

cmd_replaced() { equal "$(wherry run app echo hi)" $'entry: echo hi\nhi'; }

entrypoint_replaced() {
	equal "$(wherry run --entrypoint /bin/echo app hi there)" "hi there"
	# and drops Cmd
	equal "$(wherry run --entrypoint pwd app)" /app/start
}

entrypoint_emptied() {
	equal "$(wherry run --entrypoint '' app echo plain)" plain
	fails_with 125 "nothing to run" wherry run --entrypoint '' app
}

env_of() { wherry run "$@" env | sort; }

image_env() {
	local seen
	seen=$(wherry run --entrypoint '' app env)
	contains "$seen" "COLOUR=green"
	contains "$seen"$'\n' $'EMPTY=\n'
	contains "$seen" 'QUOTED=a "b" c'
	contains "$seen" "PATH=/usr/local/bin:/bin"
	contains "$seen" "HOME=/home/alice"
	contains "$seen" "HOSTNAME="
}

clean_env() {
	lacks "$(SECRET=1 env_of busybox)" SECRET
	lacks "$(env_of busybox)" "SCRATCH="
}

given_env() {
	equal "$(wherry run -e FROM_IMAGE=no -e 'WORDS=a b' --env=LAST=3 -eGLUED=4 busybox \
		sh -c 'echo $FROM_IMAGE,$WORDS,$LAST,$GLUED')" "no,a b,3,4"
	equal "$(wherry run -e A=1 -e A=2 busybox sh -c 'env | grep ^A=')" A=2
	equal "$(wherry run -e EMPTY= busybox sh -c 'echo ${EMPTY-unset}')" ""
	fails_with 125 "=x" wherry run -e =x busybox true
}

host_env() {
	equal "$(GIVEN='from the host' wherry run -e GIVEN busybox sh -c 'echo $GIVEN')" "from the host"
	equal "$(env -u GIVEN "$WHERRY" --root "$STORE" --state "$STATE" run -e GIVEN busybox \
		sh -c 'echo ${GIVEN-unset}')" unset
}

env_file() {
	printf '%s\n' '# comment' '' 'PLAIN=1' '   INDENTED=2' 'QUOTES="kept"' 'SPACES=a b  c' 'EQUALS=a=b' \
		'GIVEN' 'OVER=file' 'NONE=' >"$SCRATCH/env"
	printf 'LAST=no newline' >>"$SCRATCH/env"
	equal "$(GIVEN=host wherry run --env-file "$SCRATCH/env" -e OVER=option busybox \
		sh -c 'echo "$PLAIN|$INDENTED|$QUOTES|$SPACES|$EQUALS|$GIVEN|$OVER|${NONE-unset}|$LAST"')" \
		'1|2|"kept"|a b  c|a=b|host|option||no newline'
	# as editors on Windows write it
	printf '\357\273\277FIRST=1\r\nSECOND=2\r\n' >"$SCRATCH/marked"
	equal "$(wherry run --env-file "$SCRATCH/marked" busybox sh -c 'echo "$FIRST|$SECOND"')" '1|2'
	fails_with 125 "$SCRATCH/none" wherry run --env-file "$SCRATCH/none" busybox true
	echo 'a name=1' >"$SCRATCH/bad"
	fails_with 125 "a name" wherry run --env-file "$SCRATCH/bad" busybox true
}

workdir() {
	equal "$(wherry run -w /etc busybox pwd)" /etc
	equal "$(wherry run --workdir /made/for/this busybox pwd)" /made/for/this
	equal "$(wherry run -w /tmp app pwd | tail -n 1)" /tmp
	fails_with 125 "relative" wherry run -w relative busybox true
	fails_with 125 "/etc/motd" wherry run -w /etc/motd busybox true
}

ids() { wherry run "$@" sh -c 'echo $(id -u) $(id -g), $(id -G)'; }

users() {
	equal "$(ids busybox)" "0 0, 0"
	equal "$(ids -u alice busybox)" "1000 1000, 1000 29 44"
	equal "$(ids -u bob busybox)" "1001 100, 100 29 44"
	equal "$(ids -u 1000 busybox)" "1000 1000, 1000 29 44"
	equal "$(ids -u 4242 busybox)" "4242 0, 0"
	equal "$(ids -u 4242:4343 busybox)" "4242 4343, 4343"
	equal "$(ids -u alice:audio busybox)" "1000 29, 29"
	equal "$(ids -u 0:video busybox)" "0 44, 44"
	equal "$(ids -u root --entrypoint '' app)" "0 0, 0"
}

unknown_users() {
	fails_with 125 "carol" wherry run -u carol busybox true
	fails_with 125 "sailors" wherry run -u alice:sailors busybox true
	fails_with 125 "4294967295" wherry run -u 4294967295 busybox true
}

no_passwd() {
	mkdir -p "$SCRATCH/bare/bin"
	cp "$(rootfs busybox)/bin/busybox" "$SCRATCH/bare/bin/sh"
	equal "$(wherry run -u 7:8 "$SCRATCH/bare" /bin/sh -c 'echo $HOME')" /
	fails_with 125 "alice" wherry run -u alice "$SCRATCH/bare" /bin/sh -c true
}

home() {
	equal "$(wherry run busybox sh -c 'echo $HOME')" /root
	equal "$(wherry run -u alice busybox sh -c 'echo $HOME')" /home/alice
	equal "$(wherry run -u 1001 busybox sh -c 'echo $HOME')" /nowhere
	equal "$(wherry run -u 4242 busybox sh -c 'echo $HOME')" /
	equal "$(wherry run -u alice -e HOME=/tmp busybox sh -c 'echo $HOME')" /tmp
}

unprivileged() {
	fails_with 1 "Permission denied" wherry run -u alice busybox sh -c 'echo >/etc/x'
	local seen
	seen=$(wherry run -u alice busybox cat /proc/self/status)
	contains "$seen" $'CapEff:\t0000000000000000'
	contains "$seen" $'CapPrm:\t0000000000000000'
}

default_path() {
	equal "$(wherry run "$(rootfs busybox)" sh -c 'echo $PATH')" \
		/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
}

stop_signal() {
	start stop app /app/signals
	eventually grep -qx ready "$SCRATCH/stop"
	kill -USR1 "$started"
	eventually grep -qx 10 "$SCRATCH/stop"
	kill -TERM "$started"
	ends "$started" 42
}

bad_stop_signal() {
	make_image '{"Cmd": ["sh"], "StopSignal": "SIGBOAT"}' boat:1 docker "$SCRATCH/boat.tar" \
		"$(image busybox docker >&2; echo "$IMAGES/busybox.layers/001.tar")"
	fails_with 125 "SIGBOAT" wherry run "$SCRATCH/boat.tar" true
}

volumes() {
	equal "$(wherry run --entrypoint '' -u 0 app cat /data/seed)" "the volume as the image has it"
	equal "$(wherry run --entrypoint '' -u 0 --read-only app sh -c 'echo more >/data/more && cat /data/*')" \
		$'more\nthe volume as the image has it'
	equal "$(wherry run --entrypoint '' -u 0 app ls /data)" seed
	fails_with 1 "Read-only file system" wherry run --entrypoint '' -u 0 --read-only app touch /app/x
	mkdir "$SCRATCH/mine"
	touch "$SCRATCH/mine/own"
	equal "$(wherry run --entrypoint '' -v "$SCRATCH/mine:/data" app ls /data)" own
}

config_forms() {
	# What docker writes for "nothing" is null.
	make_image '{"Env": null, "Cmd": ["/bin/echo", "nulls"], "Entrypoint": null, "Volumes": null, "User": "", "WorkingDir": "", "Labels": null}' \
		nulls:1 docker "$SCRATCH/nulls.tar" "$IMAGES/busybox.layers/001.tar"
	equal "$(wherry run "$SCRATCH/nulls.tar")" nulls
	make_image '{}' empty:1 oci-tar:gzip "$SCRATCH/empty.tar" "$IMAGES/busybox.layers/001.tar"
	fails_with 125 "nothing to run" wherry run "$SCRATCH/empty.tar"
}

it "does all that the config says" as_configured
it "replaces Cmd by the words behind the image, and keeps Entrypoint" cmd_replaced
it "--entrypoint replaces Entrypoint and drops Cmd" entrypoint_replaced
it "--entrypoint '' leaves Entrypoint out" entrypoint_emptied
it "sets the image's environment, HOME and HOSTNAME" image_env
it "passes nothing of its own environment" clean_env
it "-e sets variables, the last one wins, over the image's" given_env
it "-e NAME takes a variable over, if there is one" host_env
it "--env-file reads docker's syntax" env_file
it "-w sets the working directory, and makes a missing one" workdir
it "-u takes names and numbers, with the image's groups" users
it "-u refuses names that the image doesn't have" unknown_users
it "-u works by number without passwd and group files" no_passwd
it "sets HOME from the image's passwd" home
it "leaves a user who isn't root without capabilities" unprivileged
it "has docker's PATH where the image names none" default_path
it "passes the image's StopSignal on like any other" stop_signal
it "refuses a StopSignal that doesn't exist" bad_stop_signal
it "makes the image's Volumes writable, with the image's files in them" volumes
it "takes null and nothing for nothing" config_forms
finish_clean
