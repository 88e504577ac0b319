"""Everything that ``baton explain`` tells: finds the lead and its decision, and explains it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Connection

from baton.decision import ENGINE_VERSION
from baton.decision.decision import Decision, DecisionOutcome
from baton.decision.explanation import Explanation, Passage, explain
from baton.decision.explanation_people import explain_rep
from baton.decision.inputs import DecisionInputs
from baton.errors import BatonError, ConfigurationError
from baton.ledger.agreements import policies, rosters
from baton.ledger.leads import histories, persons
from baton.ledger.record import decisions
from baton.ledger.record.decisions import DecisionRow
from baton.pipeline.intake.lead_lookup import Found
from baton.pipeline.versions.stored_agreements import StoredAgreements, UnreadableVersionError
from baton.policy.models import Policy
from baton.policy.roster import Roster

_SLOT = re.compile(r"\{([^{}]+)\}")
_SHOWN = 12
MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Brief:
    """One decision of a lead in a line. `owner`: who got it by that, or whose news it was."""

    id: int
    decided_at: datetime
    outcome: str
    band: str | None
    reason_code: str | None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A decision explained, with its versions and what other decisions there are on the lead.

    `has_it`: who has the lead now, or None while no handoff is open.
    """

    lead_id: int
    hubspot_id: str
    decision_id: int
    decided_at: datetime
    engine_version: str
    policy_hash: str
    roster_hash: str
    explanation: Explanation
    others: tuple[Brief, ...]
    has_it: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        told = self.explanation
        return {
            "lead": self.hubspot_id,
            "decision": self.decision_id,
            "decided_at": self.decided_at.isoformat(),
            "engine": self.engine_version,
            "policy": self.policy_hash,
            "roster": self.roster_hash,
            "outcome": told.outcome.value,
            "band": told.band,
            "score_milli": told.total_milli,
            "owner": told.owner.key if told.owner else None,
            "headline": told.headline,
            "passages": {one.key: list(one.sentences) for one in told.passages},
            "changes": [] if told.changes is None else _changes_json(told),
            "has_it_now": self.has_it,
            "other_decisions": [one.id for one in self.others],
        }


def explain_lead(
    conn: Connection,
    found: Found,
    *,
    decision_id: int | None = None,
    rep: str | None = None,
    search: bool = True,
) -> Told:
    """Explain a decision on a lead: the given one, else that of its handoff, else the newest.

    The newest is the newest with an outcome; decisions that changed nothing are only listed. With
    `rep` only that person's question is answered. Without `search` the smallest changes, which take
    up to a second, are left out.
    Raises ConfigurationError where there is none, or where it cannot be read.
    """
    rows = decisions.of_lead(conn, found.lead_id, limit=MOST_LISTED)
    row = _chosen(conn, found, rows, decision_id)
    inputs, decision = _read(row)
    agreements = StoredAgreements()
    agreements.know(conn, row.policy_hash, row.roster_hash)
    policy, roster, trouble = _agreement(agreements, row)
    told = explain(inputs, decision, policy, roster, search=search and rep is None)
    versions = Passage("versions", "Under which agreement", tuple(_versions(conn, row, trouble)))
    passages = [*told.passages, versions]
    if rep is not None and policy is not None and roster is not None:
        passages = [explain_rep(inputs, decision, policy, roster, rep), versions]
    others = tuple(_brief(one) for one in rows if one.id != row.id)
    return Told(
        found.lead_id,
        found.hubspot_id,
        row.id,
        row.decided_at,
        row.engine_version,
        row.policy_hash,
        row.roster_hash,
        replace(told, passages=tuple(passages)),
        others,
        _has_it(conn, found.lead_id),
    )


def _has_it(conn: Connection, lead_id: int) -> str | None:
    history = histories.histories(conn, [lead_id]).get(lead_id)
    return history.open_handoff.owner if history and history.open_handoff else None


