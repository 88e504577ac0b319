"""Who has a person in Salesforce, whoever gave it to them: what the organisation itself did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from baton.crm.results import batches
from baton.crm.salesforce import ContactRecord, LeadRecord
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs.observed import ObservedHandoff
from baton.ledger.sources import references
from baton.ledger.sources.references import CrmUser
from baton.pipeline.context import Context

AT_ONCE = 200
"""Persons asked for in one round of queries."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who owns a record: a user by their e-mail, or a queue by its name.

    `active` False: a user that is switched off, or that Salesforce does not show.
    """

    sobject: str
    record_id: str
    kind: str
    key: str
    active: bool

    @property
    def works_it(self) -> bool:
        """Whether a person who is there has it."""
        return self.kind == "user" and self.active


def holders_of(ctx: Context, observed: Sequence[ObservedHandoff]) -> dict[int, Holder]:
    """Return who has the person of each of these handoffs, by handoff id; who is not there: none.

    Raises:
        GatewayError: Salesforce could not be asked.
    """
    with transaction(ctx.engine) as conn:
        users = {one.salesforce_id: one for one in references.users(conn)}
    found: dict[int, Holder] = {}
    for some in batches(observed, AT_ONCE):
        people = ctx.salesforce.people(
            [one.hubspot_id for one in some], [one.email for one in some if one.email]
        )
        for one in some:
            match = people.match(one.hubspot_id, one.email)
            record = match.contact or match.lead
            if record is not None:
                found[one.id] = holder(record, users)
    return found


def holder(record: LeadRecord | ContactRecord, users: Mapping[str, CrmUser]) -> Holder:
    """Return who owns a record."""
    sobject = "Contact" if isinstance(record, ContactRecord) else "Lead"
    return Holder(sobject, record.id, *owner_of(record.owner_id, users))


def owner_of(owner_id: str, users: Mapping[str, CrmUser]) -> tuple[str, str, bool]:
    """Return kind, key and whether they are there, of the owner with this id."""
    owner = users.get(owner_id)
    if owner is None:
        return "user", owner_id, False
    if owner.kind == "queue":
        return "queue", owner.name, True
    return "user", (owner.email or owner_id).lower(), owner.active
