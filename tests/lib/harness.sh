#!/bin/bash
# The harness itself: what must fail does fail.
. "$(dirname "$0")/../lib/lib.sh"

# Writes a test file and runs it by tests/run; its report is in $report, its status in $status.
run_file() {
	local file=$SCRATCH/case.sh
	{ echo '#!/bin/bash'; echo ". '$TOP/tests/lib/lib.sh'"; cat; } >"$file"
	chmod +x "$file"
	status=0
	report=$("$TOP/tests/run" "$file") || status=$?
	rm "$file"
	echo "$report"
}

passes() {
	run_file <<-'END'
	good() { true; }
	it "is good" good
	skip "is left out" "no need"
	finish
	END
	equal "$status" 0
	contains "$report" "ok 1 - is good"
	equal "$(tail -n 1 <<<"$report")" "1 passed, 0 failed, 1 skipped"
}

middle() {
	run_file <<-'END'
	bad() { echo before; false; echo after; }
	good() { true; }
	it "breaks in the middle" bad
	it "goes on after it" good
	finish
	END
	equal "$status" 1
	contains "$report" "not ok 1 - breaks in the middle"
	contains "$report" "# before"
	lacks "$report" "# after"
	contains "$report" "ok 2 - goes on after it"
	contains "$report" "FAILED ${SCRATCH}/case.sh: 1 - breaks in the middle"
	equal "$(tail -n 1 <<<"$report")" "1 passed, 1 failed, 0 skipped"
}

pipe() {
	run_file <<-'END'
	bad() { false | cat; }
	it "hides behind a pipe" bad
	finish
	END
	equal "$status" 1
	contains "$report" "not ok 1 - hides behind a pipe"
}

unset_variable() {
	run_file <<-'END'
	bad() { echo "$no_such_variable"; true; }
	it "reads a variable that isn't there" bad
	finish
	END
	equal "$status" 1
}

condition() {
	run_file <<-'END'
	bad() { false; true; }
	if it "is called below if" bad; then true; fi
	finish
	END
	equal "$status" 1
	contains "$report" "Bail out!"
	equal "$(tail -n 1 <<<"$report")" "0 passed, 1 failed, 0 skipped"
}

no_plan() {
	run_file <<-'END'
	good() { true; }
	it "is good" good
	exit 0
	END
	equal "$status" 1
	contains "$report" "ended without a plan after test 1"
	equal "$(tail -n 1 <<<"$report")" "1 passed, 1 failed, 0 skipped"
}

top_level() {
	run_file <<-'END'
	good() { true; }
	it "is good" good
	false
	finish
	END
	equal "$status" 1
	contains "$report" "ended without a plan"
}

wrong_plan() {
	run_file <<-'END'
	echo "ok 1 - alone"
	echo "1..2"
	exit 0
	END
	equal "$status" 1
	contains "$report" "planned 2 tests, ran 1"
}

bad_status() {
	run_file <<-'END'
	echo "ok 1 - alone"
	echo "1..1"
	exit 3
	END
	equal "$status" 1
	contains "$report" "exit status 3, although no test failed"
}

nothing() {
	run_file <<-'END'
	finish
	END
	equal "$status" 1
	equal "$(tail -n 1 <<<"$report")" "0 passed, 0 failed, 0 skipped"
}

absent() {
	status=0
	report=$("$TOP/tests/run" "$SCRATCH/nowhere.sh") || status=$?
	equal "$status" 1
	contains "$report" "nowhere.sh: there is no such test"
}

endless() {
	run_file <<-'END'
	# timeout: 1
	endless() { sleep 1000; }
	it "never ends" endless
	finish
	END
	equal "$status" 1
	contains "$report" "ran out of time after test 0"
}

left_process() {
	SECONDS=0
	run_file <<-'END'
	leave() { setsid sleep 60 & }
	it "leaves a process with its output open" leave
	finish
	END
	equal "$status" 0
	[ "$SECONDS" -lt 50 ]
}

cleans_up() {
	run_file <<-'END'
	good() { touch "$SCRATCH/file"; mkdir -m 0 "$SCRATCH/closed"; }
	it "makes files" good
	echo "# scratch is $SCRATCH"
	finish
	END
	equal "$status" 0
	local was
	was=$(sed -n 's/^# scratch is //p' <<<"$report")
	[ -n "$was" ]
	[ ! -e "$was" ]
}

