"""Metric definitions: name, meaning, unit, and the target that somebody quoted, with its source.

A target is shown beside the result. It is never produced as a result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a value counts. Shares are stored as numbers between 0 and 1."""

    SECONDS = "seconds"
    SHARE = "share"
    COUNT = "count"
    LEADS = "leads"
    CENTS = "cents"


class Cohort(StrEnum):
    """Which handoffs or leads a day's value is about."""

    HANDED_OFF = "handed off that day"
    DUE = "deadline passed or touched that day"
    RECYCLED = "recycled that day"
    STATE = "as things stood at the end of that day"


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that somebody quoted. `best` tells which side of it is good."""

    value: float
    best: str
    source: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `words` define it, `formula` says what is divided by what."""

    name: str
    title: str
    words: str
    unit: Unit
    formula: str
    cohort: Cohort
    targets: tuple[Target, ...] = ()


def _at_most(value: float, source: str) -> Target:
    return Target(value, "at most", source)


def _at_least(value: float, source: str) -> Target:
    return Target(value, "at least", source)


_SPEED = "first human touch minus capture, wall clock; handoffs never touched are counted beside"
_ALL: tuple[Metric, ...] = (
    Metric(
        "handoffs",
        "Handoffs",
        "Leads passed to sales.",
        Unit.COUNT,
        "count of handoffs",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "speed_to_lead_median",
        "Speed to lead, median",
        "The buyer's clock: from the moment the criteria were met to the first human touch.",
        Unit.SECONDS,
        f"median of {_SPEED}",
        Cohort.HANDED_OFF,
        (
            _at_most(240, "requirement 001-08: median response from 3 h to 4 min"),
            _at_most(600, "requirement 000-11: first response from 19 h to under 10 min"),
        ),
    ),
    Metric(
        "speed_to_lead_p90",
        "Speed to lead, ninth decile",
        "Nine in ten touched handoffs were touched faster than this.",
        Unit.SECONDS,
        f"90th percentile of {_SPEED}",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "speed_to_lead_mean",
        "Speed to lead, average",
        "Shown beside the median because it is often asked for; it hides the tail less than it seems.",
        Unit.SECONDS,
        f"mean of {_SPEED}",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "touched_within_1_minute",
        "Touched within one minute",
        "Share of all handoffs, the untouched ones included, that a person touched within a minute.",
        Unit.SHARE,
        "touched within 60 s of capture ÷ all handoffs of the cohort",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "touched_within_5_minutes",
        "Touched within five minutes",
        "Share of all handoffs, the untouched ones included, touched within five minutes.",
        Unit.SHARE,
        "touched within 300 s of capture ÷ all handoffs of the cohort",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "touched_within_60_minutes",
        "Touched within an hour",
        "Share of all handoffs, the untouched ones included, touched within an hour.",
        Unit.SHARE,
        "touched within 3600 s of capture ÷ all handoffs of the cohort",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "never_touched",
        "Never touched",
        "Handoffs that no person has touched yet. Always read beside the response times.",
        Unit.COUNT,
        "count of handoffs without a human touch",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "system_latency_median",
        "System latency, median",
        "The system's clock: from capture to the message that told the owner.",
        Unit.SECONDS,
        "median of notified minus captured",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "system_latency_p95",
        "System latency, 95th percentile",
        "Nineteen of twenty owners were told faster than this.",
        Unit.SECONDS,
        "95th percentile of notified minus captured",
        Cohort.HANDED_OFF,
        (_at_most(120, "requirement 000-10: task and message within two minutes"),),
    ),
    Metric(
        "rep_response_median",
        "Rep response, median",
        "The rep's clock: from assignment to first touch, in the hours in which the rep works.",
        Unit.SECONDS,
        "median of working seconds from owner written to first touch",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "sla_breach_rate",
        "SLA breach rate",
        "Handoffs whose deadline passed untouched. Open ones that are not due yet are left out.",
        Unit.SHARE,
        "deadline passed untouched ÷ (deadline passed or touched)",
        Cohort.DUE,
    ),
    Metric(
        "acceptance_rate",
        "Acceptance rate",
        "What sales took, of all handoffs that were decided or ran out undecided; automatic "
        "acceptances are left out.",
        Unit.SHARE,
        "accepted ÷ (accepted + recycled + disqualified + expired undecided)",
        Cohort.HANDED_OFF,
        (_at_least(0.82, "requirement 000-12: acceptance from 51 % to 82 %"),),
    ),
    Metric(
        "acceptance_rate_decided",
        "Acceptance rate, decided only",
        "The same of handoffs that somebody has decided; kinder, and blind to what was left lying.",
        Unit.SHARE,
        "accepted ÷ (accepted + recycled + disqualified)",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "undisposed_rate",
        "Ended without a reason code",
        "Handoffs that ran out without sales saying what became of them.",
        Unit.SHARE,
        "expired undecided ÷ (accepted + recycled + disqualified + expired undecided)",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "contact_rate",
        "Contact rate",
        "Handoffs with a human touch within thirty days.",
        Unit.SHARE,
        "touched within 30 days ÷ handoffs",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "meeting_rate",
        "Meeting rate",
        "Handoffs with a meeting within thirty days.",
        Unit.SHARE,
        "meeting within 30 days ÷ handoffs",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "time_to_meeting_median",
        "Time to meeting, median",
        "From capture to the first meeting, of handoffs that had one.",
        Unit.SECONDS,
        "median of meeting minus captured",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "opportunity_rate",
        "Conversion to opportunity",
        "Handoffs that became an opportunity within ninety days.",
        Unit.SHARE,
        "opportunity within 90 days ÷ handoffs",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "win_rate",
        "Win rate",
        "Won, of the opportunities of the cohort that are closed.",
        Unit.SHARE,
        "won ÷ (won + lost)",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "recycle_conversion",
        "Recycle conversion",
        "Recycled leads that were handed off again and became an opportunity within twelve months; "
        "first passes are not counted in.",
        Unit.SHARE,
        "opportunity in a later cycle within 365 days ÷ leads recycled",
        Cohort.RECYCLED,
    ),
    Metric(
        "fallback_rate",
        "Fallback rate",
        "Handoffs that ended in a queue because no rule found somebody.",
        Unit.SHARE,
        "owner is a queue ÷ handoffs",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "override_rate",
        "Overridden by hand",
        "Handoffs whose owner a person changed against the rules.",
        Unit.SHARE,
        "handoffs with a human override of the owner ÷ handoffs",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "reassignments",
        "Reassignments per handoff",
        "How often a lead changed hands before somebody worked it.",
        Unit.COUNT,
        "hops after the first ÷ handoffs",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "data_incorrect_rate",
        "Wrong data",
        "Handoffs of which the rep said that the data was not correct, of those answered.",
        Unit.SHARE,
        "data not correct ÷ answers to 'data correct?'",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "timing_wrong_rate",
        "Handed over too early",
        "Handoffs of which the rep said that the timing was not right, of those answered.",
        Unit.SHARE,
        "timing not right ÷ answers to 'timing right?'",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "revenue_won",
        "Revenue won",
        "Amount of won opportunities, by the lead's first source.",
        Unit.CENTS,
        "sum of amounts of won opportunities",
        Cohort.HANDED_OFF,
    ),
    Metric(
        "fairness_max_distance",
        "Worst distance from a fair share",
        "The largest balance of any member of the pool; below one lead while the pool is stable.",
        Unit.LEADS,
        "largest absolute balance of a member",
        Cohort.STATE,
        (_at_most(1, "promise 3: never a whole lead away, for stable weights and eligibility"),),
    ),
    Metric(
        "quarantined",
        "In quarantine",
        "Leads that wait because their data is not good enough.",
        Unit.COUNT,
        "count of leads in that state",
        Cohort.STATE,
    ),
    Metric(
        "lead_conservation_residual",
        "Leads unaccounted for",
        "Leads seen, minus leads in exactly one state. Anything but zero is a fault.",
        Unit.COUNT,
        "leads seen − leads in a state",
        Cohort.STATE,
        (_at_most(0, "promise 1: no lead is lost"),),
    ),
    Metric(
        "duplicate_effects",
        "Done twice",
        "Owner writes, tasks or messages beyond one per hop.",
        Unit.COUNT,
        "effects done − distinct hops, by kind",
        Cohort.STATE,
        (_at_most(0, "promise 1: none is handed over twice"),),
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric by name."""
