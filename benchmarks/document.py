"""Puts measured figures into docs/benchmarks.md, between the marks of each subject.

What is written around the marks is by hand and stays; so do the tables of subjects that were not
measured this time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from figures import Figure, shown

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"

Tables = Mapping[str, tuple[str, Sequence[Figure]]]


def put(tables: Tables, machine: str, at: datetime) -> Path:
    """Replace the tables of the subjects in `tables` (title: name and figures)."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for title, (name, figures) in tables.items():
        text = replaced(text, name, table(title, figures, machine, at))
    DOCUMENT.write_text(text, encoding="utf-8")
    return DOCUMENT


def replaced(text: str, name: str, content: str) -> str:
    """Return the text with `content` between the marks of a subject; ValueError without marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"docs/benchmarks.md has no place for '{name}': write '{begin}', '{end}'")
    return pattern.sub(lambda _found: f"{begin}\n{content}\n{end}", text)


def table(title: str, figures: Sequence[Figure], machine: str, at: datetime) -> str:
    """Return figures as a Markdown table with where and when they were measured."""
    load = os.getloadavg()[0]
    lines = [
        f"{title}. {at:%Y-%m-%d %H:%M} UTC, {machine}, load {load:.1f}.",
        "",
        "| what | under which terms | figure |",
        "|---|---|---:|",
    ]
    lines += [f"| {one.what} | {one.terms} | {shown(one.value)} {one.unit} |" for one in figures]
    return "\n".join(lines)
