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

# Singer's tap pins old libraries: an environment of its own.
tap=.venv/peers-tap
needs=(--quiet --require-hashes -r tests/contract/conformance/tap-requirements.txt)
if [ ! -x "$tap/bin/tap-hubspot" ]; then
    if command -v uv >/dev/null; then
        uv venv --quiet --python .venv/bin/python "$tap" \
            && uv pip install --python "$tap/bin/python" "${needs[@]}"
    else
        .venv/bin/python -m venv "$tap" \
            && "$tap/bin/python" -m pip install --disable-pip-version-check "${needs[@]}"
    fi || echo "tap-hubspot could not be installed (see above): it is left out." >&2
fi
