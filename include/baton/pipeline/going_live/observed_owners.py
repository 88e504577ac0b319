"""What we would have done beside what the organisation did: who has each lead, and why they differ.

Read from the ledger (observed handoffs with their first owner) and from Salesforce (who has the
person now). Nothing is written. No personal data comes out: handoffs and contacts go by their ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from baton.crm.results import batches
from baton.leads.states import LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import observed
from baton.ledger.handoffs.observed import KnownLead, ObservedHandoff
from baton.ledger.sources import references
from baton.ledger.sources.references import CrmUser
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.intake.in_salesforce import AT_ONCE, Holder, holders_of, owner_of
from baton.policy.roster import Roster

__all__ = ["SAME", "Cause", "Comparison", "Difference", "compare", "difference_of"]

CREATED_FIELDS = (
    "Id", "HubSpot_Contact_Id__c", "Email", "OwnerId", "CreatedDate", "IsConverted",
)  # fmt: skip


class Cause(StrEnum):
    """Why the organisation's owner is not ours; the values are what a person reads."""

    OTHER_PERSON = "same pool, another person"
    OTHER_POOL = "another pool"
    NOT_ON_ROSTER = "somebody who is not on the roster"
    KEPT_OWNER = "we would have kept the owner we knew, who is another"
    WE_QUEUE = "we found nobody and left it in a queue"
    LEFT_IN_QUEUE = "they left it in a queue"
    OTHER_QUEUE = "another queue"
    INACTIVE = "its owner is not active any more"
    NOT_IN_SALESFORCE = "not in Salesforce: nobody has it"
    NOT_READ = "we have not read it from HubSpot"
    BAD_DATA = "we would not have handed it over: data not good enough"
    FORBIDDEN = "we would not have handed it over: suppressed"
    HELD = "we would not have handed it over yet: held"
    BELOW = "we would not have handed it over: below the line"
    AFTER_SALES = "we would not have handed it over: sales had answered, or a customer"


SAME = "same owner"
_BY_STATE: Mapping[str, Cause] = {
    LeadState.SEEN: Cause.NOT_READ,
    LeadState.QUARANTINED: Cause.BAD_DATA,
    LeadState.SUPPRESSED: Cause.FORBIDDEN,
    LeadState.HELD: Cause.HELD,
    LeadState.NURTURE: Cause.BELOW,
    LeadState.RECYCLED: Cause.AFTER_SALES,
    LeadState.DISQUALIFIED: Cause.AFTER_SALES,
    LeadState.CUSTOMER: Cause.AFTER_SALES,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One lead that they gave to somebody else, or that only one of us handed over."""

    cause: Cause
    contact: str | None
    handoff: str | None
    ours: str | None
    theirs: str | None
    form: str | None = None
    territory: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything observed in [since, until) beside what stands in Salesforce.

    `differences` are of leads that we would have handed over; `only_theirs` of leads that they
    handed over in this time and we would not have. `by_scope`: same and compared, by form and
    territory.
    """

    since: datetime
    until: datetime
    compared: int
    same: int
    differences: tuple[Difference, ...]
    only_theirs: tuple[Difference, ...]
    by_scope: Mapping[str, tuple[int, int]]

    @property
    def causes(self) -> list[tuple[Cause, int]]:
        """Return the causes of the differences, most frequent first."""
        return Counter(one.cause for one in self.differences).most_common()

    @property
    def their_causes(self) -> list[tuple[Cause, int]]:
        """Return why we would not have handed over what they did, most frequent first."""
        return Counter(one.cause for one in self.only_theirs).most_common()

    @property
    def words(self) -> str:
        """Say it in one sentence."""
        if not self.compared:
            return "nothing was observed in this time"
        several = len(self.differences)
        rest = {0: "", 1: ", the 1 difference by cause"}.get(
            several, f", the {several} differences by cause"
        )
        return f"{SAME} {self.same} of {self.compared}{rest}"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "compared": self.compared,
            "same_owner": self.same,
            "words": self.words,
            "causes": {cause.value: many for cause, many in self.causes},
            "only_theirs": {cause.value: many for cause, many in self.their_causes},
            "by_scope": {
                name: {"same_owner": same, "compared": all_of}
                for name, (same, all_of) in self.by_scope.items()
            },
            "differences": [_plain(one) for one in (*self.differences, *self.only_theirs)],
        }


def _plain(one: Difference) -> dict[str, str | None]:
    return {
        "cause": one.cause.value,
        "contact": one.contact,
        "handoff": one.handoff,
        "ours": one.ours,
        "theirs": one.theirs,
        "form": one.form,
        "territory": one.territory,
    }


