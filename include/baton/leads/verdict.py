"""The verdict on a lead's data: made by validation, an input of the decision."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One rule that the lead's data breaks. `message` is for an admin and holds no personal data."""

    label: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the data is good enough to be judged, and what is wrong with it."""

    ok: bool
    failures: tuple[Failure, ...] = ()


GOOD = Verdict(True)
