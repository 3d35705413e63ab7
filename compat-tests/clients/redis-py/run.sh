#!/usr/bin/env bash
# redis-py in everyday use: redis-py/run.sh HOST PORT [pytest arguments]
# It EMPTIES the server. Returns pytest's code.
set -euo pipefail

export SERVER_HOST=$1 SERVER_PORT=$2 PYTHONDONTWRITEBYTECODE=1
shift 2
cd "$(dirname "$0")"
python=$(../../shopping-cart/venv.sh requirements.txt)
exec timeout 300 "$python" -m pytest -q -p no:cacheprovider . "$@"
