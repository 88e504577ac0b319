"""What if another policy had been in force? The stored decisions decided again, both ways.

Nothing is written. Decisions are read in their order and in chunks; of each lead something is kept
only while the two courses differ on it, so memory grows with the differences, not with the past.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Engine

from baton.decision.comparison import Comparison, Pair
from baton.decision.decision import Decision, DecisionOutcome
from baton.decision.inputs import DecisionInputs
from baton.decision.other_course import OtherCourse, follow, history_there
from baton.errors import BatonError, ConfigurationError
from baton.leads.companies import company_keys
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import past_handoffs
from baton.ledger.leads import persons
from baton.ledger.record import decisions
from baton.ledger.record.decisions import DecisionRow, Selection
from baton.pipeline.past.rederived import Doubt, Rederivation
from baton.pipeline.past.whatif_worlds import Agreed, Occasion, World
from baton.pipeline.versions.stored_agreements import StoredAgreements, UnreadableVersionError
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.routing.distribution import PoolState

__all__ = ["ASSUMPTIONS", "WhatIf", "WhatIfReport", "what_if"]

CHUNK = 500
_WEEK = timedelta(days=7)
_UNUSABLE = (BatonError, ValidationError, ValueError, TypeError, LookupError, AttributeError)

ASSUMPTIONS = (
    "How the leads that move would have converted cannot be known, and is not guessed.",
    "The same leads arrive at the same moments and do the same.",
    "Sales gives the same answers at the same time, whoever has the lead.",
    "A handoff that only the other policy makes stays open as long as half of the real ones did.",
    "Whom Salesforce knows (accounts, opportunities, owners) is what it was at each decision.",
    "A handoff that was reassigned for lateness is reassigned in both.",
)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The question: another policy, where wanted another roster, for decisions since an instant.

    `roster` None: that of each decision.
    """

    policy: Policy
    since: datetime
    roster: Roster | None = None


@dataclass(slots=True)
class WhatIfReport:
    """The answer, up to the last decision there is (`until`). `faithful` counts handoffs for which the simulation of what was decided names
    the owner that the record names, of `recorded`.
    """

    since: datetime
    until: datetime
    comparison: Comparison = field(default_factory=Comparison)
    policies: Counter[str] = field(default_factory=Counter)
    recorded: int = 0
    faithful: int = 0
    doubts: Counter[Doubt] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    unread_fields: set[str] = field(default_factory=set)
    rep_hours: dict[str, dict[int, float]] = field(default_factory=dict)
    after: str = ""

    @property
    def same_policy(self) -> bool:
        """Tell whether every decision was made by the very policy that was asked about."""
        return set(self.policies) == {self.after}

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "policies_before": dict(self.policies.most_common()),
            "policy_after": self.after,
            **self.comparison.to_json(self.rep_hours),
            "simulation": {
                "recorded_handoffs": self.recorded,
                "same_owner_as_recorded": self.faithful,
                "not_judged": {str(doubt): count for doubt, count in self.doubts.items()},
                "left_out": dict(self.left_out),
                "fields_not_read_then": sorted(self.unread_fields),
            },
            "assumptions": list(ASSUMPTIONS),
        }


def what_if(
    engine: Engine,
    question: WhatIf,
    *,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    hear: Callable[[Pair], None] = lambda _pair: None,
) -> WhatIfReport:
    """Decide everything since then again, both ways; `hear` is told of every pair.

    Raises ConfigurationError when nothing was decided since, LedgerError where the ledger cannot
    be read. What is wrong with a single decision is counted, and the rest goes on.
    """
    selection = Selection(since=question.since)
    with transaction(engine) as conn:
        total = decisions.count(conn, selection)
        if not total:
            raise ConfigurationError(
                f"nothing was decided since {question.since:%Y-%m-%d %H:%M} UTC: "
                "go further back with --since"
            )
        play = _Play(conn, question)
    after, done = 0, 0
    while True:
        play.agreements.make_room()
        with transaction(engine) as conn:
            rows = decisions.page(conn, selection, after_id=after, limit=CHUNK)
            play.read(conn, rows)
        for row in rows:
            pair = play.pair(row)
            if pair is not None:
                play.report.comparison.add(pair)
                hear(pair)
        done += len(rows)
        progress(done, total)
        if len(rows) < CHUNK:
            return play.end()
        after = rows[-1].id


