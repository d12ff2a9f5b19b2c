#!/bin/sh
# Everything that a release must pass, in a fresh clone of what is committed: `make release-check`.
set -eu
cd "$(dirname "$0")/.."

if [ -n "$(git status --porcelain)" ]; then
    echo "error: there are uncommitted changes: commit them, or put them aside with git stash." >&2
    exit 1
fi
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
if ! grep -q "^## $version" CHANGELOG.md; then
    echo "error: CHANGELOG.md has no section for version $version." >&2
    exit 1
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git clone --quiet . "$folder/clone"
cd "$folder/clone"
bash .ci/run
make pdf
make binder-check
echo "Version $version passed everything."