helpers() {
	run_file <<-'END'
	lies() { return 3; }
	quiet() { exit 7; }
	says() { echo "cannot fly" >&2; exit 7; }
	t1() { fails_with 7 "cannot fly" eval '(says)'; }
	t2() { fails_with 6 "cannot fly" eval '(says)'; }
	t3() { fails_with 7 "cannot swim" eval '(says)'; }
	t4() { fails_with 7 "cannot fly" eval '(quiet)'; }
	t5() { equal a b; }
	t6() { contains abc d; }
	t7() { lacks abc b; }
	t8() { equal a a; contains abc b; lacks abc d; }
	for n in 1 2 3 4 5 6 7 8; do it "case $n" t$n; done
	finish
	END
	equal "$status" 1
	equal "$(grep -c '^ok' <<<"$report")" 2
	contains "$report" "ok 1 - case 1"
	contains "$report" "ok 8 - case 8"
}

# plant NAME: a test file, from standard input, in a tree that has a tests/run of its own.
TREE=$SCRATCH/tree
plant() {
	mkdir -p "$TREE/tests/lib" "$TREE/tests/${1%/*}"
	cp "$TOP/tests/run" "$TREE/tests/"
	cp "$TOP/tests/lib/lib.sh" "$TREE/tests/lib/"
	{ printf '#!/bin/bash\n. "$(dirname "$0")/../lib/lib.sh"\n'; cat; echo finish; } >"$TREE/tests/$1.sh"
	chmod +x "$TREE/tests/$1.sh"
}

# planted OPTION…: its own tests/run; leaves the report in $report, its status in $status.
planted() {
	status=0
	report=$(env -u TEST_TOP BUILD="$TREE/build" "$TREE/tests/run" "$@" 2>&1) || status=$?
	echo "$report"
}

names() {
	rm -rf "$TREE"
	plant launcher/limits <<<'it "limits swap" true; it "limits memory" true'
	plant vm/limits <<<'it "limits swap in a machine" true'
	plant rootfs/load <<<'it "loads" true'
	planted limits
	contains "$report" "limits memory"
	equal "$(tail -n 1 <<<"$report")" "2 passed, 0 failed, 0 skipped"
	planted vm/limits load
	equal "$(tail -n 1 <<<"$report")" "2 passed, 0 failed, 0 skipped"
	contains "$report" "limits swap in a machine"
	planted tests/rootfs/load.sh
	equal "$(tail -n 1 <<<"$report")" "1 passed, 0 failed, 0 skipped"
	planted nothing
	equal "$status" 1
	contains "$report" "nothing: there is no such test"
	planted
	equal "$(tail -n 1 <<<"$report")" "4 passed, 0 failed, 0 skipped"
	contains "$report" "3 of 3"
}

sentences() {
	rm -rf "$TREE"
	plant launcher/limits <<<'it "limits swap" true; it "limits memory" false; skip "has SWAP" "none here"'
	planted -n swap limits
	equal "$status" 0
	equal "$(tail -n 1 <<<"$report")" "1 passed, 0 failed, 1 skipped"
	planted -n nonsense
	equal "$status" 1
}

# Each says when it ran, the last one alone; the files of the first two wait for each other.
two_at_a_time() {
	local file
	rm -rf "$TREE"
	for file in one two; do
		plant "rootfs/$file" <<-END
		waits() { touch "$SCRATCH/\$1"; eventually test -e "$SCRATCH/\$2"; ! [ -e "$SCRATCH/alone" ]; }
		echo "# $file begins"
		it "meets the other" waits $file $([ $file = one ] && echo two || echo one)
		echo "# $file ends"
		END
	done
	plant rootfs/apart <<-END
	# alone
	is_last() { touch "$SCRATCH/alone"; [ -e "$SCRATCH/one" ] && [ -e "$SCRATCH/two" ]; }
	it "is last" is_last
	END
	planted -j 2
	equal "$(tail -n 1 <<<"$report")" "3 passed, 0 failed, 0 skipped"
	for file in one two; do
		contains "$report" "# $file begins"$'\n'"ok 1 - meets the other"$'\n'"# $file ends"
	done
	contains "$report" "# the slowest:"
	grep -q '^# *[0-9]* s tests/rootfs/one.sh$' <<<"$report"
	grep -q ' tests/rootfs/two.sh$' "$TREE/build/tests/times"
}

