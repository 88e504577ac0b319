"""What ties people of one company together: its account, its domain."""

from __future__ import annotations

from baton.leads.relations import CrmRelations
from baton.policy.facts import Facts


def company_keys(
    facts: Facts, relations: CrmRelations, free_domains: frozenset[str]
) -> tuple[str, ...]:
    """Return the keys by which a lead's company is known, surest first; none where it is not.

    ``account:<Salesforce id>`` and ``domain:<registrable domain>``. A domain of free mail ties
    nobody to anybody, whoever wrote it down as a website.
    """
    domain = facts.get("Company domain")
    keys = []
    if relations.account_id:
        keys.append(f"account:{relations.account_id}")
    if isinstance(domain, str) and domain and domain.lower() not in free_domains:
        keys.append(f"domain:{domain.lower()}")
    return tuple(keys)
