"""A simulated market: buyers who behave, reps who answer, all from one seed."""

from __future__ import annotations

from crm_sandbox.market.events import Event, PlayedDay
from crm_sandbox.market.market import Market

__all__ = ["Event", "Market", "PlayedDay"]