class _Play:
    """The two courses, and what is read for the present chunk."""

    def __init__(self, conn: Connection, question: WhatIf) -> None:
        self.question = question
        self.report = WhatIfReport(question.since, question.since, after=question.policy.hash)
        self.agreements = StoredAgreements()
        self.open_for = past_handoffs.median_open(conn, question.since)
        pools = {
            name: PoolState.from_json(state)
            for name, state in past_handoffs.first_pools(conn, question.since).items()
        }
        held = [
            (one.lead_id, one.owner, one.assigned_at, one.ended_at)
            for one in past_handoffs.open_before(conn, question.since, recent=_WEEK)
        ]
        tallies = self.report.comparison
        self.here = World.beginning(pools, held, tallies.before)
        self.there = World.beginning(pools, held, tallies.after)
        self.courses: dict[int, OtherCourse] = {}
        self.ends: Mapping[int, datetime | None] = {}
        self.seen: Mapping[tuple[int, str], Any] = {}
        self.people: Mapping[int, persons.Person] = {}
        self._agreed: dict[tuple[str, str], Agreed] = {}
        self._again: dict[str, Rederivation] = {}
        self._last: tuple[Agreed, Agreed] | None = None
        self._first_at: datetime | None = None

    def read(self, conn: Connection, rows: Sequence[DecisionRow]) -> None:
        """Read what belongs to a chunk of decisions."""
        for row in rows:
            self.agreements.know(conn, row.policy_hash, row.roster_hash)
        handed = [row.id for row in rows if row.outcome == DecisionOutcome.HANDOFF]
        self.ends = past_handoffs.ends_of(conn, handed)
        wanted = [row for row in rows if self._needs_snapshot(row)]
        leads = {row.lead_id for row in wanted}
        hashes = {row.snapshot_hash for row in wanted}
        self.seen = past_handoffs.snapshots_of(conn, leads, hashes) if wanted else {}
        found = persons.people(conn, leads) if wanted else {}
        self.people = {key: one for key, one in found.items() if one.erased_at is None}

    def pair(self, row: DecisionRow) -> Pair | None:
        """Decide one decision of the past both ways; None, counted, where that cannot be."""
        try:
            here, there = self._both(row)
            inputs = DecisionInputs.from_json(row.inputs)
        except _UNUSABLE as error:
            self.report.left_out[_why(error)] += 1
            return None
        self._last = here, there
        self._first_at = self._first_at or inputs.decided_at
        self.report.until = max(self.report.until, inputs.decided_at)
        self.report.policies[row.policy_hash] += 1
        consulted = row.result.get("consulted") or {}
        free = self.question.policy.mail.free
        occasion = Occasion(
            row.lead_id,
            inputs.decided_at,
            row.batch_id,
            consulted.get("handed_off", 0),
            company_keys(inputs.facts, inputs.relations, free),
        )
        try:
            return self._decided(row, inputs, here, there, occasion)
        except _UNUSABLE as error:
            self.report.left_out[_why(error)] += 1
            return None

    def end(self) -> WhatIfReport:
        """Return the report, when all is played."""
        if self._last is not None and self._first_at is not None:
            here, there = self._last
            since, until = self._first_at, self.report.until
            self.report.rep_hours = {
                "before": here.rep_hours(since, until),
                "after": there.rep_hours(since, until),
            }
        return self.report

    def _decided(
        self,
        row: DecisionRow,
        inputs: DecisionInputs,
        here: Agreed,
        there: Agreed,
        occasion: Occasion,
    ) -> Pair | None:
        course = self.courses.get(row.lead_id)
        passing = inputs.had_it is not None
        decided = self.here.decide(inputs, here, occasion)
        self.here.hold(decided, occasion, self.ends.get(row.id), passing=passing)
        self._compare_with_record(row, decided)
        if passing and course is not None and not course.together:
            # There the handoff that was passed on does not exist.
            return None
        other, doubt = self._inputs_there(row, inputs, course, occasion)
        if doubt is not None:
            self.report.doubts[doubt] += 1
        otherwise = self.there.decide(other, there, occasion)
        until = self._until(row, decided, occasion)
        self.there.hold(otherwise, occasion, until, passing=passing)
        self._follow(row, inputs, decided, otherwise, occasion)
        at = occasion.at
        return Pair(
            row.id,
            inputs.lead_key,
            at,
            here.side(decided, at),
            there.side(otherwise, at),
            passing,
        )

    def _inputs_there(
        self,
        row: DecisionRow,
        inputs: DecisionInputs,
        course: OtherCourse | None,
        occasion: Occasion,
    ) -> tuple[DecisionInputs, Doubt | None]:
        key = row.lead_id, row.snapshot_hash
        again = self._rederivation(row.policy_hash)
        found, doubt = again.apply(inputs, self.seen.get(key), self.people.get(row.lead_id))
        history = history_there(inputs.history, course, occasion.at)
        had_it = inputs.had_it
        if had_it is not None and course is not None:
            holder = self.there.loads.owner_of(row.lead_id)
            named = {course.owners.get(owner, owner) for owner in had_it} | {holder}
            had_it = tuple(sorted(owner for owner in named if owner))
        colleague = self._colleague(inputs, occasion)
        return replace(found, history=history, had_it=had_it, colleagues=colleague), doubt

    def _colleague(self, inputs: DecisionInputs, occasion: Occasion) -> str | None:
        """Return who has somebody of the same company there: as recorded, unless the courses part."""
        together = self.question.policy.keep_together
        if together is None:
            return inputs.colleagues
        within = timedelta(seconds=together.for_.seconds)
        asked = (occasion.companies, occasion.lead_id, occasion.at, within)
        here, there = self.here.ties.colleague(*asked), self.there.ties.colleague(*asked)
        known = here is not None and inputs.colleagues is not None
        return inputs.colleagues if here == there and (known or here is None) else there

    def _until(self, row: DecisionRow, here: Decision, occasion: Occasion) -> datetime | None:
        """Return when a handoff of the other course ends: with the real one, else after a while."""
        if here.outcome is DecisionOutcome.HANDOFF and row.id in self.ends:
            return self.ends[row.id]
        return occasion.at + self.open_for if self.open_for else None

    def _follow(
        self,
        row: DecisionRow,
        inputs: DecisionInputs,
        here: Decision,
        there: Decision,
        occasion: Occasion,
    ) -> None:
        course = follow(
            self.courses.get(row.lead_id),
            here,
            there,
            inputs.history,
            at=occasion.at,
            open_for=self.open_for,
            passing=inputs.had_it is not None,
        )
        if course is None:
            self.courses.pop(row.lead_id, None)
        else:
            self.courses[row.lead_id] = course

    def _compare_with_record(self, row: DecisionRow, here: Decision) -> None:
        if row.outcome != DecisionOutcome.HANDOFF:
            return
        owner = here.route.owner.key if here.route and here.route.owner else None
        self.report.recorded += 1
        self.report.faithful += owner == row.owner_key and here.outcome.value == row.outcome

    def _both(self, row: DecisionRow) -> tuple[Agreed, Agreed]:
        policy, roster = self.agreements.of(row.policy_hash, row.roster_hash)
        asked = self.question
        other = asked.roster or roster
        return self._agree(policy, roster), self._agree(asked.policy, other)

    def _agree(self, policy: Policy, roster: Roster) -> Agreed:
        key = policy.hash, roster.hash
        if key not in self._agreed:
            if len(self._agreed) > 64:
                self._agreed.clear()
            self._agreed[key] = Agreed(policy, roster)
        return self._agreed[key]

    def _rederivation(self, policy_hash: str) -> Rederivation:
        found = self._again.get(policy_hash)
        if found is None:
            then = self.agreements.policy(policy_hash)
            found = self._again[policy_hash] = Rederivation(then, self.question.policy)
            self.report.unread_fields.update(found.unread_fields())
        return found

    def _needs_snapshot(self, row: DecisionRow) -> bool:
        try:
            return self._rederivation(row.policy_hash).needed
        except UnreadableVersionError:
            return False


def _why(error: Exception) -> str:
    """Say why a decision is left out, without a value."""
    if isinstance(error, BatonError):
        return str(error)
    return f"damaged ({type(error).__name__})"
