"""People of one company go to one owner: who has somebody of a lead's company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from baton.leads.companies import company_keys
from baton.ledger.handoffs.loads import CompanyOwner, company_owners
from baton.pipeline.intake.preparation import Prepared
from baton.policy.models import Policy

_ACCOUNT, _DOMAIN = "account:", "domain:"


def companies_of(lead: Prepared, policy: Policy) -> tuple[str, ...]:
    """Return the keys of a lead's company; see `company_keys`."""
    return company_keys(lead.facts, lead.relations, policy.mail.free)


def account_and_domain(companies: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the account and the domain among these keys, as a handoff stores them."""
    return _first(companies, _ACCOUNT), _first(companies, _DOMAIN)


class Colleagues:
    """Who was last given somebody of the companies in a batch, as the ledger knows it.

    Read it after the pools are locked: whoever decided before has committed by then.
    """

    def __init__(
        self,
        conn: Connection,
        policy: Policy,
        leads: Sequence[Prepared],
        now: datetime,
        *,
        observed: bool = True,
    ) -> None:
        """Read who has them; unless `observed`, handoffs that were only observed count for nothing."""
        self._policy = policy
        self._found: Mapping[str, Sequence[CompanyOwner]] = {}
        rule = policy.keep_together
        keys = {key for one in leads for key in companies_of(one, policy)} if rule else set()
        if rule is None or not keys:
            return
        owners = company_owners(
            conn,
            accounts=_stripped(keys, _ACCOUNT),
            domains=_stripped(keys, _DOMAIN),
            since=now - timedelta(seconds=rule.for_.seconds),
            observed=observed,
        )
        found: dict[str, list[CompanyOwner]] = {}
        for one in owners:
            if one.account_id:
                found.setdefault(_ACCOUNT + one.account_id, []).append(one)
            if one.company_domain:
                found.setdefault(_DOMAIN + one.company_domain, []).append(one)
        self._found = found

    def of(self, lead_id: int, lead: Prepared) -> str | None:
        """Return the owner of the newest handoff of another person of the same company."""
        for key in companies_of(lead, self._policy) if self._found else ():
            for one in self._found.get(key, ()):
                if one.lead_id != lead_id:
                    return one.owner
        return None


def _first(companies: Sequence[str], kind: str) -> str | None:
    return next((key.removeprefix(kind) for key in companies if key.startswith(kind)), None)


def _stripped(keys: set[str], kind: str) -> list[str]:
    return sorted(key.removeprefix(kind) for key in keys if key.startswith(kind))