# What a test started, in whatever session, ends with tests/run; its directory is gone.
ended() {
	local pid name was
	for name in TERM INT; do
		rm -rf "$TREE"
		plant rootfs/long <<-END
		sleeps() { setsid sleep 9876 & sleep 9876; }
		echo "# scratch is \$SCRATCH" >"$SCRATCH/was"
		it "sleeps" sleeps
		END
		set -m
		env -u TEST_TOP BUILD="$TREE/build" "$TREE/tests/run" >"$SCRATCH/report" 2>&1 </dev/null &
		pid=$!
		set +m
		eventually test -s "$SCRATCH/was"
		eventually pgrep -fx "sleep 9876"
		kill "-$name" "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$status" -eq 143 ] || [ "$status" -eq 130 ]
		sleeping() { pgrep -fx "sleep 9876"; }
		if sleeping; then return 1; fi
		was=$(sed 's/# scratch is //' "$SCRATCH/was")
		[ -n "$was" ] && [ ! -e "$was" ]
		rm "$SCRATCH/was"
	done
}

leftovers() {
	local kind
	run_file <<-'END'
	. "$TOP/tests/lib/launch.sh"
	path=$(cgroup_mounts | tail -n 1 | cut -d ' ' -f 2)
	others() { mkdir "$path/wherry-others"; }
	own() {
		mkdir "$path/wherry-box$ID" "$STATE" "$SCRATCH/mounted"
		touch "$STATE/box"
		mount -t tmpfs box "$SCRATCH/mounted"
		setsid sleep 60 &
	}
	it "makes what is another's" others
	it "finds nothing of theirs" host_unchanged
	it "leaves things" own
	LOOKS=5
	it "finds its own" host_unchanged
	rmdir "$path/wherry-others" "$path/wherry-box$ID"
	umount "$SCRATCH/mounted"
	finish
	END
	equal "$status" 1
	contains "$report" "ok 2 - finds nothing of theirs"
	contains "$report" "not ok 4 - finds its own"
	for kind in "+ cgroup .*wherry-box" "+ file .*/state/box" "+ mount .*/mounted" "+ process .*sleep"; do
		grep -q "^# $kind" <<<"$report"
	done
	lacks "$report" "wherry-others"
}

unit_tables() {
	printf '%s\n' '#include "tests/lib/tap.h"' 'int main(int n, char **v) { (void)v;' \
		'tap_ok(true, "is %s", "fine"); if (n > 1) tap_ok(n > 2, "has words"); return tap_finish(); }' \
		>"$SCRATCH/unit.c"
	cc -I"$TOP" -o "$SCRATCH/unit" "$SCRATCH/unit.c" "$TOP/tests/lib/tap.c"
	equal "$("$SCRATCH/unit")" $'ok 1 - is fine\n1..1'
	status=0
	report=$("$SCRATCH/unit" word) || status=$?
	equal "$status" 1
	contains "$report" "not ok 2 - has words"
}

it "passes what passes, and counts what is skipped" passes
it "fails a test whose command in the middle fails, and goes on" middle
it "fails a test whose pipe's first command fails" pipe
it "fails a test that reads an unset variable" unset_variable
it "refuses a test that is called where bash ignores -e" condition
it "fails a file that ends without a plan" no_plan
it "fails a file that breaks outside its tests" top_level
it "fails a file that ran fewer tests than planned" wrong_plan
it "fails a file that ends with a status of its own" bad_status
it "fails when nothing ran" nothing
it "fails a file that isn't there" absent
it "ends and fails a file that runs out of time" endless
it "is not held up by a process that a test leaves behind" left_process
it "removes the scratch directory" cleans_up
it "finds files by name, by room or by path" names
it "runs only the tests in whose sentence -n's words stand" sentences
it "runs two files at a time, what is alone after them, and keeps their output apart" two_at_a_time
if [ "$(id -u)" -eq 0 ]; then
	it "ends the test that runs when it is ended itself" ended
else
	skip "ends the test that runs when it is ended itself" "what a test has in a session of its own, only a PID namespace ends"
fi
it "has helpers that fail as they should" helpers
if [ "$(id -u)" -eq 0 ]; then
	it "finds what a test leaves behind of its own, and nothing of others'" leftovers
else
	skip "finds what a test leaves behind of its own, and nothing of others'" "needs root"
fi
it "has unit tables in C that fail as they should" unit_tables
finish
