#!/bin/sh
# Renews requirements.txt from pyproject.toml: one file for Python 3.11 to 3.14.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/python -m pip install --quiet uv
{
    echo "# Universal lock for Python 3.11 to 3.14, made by \`make lock\` from pyproject.toml; do not edit by hand."
    .venv/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
        --quiet --no-header --no-annotate
} > requirements.txt.new
mv requirements.txt.new requirements.txt
