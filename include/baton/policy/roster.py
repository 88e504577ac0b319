"""The roster: who is there. Not policy; it changes when someone is ill, and has its own hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    field_validator,
    model_validator,
)
from pydantic import (
    Field as Setting,
)

from baton.policy.abilities import read_abilities
from baton.policy.actions import PolicyModel
from baton.policy.calendar_rules import Week, known_zone
from baton.policy.reading import EMAIL
from baton.policy.references import read_named
from baton.policy.week_text import checked_week, read_hours


class Leave(PolicyModel):
    """A stretch of absence; `start` belongs to it, `end` does not. Both aware."""

    start: datetime
    end: datetime
    note: str = ""

    @field_validator("start", "end")
    @classmethod
    def _aware(cls, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError("say in which zone: write, for example, 2026-11-03T08:00+01:00")
        return at.astimezone(UTC)

    @model_validator(mode="after")
    def _forwards(self) -> Leave:
        if self.end <= self.start:
            raise ValueError("leave must end after it begins")
        return self

    def covers(self, at: datetime) -> bool:
        """Tell whether `at` falls into the absence."""
        return self.start <= at < self.end


class Rep(PolicyModel):
    """A person of sales. `key` is the e-mail, the same in Salesforce, Slack and HubSpot unless said.

    `hours`: a calendar's name or weekly blocks, in `zone`; never without any working time.
    `cap_open`: most open handoffs at once; `cap_hour`, `cap_day`, `cap_week`: most new ones within
    a rolling hour, day and week; all of them over all pools together. None: no limit. `good_at`:
    values by label ("Language": ("de", "en")) that a pool distributing by best fit looks at.
    `joined` is the first day at work, `left` the first day no longer there, both in `zone`; outside
    of them the person gets no leads.
    """

    key: str
    name: str
    role: str = ""
    salesforce_user: str | None = None
    slack_email: str | None = None
    manager: str | None = None
    zone: str = "UTC"
    hours: Annotated[str | Week, BeforeValidator(read_hours)] = "Weekdays"
    leave: tuple[Leave, ...] = ()
    cap_open: int | None = Setting(default=None, ge=0)
    cap_hour: int | None = Setting(default=None, ge=0)
    cap_day: int | None = Setting(default=None, ge=0)
    cap_week: int | None = Setting(default=None, ge=0)
    good_at: Annotated[Mapping[str, tuple[str, ...]], BeforeValidator(read_abilities)] = Setting(
        default_factory=dict
    )
    joined: date | None = None
    left: date | None = None
    active: bool = True

    @field_validator("key")
    @classmethod
    def _is_email(cls, key: str) -> str:
        if not EMAIL.fullmatch(key):
            raise ValueError(f"'{key}' is not an e-mail address: people are known by theirs")
        return key.lower()

    @field_validator("manager")
    @classmethod
    def _lower(cls, manager: str | None) -> str | None:
        return manager.lower() if manager else None

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return known_zone(zone)

    @field_validator("hours")
    @classmethod
    def _works(cls, hours: str | Week) -> str | Week:
        if not isinstance(hours, str):
            checked_week(hours)
        return hours

    @property
    def email(self) -> str:
        """Return the e-mail."""
        return self.key

    @model_validator(mode="after")
    def _joined_first(self) -> Rep:
        if self.joined is not None and self.left is not None and self.left < self.joined:
            raise ValueError(f"{self.key} leaves on {self.left} and joins on {self.joined} only")
        return self

    def on_leave(self, at: datetime) -> bool:
        """Tell whether the person is absent at `at`."""
        return any(part.covers(at) for part in self.leave)

    def why_gone(self, at: datetime) -> str | None:
        """Say why the person is not with the company at `at` (left, not yet there), or None."""
        if self.joined is not None or self.left is not None:
            today = at.astimezone(ZoneInfo(self.zone)).date()
            if self.left is not None and self.left <= today:
                return f"left the company on {self.left}"
            if self.joined is not None and today < self.joined:
                return f"joins on {self.joined}"
        return None if self.active else "is not active any more"


class Member(PolicyModel):
    """A rep in a pool, with the weight of the share: 2 draws twice as many as 1; 0 draws none."""

    rep: str
    weight: int = Setting(default=1, ge=0, le=10_000)

    @field_validator("rep")
    @classmethod
    def _lower(cls, rep: str) -> str:
        return rep.lower()


def _read_members(value: object) -> object:
    if isinstance(value, Mapping):
        return tuple({"rep": rep, "weight": weight} for rep, weight in value.items())
    if isinstance(value, list | tuple):
        return tuple({"rep": part} if isinstance(part, str) else part for part in value)
    return value


class Pool(PolicyModel):
    """A named group of reps that share leads."""

    name: str
    members: Annotated[tuple[Member, ...], BeforeValidator(_read_members)] = ()


def _values(attribute: str) -> BeforeValidator:
    named = read_named(attribute)

    def read(value: object) -> object:
        found = named(value)
        return tuple(found.values()) if isinstance(found, Mapping) else found

    return BeforeValidator(read)


class Roster(PolicyModel):
    """Everybody and every pool. References between them are checked when it is built."""

    people: Annotated[tuple[Rep, ...], _values("key")] = ()
    pools: Annotated[tuple[Pool, ...], _values("name")] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Roster:
        keys = [rep.key for rep in self.people]
        wrong = [f"{key} is listed twice" for key in _twice(keys)]
        wrong += [
            f"pool '{name}' is listed twice" for name in _twice(pool.name for pool in self.pools)
        ]
        wrong += [
            f"{rep.key} reports to {rep.manager}, who is not in the roster"
            for rep in self.people
            if rep.manager is not None and rep.manager not in keys
        ]
        for pool in self.pools:
            members = [member.rep for member in pool.members]
            wrong += [f"{rep} is in pool '{pool.name}' twice" for rep in _twice(members)]
            wrong += [
                f"pool '{pool.name}' names {rep}, who is not in the roster"
                for rep in members
                if rep not in keys
            ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @cached_property
    def by_key(self) -> Mapping[str, Rep]:
        """Return the people by e-mail."""
        return {rep.key: rep for rep in self.people}

    @cached_property
    def pool_by_name(self) -> Mapping[str, Pool]:
        """Return the pools by name."""
        return {pool.name: pool for pool in self.pools}

    @cached_property
    def pools_by_member(self) -> Mapping[str, tuple[str, ...]]:
        """Return the names of the pools in which somebody is given leads (a weight above zero)."""
        found: dict[str, list[str]] = {}
        for pool in self.pools:
            for member in pool.members:
                if member.weight:
                    found.setdefault(member.rep, []).append(pool.name)
        return {rep: tuple(names) for rep, names in found.items()}

    def rep(self, key: str | None) -> Rep | None:
        """Return the person with that e-mail, or None."""
        return self.by_key.get(key.lower()) if key else None

    def pool(self, name: str) -> Pool | None:
        """Return the pool of that name, or None."""
        return self.pool_by_name.get(name)

    def canonical(self) -> bytes:
        """Return the content as canonical JSON: what the hash covers and the ledger stores."""
        content = self.model_dump(mode="json")
        for rep in content["people"]:
            for name in _ADDED_LATER:
                if rep[name] in (None, {}):
                    del rep[name]
            for leave in rep["leave"]:
                if not leave["note"]:
                    del leave["note"]
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def hash(self) -> str:
        """Return the SHA-256 of the content, in hex."""
        return hashlib.sha256(self.canonical()).hexdigest()


_ADDED_LATER = ("cap_hour", "cap_week", "good_at", "joined", "left")
"""Left out of the content where they say nothing, so that older rosters keep their hash."""


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    again = []
    for name in names:
        if name in seen:
            again.append(name)
        seen.add(name)
    return again


def roster_from_json(content: bytes | str) -> Roster:
    """Read what `Roster.canonical` wrote."""
    return Roster.model_validate_json(content)
