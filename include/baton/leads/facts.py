"""From the text that HubSpot holds to facts by label. Nonsense becomes a problem, never an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from baton.leads.contact_points import read_email, read_host, read_phone
from baton.leads.model import LeadSnapshot
from baton.leads.places import country_code
from baton.leads.texts import is_placeholder, tidy
from baton.leads.values import (
    is_range,
    read_boolean,
    read_date,
    read_headcount,
    read_instant,
    read_integer,
    read_list,
    read_number,
)
from baton.policy.facts import Facts, FactValue, known
from baton.policy.fields import Field, FieldObject, FieldReading, FieldType
from baton.policy.models import Policy

FUTURE_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that cannot be used. `message` follows the label and never holds the value itself."""

    label: str
    code: str
    message: str


_Outcome: TypeAlias = tuple[FactValue, Problem | None]


@dataclass(frozen=True, slots=True)
class FactsRead:
    """What a snapshot says, what in it is nonsense, and where each fact was read.

    `lower_ends`: labels of which a range was told ("51-200"), and its lower end was taken.
    """

    facts: Facts
    problems: tuple[Problem, ...]
    sources: Mapping[str, str]
    lower_ends: tuple[str, ...] = ()


class _UnusableError(Exception):
    """A value that is not of its field's kind: a code and words for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def hand_raise_properties(policy: Policy) -> tuple[str, ...]:
    """Return the HubSpot contact properties whose latest instant starts the buyer's clock."""
    fields = (policy.fields.get(label) for label in policy.hand_raise_times)
    return tuple(field.hubspot for field in fields if field is not None and field.hubspot)


def wanted_properties(policy: Policy, kind: FieldObject) -> tuple[str, ...]:
    """Return the HubSpot properties of contacts or companies that the policy's fields read."""
    names = {
        field.hubspot
        for field in policy.fields.values()
        if field.hubspot is not None and field.object is kind
    }
    return tuple(sorted(names))


def personal_properties(policy: Policy) -> frozenset[str]:
    """Return the HubSpot contact properties whose fields name or reach a person."""
    return frozenset(
        field.hubspot for field in policy.fields.values() if field.personal and field.hubspot
    )


class KeptValues:
    """What texts were read as, for whoever reads many leads by one policy.

    Kept are short texts of fields that name or reach nobody and mean the same at any time.
    """

    _MOST, _LONGEST = 50_000, 64
    _OWN = frozenset({FieldType.PHONE, FieldType.DATETIME})

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], _Outcome] = {}

    def get(self, field: Field, raw: str) -> _Outcome | None:
        """Return what a text was read as before, if that is known."""
        return self._found.get((field.label, raw))

    def keep(self, field: Field, raw: str, found: _Outcome) -> None:
        """Keep what a text was read as, where it may be kept."""
        if field.personal or field.type in self._OWN or len(raw) > self._LONGEST:
            return
        if len(self._found) >= self._MOST:
            self._found.clear()
        self._found[field.label, raw] = found


def read_facts(snapshot: LeadSnapshot, policy: Policy, kept: KeptValues | None = None) -> FactsRead:
    """Read every field of the policy from a snapshot. Never raises for what the snapshot holds.

    `kept` spares reading the same text again; it belongs to one policy.
    """
    reader = _Reader(snapshot, kept)
    for reading in policy.readings:
        reader.read(reading)
    ends = tuple(reader.lower_ends)
    return FactsRead(reader.facts, tuple(reader.problems), reader.sources, ends)


def read_told(
    told: Mapping[str, str], snapshot: LeadSnapshot, policy: Policy, facts: Facts, source: str
) -> FactsRead:
    """Read values by label that somebody else tells of a lead (a provider), by the fields' rules.

    `facts` are those that are known already; what of `told` is nonsense becomes a problem.
    """
    reader = _Reader(snapshot)
    reader.facts = dict(facts)
    found: dict[str, FactValue] = {}
    for label, raw in told.items():
        field = policy.fields.get(label)
        value = reader.value(field, raw) if field is not None else None
        if known(value):
            found[label] = value
    return FactsRead(found, tuple(reader.problems), dict.fromkeys(found, source))


