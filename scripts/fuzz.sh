#!/usr/bin/env bash
# Fuzzes every decoder, guided by coverage, for SECONDS (default 30) each. Names as arguments: only those.
# What breaks a decoder is kept in fuzz/artifacts/; what it learnt in fuzz/corpus/.
set -euo pipefail
each=$SECONDS
[ "$each" -gt 0 ] || each=30
cd "$(dirname "$0")/.."
export PATH="$PWD/.tools/bin:$PATH"

if ! command -v cargo-fuzz >/dev/null; then
    echo "fuzz: building cargo-fuzz into .tools (once, one to three minutes)"
    CARGO_TARGET_DIR=.tools/target-fuzz cargo install cargo-fuzz --version 0.13.1 --locked --debug --quiet --root .tools
    rm -rf .tools/target-fuzz
fi
if ! rustc --version | grep -q nightly; then
    echo "fuzz: $(rustc --version | cut -d' ' -f2) is a stable compiler: its unstable switches are opened with RUSTC_BOOTSTRAP=1"
    export RUSTC_BOOTSTRAP=1
fi

echo "fuzz: writing the seeds into fuzz/corpus/"
mapfile -t all < <(cargo run --quiet -p telehand-tests --example fuzz_seeds -- fuzz/corpus)
[ "${#all[@]}" -gt 0 ] || { echo "fuzz: the seeds could not be written" >&2; exit 1; }
[ $# -gt 0 ] && all=("$@")
# OpenH264 has one constant table in two of its files.
export ASAN_OPTIONS=detect_odr_violation=0
cargo fuzz build
for name in "${all[@]}"; do
    echo "fuzz: $name for $each s"
    log=$(mktemp)
    if ! cargo fuzz run "$name" -- -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 >"$log" 2>&1; then
        tail -n 60 "$log"
        echo "fuzz: $name FAILED; the input is in fuzz/artifacts/$name" >&2
        exit 1
    fi
    grep -E '^(Done|stat::|#[0-9]+.*DONE)' "$log" || true
    rm -f "$log"
done
echo "fuzz: ${#all[@]} decoders, $each s each, nothing broke"
