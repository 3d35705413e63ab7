#!/usr/bin/env bash
# ioredis and node-redis in everyday use: node/run.sh HOST PORT
# It EMPTIES the server. The packages live outside the clone, in a directory named by a hash of
# package.json. Where Node.js 20 or newer is missing, one is put beside them. Returns node's code.
set -euo pipefail

export SERVER_HOST=$1 SERVER_PORT=$2
cd "$(dirname "$0")"
cache=${BOWSHOCK_CACHE:-$HOME/.cache/bowshock}

major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)
if [ "${major:-0}" -lt 20 ] || ! command -v npm >/dev/null; then
  # Debian 12 has Node.js 18, for which these clients are no longer made.
  python=$(../../shopping-cart/venv.sh requirements.txt)
  PATH=$(dirname "$python"):$PATH
fi

packages=$cache/node-$( (cat package.json; node --version) | sha256sum | cut -c1-16)
mkdir -p "$cache"
exec 9>"$packages.lock"
flock 9
if [ ! -e "$packages/.complete" ]; then
  rm -rf "$packages" # what a run that was cut short left behind
  mkdir "$packages"
  cp package.json "$packages/"
  npm install --prefix "$packages" --no-package-lock --no-audit --no-fund --ignore-scripts \
    --loglevel=error >&2
  touch "$packages/.complete"
fi
flock -u 9

# One file after the other: they empty the same server.
export NODE_PATH=$packages/node_modules
exec timeout 300 node --test --test-concurrency=1 --test-reporter=spec ./*.test.js
