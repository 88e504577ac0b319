"""``python -m baton.cli``: the command without an installation."""

from __future__ import annotations

from baton.cli import app

app()
