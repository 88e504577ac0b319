"""When Salesforce refuses a record: mended and sent again, adopted, given to another, or told.

* a value that a field does not take is left out, and the record sent again, with a finding;
* a duplicate is adopted: the record that is there becomes the handoff's;
* an owner who cannot own leads any more is replaced by the next in the policy's order;
* everything else is left to a person: rejected (theirs), invalid (ours) or dead, with an alarm.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from baton.crm.salesforce import PersonMatch
from baton.errors import (
    BatonError,
    DuplicateRecordError,
    InvalidRecordError,
    OwnerInactiveError,
    RecordError,
    RejectedRecordError,
)
from baton.ledger.effects.crm_objects import Finding
from baton.ledger.effects.outbox import ClaimedEffect
from baton.pipeline.context import Context
from baton.pipeline.delivery import salesforce_shapes
from baton.pipeline.delivery.outcomes import Done, Outcome, Retry, outcome_of
from baton.pipeline.delivery.salesforce_plans import (
    Dossiers,
    Look,
    Planned,
    carry_out,
    handoff_of,
    plan_record,
    settled,
)
from baton.pipeline.delivery.salesforce_records import GUARDED, HUBSPOT_ID
from baton.pipeline.judging.rerouting import reroute
from baton.policy.crm_models import Duplicates

logger = logging.getLogger(__name__)

_LEFT_OUT = frozenset(
    {
        "FirstName", "Email", "Phone", "Title", "LeadSource", "Status", "Handoff_Band__c",
        "Handoff_Trigger__c", "Handoff_Reasons__c", "Handoff_Package__c",
    }
)  # fmt: skip
"""What a lead can do without rather than not be handed over."""


def settle_refused(
    ctx: Context,
    look: Look,
    effects: Sequence[ClaimedEffect],
    dossiers: Dossiers,
    errors: Mapping[int, BatonError],
    refused: Mapping[int, Planned],
) -> dict[int, Outcome]:
    """Return an outcome for each effect in `errors`; `refused` are those that were sent."""
    outcomes: dict[int, Outcome] = {}
    inactive: list[ClaimedEffect] = []
    for effect in effects:
        error = errors.get(effect.id)
        if error is None:
            continue
        if isinstance(error, OwnerInactiveError):
            inactive.append(effect)
            continue
        outcomes[effect.id] = _mended(ctx, look, effect, dossiers, error, refused.get(effect.id))
    if inactive:
        moved = reroute(ctx, [(one.handoff_id or 0, one.hop or 1) for one in inactive])
        for effect in inactive:
            found = moved.get(effect.handoff_id or 0)
            outcomes[effect.id] = (
                Retry("OWNER_INACTIVE", f"given to {found} instead", timedelta(seconds=1))
                if found
                else outcome_of(errors[effect.id], effect.attempts, repeatable=True)
            )
    return outcomes


def _mended(
    ctx: Context,
    look: Look,
    effect: ClaimedEffect,
    dossiers: Dossiers,
    error: BatonError,
    sent: Planned | None,
) -> Outcome:
    if sent is not None and isinstance(error, DuplicateRecordError):
        return _adopt(ctx, look, effect, dossiers, error, sent)
    if sent is not None and isinstance(error, InvalidRecordError):
        without = _without(ctx, sent, error)
        if without is not None:
            result = carry_out(ctx, look, [without]).get(without.key)
            done = settled(without, result)
            if not isinstance(done, BatonError):
                return done
            error = done
    return outcome_of(error, effect.attempts, repeatable=True)


def _without(ctx: Context, sent: Planned, error: RecordError) -> Planned | None:
    """Return the record without the values that were refused, or None where it needs them."""
    salesforce_shapes.forget(ctx, [sent.sobject])
    named = [name for name in error.fields if name in sent.fields]
    if not named or not set(named) <= _LEFT_OUT:
        return None
    lead_id = sent.dossier.lead_id
    found = tuple(Finding(sent.sobject, name, "not_writable", "", lead_id) for name in named)
    return Planned(
        effect=sent.effect,
        dossier=sent.dossier,
        sobject=sent.sobject,
        record_id=sent.record_id,
        fields={name: value for name, value in sent.fields.items() if name not in named},
        writes=tuple(one for one in sent.writes if one.field not in named),
        equal=sent.equal,
        kept=sent.kept,
        findings=(*sent.findings, *found),
        adopted=sent.adopted,
    )


def _adopt(
    ctx: Context,
    look: Look,
    effect: ClaimedEffect,
    dossiers: Dossiers,
    error: DuplicateRecordError,
    sent: Planned,
) -> Outcome:
    """Take over the record that a duplicate rule found, or alarm."""
    if sent.record_id is not None or look.rules.duplicates is Duplicates.ALARM:
        return outcome_of(_alarm(error.matches), effect.attempts, repeatable=True)
    matches = error.matches
    if not matches:
        # Within a collection Salesforce does not say which; by itself it does.
        alone = ctx.salesforce.upsert_alone("Lead", HUBSPOT_ID, sent.fields)
        if alone.ok and alone.id is not None:
            return Done({"sobject": "Lead", "id": alone.id})
        matches = getattr(alone.error, "matches", ())
    people = ctx.salesforce.records(matches, values=GUARDED)
    dossier = dossiers[handoff_of(effect)]
    for record_id in matches:
        match = people.of_record(record_id)
        if _may_adopt(match, dossier.hubspot_id):
            made = plan_record(ctx, look, effect, dossier, match)
            if not isinstance(made, Planned):
                return made
            done = settled(made, carry_out(ctx, look, [made]).get(made.key))
            if not isinstance(done, BatonError):
                return done
    return outcome_of(_alarm(matches), effect.attempts, repeatable=True)


def _may_adopt(match: PersonMatch, hubspot_id: str) -> bool:
    """Tell whether the record is live and nobody else's: another contact's stamp is respected."""
    found = match.contact or match.lead
    return found is not None and found.hubspot_id in (None, "", hubspot_id)


def _alarm(matches: Sequence[str]) -> RejectedRecordError:
    which = ", ".join(matches) or "a record that we may not see"
    return RejectedRecordError(
        "DUPLICATES_DETECTED",
        f"a duplicate rule of Salesforce stopped the new lead; it resembles {which}: "
        "merge them or set HubSpot_Contact_Id__c on the right one, then retry",
    )
