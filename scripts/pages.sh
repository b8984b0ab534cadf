#!/usr/bin/env bash
# Builds web/ into crates/pages/dist. With --check: builds elsewhere and fails on a difference.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/node.sh
cd web
if [ "${1:-}" = --check ]; then
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    npm run --silent check
    npm run --silent build -- --outDir "$out" --emptyOutDir
    diff -r "$out" ../crates/pages/dist || { echo "pages: crates/pages/dist is not the build of web/: run make pages" >&2; exit 1; }
    npm run --silent test
else
    npm run --silent build
fi
