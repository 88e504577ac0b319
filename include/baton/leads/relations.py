"""What the CRM already knows of a lead: account, opportunity, existing records."""

from __future__ import annotations

from dataclasses import dataclass

from baton.leads.accounts import (
    NO_MATCH,
    Account,
    AccountIndex,
    AccountMatch,
    MatchedBy,
    match_account,
)
from baton.policy.facts import FactValue

__all__ = [
    "NO_MATCH",
    "Account",
    "AccountIndex",
    "AccountMatch",
    "CrmRelations",
    "MatchedBy",
    "match_account",
    "relation_facts",
    "relations_from",
]


@dataclass(frozen=True, slots=True)
class CrmRelations:
    """What Salesforce holds around a lead. Owners are e-mails of users, None when nobody known.

    `lost_opportunity_owner` had the account's last opportunity that was closed and lost.
    `matched_by` AMBIGUOUS: several accounts fit, `account_id` is None and `reasons` lists them.
    `confidence` is 0 to 100.
    """

    account_id: str | None = None
    account_name: str | None = None
    account_type: str | None = None
    account_owner: str | None = None
    open_opportunity_id: str | None = None
    open_opportunity_owner: str | None = None
    lost_opportunity_owner: str | None = None
    salesforce_lead_id: str | None = None
    salesforce_lead_owner: str | None = None
    salesforce_contact_id: str | None = None
    matched_by: MatchedBy = MatchedBy.NOTHING
    confidence: int = 0
    reasons: tuple[str, ...] = ()


def relations_from(
    match: AccountMatch,
    *,
    lead_id: str | None = None,
    lead_owner: str | None = None,
    contact_id: str | None = None,
) -> CrmRelations:
    """Join an account match with the person's own records in Salesforce."""
    account = match.account
    return CrmRelations(
        account_id=account.id if account else None,
        account_name=account.name if account else None,
        account_type=account.type if account else None,
        account_owner=account.owner if account else None,
        open_opportunity_id=account.open_opportunity_id if account else None,
        open_opportunity_owner=account.open_opportunity_owner if account else None,
        lost_opportunity_owner=account.lost_opportunity_owner if account else None,
        salesforce_lead_id=lead_id,
        salesforce_lead_owner=lead_owner,
        salesforce_contact_id=contact_id,
        matched_by=match.matched_by,
        confidence=match.confidence,
        reasons=match.reasons,
    )


def relation_facts(relations: CrmRelations) -> dict[str, FactValue]:
    """Return what policy conditions may ask of the CRM's side, by label."""
    return {
        "Existing customer": (relations.account_type or "").casefold().startswith("customer"),
        "Open opportunity": relations.open_opportunity_id is not None,
        "Lost opportunity": relations.lost_opportunity_owner is not None,
        "Account known": relations.account_id is not None,
        "Account type": relations.account_type,
        "Account ambiguous": relations.matched_by is MatchedBy.AMBIGUOUS,
        "Lead known": relations.salesforce_lead_id is not None,
        "Contact known": relations.salesforce_contact_id is not None,
    }
