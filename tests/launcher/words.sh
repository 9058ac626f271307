#!/bin/bash
# Command lines as people type them: forms, refusals, mistakes, help.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

# One try shows all that a compose file asks for in vain.
all_refused() {
	local said
	said=$(wherry run --restart always --link db --volumes-from x --label-file f --volumes-from y busybox true 2>&1) && return 1
	contains "$said" "run: --restart always, --link db, --volumes-from x, --label-file f, --volumes-from y are not to be had"
	contains "$said" "wherry: --label KEY=VALUE notes one"
	equal "$(grep -c 'gives both the same' <<<"$said")" 1
	fails_with 125 "run: --link db is not to be had" wherry run --link db busybox true
}

harmless() {
	equal "$(wherry run -a stdout -a stderr --sdnotify conmon --cgroups=no-conmon --systemd=false --http-proxy=false \
		--replace --name words busybox echo ran)" ran
	fails_with 125 "--attach stdin is not to be had" wherry run -a stdin busybox true
}

# pflag, which docker and podman read their words with, takes "-x=value".
pflag_forms() {
	equal "$(wherry run -e=A=1 -m=64m -i=false busybox sh -c 'echo $A')" 1
	equal "$(wherry run -w=/tmp busybox pwd)" /tmp
	equal "$(echo in | wherry run -it=false busybox cat)" in
}

helps() {
	contains "$(wherry help run)" "Usage: wherry run"
	contains "$(wherry help volume ls)" "Usage: wherry volume ls"
	contains "$(wherry images -h)" "Usage: wherry images"
	contains "$(wherry -h)" "COMMAND"
	contains "$(wherry help volume)" "volume rm"
}

guesses() {
	fails_with 125 "did you mean --quiet?" wherry images --qiet
	fails_with 125 "did you mean --hostname?" wherry run --hotsname x busybox true
	fails_with 125 "did you mean images?" wherry iamges
	fails_with 125 "wherry --help lists the commands" wherry frobnicate
}

it "names all options that it refuses in one go" all_refused
it "takes options that ask for what is so anyway" harmless
it "takes an argument behind = after a letter" pflag_forms
it "has help for -h and help COMMAND" helps
it "says what may have been meant" guesses
finish_clean
