"""Carrying out the effects that write the Salesforce record of a handoff: owner, score, package."""

from __future__ import annotations

from collections.abc import Sequence

from baton.errors import BatonError
from baton.ledger.effects.outbox import ClaimedEffect
from baton.pipeline.context import Context
from baton.pipeline.delivery.outcomes import Outcome
from baton.pipeline.delivery.salesforce_plans import (
    Dossiers,
    Planned,
    carry_out,
    handoff_of,
    land_found,
    look_at,
    match_of,
    plan_record,
    settled,
)
from baton.pipeline.delivery.salesforce_refusals import settle_refused


def write_records(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Dossiers
) -> dict[int, Outcome]:
    """Write owner and package on the Salesforce record of each handoff.

    A person who is a Contact keeps their owner and gets no Lead; a Lead found by HubSpot id or by
    e-mail is stamped and updated; only who is in neither is created.
    """
    wanted = {effect.id: dossiers[handoff_of(effect)] for effect in effects}
    look = look_at(ctx, wanted.values())
    outcomes: dict[int, Outcome] = {}
    planned: list[Planned] = []
    errors: dict[int, BatonError] = {}
    for effect in effects:
        dossier = wanted[effect.id]
        try:
            match = match_of(look, dossier)
            made = plan_record(ctx, look, effect, dossier, match)
        except BatonError as error:
            errors[effect.id] = error
        else:
            if isinstance(made, Planned):
                planned.append(made)
            else:
                outcomes[effect.id] = made
    land_found(ctx, look, {e.lead_id: outcomes[e.id] for e in effects if e.id in outcomes})
    results = carry_out(ctx, look, planned)
    for one in planned:
        outcome = settled(one, results.get(one.key))
        if isinstance(outcome, BatonError):
            errors[one.effect.id] = outcome
        else:
            outcomes[one.effect.id] = outcome
    if errors:
        refused = {one.effect.id: one for one in planned if one.effect.id in errors}
        outcomes |= settle_refused(ctx, look, effects, dossiers, errors, refused)
    return outcomes
