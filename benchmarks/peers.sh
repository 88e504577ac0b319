#!/usr/bin/env bash
# Installs what the comparison needs beside Baton into .venv. Without it the peers are left out.
set -uo pipefail
cd "$(dirname "$0")/.."
if command -v uv >/dev/null; then
    export UV_NATIVE_TLS=true UV_SYSTEM_CERTS=true
    uv pip install --quiet --python .venv/bin/python -r benchmarks/requirements.txt
else
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
fi || echo "Peers could not be installed (see above): the comparison leaves them out." >&2
