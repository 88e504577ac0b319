"""From the lead of a case to what a decision needs: snapshot, facts, relations, history, staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from baton.errors import PolicyError
from baton.leads.enrichment import enrich
from baton.leads.facts import Problem, hand_raise_properties, read_facts
from baton.leads.history import LeadHistory, OpenHandoff
from baton.leads.model import LeadSnapshot, captured_at
from baton.leads.relations import (
    Account,
    AccountIndex,
    CrmRelations,
    MatchedBy,
    match_account,
    relations_from,
)
from baton.pipeline.versions.policy_cases import CaseCrm, CaseHistory, CaseRoster
from baton.policy.durations import parse_duration
from baton.policy.facts import Facts, FactValue
from baton.policy.fields import Field, FieldObject, FieldType
from baton.policy.models import Policy
from baton.policy.roster import Leave, Roster

KEY = "case"
_JUST_NOW = timedelta(seconds=5)
_INSTANTS = (FieldType.DATE, FieldType.DATETIME)
_AWAY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ReadLead:
    """A case's lead as the pipeline would have it before deciding."""

    snapshot: LeadSnapshot
    facts: Facts
    problems: tuple[Problem, ...]


def moment_of(value: str | datetime, at: datetime) -> datetime:
    """Return the instant that "2 days ago", "in 5 minutes", "just now" or a time means.

    Raises ValueError with a mend in its text.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    phrase = " ".join(value.lower().split())
    if phrase in ("now", "just now"):
        return at if phrase == "now" else at - _JUST_NOW
    try:
        if phrase.endswith(" ago"):
            return at - timedelta(seconds=parse_duration(phrase.removesuffix(" ago")).seconds)
        if phrase.startswith("in "):
            return at + timedelta(seconds=parse_duration(phrase.removeprefix("in ")).seconds)
        found = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(
            f"'{value}' is no moment: write 'just now', '2 days ago', 'in 5 minutes' "
            "or 2026-11-03T10:05Z"
        ) from None
    if found.tzinfo is None:
        raise ValueError(f"'{value}' does not say its zone: write {value}Z or {value}+01:00")
    return found.astimezone(UTC)


def read_lead(values: Mapping[str, Any], policy: Policy, at: datetime) -> ReadLead:
    """Put the values into HubSpot's properties and read them as the pipeline does.

    Values of derived fields are taken as they stand. Raises PolicyError for a moment that is none.
    """
    held: dict[FieldObject, dict[str, str | None]] = {kind: {} for kind in FieldObject}
    given: dict[str, FactValue] = {}
    for label, value in values.items():
        field = policy.fields[label]
        try:
            if field.hubspot is None:
                given[label] = _fact(value, field, at)
            else:
                held[field.object][field.hubspot] = _text(value, field, at)
        except ValueError as error:
            raise PolicyError(f"'{label}': {error}") from error
    contact = held[FieldObject.CONTACT]
    raised = captured_at(contact, hand_raise_properties(policy)) or at
    snapshot = LeadSnapshot(KEY, at, at, raised, contact, held[FieldObject.COMPANY] or None)
    read = read_facts(snapshot, policy)
    facts = enrich({**read.facts, **given}, snapshot, policy).facts
    return ReadLead(snapshot, facts, read.problems)


def _text(value: Any, field: Field, at: datetime) -> str:
    if field.type in _INSTANTS and isinstance(value, str | datetime):
        found = moment_of(value, at)
        return found.date().isoformat() if field.type is FieldType.DATE else found.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ";".join(str(part) for part in value)
    return str(value)


def _fact(value: Any, field: Field, at: datetime) -> FactValue:
    if field.type in _INSTANTS and isinstance(value, str | datetime):
        return moment_of(value, at)
    if field.type is FieldType.NUMBER and isinstance(value, int):
        return Decimal(value)
    if isinstance(value, str | int | Decimal | bool | date):
        return value
    return tuple(str(part) for part in value)


def relations_of(crm: CaseCrm, facts: Facts, policy: Policy) -> CrmRelations:
    """Match the lead to the case's accounts, as the pipeline matches it to Salesforce's."""
    accounts = [
        Account(
            id=f"account {number}",
            name=one.name,
            domain=one.domain,
            owner=one.owner,
            type=one.type,
            open_opportunity_id=f"opportunity {number}" if one.opportunity_owner else None,
            open_opportunity_owner=one.opportunity_owner,
            country=one.country,
            lost_opportunity_owner=one.lost_opportunity_owner,
        )
        for number, one in enumerate(crm.accounts, start=1)
    ]
    index = AccountIndex(accounts, frozenset(policy.mail.free), dict(policy.company_aliases))
    found = match_account(
        _known(facts, "Company domain"),
        _known(facts, "Company name"),
        index,
        mail_domain=_known(facts, "E-mail domain"),
        country=_known(facts, "Country"),
    )
    if crm.contact_of is not None:
        named = next((one for one in accounts if one.name == crm.contact_of), None)
        found = replace(
            found,
            account=named,
            matched_by=MatchedBy.CONTACT,
            confidence=100,
            reasons=("a contact of this account in Salesforce",),
        )
    return relations_from(
        found,
        lead_id="lead" if crm.lead_owner else None,
        lead_owner=crm.lead_owner,
        contact_id="contact" if crm.contact_of else None,
    )


def _known(facts: Facts, label: str) -> str | None:
    value = facts.get(label)
    return value if isinstance(value, str) and value else None


def history_of(history: CaseHistory, at: datetime) -> LeadHistory:
    """Return the lead's past. Raises PolicyError for a moment that is none."""
    open_handoff = OpenHandoff(1, history.open_with, 1) if history.open_with else None
    state = history.state
    try:
        returns = moment_of(history.returns, at) if history.returns else None
        trigger_at = moment_of(history.trigger_at, at) if history.trigger_at else None
    except ValueError as error:
        raise PolicyError(f"'history': {error}") from error
    return LeadHistory(
        state=state,
        band_before=history.band_before,
        open_handoff=open_handoff,
        earlier_owners=history.earlier_owners,
        cycle=history.handoffs or (1 if history.earlier_owners or open_handoff else 0),
        last_disposition=history.last_reason,
        recycles=history.recycles,
        return_at=returns,
        last_trigger_at=trigger_at,
    )


def staff_of(facts: CaseRoster, roster: Roster, at: datetime) -> Roster:
    """Return the roster with the case's people away or gone. Raises PolicyError for a stranger."""
    for key in {*facts.away, *facts.gone, *facts.open, *facts.last_hour, *facts.last_day} - {
        "everyone"
    }:
        if roster.rep(key) is None:
            raise PolicyError(f"{key} is not in the roster")
    leave = Leave(start=at - _AWAY, end=at + _AWAY)
    away, gone = {one.lower() for one in facts.away}, {one.lower() for one in facts.gone}
    people = []
    for rep in roster.people:
        changed: dict[str, Any] = {}
        if facts.everyone_away or rep.key in away:
            changed["leave"] = (*rep.leave, leave)
        if rep.key in gone:
            changed["active"] = False
        people.append(rep.model_copy(update=changed) if changed else rep)
    # A copy would carry along what the old roster has cached by name.
    return Roster(people=tuple(people), pools=roster.pools)