class _Reader:
    def __init__(self, snapshot: LeadSnapshot, kept: KeptValues | None = None) -> None:
        self.kept = kept
        self.held = {
            FieldObject.CONTACT: snapshot.properties,
            FieldObject.COMPANY: snapshot.company or {},
        }
        self.facts: dict[str, FactValue] = {}
        self.problems: list[Problem] = []
        self.sources: dict[str, str] = {}
        self.lower_ends: list[str] = []
        self.latest = snapshot.seen_at + FUTURE_SLACK

    def read(self, reading: FieldReading) -> None:
        """Read one field: from its own property, else from that of the field that helps out."""
        for kind, name in reading.places:
            raw = self.held[kind].get(name)
            if not raw:
                continue
            value = self.value(reading.field, raw)
            if known(value):
                self.facts[reading.field.label] = value
                if reading.field.type is FieldType.INTEGER and is_range(raw):
                    self.lower_ends.append(reading.field.label)
                self.sources[reading.field.label] = f"hubspot {kind}.{name}"
                return

    def value(self, field: Field, raw: str) -> FactValue:
        found = self.kept.get(field, raw) if self.kept is not None else None
        if found is None:
            found = self.outcome(field, tidy(raw))
            if self.kept is not None:
                self.kept.keep(field, raw, found)
        value, problem = found
        if problem is not None and problem not in self.problems:
            self.problems.append(problem)
        return value

    def outcome(self, field: Field, text: str) -> _Outcome:
        if not text:
            return None, None
        try:
            value = self.of_type(field, text)
            self.believe(field, value)
        except _UnusableError as wrong:
            return None, Problem(field.label, wrong.code, wrong.message)
        return value, None

    def of_type(self, field: Field, text: str) -> FactValue:
        if is_placeholder(text, field):
            raise _UnusableError("placeholder", "holds a placeholder, not a value")
        match field.type:
            case FieldType.TEXT:
                return text
            case FieldType.LIST:
                return read_list(text)
            case FieldType.CHOICE:
                return _choice(field, text)
            case FieldType.PHONE:
                country = self.facts.get("Country")
                number = read_phone(text, country if isinstance(country, str) else None)
                return _or_unusable(number, "not_a_phone", "is not a telephone number")
        return _READERS[field.type](text)

    def believe(self, field: Field, value: FactValue) -> None:
        """Raise _UnusableError for what no lead can have: a size below one, a visit next year."""
        if isinstance(value, datetime) and not field.future and value > self.latest:
            raise _UnusableError("in_the_future", "lies in the future")
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            if field.at_least is not None and value < field.at_least:
                raise _UnusableError("too_low", f"is below {field.at_least}")
            if field.at_most is not None and value > field.at_most:
                raise _UnusableError("too_high", f"is above {field.at_most}")
        if field.matches and isinstance(value, str) and not re.search(field.matches, value[:2000]):
            raise _UnusableError("unexpected_form", "does not have the expected form")


def _choice(field: Field, text: str) -> str:
    if not field.values or text in field.values:
        return field.values.get(text, text)
    wanted = text.casefold()
    for inner, readable in field.values.items():
        if wanted in (inner.casefold(), readable.casefold()):
            return readable
    raise _UnusableError("unknown_choice", "holds a choice that the policy does not list")


def _or_unusable(value: FactValue, code: str, message: str) -> FactValue:
    if value is None:
        raise _UnusableError(code, message)
    return value


def _integer(text: str) -> FactValue:
    found = read_integer(text)
    return _or_unusable(
        read_headcount(text) if found is None else found, "not_a_number", "is not a whole number"
    )


_READERS: Mapping[FieldType, Callable[[str], FactValue]] = {
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: lambda text: _or_unusable(read_number(text), "not_a_number", "is no number"),
    FieldType.BOOLEAN: lambda text: _or_unusable(
        read_boolean(text), "not_yes_or_no", "is neither yes nor no"
    ),
    FieldType.DATE: lambda text: _or_unusable(read_date(text), "not_a_date", "is not a date"),
    FieldType.DATETIME: lambda text: _or_unusable(
        read_instant(text), "not_a_date", "is not a date and time"
    ),
    FieldType.EMAIL: lambda text: _or_unusable(
        read_email(text), "not_an_email", "is not an e-mail address"
    ),
    FieldType.COUNTRY: lambda text: _or_unusable(
        country_code(text), "unknown_country", "is not a country"
    ),
    FieldType.URL: lambda text: _or_unusable(read_host(text), "not_a_url", "is not a web address"),
}
