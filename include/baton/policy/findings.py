"""What the linter finds: a level, a code, a place and a mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An error refuses the policy; a warning is for its authors."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong between parts of a policy. `path` leads to it in the YAML."""

    level: Level
    code: str
    message: str
    path: tuple[str | int, ...]
    hint: str | None = None
