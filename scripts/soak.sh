#!/usr/bin/env bash
# Longer than CI: differential runs of 300,000 commands on both bases, then the crash tests five
# times. SEED chooses the first seed; each run prints its own.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
export BOWSHOCK_BIN=$CARGO_TARGET_DIR/release/bowshock
for base in memory rocksdb; do
  timeout 1800 cargo run --release --locked -q -p compat-tests --bin differential -- \
    --seed "$SEED" --commands 300000 --sut $base
done
for ((round = 1; round <= 5; round++)); do
  echo "== crash tests, round $round of 5"
  timeout 1200 cargo test --release --locked -p compat-tests --test crash
done
echo "soak: all passed"
