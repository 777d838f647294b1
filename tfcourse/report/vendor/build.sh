#!/usr/bin/env bash
# Build echarts.min.js anew, from the parts of Apache ECharts named in entry.js. Needs Node and npm.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$here/entry.js" .
npm install --silent --no-save echarts@6.1.0 esbuild@0.28.2
npm rebuild --silent esbuild
{
  echo "Apache ECharts 6.1.0, an excerpt. Licensed under the Apache License, Version 2.0:"
  echo "http://www.apache.org/licenses/LICENSE-2.0"
  echo
  cat node_modules/echarts/NOTICE
  printf '\n\n%s\n\n' "It holds ZRender:"
  cat node_modules/zrender/LICENSE
  printf '\n\n%s\n\n' "and parts of d3.js:"
  cat node_modules/echarts/licenses/LICENSE-d3
} > notice.txt
node_modules/.bin/esbuild entry.js --bundle --minify --format=iife --global-name=echarts --charset=ascii \
  --legal-comments=inline --log-level=warning '--define:process.env.NODE_ENV="production"' --outfile=bundle.js
{ echo "/*!"; cat notice.txt; echo; echo "*/"; cat bundle.js; } > "$here/echarts.min.js"
{ cat notice.txt; printf '\n\n%s\n\n' "The licence of Apache ECharts:"; cat node_modules/echarts/LICENSE
  printf '\n\n%s\n\n' "and of tslib, of which it holds a few lines:"; cat node_modules/tslib/LICENSE.txt
} > "$here/LICENSES.txt"
if grep -qi '</script' "$here/echarts.min.js"; then echo "echarts.min.js would end its own script element" >&2; exit 1; fi
