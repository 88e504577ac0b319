"""A policy's own cases: leads in YAML, and what must become of them.

They stand in ``cases/*.yaml`` beside the policy (those of an overlay in ``cases/NAME/*.yaml``) and
are no part of its version: a new case changes no decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator, model_validator
from pydantic import Field as Setting

from baton.decision.decision import DecisionOutcome
from baton.errors import PolicyError, PolicyErrors
from baton.leads.states import LeadState
from baton.policy.actions import PolicyModel, read_words
from baton.policy.bundle import PolicyBundle, read_text
from baton.policy.loader import Source, read_document
from baton.policy.models import Policy
from baton.policy.reading import did_you_mean
from baton.policy.yaml_source import Place

FOLDER = "cases"
NOBODY = "nobody"
_DEFAULT_MOMENT = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


def _names(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Labelled = Mapping[str, Any]
"""Values by field label, as YAML gives them; ``null`` takes a value of `like` away."""


class CaseAccount(PolicyModel):
    """An account of Salesforce, by which the lead is matched as in real life."""

    name: str
    domain: str | None = None
    owner: str | None = None
    type: str | None = None
    country: str | None = None
    opportunity_owner: str | None = None
    lost_opportunity_owner: str | None = None


class CaseCrm(PolicyModel):
    """What Salesforce holds around the lead."""

    accounts: tuple[CaseAccount, ...] = ()
    lead_owner: str | None = None
    contact_of: str | None = None


class CaseHistory(PolicyModel):
    """What happened to the lead before. `open_with` owns the open handoff.

    `colleague_with` was given somebody of the same company, within the time they are kept together.
    """

    state: Annotated[LeadState, BeforeValidator(read_words)] = LeadState.SEEN
    band_before: str | None = None
    open_with: str | None = None
    earlier_owners: Names = ()
    handoffs: int = Setting(default=0, ge=0)
    last_reason: str | None = None
    returns: str | datetime | None = None
    trigger_at: str | datetime | None = None
    recycles: Mapping[str, int] = {}
    colleague_with: str | None = None


class CaseRoster(PolicyModel):
    """What differs from the roster: who is away (or "everyone"), gone, or loaded.

    `open`, `last_hour`, `last_day`: handoffs by e-mail. `imported`: how many imported leads were
    handed off within the last day.
    """

    away: Names = ()
    gone: Names = ()
    open: Mapping[str, int] = {}
    last_hour: Mapping[str, int] = {}
    last_day: Mapping[str, int] = {}
    imported: int = Setting(default=0, ge=0)

    @property
    def everyone_away(self) -> bool:
        """Tell whether nobody at all is there."""
        return self.away == ("everyone",)


class Expected(PolicyModel):
    """What must come out; only what is written here is compared."""

    outcome: Annotated[DecisionOutcome | None, BeforeValidator(read_words)] = None
    state: Annotated[LeadState | None, BeforeValidator(read_words)] = None
    reason: str | None = None
    band: str | None = None
    trigger: str | None = None
    score: Decimal | None = None
    fit: Decimal | None = None
    intent: Decimal | None = None
    score_above: Decimal | None = None
    score_below: Decimal | None = None
    points: Mapping[str, Decimal] = {}
    gives: Names = ()
    gives_not: Names = ()
    owner: Names = ()
    queue: str | None = None
    pool: str | None = None
    rule: str | None = None
    recipient: str | None = None
    channel: str | None = None
    change_owner: bool | None = None
    first_touch_due: str | datetime | None = None
    tell_manager_at: str | datetime | None = None
    reassign_at: str | datetime | None = None
    missing: Names = ()
    may_email: bool | None = None
    may_call: bool | None = None
    origin: str | None = None
    says: str | None = None
    opening: str | None = None

    @property
    def asked(self) -> tuple[str, ...]:
        """Return what is asked for, in the order of the fields."""
        given = self.model_fields_set
        return tuple(name for name in type(self).model_fields if name in given)

    @model_validator(mode="after")
    def _asks_something(self) -> Expected:
        if not self.model_fields_set:
            raise ValueError("a case must expect something: outcome, band, owner …")
        return self


class CaseLead(PolicyModel):
    """A lead: what stands under `like`, changed by `lead`."""

    like: str | None = None
    lead: Mapping[str, Any] = {}


class PolicyCase(CaseLead):
    """One case. `before`: leads that are decided first, in the same run."""

    name: str
    at: datetime | None = None
    crm: CaseCrm = CaseCrm()
    history: CaseHistory = CaseHistory()
    roster: CaseRoster = CaseRoster()
    before: tuple[CaseLead, ...] = ()
    expect: Expected

    @field_validator("at")
    @classmethod
    def _aware(cls, at: datetime | None) -> datetime | None:
        return _in_utc(at)


class CaseFile(PolicyModel):
    """One file: the moment at which its leads are decided, leads to begin with, and the cases."""

    at: datetime = _DEFAULT_MOMENT
    leads: Mapping[str, Labelled] = {}
    cases: tuple[PolicyCase, ...]

    @field_validator("at")
    @classmethod
    def _aware(cls, at: datetime) -> datetime:
        return _in_utc(at) or _DEFAULT_MOMENT


@dataclass(frozen=True, slots=True)
class PlacedCase:
    """A case with where it stands, the moment that counts, and the leads it may build on."""

    case: PolicyCase
    place: Place
    at: datetime
    leads: Mapping[str, Labelled]

    def values(self, lead: CaseLead | None = None) -> dict[str, Any]:
        """Return the values of the case's lead (or another of its leads) by label."""
        wanted = lead or self.case
        merged = {**(self.leads[wanted.like] if wanted.like else {}), **wanted.lead}
        return {label: value for label, value in merged.items() if value is not None}


