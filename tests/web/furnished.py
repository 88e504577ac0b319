"""A ledger with leads in every plight that a person has to look at, made without any CRM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, text
from tests.web.conftest import NOW

from baton.decision.decide import decide
from baton.decision.decision import Decision
from baton.decision.inputs import DecisionInputs, gather
from baton.leads.states import LeadState
from baton.leads.verdict import Failure, Verdict
from baton.ledger.effects import outbox
from baton.ledger.handoffs import handoffs, overrides
from baton.ledger.handoffs.handoffs import HandoffRow, NewHandoff, NewHop
from baton.ledger.handoffs.overrides import NewOverride
from baton.ledger.intake import merges, seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads import leads, persons
from baton.ledger.leads.leads import StateChange
from baton.ledger.leads.persons import PersonFields
from baton.ledger.record import decisions
from baton.ledger.tables.around_leads import duplicate_link
from baton.pipeline.active_policy import Agreement
from baton.pipeline.by_hand.admin_requests import ByHand
from baton.pipeline.judging.decided import recorded
from baton.pipeline.judging.plan import hop_effects
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.bundle import PolicyBundle
from baton.policy.loader import parse_policy, read_bundle, read_roster
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.settings import Mode
from baton.sla.terms_json import terms_to_json

POLICY = Path(__file__).resolve().parents[2] / "include" / "policy"
MIRA, JONAS = "mira.lindner@relay.test", "jonas.keller@relay.test"
WORKING = NOW - timedelta(minutes=20)
"""A Friday morning: everybody is at work."""


@cache
def agreed() -> tuple[PolicyBundle, Roster]:
    """The shipped policy and roster."""
    return read_bundle(POLICY), read_roster(POLICY / "roster.yaml")


@dataclass(frozen=True)
class Then:
    at: datetime

    def now(self) -> datetime:
        return self.at


class Furnished:
    """Makes leads in a ledger that has the shipped policy and roster."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        bundle, roster = agreed()
        activate_policy(conn, bundle, by="tests", at=WORKING, parent=None)
        adopt_roster(conn, roster, by="tests", at=WORKING)
        self.agreement = Agreement(parse_policy(bundle), roster)
        self._number = 900

    def lead(self, **person: str) -> int:
        """Somebody just seen."""
        self._number += 1
        given = {
            "first_name": "Runa",
            "last_name": f"Eskelund{self._number}",
            "email": f"runa{self._number}@made.test",
            "company_name": f"Works {self._number}",
        } | person
        seen = SeenLead(
            hubspot_id=str(self._number),
            modified_at=WORKING,
            seen_at=WORKING,
            captured_at=WORKING,
            content_hash="hash",
            content={},
            person=PersonFields(
                **given,
                answers={
                    "First name": given["first_name"],
                    "Last name": given["last_name"],
                    "E-mail": given["email"],
                },
            ),
        )
        return seen_leads.upsert_seen(self.conn, [seen])[str(self._number)].id

    def decided(self, lead_id: int, **facts: Any) -> tuple[int, Decision]:
        """A decision on a lead, as the engine makes it."""
        inputs = self._inputs(lead_id, facts)
        decision = decide(inputs, self.agreement.policy, self.agreement.roster, PoolBook())
        return self._record(lead_id, inputs, decision), decision

    def _inputs(self, lead_id: int, facts: Mapping[str, Any]) -> DecisionInputs:
        verdict = facts.pop("verdict", None) if isinstance(facts, dict) else None
        given = {
            "Country": "DE",
            "Company size": 300,
            "Industry": "Software",
            "Form": "Contact sales",
            "Last conversion at": WORKING,
            "E-mail": "runa@made.test",
            "First name": "Runa",
            "Last name": "Eskelund",
            "Company name": "Works",
        } | dict(facts)
        more = {"verdict": verdict} if verdict else {}
        return gather(
            self.agreement.policy,
            lead_key=str(lead_id),
            facts=given,
            captured_at=WORKING,
            decided_at=WORKING,
            **more,
        )

    def _record(self, lead_id: int, inputs: DecisionInputs, decision: Decision) -> int:
        new = recorded(inputs, decision, self.agreement, lead_id=lead_id, snapshot_hash="hash")
        return decisions.record(self.conn, [new])[0]

    def handed_over(self, to: str = MIRA, **person: str) -> HandoffRow:
        """Somebody whom sales has, with the effects of the first hop planned."""
        lead_id = self.lead(**person)
        decision_id, decision = self.decided(lead_id)
        assert decision.route is not None, decision.words
        terms = terms_to_json(decision.terms) if decision.terms else {}
        row = handoffs.open_handoff(
            self.conn,
            NewHandoff(
                lead_id=lead_id,
                mode="live",
                captured_at=WORKING,
                decided_at=WORKING,
                decision_id=decision_id,
                band=decision.band,
                score_milli=decision.score.total_milli if decision.score else None,
                package=asdict(decision.package) if decision.package else {},
                hop=NewHop(
                    owner_kind="user",
                    owner_key=to,
                    pool="SDR DACH",
                    assigned_at=WORKING,
                    terms=terms,
                    first_touch_due=WORKING + timedelta(minutes=30),
                ),
            ),
        )
        hand = ByHand(Then(WORKING), Mode.LIVE)
        effects = hop_effects(hand, self.agreement, row, 1, decision=decision)
        outbox.add(self.conn, effects, at=WORKING)
        return row

    def quarantined(self, **person: str) -> int:
        """Somebody whose e-mail address is no good."""
        lead_id = self.lead(**person)
        failure = Failure("E-mail", "format", "the e-mail address cannot be written to")
        self.decided(lead_id, verdict=Verdict(False, (failure,)))
        self.move(lead_id, LeadState.QUARANTINED)
        return lead_id

    def held(self, reason: str, **person: str) -> int:
        """Somebody who waits."""
        lead_id = self.lead(**person)
        self.decided(lead_id)
        self.move(lead_id, LeadState.HELD, held_for=reason)
        return lead_id

    def move(self, lead_id: int, state: LeadState, *, held_for: str | None = None) -> None:
        dated = state not in (LeadState.ERASED, LeadState.MERGED)
        change = StateChange(
            lead_id=lead_id,
            after=state,
            at=WORKING,
            cause="tests",
            by="baton",
            timer_at=WORKING + timedelta(days=9) if dated else None,
            timer_action="nurture" if dated else None,
            held_for=held_for,
        )
        leads.set_states(self.conn, [change])

    def forgotten(self) -> int:
        lead_id = self.lead()
        self.move(lead_id, LeadState.ERASED)
        persons.delete_people(self.conn, [lead_id])
        return lead_id

    def merged(self) -> tuple[int, int]:
        loser, winner = self.lead(), self.lead()
        merges.merge_into(self.conn, winner, [loser], at=WORKING, by="hubspot")
        return loser, winner

    def failed(self, state: str = "dead", kind: str = "salesforce_task") -> int:
        """An effect of a handoff that came to nothing."""
        row = self.handed_over()
        found = next(one for one in outbox.of_handoff(self.conn, row.id) if one.kind == kind)
        self.conn.execute(
            text(
                "UPDATE effect SET state = :state, attempts = 3, last_error_code = 'NO_RECORD',"
                " last_error = 'the record is gone <b>', maybe_sent = true WHERE id = :id"
            ),
            {"state": state, "id": found.id},
        )
        return found.id

    def twins(self) -> tuple[int, int]:
        first, other = self.lead(), self.lead()
        self.conn.execute(
            insert(duplicate_link).values(
                lead_id=first, other_id=other, sign="mailbox", confidence=95, found_at=WORKING
            )
        )
        return first, other

    def edited(self) -> int:
        row = self.handed_over()
        new = NewOverride(
            lead_id=row.lead_id,
            handoff_id=row.id,
            field="OwnerId",
            ours=MIRA,
            theirs=JONAS,
            at=WORKING,
            by_whom="Greta <Sales>",
        )
        overrides.record(self.conn, [new])
        return overrides.of_lead(self.conn, row.lead_id)[0].id
