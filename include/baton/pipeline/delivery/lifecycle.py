"""Where a contact stands in HubSpot's life cycle, as the policy's stages name it. Pure.

HubSpot lets the API move a stage forward only. A lead that sales gave back is moved backward the
way HubSpot allows: the stage is cleared, then set. Never further forward than people have put it.
"""

from __future__ import annotations

from collections.abc import Mapping

from baton.leads.states import HandoffState, LeadState
from baton.ledger.dossiers import LeadDossier
from baton.policy.agreement_models import StageBegins
from baton.policy.models import Policy

LIFECYCLE, LEAD_STATUS, LEAD_OWNER = "lifecyclestage", "hs_lead_status", "hubspot_owner_id"
ORDER = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer",
    "evangelist", "other",
)  # fmt: skip
"""HubSpot's own stages, from first to last."""

_BEGINS: Mapping[str, StageBegins] = {
    HandoffState.PLANNED: StageBegins.HANDED_OFF,
    HandoffState.ASSIGNED: StageBegins.HANDED_OFF,
    HandoffState.NOTIFIED: StageBegins.HANDED_OFF,
    HandoffState.ACCEPTED: StageBegins.ACCEPTED,
    HandoffState.WORKING: StageBegins.ACCEPTED,
    HandoffState.CONVERTED: StageBegins.QUALIFIED,
    HandoffState.WON: StageBegins.QUALIFIED,
}
_GIVEN_BACK = (LeadState.RECYCLED, LeadState.NURTURE)


def wanted_stage(lead: LeadDossier, policy: Policy, current: str | None) -> str | None:
    """Return the stage that the contact should have, or None where it stays as it is."""
    if not policy.write_back.lifecycle or lead.handoff_state is None:
        return None
    stages = {one.begins: one.hubspot_lifecycle for one in policy.stages.values()}
    if lead.state in _GIVEN_BACK and lead.handoff_state == HandoffState.RECYCLED:
        # Only from where a handoff may have put it: a customer is not made a lead again.
        ours = current in stages.values()
        return policy.write_back.recycled_lifecycle if ours else None
    begins = _BEGINS.get(lead.handoff_state)
    wanted = stages.get(begins) if begins is not None else None
    return None if wanted is None or goes_back(current, wanted) else wanted


def goes_back(current: str | None, wanted: str | None) -> bool:
    """Tell whether a change would be one backward, which HubSpot ignores unless cleared first."""
    if not current or not wanted or current == wanted:
        return False
    if current not in ORDER or wanted not in ORDER:
        return current not in ORDER  # a stage of the portal's own: where it stands is not known
    return ORDER.index(wanted) < ORDER.index(current)
