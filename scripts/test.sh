#!/usr/bin/env bash
# Everything `make test` runs, in the order in which it fails fastest. Ends with a count.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.tools/bin:$PATH" RUST_BACKTRACE=0
step() { echo; echo "== $1"; }
# What needs no result of a failed step goes on, so that one run tells every fault.
failed=()
try() { "$@" || failed+=("$*"); }

step "format";             cargo fmt --all --check
step "lints";              cargo clippy --workspace --all-targets --quiet -- -D warnings
step "rooms";              cargo xtask rooms
step "tidy";               cargo xtask tidy
step "licences, sources";  cargo deny --log-level error check bans licenses sources
step "tests";              try cargo test --workspace --quiet --no-fail-fast
step "recordings read by the format's own project"
target=${CARGO_TARGET_DIR:-target}
try tests/.venv/bin/python tests/python/mcap_read.py "$target"/tmp/first-light/console.mcap "$target"/tmp/first-light/bedside.mcap
step "kinematics against an independent library"
try tests/.venv/bin/python tests/python/kinematics.py "$target"/debug/telehand
step "DICOM against pydicom, SimpleITK, pynetdicom and dciodvfy"
try tests/.venv/bin/python tests/python/dicom_compare.py "$target"/debug/telehand
try tests/.venv/bin/python tests/python/dicom_network.py "$target"/debug/telehand
try tests/.venv/bin/python tests/python/dicom_validate.py "$target"/tmp/dicom-objects
step "registration against SciPy"
kabsch() { "$target"/debug/examples/kabsch 1000 | tests/.venv/bin/python tests/python/register_check.py; }
try kabsch
step "OpenIGTLink and NDI against pyigtl, the C++ library and ndicapi"
try tests/.venv/bin/python tests/python/igtl_peer.py "$target"/debug/telehand
try tests/.venv/bin/python tests/python/ndi_peer.py "$target"/debug/telehand
step "pages";              try ./scripts/pages.sh --check

[ ${#failed[@]} -eq 0 ] || { echo; printf 'FAILED: %s\n' "${failed[@]}"; exit 1; }