def with_names(conn: Connection, told: Told) -> Told:
    """Put the lead's personal values into the sentences, for the screen of one person only."""
    person = persons.people(conn, [told.lead_id]).get(told.lead_id)
    values = {label: str(value) for label, value in person.answers.items()} if person else {}
    passages = tuple(
        replace(one, sentences=tuple(_filled(text, values) for text in one.sentences))
        for one in told.explanation.passages
    )
    return replace(told, explanation=replace(told.explanation, passages=passages))


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda match: values.get(match[1].strip(), match[0]), text)


def _chosen(
    conn: Connection, found: Found, rows: list[DecisionRow], decision_id: int | None
) -> DecisionRow:
    wanted = decision_id if decision_id is not None else found.decision_id
    if wanted is not None:
        row = decisions.get(conn, wanted)
        if row is not None and row.lead_id == found.lead_id:
            return row
        if decision_id is not None:
            ids = ", ".join(str(one.id) for one in rows[:8]) or "none"
            raise ConfigurationError(
                f"lead {found.hubspot_id} has no decision {decision_id}; its newest are: {ids}"
            )
    if not rows:
        raise ConfigurationError(f"no decision has been made about lead {found.hubspot_id} yet")
    told = (one for one in rows if one.outcome != DecisionOutcome.NONE)
    return next(told, rows[0])


def _read(row: DecisionRow) -> tuple[DecisionInputs, Decision]:
    try:
        return DecisionInputs.from_json(row.inputs), Decision.from_json(row.result)
    except (ValidationError, BatonError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"decision {row.id} was stored by engine {row.engine_version}, and engine "
            f"{ENGINE_VERSION} cannot read it: 'baton replay --decision {row.id}' says where"
        ) from error


def _agreement(
    agreements: StoredAgreements, row: DecisionRow
) -> tuple[Policy | None, Roster | None, str]:
    try:
        policy, roster = agreements.of(row.policy_hash, row.roster_hash)
    except UnreadableVersionError as error:
        return None, None, str(error)
    return policy, roster, ""


def _versions(conn: Connection, row: DecisionRow, trouble: str) -> list[str]:
    lines = [f"Decided {row.decided_at:%Y-%m-%d %H:%M:%S} UTC by engine {row.engine_version}."]
    activations = [
        one for one in policies.activations(conn, limit=200) if one.hash == row.policy_hash
    ]
    made = max((one for one in activations if one.at <= row.decided_at), default=None, key=_at)
    by = f", activated {made.at:%Y-%m-%d %H:%M} UTC by {made.by_whom}" if made else ""
    current = " (still the current one)" if policies.current_hash(conn) == row.policy_hash else ""
    lines.append(f"Policy {row.policy_hash[:_SHOWN]}{current}{by}.")
    version = rosters.get(conn, row.roster_hash)
    since = f", stored {version.at:%Y-%m-%d %H:%M} UTC by {version.by_whom}" if version else ""
    lines.append(f"Roster {row.roster_hash[:_SHOWN]}{since}.")
    if trouble:
        lines.append(f"Only what was recorded is told: {trouble}.")
    elif row.engine_version != ENGINE_VERSION:
        lines.append(f"What would have altered it is worked out by engine {ENGINE_VERSION}.")
    return lines


def _at(one: policies.Activation) -> datetime:
    return one.at


def _brief(row: DecisionRow) -> Brief:
    route = row.result.get("route")
    owner = route.get("owner") if isinstance(route, Mapping) else None
    key = str(owner["key"]) if isinstance(owner, Mapping) and "key" in owner else None
    return Brief(row.id, row.decided_at, row.outcome, row.band, row.reason_code, key)


def _changes_json(told: Explanation) -> list[dict[str, object]]:
    found = told.changes
    assert found is not None  # the caller asked
    return [
        {
            "goal": change.goal.value,
            "facts": {
                fact.label: None if fact.after is None else str(fact.after) for fact in change.facts
            },
            "circumstance": change.circumstance.words if change.circumstance else None,
            "outcome": change.claim.outcome.value,
            "band": change.claim.band,
            "score_milli": change.claim.total_milli,
            "owner": change.claim.owner,
            "pool": change.claim.pool,
        }
        for change in found.changes
    ]