def compare(ctx: Context, since: datetime, until: datetime) -> Comparison:
    """Compare what was observed in [since, until) with what stands in Salesforce now.

    Raises:
        ConfigurationError: no policy or roster is active.
        GatewayError: Salesforce could not be asked.
    """
    with transaction(ctx.engine) as conn:
        roster = active_policy(conn).roster
        found = observed.decided_since(conn, since, until)
    holders = holders_of(ctx, found)
    differences, scopes = [], dict[str, tuple[int, int]]()
    for one in found:
        difference = difference_of(one, holders.get(one.id), roster)
        if difference is not None:
            differences.append(difference)
        for scope in filter(None, (_named("form", one.form), _named("region", one.territory))):
            same, all_of = scopes.get(scope, (0, 0))
            scopes[scope] = (same + (difference is None), all_of + 1)
    return Comparison(
        since,
        until,
        compared=len(found),
        same=len(found) - len(differences),
        differences=tuple(differences),
        only_theirs=tuple(_only_theirs(ctx, since, until)),
        by_scope=dict(sorted(scopes.items())),
    )


def _named(kind: str, name: str | None) -> str | None:
    return f"{kind} {name}" if name else None


def difference_of(one: ObservedHandoff, holder: Holder | None, roster: Roster) -> Difference | None:
    """Return how the organisation's owner differs from ours, or None if it is the same."""
    cause = _cause(one, holder, roster)
    if cause is None:
        return None
    return Difference(
        cause,
        one.hubspot_id,
        one.key,
        one.owner_key,
        holder.key if holder else None,
        one.form,
        one.territory,
    )


def _cause(one: ObservedHandoff, holder: Holder | None, roster: Roster) -> Cause | None:
    if holder is None:
        return Cause.NOT_IN_SALESFORCE
    if (holder.kind, holder.key.lower()) == (one.owner_kind, one.owner_key.lower()):
        return None if holder.active else Cause.INACTIVE
    if holder.kind == "queue":
        return Cause.LEFT_IN_QUEUE if one.owner_kind == "user" else Cause.OTHER_QUEUE
    if not holder.active:
        return Cause.INACTIVE
    if one.owner_kind == "queue":
        return Cause.WE_QUEUE
    if not one.change_owner:
        return Cause.KEPT_OWNER
    return _other_person(one, holder.key, roster)


def _other_person(one: ObservedHandoff, theirs: str, roster: Roster) -> Cause:
    if roster.rep(theirs) is None:
        return Cause.NOT_ON_ROSTER
    pools = {
        pool.name for pool in roster.pools if any(member.rep == theirs for member in pool.members)
    }
    return Cause.OTHER_PERSON if one.pool in pools else Cause.OTHER_POOL


def _only_theirs(ctx: Context, since: datetime, until: datetime) -> list[Difference]:
    """Return the leads that they made and gave to a person in this time, and we would not have."""
    rows = [
        row
        for row in ctx.salesforce.changed("Lead", CREATED_FIELDS, since, until)
        if since <= datetime.fromisoformat(str(row["CreatedDate"])) < until
    ]
    with transaction(ctx.engine) as conn:
        users = {one.salesforce_id: one for one in references.users(conn)}
    found: list[Difference] = []
    for some in batches(rows, AT_ONCE):
        found += _without_ours(ctx, some, users)
    return found


def _without_ours(
    ctx: Context, rows: Sequence[Mapping[str, Any]], users: Mapping[str, CrmUser]
) -> list[Difference]:
    ids = [str(row["HubSpot_Contact_Id__c"]) for row in rows if row["HubSpot_Contact_Id__c"]]
    emails = [str(row["Email"]).lower() for row in rows if row["Email"]]
    with transaction(ctx.engine) as conn:
        by_id, by_email = observed.known_leads(conn, ids, emails)
    found = []
    for row in rows:
        kind, key, active = owner_of(str(row["OwnerId"]), users)
        if kind == "queue" or not active:
            continue
        lead = by_id.get(str(row["HubSpot_Contact_Id__c"])) or by_email.get(
            str(row["Email"] or "").lower()
        )
        cause = _why_not_ours(lead)
        if cause is not None:
            contact = lead.hubspot_id if lead else row["HubSpot_Contact_Id__c"]
            found.append(Difference(cause, contact, None, None, key))
    return found


def _why_not_ours(lead: KnownLead | None) -> Cause | None:
    """Return why we would not have handed it over; None for a lead that we did, or that is gone."""
    if lead is None:
        return Cause.NOT_READ
    return _BY_STATE.get(lead.state)
