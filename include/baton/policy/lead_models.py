"""What the agreement says of leads' data: answers kept, enrichment, drift, the daily digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ValidationInfo, field_validator, model_validator
from pydantic import Field as Setting
from pydantic_core import PydanticCustomError

from baton.policy.actions import PolicyModel
from baton.policy.durations import Duration
from baton.policy.kinds import Length
from baton.policy.reading import did_you_mean, problem, together
from baton.policy.references import list_named

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_PROVIDER = re.compile(r"[a-z][a-z0-9_]{0,40}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.[a-z0-9-]{2,}")
_DAY, _MINUTE = 86400, 60


class Profile(PolicyModel):
    """Answers that are remembered when HubSpot no longer shows them (progressive profiling).

    `keep` lists the labels, `for` how long an answer stays good after it was given. `vague` lists
    answers that say less than others ("Not sure"): they never replace a specific one.
    """

    keep: tuple[str, ...] = ()
    for_: Length = Setting(default=Duration(365 * _DAY), alias="for")
    vague: tuple[str, ...] = ()

    @property
    def seconds(self) -> int:
        """Return how long an answer is kept, in seconds."""
        return self.for_.seconds

    def is_vague(self, answer: str) -> bool:
        """Tell whether an answer is one of the vague ones."""
        return answer.strip().casefold() in {known.strip().casefold() for known in self.vague}


class EnrichmentStep(PolicyModel):
    """One outside provider: what it may fill, what it may cost, how long it may take.

    `provider` names the Airflow connection ``enrichment_<provider>``; companies are asked for by
    domain. `fills` gives, for each label of ours, the name in the provider's answer. `wait`: how
    long a lead that could be handed off is held when the provider fails; without it the lead goes
    on at once.
    """

    provider: str
    fills: Mapping[str, str] = Setting(min_length=1)
    budget_a_day: int = Setting(ge=0, le=1_000_000)
    timeout: Length = Duration(5)
    cache_for: Length = Duration(90 * _DAY)
    wait: Length | None = None
    confidence: int = Setting(default=70, ge=1, le=100)

    @field_validator("fills", mode="before")
    @classmethod
    def _list_or_map(cls, value: object) -> object:
        return {label: label for label in value} if isinstance(value, list | tuple) else value

    @field_validator("provider")
    @classmethod
    def _name(cls, name: str) -> str:
        if not _PROVIDER.fullmatch(name):
            raise ValueError(
                f"'{name}' cannot name a provider: it is part of the connection's name, "
                "so it has only a-z, 0-9 and _"
            )
        return name

    @field_validator("timeout")
    @classmethod
    def _short(cls, length: Duration) -> Duration:
        if length.seconds > _MINUTE:
            raise ValueError(f"'{length}' is too long to wait for a provider: at most 60 seconds")
        return length


class DriftVolume(PolicyModel):
    """How many leads an hour are usual, in percent of the same hour of the same weekday before.

    Nothing is said before `weeks` have at least two hours to compare with, nor when fewer than
    `least` leads were usual.
    """

    at_least: int = Setting(default=25, ge=0, le=100)
    at_most: int = Setting(default=400, ge=100, le=100_000)
    weeks: int = Setting(default=8, ge=2, le=52)
    least: int = Setting(default=20, ge=1)


class DriftNulls(PolicyModel):
    """How much emptier than usual a field may be, in percentage points."""

    fields: tuple[str, ...] = ()
    rise_by: int = Setting(default=20, ge=1, le=100)
    over: Length = Duration(28 * _DAY)
    least: int = Setting(default=20, ge=1)


class DriftValues(PolicyModel):
    """Fields whose values are few: one that was not seen within `over` is news."""

    fields: tuple[str, ...] = Setting(min_length=1)
    over: Length = Duration(28 * _DAY)


def _values_or_list(value: object) -> object:
    return {"fields": value} if isinstance(value, list | tuple) else value


class Drift(PolicyModel):
    """What the leads of an hour are compared with. It warns, it never stops a lead."""

    volume: DriftVolume | None = None
    nulls: DriftNulls | None = None
    new_values: Annotated[DriftValues, BeforeValidator(_values_or_list)] | None = None


def _read_time(value: object) -> object:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if isinstance(value, time):
        return value
    if match is None:
        raise ValueError(f"'{value}' is not a time of day; write it in quotes, as \"08:00\"")
    return time(int(match[1]), int(match[2]))


class Digest(PolicyModel):
    """The daily message on what wants a person and what waits in quarantine, to a Slack channel,
    by mail, or both; none is sent when nothing waits.
    """

    at: Annotated[time, BeforeValidator(_read_time)] = time(8)
    zone: str = "UTC"
    channel: str | None = None
    mail: tuple[Annotated[str, Setting(pattern=r"^[^@\s,<>]+@[^@\s,<>]+$")], ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"'{zone}' is not a time zone; write it as in Europe/Berlin") from None
        return zone

    @model_validator(mode="after")
    def _told_somewhere(self) -> Digest:
        if self.channel is None and not self.mail:
            raise problem("the digest goes nowhere: name a channel, or addresses under mail")
        return self


def read_aliases(value: object, info: ValidationInfo) -> object:
    """Turn the name of a CSV list (columns alias_domain, domain) into domain by alias."""
    if not isinstance(value, str):
        return value
    rows = list_named(value, info)
    missing = [name for name in ("alias_domain", "domain") if name not in rows.columns]
    if missing:
        hint = did_you_mean(missing[0], rows.columns)
        raise problem(f"{value} lacks the column {' and '.join(missing)}", hint=hint)
    found: dict[str, str] = {}
    places: dict[str, tuple[str, int]] = {}
    wrong: list[PydanticCustomError] = []
    for place, row in rows.numbered():
        alias, domain = (row[name].lower() for name in ("alias_domain", "domain"))
        odd = [host for host in (alias, domain) if not _HOST.fullmatch(host)]
        wrong += [problem(f"'{host}' is not a domain", at=place) for host in odd]
        if found.get(alias, domain) != domain:
            words = f"{alias} is an alias of both {found[alias]} and {domain}"
            wrong.append(problem(words, hint="take one line out", at=place))
        found[alias] = domain
        places.setdefault(alias, place)
    for alias, domain in found.items():
        if domain in found:
            words = f"{alias} points at {domain}, which is an alias itself"
            hint = f"write {alias},{found[domain]}"
            wrong.append(problem(words, hint=hint, at=places[alias]))
    if wrong:
        raise together(wrong)
    return found
