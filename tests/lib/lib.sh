# What every shell test begins with. Prints TAP on standard output.
#
#	. "$(dirname "$0")/../lib/lib.sh"
#	it "says hello" says_hello	# runs the function in a subshell, with -e really on
#	skip "flies" "no wings here"
#	finish				# prints the plan; exit status 1 if anything failed
#
# A file that ends before `finish` has no plan, and tests/run counts that as a failure.
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022

TOP=${TEST_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
BUILD=$(realpath -ms "${BUILD:-$TOP/build/$(uname -m)}")
WHERRY=$BUILD/wherry
WHERRY_INIT=$BUILD/wherry-init
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/wherry-test.XXXXXX")
# For names: a PID is not unique, each test file is PID 1 of its namespace. A number of four digits, of the same.
ID=${SCRATCH##*.}
NUMBER_OF_ID=$(($(cksum <<<"$ID" | cut -d ' ' -f 1) % 10000))
export TOP BUILD WHERRY WHERRY_INIT SCRATCH

# Kept out of $SCRATCH, which belongs to the test.
test_output=$(mktemp "${TMPDIR:-/tmp}/wherry-test.XXXXXX")
test_count=0
test_failed=0
# In seconds: what takes longer never ends. Generous, since the machine may have twenty others to serve.
PATIENCE=600

# A mount that a test forgot below $SCRATCH must not be emptied together with it.
scratch_remove() {
	local mounted
	mounted=$(awk -v under="$SCRATCH" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo)
	rm -f "$test_output"
	if [ -n "$mounted" ]; then
		echo "# left mounted, so $SCRATCH stays: $mounted" | tr '\n' ' '
		echo
		exit 1
	fi
	chmod -R u+rwX "$SCRATCH" 2>/dev/null || [ -d "$SCRATCH" ]
	rm -rf --one-file-system "$SCRATCH"
}
trap scratch_remove EXIT
# bash runs the EXIT trap for these only if they are trapped.
trap 'exit 130' INT
trap 'exit 143' TERM

# own_etc: users and ids that are added from now on are in a copy that goes with our mount namespace. Where we have
# none, they are in the machine's own files, and the test takes them back.
own_etc() {
	[ -n "${OWN_NAMESPACES:-}" ] || return 0
	cp -a /etc "$SCRATCH/etc"
	mount --bind "$SCRATCH/etc" /etc
}

# chosen SENTENCE: by -n of tests/run, if it says anything
chosen() { [ -z "${TEST_ONLY:-}" ] || [[ ${1,,} = *"${TEST_ONLY,,}"* ]]; }

# it SENTENCE FUNCTION [ARG…]
it() {
	local sentence=$1 status ignored
	shift
	chosen "$sentence" || return 0
	set +e
	# bash ignores -e, in subshells too, below `if`, `&&`, `||` and `!`: a test there could not fail.
	ignored=$(set -e; false; echo ignored)
	if [ -n "$ignored" ]; then
		echo "Bail out! '$sentence' is called where bash ignores -e"
		exit 1
	fi
	(set -euo pipefail; "$@") >"$test_output" 2>&1 </dev/null
	status=$?
	set -e
	test_count=$((test_count + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $test_count - $sentence"
		return 0
	fi
	test_failed=$((test_failed + 1))
	echo "not ok $test_count - $sentence"
	echo "# exit status $status"
	tail -n 60 "$test_output" | tr -d '\0' | sed 's/^/# /'
}

# skip SENTENCE WHY
skip() {
	chosen "$1" || return 0
	test_count=$((test_count + 1))
	echo "ok $test_count - $1 # SKIP $2"
}

finish() {
	echo "1..$test_count"
	[ "$test_failed" -eq 0 ] || exit 1
	exit 0
}

# equal GOT WANTED
equal() {
	[ "$1" != "$2" ] || return 0
	printf 'got:    %q\nwanted: %q\n' "$1" "$2" >&2
	return 1
}

# contains HAYSTACK NEEDLE
contains() {
	[[ $1 != *"$2"* ]] || return 0
	printf 'no %q in:\n%s\n' "$2" "$1" >&2
	return 1
}

# lacks HAYSTACK NEEDLE
lacks() {
	[[ $1 == *"$2"* ]] || return 0
	printf '%q should not be in:\n%s\n' "$2" "$1" >&2
	return 1
}

# fails_with STATUS TEXT COMMAND…: it ends with STATUS and says TEXT on standard error.
fails_with() {
	local wanted=$1 text=$2 status=0 said
	shift 2
	said=$(mktemp "$SCRATCH/said.XXXXXX")
	"$@" 2>"$said" >"$said.out" || status=$?
	if [ "$status" != "$wanted" ] || ! grep -qF -e "$text" "$said"; then
		printf 'wanted: status %s and %q\ngot:    status %s and:\n' "$wanted" "$text" "$status" >&2
		cat "$said" "$said.out" >&2
		return 1
	fi
	rm -f "$said" "$said.out"
}

# eventually COMMAND…: it succeeds, if one waits.
eventually() {
	local attempt
	for attempt in {1..2000}; do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.05
	done
	echo "never true in $attempt attempts: $*" >&2
	return 1
}
