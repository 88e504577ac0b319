"""What frames the rules: who agreed, stages, commitments, brakes, and what helps the rep."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator
from pydantic import Field as Setting

from baton.policy.actions import PolicyModel, read_words
from baton.policy.conditions import ALWAYS
from baton.policy.durations import Duration
from baton.policy.kinds import Email, Length, When


class Agreed(PolicyModel):
    """Who agreed, and when; who owns the text, and when it is looked at again."""

    on: date
    marketing: Email
    sales: Email
    owner: Email | None = None
    review_every: Length = Duration(30 * 86400)


class StageBegins(StrEnum):
    """The event with which a lead enters a stage."""

    HANDED_OFF = "handed_off"
    ACCEPTED = "accepted"
    QUALIFIED = "qualified"


class Stage(PolicyModel):
    """A stage of the lead's journey: entry, exit, owner; `needs` lists what must be known by then."""

    name: str
    entry: str
    exit: str
    owner: str
    begins: Annotated[StageBegins, BeforeValidator(read_words)]
    needs: tuple[str, ...] = ()
    hubspot_lifecycle: str | None = None


class WorkStandard(PolicyModel):
    """What sales does with every lead it gets: the cadence, and the least work before giving up."""

    minimum_touches: int = Setting(ge=1, le=50)
    over_days: int = Setting(ge=1, le=365)
    cadence: tuple[str, ...] = ()


class Commitment(PolicyModel):
    """One promise of one side, measured by a metric of the audit."""

    say: str
    metric: str
    band: str | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    unit: str = ""


class Commitments(PolicyModel):
    """The two-way agreement: volume and quality from marketing, follow-up from sales."""

    marketing: tuple[Commitment, ...]
    sales: tuple[Commitment, ...]


class Opening(PolicyModel):
    """A suggested first sentence; the first that holds is used."""

    when: When = ALWAYS
    say: str


class Content(PolicyModel):
    """Something the rep may send or read; every one that holds is offered, in order."""

    when: When = ALWAYS
    title: str
    for_: Literal["send", "read"] = Setting(default="send", alias="for")
    link: str | None = None


class Enablement(PolicyModel):
    """What helps the rep: suggested openings, and content with at most `show` pieces."""

    openings: tuple[Opening, ...] = ()
    content: tuple[Content, ...] = ()
    show: int = Setting(default=3, ge=0, le=10)


class WhenUnanswered(StrEnum):
    """What becomes of a batch about which nobody has decided in time."""

    KEEP = "keep_with_marketing"
    RELEASE = "release"


class Unanswered(PolicyModel):
    """How long a held batch waits for a person, and what happens then."""

    after: Length
    then: Annotated[WhenUnanswered, BeforeValidator(read_words)]


class BackfillAnnounces(StrEnum):
    """What people are told of the leads that a backfill hands over."""

    NOTHING = "nothing"
    ONE_DIGEST = "one_digest"


class Guards(PolicyModel):
    """Brakes. What goes beyond them in one run is held for a person; hot leads pass.

    `share_of_a_book`: the percentage of one person's open handoffs that one run may take away from
    them, or pass on to them from others, but never fewer than `always_so_many`. None: no limit.
    """

    handoffs_per_run: int = Setting(default=200, ge=1)
    reassignments_per_run: int | None = Setting(default=50, ge=1)
    messages_per_run: int | None = Setting(default=400, ge=1)
    band_changes_per_run: int | None = Setting(default=5000, ge=1)
    share_of_a_book: int | None = Setting(default=50, ge=1, le=100)
    always_so_many: int = Setting(default=10, ge=0)
    unanswered: Unanswered = Unanswered(after=Duration(86400), then=WhenUnanswered.KEEP)
    backfill_announces: Annotated[BackfillAnnounces, BeforeValidator(read_words)] = (
        BackfillAnnounces.ONE_DIGEST
    )
    hops_per_handoff: int = Setting(default=3, ge=1, le=20)
