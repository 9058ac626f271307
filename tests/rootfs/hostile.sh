#!/bin/bash
# Archives made to break the loader, at least one for each of its rules: tests/rootfs/hostile.py makes and judges them.
. "$(dirname "$0")/../lib/lib.sh"
python3 "$TOP/tests/rootfs/hostile.py"
