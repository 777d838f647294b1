#!/usr/bin/env bash
# Set up on the first call, then run the tests; arguments go to pytest.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh" test
cd "$root"
exec "$python" -m pytest "$@"
