#!/usr/bin/env bash
# Creates .venv: first the locked dependencies, by hash, then the package itself without any.
# Does nothing when .venv already stands for this lock. Uses uv where it is there, pip where not.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# The path is part of the stamp: a virtual environment does not survive a move of its folder.
stamp=".venv/.installed-$( (pwd; cat requirements-dev.lock requirements.txt pyproject.toml) | cksum | tr ' ' - )"
if [[ -e $stamp ]] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

# Without uv, Python itself must be able to make the environment; Debian's bare one cannot.
needs=$(command -v uv >/dev/null || echo ', ensurepip, venv')

suits() { # pyenv and the like leave names on the path that do not run: ask, do not look
    "$1" -c "import sys$needs; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))" 2>/dev/null
}

find_python() {
    if [[ -n ${PYTHON:-} ]]; then
        suits "$PYTHON" || { say "PYTHON=$PYTHON is not a Python from 3.11 to 3.14."; return 1; }
        echo "$PYTHON"
        return
    fi
    local name
    for name in python3.11 python3.12 python3.13 python3 python3.14 python; do
        if suits "$name"; then
            echo "$name"
            return
        fi
    done
    say "No usable Python from 3.11 to 3.14 was found. Install one (Debian: apt-get install python3 python3-venv;"
    say "macOS: brew install python@3.12), or name it: make install PYTHON=/path/to/python3.12"
    return 1
}

python=$(find_python)
say "Installing into .venv with $("$python" -V) $(command -v uv >/dev/null && echo and uv || echo and pip). This takes a minute or two, once."
started=$SECONDS
rm -f .venv/.installed-*

with_uv() {
    # The certificates of the system count, as they do for pip: proxies of companies are in them.
    export UV_NATIVE_TLS=true UV_SYSTEM_CERTS=true
    .venv/bin/python -c '' 2>/dev/null || uv venv --quiet --clear --python "$("$python" -c 'import sys; print(sys.executable)')" .venv || return 1
    uv pip sync --quiet --python .venv/bin/python --require-hashes requirements-dev.lock || return 1
    uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

with_pip() {
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        "$python" -m venv --clear .venv || {
            say "This Python cannot make virtual environments (Debian: apt-get install python3-venv)."
            exit 1
        }
    fi
    # Compiling every module takes a minute; those that are used compile themselves on first use.
    pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile)
    # The lock is whole. Resolving it again, an older pip asks for extras that are not pinned by name.
    "${pip[@]}" --require-hashes --no-deps --requirement requirements-dev.lock
    "${pip[@]}" --no-deps --no-build-isolation --editable .
}

if ! command -v uv >/dev/null; then
    with_pip
elif ! with_uv; then
    say "uv could not install it; trying pip."
    with_pip
fi

touch "$stamp"
say "Installed in $((SECONDS - started)) s."
