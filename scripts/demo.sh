#!/usr/bin/env bash
# The shopping cart's suite on Bowshock: the service was written for Redis and does not know.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
exec python3 scripts/with_server.py "$CARGO_TARGET_DIR/release/bowshock" -- \
  compat-tests/shopping-cart/run.sh redis://127.0.0.1:PORT/0
