"""What becomes of a lead, given the truth about the buyer and how soon somebody answered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from crm_sandbox.market import words
from crm_sandbox.market.buyers import Buyer, Kind
from crm_sandbox.market.randomness import clamp, logistic, weighted

RECYCLE = "Recycle"
DISQUALIFIED = "Disqualified"
ACCEPTED = "Accepted"

OUTCOME_OF_REASON: dict[str, str] = {
    "Bad timing": RECYCLE,
    "No budget yet": RECYCLE,
    "No reply yet": RECYCLE,
    "Needs nurturing": RECYCLE,
    "Wrong contact": RECYCLE,
    "Too small": RECYCLE,
    "Locked in with competitor": RECYCLE,
    "Industry we do not serve": DISQUALIFIED,
    "Competitor": DISQUALIFIED,
    "Student or job seeker": DISQUALIFIED,
    "Duplicate": DISQUALIFIED,
    "Not a project": DISQUALIFIED,
}
"""Every reason a rep can give, with the disposition it goes with."""


class Fate(StrEnum):
    """How the work on a lead goes."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SILENT = "no reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a rep will find out, and what follows."""

    fate: Fate
    reason: str = ""
    meeting: bool = False
    converts: bool = False
    wins: bool = False
    dropped_later: str = ""
    """Reason of a lead that is accepted first and given back later."""


def judge(rng: Random, buyer: Buyer | None, quality: float, *, hours_waited: float) -> Judgement:
    """Decide the fate of a piece of work.

    `quality` is the hidden truth between 0 and 1; `hours_waited` (wall clock) makes an answer of
    the buyer less likely. Only noise comes from `rng`.
    """
    obvious = _obvious(rng, buyer)
    if obvious:
        return Judgement(fate=Fate.REJECTED, reason=obvious)
    silence = clamp(0.34 - 0.36 * quality + 0.025 * math.log2(1 + hours_waited), 0.02, 0.5)
    if rng.random() < silence:
        return Judgement(fate=Fate.SILENT, reason="No reply yet")
    if rng.random() > logistic((quality - 0.44) * 7.5):
        return Judgement(fate=Fate.REJECTED, reason=_reason(rng, buyer))
    converts = rng.random() < logistic((quality - 0.69) * 8)
    dropped = not converts and rng.random() < 0.5
    return Judgement(
        fate=Fate.ACCEPTED,
        meeting=converts or rng.random() < 0.15 + 0.4 * quality,
        converts=converts,
        wins=rng.random() < 0.65 * logistic((quality - 0.68) * 8),
        dropped_later=_reason(rng, buyer) if dropped else "",
    )


_OBVIOUS: dict[Kind, dict[str, float]] = {
    Kind.COMPETITOR: {"Competitor": 9, "Not a project": 1},
    Kind.STUDENT: {"Student or job seeker": 1},
    Kind.JOB_SEEKER: {"Student or job seeker": 1},
    Kind.COLLEAGUE: {"Not a project": 1},
    Kind.SUPPORT: {"Not a project": 3, "Wrong contact": 1},
    Kind.NONSENSE: {"Wrong contact": 2, "Not a project": 3},
    Kind.PARTNER: {"Not a project": 1, "Wrong contact": 2},
}


def _obvious(rng: Random, buyer: Buyer | None) -> str:
    """The reason anybody would see at once, or an empty text."""
    if buyer is None:
        return ""
    if buyer.kind in _OBVIOUS:
        return weighted(rng, _OBVIOUS[buyer.kind])
    company = buyer.company
    if company and company.industry in words.UNSERVED and rng.random() < 0.85:
        return "Industry we do not serve"
    if company and company.employees < 20 and rng.random() < 0.7:
        return "Too small"
    return ""


def _reason(rng: Random, buyer: Buyer | None) -> str:
    weights = {
        "Bad timing": 1.2,
        "Needs nurturing": 1.2,
        "No budget yet": 0.6,
        "Wrong contact": 0.5,
        "Not a project": 0.5,
        "Duplicate": 0.2,
        "Locked in with competitor": 0.2,
    }
    if buyer is not None:
        weights["Bad timing"] += {"just_looking": 2, "this_year": 4}.get(buyer.timeline, 0)
        weights["No budget yet"] += 3 if buyer.budget == "under_10k" else 0
        weights["Locked in with competitor"] += 5 * (buyer.solution in words.COMPETITOR_TOOLS)
        weights["Wrong contact"] += 3 if buyer.level in ("other", "specialist") else 0
    return weighted(rng, weights)
