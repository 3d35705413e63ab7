#!/usr/bin/env bash
# Builds the release binary. The first time on a machine this compiles RocksDB, with progress.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
cargo build --release --locked -p server
