"""The roster: who is there. Not policy; it changes when someone is ill, and has its own hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated

from pydantic import (
    BeforeValidator,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic import (
    Field as Setting,
)
from pydantic_core import ErrorDetails

from baton.errors import PolicyError, PolicyErrors
from baton.policy.actions import PolicyModel
from baton.policy.calendar_rules import Week, known_zone
from baton.policy.messages import message_of
from baton.policy.reading import read_csv
from baton.policy.references import read_named


class Leave(PolicyModel):
    """A stretch of absence; `start` belongs to it, `end` does not. Both aware."""

    start: datetime
    end: datetime

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

    `hours`: a calendar's name or weekly blocks, in `zone`. `cap_open`: most open handoffs at once;
    `cap_day`: most new ones in a day. None: no limit.
    """

    key: str
    name: str
    role: str = ""
    salesforce_user: str | None = None
    slack_email: str | None = None
    manager: str | None = None
    zone: str = "UTC"
    hours: str | Week = "Weekdays"
    leave: tuple[Leave, ...] = ()
    cap_open: int | None = Setting(default=None, ge=0)
    cap_day: int | None = Setting(default=None, ge=0)
    active: bool = True

    @field_validator("key")
    @classmethod
    def _is_email(cls, key: str) -> str:
        if "@" not in key:
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

    @property
    def email(self) -> str:
        """Return the e-mail."""
        return self.key

    def on_leave(self, at: datetime) -> bool:
        """Tell whether the person is absent at `at`."""
        return any(part.covers(at) for part in self.leave)


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

    def rep(self, key: str | None) -> Rep | None:
        """Return the person with that e-mail, or None."""
        return self.by_key.get(key.lower()) if key else None

    def pool(self, name: str) -> Pool | None:
        """Return the pool of that name, or None."""
        return self.pool_by_name.get(name)

    def canonical(self) -> bytes:
        """Return the content as canonical JSON: what the hash covers and the ledger stores."""
        content = self.model_dump(mode="json")
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def hash(self) -> str:
        """Return the SHA-256 of the content, in hex."""
        return hashlib.sha256(self.canonical()).hexdigest()


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


def roster_from_csv(people: str, pools: str) -> Roster:
    """Read a roster from two CSV texts.

    People: columns ``email, name`` and, where wanted, role, zone, hours, manager, cap_open, cap_day,
    active, salesforce_user, slack_email. Pools: columns ``pool, email`` and, where wanted, weight.
    Raises PolicyErrors.
    """
    found = _rows("people.csv", people, ("email", "name"))
    members = _rows("pools.csv", pools, ("pool", "email"))
    by_pool: dict[str, list[dict[str, str]]] = {}
    for row in members:
        weight = {"weight": row["weight"]} if row.get("weight") else {}
        by_pool.setdefault(row["pool"], []).append({"rep": row["email"], **weight})
    tree = {
        "people": [_rep_of(row) for row in found],
        "pools": [{"name": name, "members": parts} for name, parts in by_pool.items()],
    }
    try:
        return Roster.model_validate(tree)
    except ValidationError as error:
        raise PolicyErrors([_roster_error(detail) for detail in error.errors()]) from None


def _rows(name: str, text: str, needed: tuple[str, ...]) -> tuple[Mapping[str, str], ...]:
    try:
        rows = read_csv(name, text)
    except ValueError as error:
        raise PolicyErrors([PolicyError(str(error), file=name)]) from None
    missing = [column for column in needed if column not in rows.columns]
    if missing:
        raise PolicyErrors([PolicyError(f"lacks the column {' and '.join(missing)}", file=name)])
    return rows.rows


def _rep_of(row: Mapping[str, str]) -> dict[str, str]:
    given = {name: value for name, value in row.items() if value and name != "email"}
    return {"key": row["email"], **given}


def _roster_error(detail: ErrorDetails) -> PolicyError:
    message, hint, path = message_of(Roster, detail)
    if path[:1] == ("people",) and len(path) > 1 and isinstance(path[1], int):
        return PolicyError(message, file="people.csv", line=path[1] + 2, hint=hint)
    return PolicyError(message, file="pools.csv" if path[:1] == ("pools",) else None, hint=hint)
