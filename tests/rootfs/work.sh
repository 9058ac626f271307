#!/bin/bash
# Archives that ask for more work than they are long: tests/rootfs/work.py makes and measures them.
. "$(dirname "$0")/../lib/lib.sh"
python3 "$TOP/tests/rootfs/work.py"
