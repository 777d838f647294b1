#!/usr/bin/env bash
# Set up on the first call, then run the tests; arguments go to pytest.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh" test
cd "$root"
# A process a core, but no more than four: each holds TensorFlow. A file's tests stay together and share what they made;
# the longest files come first (tests/conftest.py), so that no process waits for another's last.
exec "$python" -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder "$@"
