"""What the linter finds: a level, a code, a place and a mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An error refuses the policy; a warning is for its authors; a note only says what is so."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit between parts of a policy, or between it and the roster.

    `path` leads to it in the YAML; what stands in the roster alone begins with ``roster``.
    """

    level: Level
    code: str
    message: str
    path: tuple[str | int, ...]
    hint: str | None = None
