#!/bin/bash
# Archives made to break the loader, at least one for each of its rules: tests/hostile.py makes and judges them.
. "$(dirname "$0")/lib.sh"
python3 "$TOP/tests/hostile.py"
