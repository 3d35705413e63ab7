#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: Debian packages, as root.
set -euo pipefail
declare -A package=(
  [clang]=clang [redis-server]=redis-server [redis-cli]=redis-tools [strace]=strace
  [c++]=g++ [make]=make [python3]=python3 [setpriv]=util-linux
)
missing=()
for command in "${!package[@]}"; do
  command -v "$command" >/dev/null || missing+=("${package[$command]}")
done
# bindgen needs libclang, which has no command of its own.
compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || missing+=(libclang-dev)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  echo "tools.sh: installing ${missing[*]}" >&2
  if [ "$(id -u)" != 0 ]; then
    echo "tools.sh: run once as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # The packages' own services are not wanted: the tests start servers of their own.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' > $policy
    chmod +x $policy
    trap 'rm -f '"$policy" EXIT
  fi
  apt-get install -y -qq "${missing[@]}" >&2
fi
command -v cargo >/dev/null || { echo "tools.sh: no Rust toolchain: install one with rustup" >&2; exit 1; }
