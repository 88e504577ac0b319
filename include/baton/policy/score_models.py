"""The score, its bands, and the triggers that pass it by."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import BeforeValidator, field_validator, model_validator
from pydantic import Field as Setting

from baton.policy.actions import PolicyModel
from baton.policy.kinds import LengthOrNever, Points, When, milli
from baton.policy.references import read_named


class ScoreKind(StrEnum):
    """The two halves of the score."""

    FIT = "fit"
    INTENT = "intent"


class ScoreRule(PolicyModel):
    """One line of the score. `say` is what the rep reads, with ``{Label}`` for values.

    `halves_every` needs `since`, the label of the instant from which whole days are counted.
    With `for_each`, the points count once for each of that number, at most `up_to` times.
    Rules of one `group` together give at most what `Policy.groups` says.
    """

    id: str
    points: Points
    when: When
    say: str
    kind: ScoreKind = ScoreKind.FIT
    halves_every: LengthOrNever = None
    since: str | None = None
    for_each: str | None = None
    up_to: int | None = Setting(default=None, ge=1, le=1000)
    group: str | None = None

    @cached_property
    def points_milli(self) -> int:
        """Return the points in thousandths."""
        return milli(self.points)

    @property
    def halves_every_days(self) -> int | None:
        """Return the half-life in whole days, or None."""
        return self.halves_every.days if self.halves_every else None

    @property
    def counted_by(self) -> str | None:
        """Return the label whose number multiplies the points, or None."""
        return self.for_each

    @property
    def cap(self) -> int | None:
        """Return how often the points count at most, with `for_each`."""
        return self.up_to


class ScoreGroup(PolicyModel):
    """A ceiling over several score rules."""

    name: str
    at_most: Points

    @cached_property
    def at_most_milli(self) -> int:
        """Return the ceiling in thousandths."""
        return milli(self.at_most)


class Scoring(PolicyModel):
    """Both halves of the score and the ceilings over groups of rules."""

    fit: tuple[ScoreRule, ...] = ()
    intent: tuple[ScoreRule, ...] = ()
    groups: Annotated[Mapping[str, ScoreGroup], BeforeValidator(read_named("name"))] = {}

    @field_validator("intent")
    @classmethod
    def _mark_intent(cls, rules: tuple[ScoreRule, ...]) -> tuple[ScoreRule, ...]:
        return tuple(rule.model_copy(update={"kind": ScoreKind.INTENT}) for rule in rules)


def read_bands(value: object) -> object:
    """Turn the word ``rest`` into a band without a lower edge."""
    if not isinstance(value, Mapping):
        return value
    return {
        name: ({} if isinstance(band, str) and band.strip().lower() == "rest" else band)
        for name, band in value.items()
    }


class Band(PolicyModel):
    """A range of the score. ``above: 75`` leaves 75 out, ``from: 50`` takes 50 in, ``rest`` is all below.

    `stays_above`: a lead that was in this band keeps it while its score is above that, so that one
    at the edge does not go to and fro. `hands_off`: reaching the band passes the lead to sales,
    without any trigger.
    """

    name: str
    above: Points | None = None
    from_: Points | None = Setting(default=None, alias="from")
    stays_above: Points | None = None
    hands_off: bool = False
    recipient: str | None = None
    channel: str | None = None

    @model_validator(mode="after")
    def _one_lower_edge(self) -> Band:
        if self.above is not None and self.from_ is not None:
            raise ValueError("a band has one lower edge: 'above' or 'from', not both")
        return self

    @cached_property
    def lower_milli(self) -> int | None:
        """Return the lower edge in thousandths of a point; None for the rest."""
        edge = self.above if self.above is not None else self.from_
        return None if edge is None else milli(edge)

    @property
    def lower_inclusive(self) -> bool:
        """Tell whether the lower edge itself belongs to the band."""
        return self.above is None

    @cached_property
    def stays_above_milli(self) -> int | None:
        """Return the score above which a lead keeps the band, in thousandths; None: its edge."""
        return None if self.stays_above is None else milli(self.stays_above)

    def keeps(self, total_milli: int) -> bool:
        """Tell whether a lead that was in this band stays in it with a score."""
        kept = self.stays_above_milli
        return self.holds(total_milli) or (kept is not None and total_milli > kept)

    def holds(self, total_milli: int) -> bool:
        """Tell whether a score reaches the band's lower edge."""
        if self.lower_milli is None:
            return True
        return (
            total_milli >= self.lower_milli
            if self.lower_inclusive
            else total_milli > self.lower_milli
        )


class Trigger(PolicyModel):
    """An event that hands off on its own. Listed strongest first.

    `at`: label of the instant of the event; it fires again only for a later instant.
    `recipient`: a role ("SDR", "AE") that routing rules read as the fact "Recipient".
    `channel`: a Slack channel to tell instead of the owner directly; None is a direct message.
    `sla`: key in `Policy.sla`; without it the trigger's own id, then the lead's band, is looked up.
    `band`: the band that the lead counts as, whatever its score.
    """

    id: str
    label: str
    when: When
    at: str | None = None
    hands_off: bool = True
    band: str | None = None
    recipient: str | None = None
    channel: str | None = None
    required: tuple[str, ...] = ()
    min_score: Points | None = None
    sla: str | None = None

    @cached_property
    def min_score_milli(self) -> int | None:
        """Return the least score with which it fires, in thousandths, or None."""
        return None if self.min_score is None else milli(self.min_score)
