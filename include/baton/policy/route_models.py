"""Who may be handed off, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, model_validator

from baton.policy.actions import PolicyModel, read_words
from baton.policy.conditions import ALWAYS
from baton.policy.kinds import LengthOrNever, Names, When, Whom


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


class RouteRule(PolicyModel):
    """One step of the routing ladder; the first that holds and finds somebody wins.

    `otherwise` ends the ladder: `when` is always true and `fallback` is set.
    """

    id: str
    when: When = ALWAYS
    to: Whom
    change_owner: bool = True
    if_nobody: Whom | None = None
    watched_by: str | None = None
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


class Distribution(StrEnum):
    """How a pool shares its leads."""

    ROUND_ROBIN = "round_robin"
    LOAD_BALANCE = "load_balance"


class PoolRule(PolicyModel):
    """What the agreement says of a pool; its members and weights stand in the roster."""

    name: str
    distribute: Annotated[Distribution, BeforeValidator(read_words)] = Distribution.ROUND_ROBIN
    recipient: str | None = None
    only_in_hours: bool = True
    say: str = ""


class Segment(PolicyModel):
    """A named group of leads; the first that holds is the lead's segment."""

    name: str
    when: When = ALWAYS


class Channel(PolicyModel):
    """A Slack channel that the policy may name, and what it is for."""

    name: str
    about: str = ""


class MailLists(PolicyModel):
    """Mail domains of free and throw-away providers, and mailbox names that are no person's."""

    free: Names = frozenset()
    disposable: Names = frozenset()
    roles: Names = frozenset()
