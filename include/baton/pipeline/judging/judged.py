"""A decision together with what it is about."""

from __future__ import annotations

from dataclasses import dataclass

from baton.decision.decision import Decision
from baton.decision.inputs import DecisionInputs
from baton.ledger.leads.leads import LeadRow
from baton.pipeline.intake.preparation import Prepared
from baton.settings import Mode


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision with what it is about: its id, the lead's row before it, its inputs, its mode.

    `again`: the lead was judged because its time had come, not because it changed.
    """

    decision_id: int
    row: LeadRow
    prepared: Prepared
    inputs: DecisionInputs
    decision: Decision
    mode: Mode
    again: bool = False
