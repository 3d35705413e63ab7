#!/usr/bin/env bash
# Everything CI runs: format, lints, unit and property tests, then the release binary beside a
# real redis-server. Stops at the first failure; prints how long each step took.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
export BOWSHOCK_BIN=$CARGO_TARGET_DIR/release/bowshock
passed=0
step() {
  local name=$1 begun=$SECONDS
  shift
  echo "== $name"
  if ! "$@"; then
    echo "== $name: FAILED after $((SECONDS - begun)) s"
    echo "$passed passed, 1 failed"
    exit 1
  fi
  passed=$((passed + 1))
  echo "== $name: $((SECONDS - begun)) s"
}
serve() { # base, command...: the command gets a port of a server that is ended afterwards
  python3 scripts/with_server.py "$BOWSHOCK_BIN" "$@"
}
step "format" cargo fmt --all --check
step "format of the redis-rs client" cargo fmt --manifest-path compat-tests/clients/redis-rs/Cargo.toml --check
step "lints" cargo clippy --release --locked --workspace --all-targets -- -D warnings
step "unit and property tests" cargo test --release --locked --workspace --exclude compat-tests
step "the build without RocksDB" cargo check --release --locked -p server --no-default-features
step "compatibility, crash and damage tests" cargo test --release --locked -p compat-tests
step "differential, memory" timeout 600 cargo run --release --locked -q -p compat-tests --bin differential -- \
  --seed "${SEED:-1}" --commands "${COMMANDS:-60000}" --sut memory
step "differential, RocksDB" timeout 600 cargo run --release --locked -q -p compat-tests --bin differential -- \
  --seed "${SEED:-2}" --commands "${COMMANDS:-60000}" --sut rocksdb
step "shopping cart on redis-server" python3 scripts/with_server.py redis-server -- compat-tests/shopping-cart/run.sh redis://127.0.0.1:PORT/0
step "shopping cart on Bowshock" serve -- compat-tests/shopping-cart/run.sh redis://127.0.0.1:PORT/0
step "stock clients on Bowshock" serve -- compat-tests/clients/run.sh 127.0.0.1 PORT
echo "$passed passed, 0 failed"
