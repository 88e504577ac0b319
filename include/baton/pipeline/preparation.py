"""What must be known of leads before they are decided on: facts, relations, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from baton.crm.salesforce import PersonMatch
from baton.leads.enrichment import enrich
from baton.leads.facts import Problem, read_facts
from baton.leads.model import LeadSnapshot
from baton.leads.relations import (
    Account,
    AccountIndex,
    CrmRelations,
    match_account,
    relations_from,
)
from baton.leads.verdict import Verdict
from baton.ledger import references
from baton.ledger.engine import transaction
from baton.ledger.references import AccountRow
from baton.pipeline.context import Context
from baton.policy.facts import Facts
from baton.policy.models import Policy
from baton.scoring.bands import band_of
from baton.scoring.points import score
from baton.scoring.triggers import fired
from baton.validation.verdicts import LeadToJudge, LeadValidator


@dataclass(frozen=True, slots=True)
class Prepared:
    """A lead ready to be decided on."""

    snapshot: LeadSnapshot
    facts: Facts
    problems: tuple[Problem, ...]
    verdict: Verdict
    relations: CrmRelations


@dataclass(frozen=True, slots=True)
class _Read:
    snapshot: LeadSnapshot
    facts: Facts
    problems: tuple[Problem, ...]
    scopes: frozenset[str]


class Preparation:
    """Prepares batches of leads under one policy; the account index is read once."""

    def __init__(self, ctx: Context, policy: Policy) -> None:
        self._ctx = ctx
        self._policy = policy
        self._validator = LeadValidator(policy)
        with transaction(ctx.engine) as conn:
            accounts = references.account_rows(conn)
            self._owner_keys = references.owner_keys(conn)
        self._accounts = {account.id: _account(account) for account in accounts}
        free = frozenset(policy.mail.free)
        self._index = AccountIndex(self._accounts.values(), free)

    def prepare(self, snapshots: Sequence[LeadSnapshot]) -> list[Prepared]:
        """Read, enrich, relate and validate; the order of `snapshots` is kept.

        Raises:
            GatewayError: Salesforce could not be asked about the leads that may be handed off.
        """
        read = [self._read(snapshot) for snapshot in snapshots]
        verdicts = self._validator.verdicts(
            [LeadToJudge(r.snapshot.hubspot_id, r.facts, r.scopes, r.problems) for r in read]
        )
        relations = self._relations(read)
        return [
            Prepared(
                one.snapshot,
                one.facts,
                one.problems,
                verdicts[one.snapshot.hubspot_id],
                relations[one.snapshot.hubspot_id],
            )
            for one in read
        ]

    def _read(self, snapshot: LeadSnapshot) -> _Read:
        found = read_facts(snapshot, self._policy)
        facts = enrich(found.facts, snapshot, self._policy).facts
        return _Read(snapshot, facts, found.problems, self._scopes(facts, snapshot))

    def _scopes(self, facts: Facts, snapshot: LeadSnapshot) -> frozenset[str]:
        """Return the triggers that fire, else the band that would hand the lead off."""
        moment = self._ctx.clock.decides_at(snapshot.captured_at)
        total = score(facts, self._policy, moment).total_milli
        triggers = fired(
            facts,
            self._policy,
            moment,
            captured_at=snapshot.captured_at,
            total_milli=total,
        )
        scopes = frozenset(one.trigger.id for one in triggers if one.trigger.hands_off)
        band = band_of(total, self._policy)
        # A hand raise asks for less than a band does, because a form asks for less.
        return scopes or (frozenset({band.name}) if band.hands_off else frozenset())

    def _relations(self, read: Sequence[_Read]) -> dict[str, CrmRelations]:
        """Relate every lead to an account; ask Salesforce only about those that may be handed off."""
        candidates = [one for one in read if one.scopes]
        people: Mapping[str, PersonMatch] = {}
        if candidates:
            ids = [one.snapshot.hubspot_id for one in candidates]
            mails = {one.snapshot.hubspot_id: _email(one.facts) for one in candidates}
            known = self._ctx.salesforce.people(ids, [mail for mail in mails.values() if mail])
            people = {key: known.match(key, mail) for key, mail in mails.items()}
        return {
            one.snapshot.hubspot_id: self._related(one, people.get(one.snapshot.hubspot_id))
            for one in read
        }

    def _related(self, lead: _Read, person: PersonMatch | None) -> CrmRelations:
        account = match_account(
            _text(lead.facts, "Company domain"), _text(lead.facts, "Company name"), self._index
        )
        if person is None:
            return relations_from(account)
        contact = person.contact
        if contact is not None and contact.account_id in self._accounts:
            # The account that sales put the person into beats any guess by domain.
            account = replace(
                account,
                account=self._accounts[contact.account_id],
                confidence=100,
                reasons=("a contact of this account in Salesforce",),
            )
        return relations_from(
            account,
            lead_id=person.lead.id if person.lead else None,
            lead_owner=self._owner_keys.get(person.lead.owner_id) if person.lead else None,
            contact_id=contact.id if contact else None,
        )


def _account(row: AccountRow) -> Account:
    return Account(
        row.id,
        row.name,
        row.domain,
        row.owner,
        row.type,
        row.open_opportunity_id,
        row.open_opportunity_owner,
    )


def _email(facts: Facts) -> str | None:
    return _text(facts, "E-mail")


def _text(facts: Facts, label: str) -> str | None:
    value = facts.get(label)
    return value if isinstance(value, str) and value else None
