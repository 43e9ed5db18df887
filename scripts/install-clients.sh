#!/bin/sh
# Installs the npm packages that tests/clients drives, pinned by its package-lock.json, in test-output/clients/; nothing
# when they are there already.
set -eu
cd "$(dirname "$0")/.."

from=tests/clients
to=test-output/clients

mkdir -p "$to"
cmp -s "$from/package-lock.json" "$to/node_modules/installed.json" && exit 0
cp "$from/package.json" "$from/package-lock.json" "$to/"
npm ci --prefix "$to" --ignore-scripts --no-audit --no-fund --loglevel=error
cp "$from/package-lock.json" "$to/node_modules/installed.json" # last: half an installation is none
