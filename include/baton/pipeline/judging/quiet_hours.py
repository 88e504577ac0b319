"""When a person is told of a lead: at once, or at the end of the quiet hours that the policy gives."""

from __future__ import annotations

from datetime import datetime

from baton.pipeline.active_policy import Agreement
from baton.pipeline.judging.addressing import manager_address, owner_address
from baton.policy.roster import Rep
from baton.sla.quiet import not_before


def quiet_until(
    agreement: Agreement,
    at: datetime,
    *,
    owner_key: str,
    owner_kind: str,
    band: str | None,
    trigger: str | None,
    manager: bool = False,
) -> datetime | None:
    """Return before when the owner (or the owner's manager) is not to be told; None: at once.

    A queue sleeps with whoever watches it. Somebody whom the roster does not know is told at once,
    unless the policy names the zone of its quiet hours.
    """
    quiet = agreement.policy.quiet_hours
    if quiet is None:
        return None
    address = (manager_address if manager else owner_address)(agreement, owner_key, owner_kind)
    told = _person_at(agreement, address)
    return not_before(quiet, at, zone=told.zone if told else None, band=band, trigger=trigger)


def _person_at(agreement: Agreement, address: str) -> Rep | None:
    known = agreement.roster.rep(address)
    if known is not None:
        return known
    return next((rep for rep in agreement.roster.people if rep.slack_email == address), None)
