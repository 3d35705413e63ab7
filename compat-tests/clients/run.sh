#!/usr/bin/env bash
# Everyday use of stock clients against a server: run.sh HOST PORT [redis-py|node|redis-rs|cli]...
# It EMPTIES the server. All clients run, also after one has failed; the last line counts them.
set -uo pipefail

if [ $# -lt 2 ]; then
  echo "usage: run.sh HOST PORT [redis-py|node|redis-rs|cli]..." >&2
  exit 2
fi
host=$1 port=$2
shift 2
[ $# -gt 0 ] || set -- redis-py node redis-rs cli
here=$(dirname "$(realpath "$0")")

passed=0 failed=0
for client in "$@"; do
  echo "== $client"
  if "$here/$client/run.sh" "$host" "$port"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "== $client FAILED"
  fi
done
echo "clients: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
