"""Is what comes in still like what came in before? Once an hour, about the hour that is over.

Compared are the number of leads (with the same hour of the same weekday), how often fields are
empty, and the values of fields that have few. It warns, and never stops a lead.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from baton.ledger.database.engine import transaction
from baton.ledger.leads import drift
from baton.ledger.leads.drift import HOUR, HourProfile, JudgedLead
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.report import StepReport
from baton.policy.fields import FieldType
from baton.policy.lead_models import Drift, DriftNulls, DriftVolume
from baton.policy.models import Policy
from baton.validation.drift import NOT_LISTED, Usual, unusual

logger = logging.getLogger(__name__)

MOST_HOURS = 24
"""So many hours are caught up with after a standstill."""
MOST_VALUES = 200
LEAST_HOURS = 2
"""So many earlier hours there must be before anything counts as usual."""


def check_drift(ctx: Context) -> StepReport:
    """Look at the hours that ended since the last look; log and record what is not as usual."""
    report = StepReport()
    with transaction(ctx.engine) as conn:
        policy = active_policy(conn).policy
        last = drift.last_hour(conn)
    if policy.drift is None or ctx.replays:
        return report
    for hour in hours_to_check(last, ctx.clock.now()):
        _check(ctx, policy, policy.drift, hour, report)
    return report


def hours_to_check(last: datetime | None, now: datetime) -> list[datetime]:
    """Return the full hours after `last` that are over, oldest first; at the start only one."""
    current = now.replace(minute=0, second=0, microsecond=0)
    first = current - HOUR if last is None else last + HOUR
    first = max(first, current - MOST_HOURS * HOUR)
    return [first + number * HOUR for number in range(max(0, (current - first) // HOUR))]


def _check(ctx: Context, policy: Policy, agreed: Drift, hour: datetime, report: StepReport) -> None:
    with transaction(ctx.engine) as conn:
        leads = drift.judged_in(conn, hour)
        before = drift.profiles_since(conn, hour - _look_back(agreed), hour)
    rows = [_row(policy, agreed, lead) for lead in leads]
    profile = profile_of(hour, rows, agreed, policy)
    found = unusual(rows, usual_of(hour, before, len(rows), agreed, policy))
    warnings = [(one.kind.value, one.label, one.words) for one in found]
    with transaction(ctx.engine) as conn:
        if not drift.record(conn, profile, warnings, at=ctx.clock.now()):
            return
    report["hours"] += 1
    for one in found:
        report[f"drift {one.kind}"] += 1
        logger.warning("not as usual, hour from %s: %s", f"{hour:%Y-%m-%d %H:%M} UTC", one.words)


def watched(agreed: Drift, policy: Policy) -> tuple[str, ...]:
    """Return the labels whose emptiness is watched: those named, else all required and recommended."""
    if agreed.nulls is None:
        return ()
    named = agreed.nulls.fields
    if named:
        return named
    required = (label for labels in policy.required.values() for label in labels)
    return tuple(dict.fromkeys((*required, *policy.recommended)))


def _choices(agreed: Drift, policy: Policy) -> tuple[str, ...]:
    fields = agreed.new_values.fields if agreed.new_values else ()
    return tuple(label for label in fields if not policy.fields[label].personal)


def _row(policy: Policy, agreed: Drift, lead: JudgedLead) -> dict[str, str | None]:
    """Return what the expectations look at; of personal values only that they are there."""
    row: dict[str, str | None] = {}
    for label in (*watched(agreed, policy), *_choices(agreed, policy)):
        value = lead.facts.get(label)
        if label in lead.personal_known:
            row[label] = "(known)"
        elif value not in (None, "", []):
            row[label] = str(value)[:80]
        elif (label, "unknown_choice") in lead.problems:
            row[label] = NOT_LISTED
        else:
            row[label] = None
    return row


def profile_of(
    hour: datetime, rows: Sequence[Mapping[str, str | None]], agreed: Drift, policy: Policy
) -> HourProfile:
    """Return an hour in numbers, for later hours to be compared with."""
    labels = watched(agreed, policy)
    missing = {label: sum(row.get(label) is None for row in rows) for label in labels}
    choices = {
        label: sorted({value for row in rows if (value := row.get(label)) is not None})[
            :MOST_VALUES
        ]
        for label in _choices(agreed, policy)
    }
    return HourProfile(hour, len(rows), missing, choices)


def usual_of(
    hour: datetime, before: Sequence[HourProfile], count: int, agreed: Drift, policy: Policy
) -> Usual:
    """Return what is usual for this hour after what earlier hours were like."""
    rows = _usual_rows(hour, before, agreed.volume) if agreed.volume else None
    empty = _usual_empty(hour, before, agreed, policy) if agreed.nulls else {}
    least = agreed.nulls.least if agreed.nulls else 1
    return Usual(rows, empty if count >= least else {}, _known_values(hour, before, agreed, policy))


def _usual_rows(
    hour: datetime, before: Sequence[HourProfile], terms: DriftVolume
) -> tuple[int, int] | None:
    """Return least and most leads: percentages of the mean of the same hours of earlier weeks."""
    wanted = {hour - timedelta(weeks=back) for back in range(1, terms.weeks + 1)}
    counts = [one.leads for one in before if one.hour in wanted]
    if len(counts) < LEAST_HOURS:
        return None
    mean = sum(counts) / len(counts)
    if mean < terms.least:
        return None
    return int(mean * terms.at_least / 100), int(mean * terms.at_most / 100)


def _usual_empty(
    hour: datetime, before: Sequence[HourProfile], agreed: Drift, policy: Policy
) -> dict[str, float]:
    terms: DriftNulls | None = agreed.nulls
    if terms is None:
        return {}
    since = hour - timedelta(seconds=terms.over.seconds)
    recent = [one for one in before if one.hour >= since]
    found = {}
    for label in watched(agreed, policy):
        known = [one for one in recent if label in one.missing and one.leads]
        leads = sum(one.leads for one in known)
        if leads >= terms.least and len(known) >= LEAST_HOURS:
            share = sum(one.missing[label] for one in known) / leads
            found[label] = min(1.0, share + terms.rise_by / 100)
    return found


def _known_values(
    hour: datetime, before: Sequence[HourProfile], agreed: Drift, policy: Policy
) -> dict[str, frozenset[str]]:
    """Return the values that are no news: those seen before, and those that the policy lists."""
    terms = agreed.new_values
    if terms is None:
        return {}
    since = hour - timedelta(seconds=terms.over.seconds)
    found = {}
    for label in _choices(agreed, policy):
        field = policy.fields[label]
        seen = {
            value for one in before if one.hour >= since for value in one.choices.get(label, ())
        }
        listed = set(field.values.values()) if field.type is FieldType.CHOICE else set()
        if seen or listed:
            found[label] = frozenset(seen | listed)
    return found


def _look_back(agreed: Drift) -> timedelta:
    lengths = [timedelta(0)]
    if agreed.volume is not None:
        lengths.append(timedelta(weeks=agreed.volume.weeks))
    if agreed.nulls is not None:
        lengths.append(timedelta(seconds=agreed.nulls.over.seconds))
    if agreed.new_values is not None:
        lengths.append(timedelta(seconds=agreed.new_values.over.seconds))
    return max(lengths)
