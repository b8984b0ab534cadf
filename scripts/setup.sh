#!/usr/bin/env bash
# Installs what `make demo` or `make test` needs on Debian 12 or later, and says what. It asks nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
goal=${1:-demo}

# Building: a C++ compiler and cmake for OpenH264 and CharLS (JPEG-LS), and nasm for OpenH264's fast code
# (without it encoding is 3 times slower).
need=(gcc g++ make cmake nasm pkg-config)
commands=(gcc g++ make cmake nasm pkg-config)
if [ "$goal" = test ]; then
    # Browser tests, network namespaces, the programs and Python readers that check us from outside.
    # PostgreSQL and the solver cvc5 are for the hub: its second store, the proofs of its policies.
    need+=(chromium fonts-noto-cjk iproute2 python3 python3-venv dcmtk dicom3tools libopenigtlink-dev cvc5 postgresql)
    commands+=(chromium fc-list ip python3 "" dcmdump dciodvfy "" cvc5 "")
fi

missing=()
for i in "${!need[@]}"; do
    command=${commands[$i]}
    case ${need[$i]} in
        fonts-noto-cjk) [ -n "$(ls /usr/share/fonts/opentype/noto/*CJK* 2>/dev/null)" ] || missing+=("${need[$i]}") ;;
        libopenigtlink-dev) [ -n "$(ls -d /usr/include/igtl /usr/include/openigtlink* 2>/dev/null)" ] || missing+=("${need[$i]}") ;;
        postgresql) [ -n "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || missing+=("${need[$i]}") ;;
        python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=("${need[$i]}") ;;
        *) command -v "$command" >/dev/null || missing+=("${need[$i]}") ;;
    esac
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "setup: installing Debian packages: ${missing[*]}"
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
command -v cargo >/dev/null || { echo "setup: Rust is missing: see https://rustup.rs" >&2; exit 1; }

if [ "$goal" = test ]; then
    if [ ! -x tests/.venv/bin/python ] || ! cmp -s tests/python/requirements.txt tests/.venv/requirements.txt; then
        echo "setup: installing Python packages into tests/.venv: $(grep -v '^#' tests/python/requirements.txt | tr '\n' ' ')"
        python3 -m venv tests/.venv
        tests/.venv/bin/pip install --quiet --disable-pip-version-check -r tests/python/requirements.txt
        cp tests/python/requirements.txt tests/.venv/requirements.txt
    fi
    if [ -f web/package-lock.json ] && ! cmp -s web/package-lock.json web/node_modules/.installed-lock; then
        echo "setup: installing the pages' tools with npm into web/node_modules"
        (. scripts/node.sh && cd web && npm ci --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.installed-lock)
    fi
    if ! cmp -s tests/fhir/package-lock.json tests/fhir/node_modules/.installed-lock; then
        echo "setup: installing FHIR validators with npm into tests/fhir/node_modules"
        (. scripts/node.sh && cd tests/fhir && npm ci --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.installed-lock)
    fi
    if ! command -v cargo-deny >/dev/null && [ ! -x .tools/bin/cargo-deny ]; then
        echo "setup: building cargo-deny into .tools (once, one to three minutes)"
        CARGO_TARGET_DIR=.tools/target cargo install cargo-deny --version 0.20.2 --locked --debug --quiet --root .tools
        rm -rf .tools/target
    fi
fi
echo "setup: ready for make $goal"
