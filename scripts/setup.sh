# Sourced by train.sh and test.sh: makes .venv if it is absent, and installs what is not yet installed.
# Usage: source setup.sh EXTRA, where EXTRA is empty or the name of an optional dependency group.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="$root/.venv/bin/python"

if [ ! -x "$python" ]; then
  base=""
  for candidate in python3 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      base="$candidate"
      break
    fi
  done
  if [ -z "$base" ]; then
    echo "error: no Python 3.11, 3.12 or 3.13 was found; install one and try again." >&2
    exit 2
  fi
  echo "Making $root/.venv with $("$base" --version)" >&2
  "$base" -m venv "$root/.venv"
fi

# Install again whenever what is to be installed has changed.
wanted="${1:-} $(cat "$root/pyproject.toml" "$root/constraints.txt" | cksum)"
if [ ! -f "$root/.venv/installed" ] || ! grep -qxF "$wanted" "$root/.venv/installed"; then
  echo "Installing (some minutes the first time) ..." >&2
  "$python" -m pip install --quiet --disable-pip-version-check --constraint "$root/constraints.txt" \
    --editable "$root${1:+[$1]}"
  echo "$wanted" >> "$root/.venv/installed"
fi
