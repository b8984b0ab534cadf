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
step "the alliance's log and grants against pymerkle, pycose and cwt"
vectors() { "$target"/debug/examples/log_vectors | tests/.venv/bin/python "$1"; }
try vectors tests/python/log_check.py
try vectors tests/python/grant_check.py
step "FHIR against fhir.resources, @medplum/core and npm's fhir"
"$target"/debug/examples/fhir_export > "$target"/tmp/fhir.ndjson || failed+=(fhir_export)
fhir_node() { (. scripts/node.sh && node tests/fhir/check.mjs); }
try tests/.venv/bin/python tests/python/fhir_check.py < "$target"/tmp/fhir.ndjson
try fhir_node < "$target"/tmp/fhir.ndjson
step "plans against an independent check and the bound of HiGHS"
plan() { "$target"/debug/telehand hub plan --model "$1" --iterations 200000 --json "$target/tmp/plan-$1.json" >/dev/null && tests/.venv/bin/python tests/python/plan_check.py --lp --at-least "$2" "$target/tmp/plan-$1.json"; }
try plan one-to-one 97
try plan one-to-many 99
step "pages";              try ./scripts/pages.sh --check

[ ${#failed[@]} -eq 0 ] || { echo; printf 'FAILED: %s\n' "${failed[@]}"; exit 1; }
