"""Who may be handed off, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Setting

from baton.policy.actions import PolicyModel, read_words
from baton.policy.conditions import ALWAYS
from baton.policy.durations import parse_duration
from baton.policy.kinds import Email, IfNobody, Length, LengthOrNever, Names, When, Whom


class Suppression(PolicyModel):
    """A kind of lead that is never handed off. `id` is the reason code."""

    id: str
    when: When
    say: str


class Permission(PolicyModel):
    """The three permissions, each refused when its condition holds; None: never refused."""

    hand_off_unless: When | None = None
    email_unless: When | None = None
    call_unless: When | None = None


class Customers(PolicyModel):
    """How leads of existing customers are recognised."""

    when: When
    say: str = "belongs to an existing customer"


class Lapse(StrEnum):
    """What becomes of the lead whose owner let the clock run out."""

    BY_THE_CLOCK = "by_the_clock"
    NEVER = "never"


class RouteRule(PolicyModel):
    """One step of the routing ladder; the first that holds and finds somebody wins.

    `otherwise` ends the ladder: `when` is always true and `fallback` is set. `if_nobody`: where the
    lead goes when nobody of `to` can take it; WAIT: it is held until somebody can; GO_ON, and
    where nothing is said: the next rule. `reassign` NEVER: whoever got the lead by this rule keeps
    it when the clock runs out, and their manager is told; so does everybody whom a rule with
    `change_owner: false` found.
    """

    id: str
    when: When = ALWAYS
    to: Whom
    change_owner: bool = True
    reassign: Annotated[Lapse, BeforeValidator(read_words)] = Lapse.BY_THE_CLOCK
    if_nobody: IfNobody | None = None
    watched_by: Email | None = None
    alarm_after: LengthOrNever = None
    say: str = ""
    fallback: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read_otherwise(cls, value: object) -> object:
        if isinstance(value, Mapping) and "otherwise" in value:
            rest = {key: part for key, part in value.items() if key != "otherwise"}
            if "when" in rest or "to" in rest:
                raise ValueError("'otherwise' stands alone: it has neither 'when' nor 'to'")
            return {**rest, "to": value["otherwise"], "fallback": True}
        return value

    @cached_property
    def when_in_words(self) -> str:
        """Return the condition in words; every trace tells it of the rules that do not apply."""
        return self.when.describe()


class Distribution(StrEnum):
    """How a pool shares its leads."""

    ROUND_ROBIN = "round_robin"
    LOAD_BALANCE = "load_balance"
    BEST_FIT = "best_fit"


Count = Annotated[int, Setting(ge=0, le=100_000)]


class Caps(PolicyModel):
    """The most that one person may have: open handoffs, and new ones within a rolling hour, day, week.

    They stack: who has reached any of them gets no more. None: no limit.
    """

    open: Count | None = None
    hour: Count | None = None
    day: Count | None = None
    week: Count | None = None


class PoolRule(PolicyModel):
    """What the agreement says of a pool; its members and weights stand in the roster.

    `fit_by`: the facts that a member must be good at, most important first (best fit alone).
    `caps` hold for members whose own entry in the roster says nothing of that limit.
    """

    name: str
    distribute: Annotated[Distribution, BeforeValidator(read_words)] = Distribution.ROUND_ROBIN
    fit_by: tuple[str, ...] = ()
    caps: Caps | None = None
    recipient: str | None = None
    only_in_hours: bool = True
    say: str = ""

    @model_validator(mode="after")
    def _fit_is_said(self) -> PoolRule:
        if (self.distribute is Distribution.BEST_FIT) != bool(self.fit_by):
            raise ValueError(
                "'distribute: best fit' and 'fit_by: [Language, ...]' belong together: "
                "one says that the best fit is wanted, the other what it is judged by"
            )
        return self


class Tester(PolicyModel):
    """A colleague who tries the chain: the lead runs through all of it, to nobody but them.

    `to` None: the mailbox of the lead's own address, without what follows a plus.
    """

    when: When
    to: Email | None = None
    say: str = "a colleague's test"


class Imports(PolicyModel):
    """Leads that did not ask for anything: a bought list, the badges of a fair.

    No buyer waits, so no buyer's clock runs; at most `a_day` of them are handed off within a
    rolling day, best first. `sla` is the owner's clock (None: none). A lead that has waited
    `give_up_after` goes to nurture.
    """

    when: When
    a_day: Annotated[int, Setting(ge=1, le=100_000)]
    sla: str | None = None
    give_up_after: Length = Setting(default_factory=lambda: parse_duration("90 days"))
    say: str = "from an imported list"


class Meetings(PolicyModel):
    """Where a meeting stands that the lead booked: the fields with its instant and its host."""

    booked_at: str
    host: str


class KeepTogether(PolicyModel):
    """For how long after a handoff further people of the same company go to the same owner."""

    for_: Length = Setting(alias="for")


class Segment(PolicyModel):
    """A named group of leads; the first that holds is the lead's segment."""

    name: str
    when: When = ALWAYS


class Channel(PolicyModel):
    """A Slack channel that the policy may name, and what it is for."""

    name: str
    about: str = ""


class RoleAddresses(StrEnum):
    """What is scored of a lead whose mailbox is no person's (info@ and the like)."""

    COMPANY_ONLY = "company_only"
    PERSON = "person"


class MailLists(PolicyModel):
    """Mail domains of free and throw-away providers, and mailbox names that are no person's."""

    free: Names = frozenset()
    disposable: Names = frozenset()
    roles: Names = frozenset()
    role_addresses: Annotated[RoleAddresses, BeforeValidator(read_words)] = (
        RoleAddresses.COMPANY_ONLY
    )
