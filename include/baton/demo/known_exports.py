"""Which of the shipped mappings fits an export, told by its columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baton.errors import ConfigurationError
from baton.policy.bundle import read_text
from baton.policy.yaml_source import read_yaml

__all__ = ["ExportPlan", "plan_export", "read_header"]

_FEWEST_COLUMNS = 5
"""A mapping of fewer columns would fit files that it was not made for."""
_TEMPLATE_COLUMN = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """How to load a file and by which overlay of the policy to judge it; None: as they are."""

    file: Path
    rows: int
    mapping: Path | None
    overlay: Path | None


def plan_export(
    file: Path, policy_dir: Path, *, mapping: Path | None = None, overlay: Path | None = None
) -> ExportPlan:
    """Return how to load `file`: as told, else by the shipped mapping that fits its columns.

    Raises ConfigurationError when a file is missing or holds no rows.
    """
    for given in (file, mapping, overlay):
        if given is not None and not given.is_file():
            raise ConfigurationError(f"there is no file {given}")
    columns, rows = read_header(file)
    if not rows:
        raise ConfigurationError(
            f"{file} holds no rows: a header line and one lead a line are needed"
        )
    if mapping is None:
        mapping = _fitting(columns, policy_dir / "mappings")
        if mapping is not None and overlay is None:
            beside = policy_dir / "overlays" / mapping.name
            overlay = beside if beside.is_file() else None
    absolute = [None if one is None else one.resolve() for one in (mapping, overlay)]
    return ExportPlan(file.resolve(), rows, absolute[0], absolute[1])


def read_header(file: Path) -> tuple[frozenset[str], int]:
    """Return the columns of a CSV and how many rows follow. Raises ConfigurationError."""
    try:
        with file.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
            first = lines.readline()
            lines.seek(0)
            reader = csv.reader(lines, delimiter=max(",;\t", key=first.count))
            header = next(reader, [])
            rows = sum(1 for row in reader if any(row))
    except (OSError, csv.Error) as error:
        raise ConfigurationError(f"{file} cannot be read as CSV: {error}") from error
    return frozenset(name.strip() for name in header), rows


def _fitting(columns: frozenset[str], folder: Path) -> Path | None:
    for path in sorted(folder.glob("*.yaml")):
        wanted = set(_columns_of(read_yaml(path.name, read_text(path.name, path)).value))
        if len(wanted) >= _FEWEST_COLUMNS and wanted <= columns:
            return path
    return None


def _columns_of(node: Any) -> Iterator[str]:
    """Yield the columns that a mapping reads."""
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "column":
            yield str(value)
        elif key == "template":
            yield from _TEMPLATE_COLUMN.findall(str(value))
        else:
            yield from _columns_of(value)
