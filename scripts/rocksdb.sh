#!/usr/bin/env bash
# Builds librocksdb.a from the sources inside the crate librocksdb-sys, as unity files, and
# prints the folder that holds it. Usage: scripts/rocksdb.sh CACHE_DIR
#
# The crate's own build compiles some 340 files, most of whose cost is the same headers again and
# again. Twenty-two files included into one compile in a third of the CPU time. The archive is kept
# under its version, flags and compiler; when all agree nothing is compiled.
set -euo pipefail
cache=${1:?usage: scripts/rocksdb.sh CACHE_DIR}
per_unit=22
jobs=$(nproc)

manifest=$(cargo metadata --format-version 1 --locked 2>/dev/null | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "librocksdb-sys":
        print(package["manifest_path"], package["version"])
    if package["name"] == "lz4-sys":
        print("lz4", package["manifest_path"])')
source=$(dirname "$(grep librocksdb-sys <<<"$manifest" | cut -d' ' -f1)")
version=$(grep librocksdb-sys <<<"$manifest" | grep -v ^lz4 | cut -d' ' -f2)
lz4=$(dirname "$(grep ^lz4 <<<"$manifest" | cut -d' ' -f2)")/liblz4/lib
[ -f "$source/rocksdb_lib_sources.txt" ] || { echo "rocksdb.sh: no RocksDB sources in $source" >&2; exit 1; }

# Follows the crate's build.rs: compare when its version changes.
flags="-std=c++20 -O3 -fPIC -w -include cstdint -DNDEBUG -DOS_LINUX -DROCKSDB_PLATFORM_POSIX
 -DROCKSDB_LIB_IO_POSIX -DROCKSDB_SCHED_GETCPU_PRESENT -DROCKSDB_AUXV_GETAUXVAL_PRESENT
 -DROCKSDB_FALLOCATE_PRESENT -DROCKSDB_RANGESYNC_PRESENT -DHAVE_UINT128_EXTENSION
 -DHAVE_ALIGNED_NEW -DROCKSDB_BACKTRACE -DLZ4=1"
[ "$(uname -m)" = x86_64 ] && flags="$flags -msse4.2 -DHAVE_SSE42"
compiler=$(c++ --version | head -n 1)
key=$(printf '%s|%s|%s|%s' "$version" "$flags" "$per_unit" "$compiler" | sha256sum | cut -c1-16)
out="$cache/rocksdb-$key"
if [ -f "$out/librocksdb.a" ]; then echo "$out"; exit 0; fi

work="$cache/rocksdb-$key.work"
mkdir -p "$work"
mapfile -t files < <(grep -v -e '^$' -e 'util/build_version.cc' "$source/rocksdb_lib_sources.txt")
units=$(( (${#files[@]} + per_unit - 1) / per_unit ))
for ((unit = 0; unit < units; unit++)); do
  for file in "${files[@]:unit * per_unit:per_unit}"; do
    echo "#include \"$source/rocksdb/$file\""
  done > "$work/unit$unit.cc"
done
cp "$source/build_version.cc" "$work/unit$units.cc"

echo "rocksdb.sh: compiling RocksDB $version, $((units + 1)) units on $jobs cores (about 14 CPU-minutes, once)" >&2
export source lz4 flags work units
compile() {
  local object="$work/unit$1.o"
  if [ ! -f "$object" ]; then
    # shellcheck disable=SC2086
    c++ $flags -I "$source/rocksdb/include" -I "$source/rocksdb" -I "$lz4" \
      -I "$source/rocksdb/third-party/gtest-1.8.1/fused-src" -I "$source" \
      -c "$work/unit$1.cc" -o "$object.part"
    mv "$object.part" "$object"
  fi
  echo "rocksdb.sh: $(find "$work" -name '*.o' | wc -l) of $((units + 1)) units done" >&2
}
export -f compile
seq 0 "$units" | xargs -P "$jobs" -I{} bash -c 'set -e; compile {}'
rm -f "$work/librocksdb.a"
ar rcs "$work/librocksdb.a" "$work"/unit*.o
mkdir -p "$out"
mv "$work/librocksdb.a" "$out/"
rm -rf "$work"
echo "$out"
