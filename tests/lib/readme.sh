#!/bin/bash
# The examples of README.md, in the order in which they stand: what it says that they print, they print.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"

# Each command of an indented block, and the lines behind it, which are its output.
run_examples() {
	local line command='' wanted='' count=0
	mkdir "$SCRATCH/page"
	cd "$SCRATCH/page"
	while IFS= read -r line; do
		case $line in
		'    $ '*) compare; command=${line#    \$ } wanted='' ;;
		'    '*) wanted+=${line#    }$'\n' ;;
		*) compare; command='' ;;
		esac
	done < <(cat "$TOP/README.md"; echo)
	[ "$count" -ge 12 ]
}

# IDs differ with busybox' version.
same_ids() { sed -E 's/\b[0-9a-f]{12}\b/ID/g'; }

compare() {
	local got
	[ -n "$command" ] || return 0
	count=$((count + 1))
	echo "\$ $command"
	got=$( (set +e; eval "$command") 2>&1)
	equal "$(same_ids <<<"$got")" "$(same_ids <<<"${wanted%$'\n'}")"
}

# Every link of a page leads to a file.
links() {
	local page link
	cd "$TOP"
	for page in README.md */*.md; do
		for link in $(grep -oE '\]\([^)#]+' "$page" | cut -c 3-); do
			case $link in http*) continue ;; esac
			[ -e "$(dirname "$page")/$link" ] || { echo "$page: $link"; return 1; }
		done
	done
}

it "has examples in README.md that print what it says" run_examples
it "has links that lead to files" links
finish_clean