def case_files(directory: Path, overlay: Path | None = None) -> list[Path]:
    """Return the case files of the policy in `directory`, or those of one of its overlays."""
    folder = Path(directory) / FOLDER
    return sorted((folder / Path(overlay).stem if overlay else folder).glob("*.yaml"))


def read_cases(files: Sequence[Path], policy: Policy) -> list[PlacedCase]:
    """Read case files and check every name in them. Raises PolicyErrors with all that is wrong."""
    found: list[PlacedCase] = []
    errors: list[PolicyError] = []
    for path in files:
        try:
            found += cases_from_text(path.name, read_text(path.name, path), policy)
        except PolicyErrors as wrong:
            errors += wrong.errors
        except PolicyError as error:
            errors.append(error)
    if errors:
        raise PolicyErrors(errors)
    return found


def cases_from_text(name: str, text: str, policy: Policy) -> list[PlacedCase]:
    """Read one file of cases. Raises PolicyErrors."""
    read = read_document(CaseFile, name, text)
    source = Source(PolicyBundle({name: text}))
    errors = [
        source.error(path, message, hint=hint) for path, message, hint in _wrong(read, policy)
    ]
    if errors:
        raise PolicyErrors(errors)
    return [
        PlacedCase(
            case, source.place(("cases", at)) or Place(name, 1, 1), case.at or read.at, read.leads
        )
        for at, case in enumerate(read.cases)
    ]


Wrong = tuple[tuple[str | int, ...], str, str | None]


def _wrong(file: CaseFile, policy: Policy) -> Iterator[Wrong]:
    """Yield every name that means nothing to the policy."""
    for name, values in file.leads.items():
        yield from _unknown(values, policy.fields, ("leads", name), "field")
    seen: set[str] = set()
    for at, case in enumerate(file.cases):
        path = ("cases", at)
        if case.name in seen:
            yield (*path, "name"), f"a case named '{case.name}' stands above already", None
        seen.add(case.name)
        yield from _wrong_lead(case, file, policy, path)
        for other, before in enumerate(case.before):
            yield from _wrong_lead(before, file, policy, (*path, "before", other))
        yield from _wrong_names(case.expect, policy, (*path, "expect"))


def _wrong_lead(
    lead: CaseLead, file: CaseFile, policy: Policy, path: tuple[str | int, ...]
) -> Iterator[Wrong]:
    yield from _unknown(lead.lead, policy.fields, (*path, "lead"), "field")
    if lead.like is not None and lead.like not in file.leads:
        hint = did_you_mean(lead.like, file.leads)
        yield (*path, "like"), f"there is no lead '{lead.like}' under 'leads'", hint


def _unknown(
    names: Iterable[str], known: Iterable[str], path: tuple[str | int, ...], what: str
) -> Iterator[Wrong]:
    listed = set(known)
    for name in names:
        if name not in listed:
            yield (*path, name), f"there is no {what} '{name}'", did_you_mean(name, listed)


def _wrong_names(expect: Expected, policy: Policy, path: tuple[str | int, ...]) -> Iterator[Wrong]:
    rules = [rule.id for rule in policy.score]
    for part in ("points", "gives", "gives_not"):
        for wrong in _unknown(getattr(expect, part), rules, (), "score rule"):
            yield (*path, part), wrong[1], wrong[2]
    named: dict[str, Iterable[str]] = {
        "band": policy.bands,
        "trigger": (*policy.triggers, NOBODY, "none"),
        "pool": policy.pools,
        "queue": policy.queues,
        "missing": policy.fields,
    }
    for part, known in named.items():
        value = getattr(expect, part)
        names = (value,) if isinstance(value, str) else value or ()
        for wrong in _unknown(names, known, (), "field" if part == "missing" else part):
            yield (*path, part), wrong[1], wrong[2]


def _in_utc(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise ValueError("say in which zone: write, for example, 2026-11-03T08:00+01:00")
    return at.astimezone(UTC) if at else None
