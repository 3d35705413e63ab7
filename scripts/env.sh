# Sourced: where things are kept, and a RocksDB that is compiled once.
export BOWSHOCK_CACHE=${BOWSHOCK_CACHE:-$HOME/.cache/bowshock}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$BOWSHOCK_CACHE/target}
mkdir -p "$BOWSHOCK_CACHE"
cargo fetch --locked --quiet
ROCKSDB_LIB_DIR=$("$(dirname "${BASH_SOURCE[0]}")/rocksdb.sh" "$BOWSHOCK_CACHE")
export ROCKSDB_LIB_DIR ROCKSDB_STATIC=1
