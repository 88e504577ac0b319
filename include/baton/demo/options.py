"""What a demo is asked to play."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["DemoOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What to play, and whether to stop and judge at the end (`once`)."""

    once: bool = False
    leads: Path | None = None
    mapping: Path | None = None
    overlay: Path | None = None
    days: int = 90
    live_leads: int = 8
    seed: int = 7
