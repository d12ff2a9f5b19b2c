#!/bin/sh
# Has uv fetch a Python and prints where it is, or nothing: `sh tools/fetch_python.sh 3.13`.
set -u
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT

uv=$(command -v uv)
if [ -z "$uv" ]; then
    # A Python that does not fit the lock can still install uv, in an environment that is gone afterwards.
    for candidate in python3 python; do
        if "$candidate" -m venv "$tool/venv" >/dev/null 2>&1 &&
            "$tool/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: uv >&2; then
            uv=$tool/venv/bin/uv
            break
        fi
    done
fi
if [ -z "$uv" ]; then
    echo "There is no fitting Python here, and no uv (https://docs.astral.sh/uv) that could fetch one." >&2
    exit
fi
echo "There is no fitting Python here: uv fetches Python $1, into a folder of its own in your home" >&2
if "$uv" python install --quiet "$1" >&2; then
    "$uv" python find --managed-python --system "$1"
else
    echo "uv could not fetch it. Is there a network connection?" >&2
fi
