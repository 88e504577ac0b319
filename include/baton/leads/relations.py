"""What the CRM already knows of a lead: account, opportunity, existing records; and account matching.

A lead's account is found by the exact company domain, else by the normalised company name. Domains
of free mail never match. Where two accounts fit, nothing is chosen: a person has to look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from baton.leads.company_names import normalised_company_name
from baton.policy.facts import FactValue


class MatchedBy(StrEnum):
    """How a lead found its account."""

    DOMAIN = "domain"
    NAME = "name"
    AMBIGUOUS = "ambiguous"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class CrmRelations:
    """What Salesforce holds around a lead. Owners are e-mails of users, None when nobody known.

    `matched_by` AMBIGUOUS: several accounts fit, `account_id` is None and `reasons` lists them.
    `confidence` is 0 to 100.
    """

    account_id: str | None = None
    account_name: str | None = None
    account_type: str | None = None
    account_owner: str | None = None
    open_opportunity_id: str | None = None
    open_opportunity_owner: str | None = None
    salesforce_lead_id: str | None = None
    salesforce_lead_owner: str | None = None
    salesforce_contact_id: str | None = None
    matched_by: MatchedBy = MatchedBy.NOTHING
    confidence: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """An account of Salesforce, as far as matching and ownership need it."""

    id: str
    name: str
    domain: str | None = None
    owner: str | None = None
    type: str | None = None
    open_opportunity_id: str | None = None
    open_opportunity_owner: str | None = None


class AccountIndex:
    """Accounts by domain and by normalised name. Built once for a batch."""

    def __init__(
        self, accounts: Iterable[Account], free_domains: frozenset[str] = frozenset()
    ) -> None:
        by_domain: defaultdict[str, list[Account]] = defaultdict(list)
        by_name: defaultdict[str, list[Account]] = defaultdict(list)
        for account in sorted(accounts, key=lambda found: found.id):
            domain = (account.domain or "").strip().lower().removeprefix("www.")
            if domain and domain not in free_domains:
                by_domain[domain].append(account)
            name = normalised_company_name(account.name)
            if name:
                by_name[name].append(account)
        self.by_domain: Mapping[str, tuple[Account, ...]] = _frozen(by_domain)
        self.by_name: Mapping[str, tuple[Account, ...]] = _frozen(by_name)
        self.free_domains = free_domains


@dataclass(frozen=True, slots=True)
class AccountMatch:
    """The account of a lead, or why there is none."""

    account: Account | None
    matched_by: MatchedBy
    confidence: int
    reasons: tuple[str, ...]


NO_MATCH = AccountMatch(None, MatchedBy.NOTHING, 0, ())


def match_account(domain: str | None, name: str | None, index: AccountIndex) -> AccountMatch:
    """Find the account of a lead by company domain, else by company name; never guess."""
    host = (domain or "").strip().lower().removeprefix("www.")
    if host and host not in index.free_domains and host in index.by_domain:
        return _one_of(index.by_domain[host], name, MatchedBy.DOMAIN, f"same domain {host}")
    wanted = normalised_company_name(name)
    found = index.by_name.get(wanted, ()) if wanted else ()
    if not found:
        return NO_MATCH
    # The same name at another domain may be another company: it lowers the confidence.
    elsewhere = bool(host) and all(
        account.domain and account.domain.lower() != host for account in found
    )
    return _one_of(
        found, None, MatchedBy.NAME, "same company name", confidence=60 if elsewhere else 80
    )


def _one_of(
    found: tuple[Account, ...],
    name: str | None,
    by: MatchedBy,
    reason: str,
    *,
    confidence: int = 100,
) -> AccountMatch:
    if len(found) > 1 and name:
        wanted = normalised_company_name(name)
        named = tuple(
            account for account in found if normalised_company_name(account.name) == wanted
        )
        found = named if len(named) == 1 else found
    if len(found) == 1:
        return AccountMatch(found[0], by, confidence, (reason,))
    listed = ", ".join(account.id for account in found)
    return AccountMatch(
        None, MatchedBy.AMBIGUOUS, 0, (f"{reason} fits several accounts: {listed}",)
    )


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
        "Account known": relations.account_id is not None,
        "Account type": relations.account_type,
        "Account ambiguous": relations.matched_by is MatchedBy.AMBIGUOUS,
        "Lead known": relations.salesforce_lead_id is not None,
        "Contact known": relations.salesforce_contact_id is not None,
    }


def _frozen(found: Mapping[str, list[Account]]) -> Mapping[str, tuple[Account, ...]]:
    return {key: tuple(accounts) for key, accounts in found.items()}
