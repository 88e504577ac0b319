"""Runs a policy's cases through the steps of the pipeline: read, enrich, validate, gather, decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from baton.decision.decide import decide
from baton.decision.decision import Decision
from baton.decision.inputs import gather
from baton.errors import PolicyError
from baton.leads.history import NEW_LEAD
from baton.pipeline.versions.case_lead import (
    ReadLead,
    history_of,
    read_lead,
    relations_of,
    staff_of,
)
from baton.pipeline.versions.case_outcome import Mismatch, mismatches
from baton.pipeline.versions.policy_cases import CaseCrm, CaseLead, PlacedCase
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.scoring.bands import band_of
from baton.scoring.points import score
from baton.scoring.triggers import fired
from baton.validation.plain import PlainValidator


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of a case. `trouble`: why it could not be judged at all."""

    placed: PlacedCase
    decision: Decision | None
    mismatches: tuple[Mismatch, ...] = ()
    trouble: str | None = None

    @property
    def passed(self) -> bool:
        """Tell whether everything came out as expected."""
        return not self.mismatches and self.trouble is None

    @property
    def name(self) -> str:
        """Return the case's name."""
        return self.placed.case.name

    @property
    def where(self) -> str:
        """Return file and line of the case."""
        return f"{self.placed.place.file}:{self.placed.place.line}"


def run_cases(cases: Iterable[PlacedCase], policy: Policy, roster: Roster) -> list[CaseResult]:
    """Run each case on its own; one that cannot be judged does not stop the others."""
    return [run_case(case, policy, roster) for case in cases]


def run_case(placed: PlacedCase, policy: Policy, roster: Roster) -> CaseResult:
    """Run one case."""
    case = placed.case
    try:
        staff = staff_of(case.roster, roster, placed.at)
        loads = case.roster
        book = PoolBook(
            open_loads=_by_key(loads.open),
            hour_loads=_by_key(loads.last_hour),
            day_loads=_by_key(loads.last_day),
            imported=loads.imported,
        )
        for before in case.before:
            _decide(placed, before, policy, staff, book)
        decision = _decide(placed, case, policy, staff, book)
        found = mismatches(case.expect, decision, placed.at)
    except PolicyError as error:
        return CaseResult(placed, None, trouble=str(error))
    return CaseResult(placed, decision, found)


def scopes_of(read: ReadLead, policy: Policy, at: datetime) -> frozenset[str]:
    """Return what binds a lead's data: the triggers that fire, else the band that hands it off."""
    total = score(read.facts, policy, at).total_milli
    raised = read.snapshot.captured_at
    triggers = fired(read.facts, policy, at, captured_at=raised, total_milli=total)
    scopes = frozenset(one.trigger.id for one in triggers if one.trigger.hands_off)
    band = band_of(total, policy)
    return scopes or (frozenset({band.name}) if band.hands_off else frozenset())


def _by_key(loads: Mapping[str, int]) -> dict[str, int]:
    return {key.lower(): count for key, count in loads.items()}


def _decide(
    placed: PlacedCase, lead: CaseLead, policy: Policy, staff: Roster, book: PoolBook
) -> Decision:
    case, at = placed.case, placed.at
    itself = lead is case
    read = read_lead(placed.values(lead), policy, at)
    inputs = gather(
        policy,
        lead_key=read.snapshot.hubspot_id,
        facts=read.facts,
        captured_at=min(read.snapshot.captured_at, at),
        decided_at=at,
        verdict=PlainValidator.of(policy).verdict(
            read.facts, scopes=scopes_of(read, policy, at), problems=read.problems
        ),
        relations=relations_of(case.crm if itself else CaseCrm(), read.facts, policy),
        history=history_of(case.history, at) if itself else NEW_LEAD,
        problems=read.problems,
        colleagues=case.history.colleague_with if itself else None,
    )
    return decide(inputs, policy, staff, book)
