#!/usr/bin/env bash
# Prints the path of a Python that has the packages of a requirements file:
#   venv.sh requirements.txt
# The environment lives outside the clone and is named by a hash of the file and the Python version,
# so that a second run is quick and two versions of the file never share one environment.
set -euo pipefail

requirements=$(realpath "$1")
cache=${BOWSHOCK_CACHE:-$HOME/.cache/bowshock}
key=$( (cat "$requirements"; python3 --version) | sha256sum | cut -c1-16)
venv=$cache/venv-$key
mkdir -p "$cache"

# Two runs may start together: only one builds, the other waits for it.
exec 9>"$cache/venv-$key.lock"
flock 9
if [ ! -e "$venv/.complete" ]; then
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    echo "venv.sh: installing python3-venv" >&2
    { apt-get update -q && apt-get install -y -q python3-venv; } >&2
  fi
  rm -rf "$venv" # what a run that was cut short left behind
  python3 -m venv "$venv" >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" >&2
  touch "$venv/.complete"
fi
echo "$venv/bin/python"
