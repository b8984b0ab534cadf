#!/usr/bin/env bash
# Everything `make test` runs, in the order in which it fails fastest. Ends with a count.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.tools/bin:$PATH" RUST_BACKTRACE=0
step() { echo; echo "== $1"; }

step "format";             cargo fmt --all --check
step "lints";              cargo clippy --workspace --all-targets --quiet -- -D warnings
step "rooms";              cargo xtask rooms
step "tidy";               cargo xtask tidy
step "licences, sources";  cargo deny --log-level error check bans licenses sources
step "tests";              cargo test --workspace --quiet
step "kinematics against an independent library"
tests/.venv/bin/python tests/python/kinematics.py target/debug/telehand
step "pages";              ./scripts/pages.sh --check
