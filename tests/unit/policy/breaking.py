"""Breaking the shipped policy in one place, to read what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from baton.errors import PolicyError

Edit = tuple[str, str, str]
"""A file, a passage in it, and what to write instead; without a passage the whole file."""

Broken = Callable[..., tuple[tuple[PolicyError, ...], Mapping[str, str]]]


def with_edits(texts: Mapping[str, str], *edits: Edit) -> dict[str, str]:
    """Replace passages; a file without an old passage is written anew."""
    changed = dict(texts)
    for file, old, new in edits:
        assert not old or old in changed.get(file, ""), f"{old!r} is not in {file}"
        changed[file] = changed[file].replace(old, new, 1) if old else new
    return changed


def line_of(text: str, passage: str) -> int:
    """Return the line (from 1) on which a passage begins."""
    return text.count("\n", 0, text.index(passage)) + 1
