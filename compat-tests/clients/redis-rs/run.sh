#!/usr/bin/env bash
# redis-rs in everyday use: redis-rs/run.sh HOST PORT [arguments for the tests]
# It EMPTIES the server. What is built lives outside the clone. Returns cargo's code.
set -euo pipefail

export SERVER_HOST=$1 SERVER_PORT=$2
shift 2
cd "$(dirname "$0")"
export CARGO_TARGET_DIR=${BOWSHOCK_CACHE:-$HOME/.cache/bowshock}/redis-rs CARGO_PROFILE_DEV_DEBUG=0
cargo build --locked --quiet --tests
# One test after the other: they empty the same server.
exec timeout 300 cargo test --locked --quiet --no-fail-fast -- --test-threads=1 "$@"
