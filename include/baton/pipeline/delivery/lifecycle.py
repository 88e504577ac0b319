"""What HubSpot's own properties should say of a lead: life-cycle stage, lead status, owner. Pure.

HubSpot lets the API move a stage forward only. A lead that sales gave back is moved backward the
way HubSpot allows: the stage is cleared, then set. Never further forward than people have put it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from baton.leads.states import HandoffState, LeadState
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


class Standing(Protocol):
    """Where a lead stands: its state, and state and owner of its newest handoff."""

    @property
    def state(self) -> str:
        """Return the lead's state."""
        ...

    @property
    def handoff_state(self) -> str | None:
        """Return the state of its newest handoff."""
        ...

    @property
    def owner_key(self) -> str | None:
        """Return who owns its newest handoff."""
        ...


def shared_names(policy: Policy) -> list[str]:
    """Return which of HubSpot's own properties this policy writes."""
    rules = policy.write_back
    wanted = (rules.lifecycle, bool(rules.lead_status), rules.lead_owner)
    names = (LIFECYCLE, LEAD_STATUS, LEAD_OWNER)
    return [name for name, is_wanted in zip(names, wanted, strict=True) if is_wanted]


def shared_values(
    lead: Standing,
    policy: Policy,
    current: Mapping[str, str | None],
    owners: Mapping[str, str],
) -> dict[str, str]:
    """Return what HubSpot's own properties should say, where Baton has a say in them.

    `current` is what they say now; `owners` are HubSpot's owner ids by address in lower case.
    """
    values: dict[str, str] = {}
    stage = wanted_stage(lead, policy, current.get(LIFECYCLE))
    if stage is not None:
        values[LIFECYCLE] = stage
    status = policy.write_back.lead_status.get(lead.state)
    if status is not None:
        values[LEAD_STATUS] = status
    owner = owners.get((lead.owner_key or "").lower())
    wanted = policy.write_back.lead_owner and lead.state == LeadState.IN_HANDOFF
    if owner is not None and wanted:
        values[LEAD_OWNER] = owner
    return values


def wanted_stage(lead: Standing, policy: Policy, current: str | None) -> str | None:
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
