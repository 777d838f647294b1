#!/usr/bin/env bash
# Set up on the first call, then run python -m tfcourse.train with the given arguments.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh" ""
exec "$python" -m tfcourse.train "$@"
