#!/usr/bin/env bash
# Resolves requirements.txt (with the extras) and requirements-dev.txt into two hashed locks that
# hold for every platform and every Python from 3.11 on. Neither index nor path is written into them.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v uv >/dev/null; then
    echo "make lock needs uv (https://docs.astral.sh/uv/); installing does not." >&2
    exit 1
fi

# Only the default index counts: wheels and indexes of this machine must not leak into the locks.
unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_FIND_LINKS UV_INDEX UV_EXTRA_INDEX_URL
options=(
    --no-config --quiet --universal --python-version 3.11
    --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links
    "$@"
)

resolve() { # resolve OUTPUT HEADER ARGUMENTS…: keeps OUTPUT untouched when nothing resolves
    local output=$1 header=$2 new
    shift 2
    new=$(mktemp)
    cp "$output" "$new" 2>/dev/null || true # known versions stay unless --upgrade is given
    uv pip compile "${options[@]}" "$@" --output-file "$new" >/dev/null
    { echo "# $header"; echo "# Made by \`make lock\`; do not edit."; grep -v '^#' "$new"; } >"$output"
    rm -f "$new"
}

resolve requirements.lock "What the container image runs: requirements.txt with the extras \`sandbox\` and \`image\`." \
    pyproject.toml --extra sandbox --extra image
resolve requirements-dev.lock "What \`make install\` installs: requirements.txt, the extra \`sandbox\` and requirements-dev.txt." \
    pyproject.toml --extra sandbox requirements-dev.txt --constraints requirements.lock
