#!/usr/bin/env bash
# Runs the shop's suite against a server: run.sh REDIS_URL [pytest arguments]
# It EMPTIES the database that the URL names. Returns pytest's exit code.
set -euo pipefail

if [ $# -lt 1 ]; then
  echo "usage: run.sh redis://HOST:PORT/0 [pytest arguments]" >&2
  exit 2
fi
export REDIS_URL=$1 PYTHONDONTWRITEBYTECODE=1
shift
cd "$(dirname "$0")"
python=$(./venv.sh requirements.txt)
"$python" -c 'import os, redis; redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()'
exec "$python" -m pytest -q -p no:cacheprovider tests "$@"
