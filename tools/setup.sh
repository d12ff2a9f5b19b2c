#!/bin/sh
# Makes .venv from the lock: `sh tools/setup.sh`. Safe to run again, also after it was interrupted.
set -eu
cd "$(dirname "$0")/.."

# The stamp holds what was installed; it is removed first and written last, so an interrupted run leaves none.
stamp=.venv/installed
wanted=$(sed '/^\[tool\.pytest/,$d' pyproject.toml | cat requirements.txt - | cksum)
if [ -x .venv/bin/python ] && [ "$(cat $stamp 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

python=""
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3.14 python3 python}; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ] && [ -z "${PYTHON:-}" ]; then
    python=$(sh tools/fetch_python.sh 3.13)
fi
if [ -z "$python" ]; then
    echo "error: the book needs Python 3.11, 3.12, 3.13 or 3.14, and none was found${PYTHON:+ (PYTHON=$PYTHON)}." >&2
    echo "Install one, or name it: make PYTHON=/path/to/python3.12 book" >&2
    exit 1
fi

if [ -e $stamp ]; then
    echo "The lock has changed: what it no longer names must go, too"
fi
echo "Setting up .venv with $("$python" --version) (about two minutes, 1.4 GB)"
if ! "$python" -m venv --clear .venv; then
    echo "error: $python cannot make virtual environments (on Debian: install python3-venv)." >&2
    exit 1
fi
rm -f $stamp
# The lock is complete, so there is nothing to resolve; wheels only, so there is nothing to compile.
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r requirements.txt; then
    echo "error: the packages of requirements.txt could not be installed. Is there a network connection?" >&2
    echo "Run the same command again when there is: it goes on from a clean start." >&2
    exit 1
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# A chapter (.md) opens as a notebook in this environment's JupyterLab.
.venv/bin/jupytext-config --settings-file .venv/etc/jupyter/labconfig/default_setting_overrides.json \
    set-default-viewer markdown
printf '%s\n' "$wanted" > $stamp
