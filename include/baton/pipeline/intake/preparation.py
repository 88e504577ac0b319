"""What must be known of leads before they are decided on: facts, relations, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from baton.crm.salesforce import PersonMatch
from baton.leads.enrichment import Provenance, enrich, form_of
from baton.leads.facts import KeptValues, Problem, read_facts
from baton.leads.identity import identity_keys
from baton.leads.model import LeadSnapshot
from baton.leads.profile import Answer, Merged, merge
from baton.leads.relations import CrmRelations, MatchedBy, match_account, relations_from
from baton.leads.verdict import Verdict
from baton.ledger.database.engine import transaction
from baton.pipeline.context import Context
from baton.pipeline.intake.account_index import accounts_of
from baton.pipeline.intake.answers import earlier_answers
from baton.pipeline.intake.enrichment import Filled, OutsideEnrichment
from baton.policy.facts import Facts
from baton.policy.models import Policy
from baton.scoring.bands import band_of
from baton.scoring.points import score
from baton.scoring.triggers import fired
from baton.validation.verdicts import LeadToJudge, LeadValidator


@dataclass(frozen=True, slots=True)
class Prepared:
    """A lead ready to be decided on.

    `told` says by label when and where an answer was given or a value found, `answers` are those
    heard for the first time, `awaiting` the providers that the policy waits for, `identity` the
    (personal) signs by which the person is recognised in another contact.
    """

    snapshot: LeadSnapshot
    facts: Facts
    problems: tuple[Problem, ...]
    verdict: Verdict
    relations: CrmRelations
    told: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    awaiting: tuple[str, ...] = ()
    identity: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _Read:
    snapshot: LeadSnapshot
    facts: Facts
    problems: tuple[Problem, ...]
    scopes: frozenset[str]
    told: Mapping[str, str]
    answers: tuple[Answer, ...]
    awaiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A lead's own words, and what of them is nonsense."""

    snapshot: LeadSnapshot
    merged: Merged
    problems: tuple[Problem, ...]


_NOTHING = Filled()


class Preparation:
    """Prepares batches of leads under one policy; the account index is read once."""

    def __init__(self, ctx: Context, policy: Policy) -> None:
        self._ctx = ctx
        self._policy = policy
        self._validator = LeadValidator(policy)
        self._kept = KeptValues()
        self.outside = OutsideEnrichment(ctx, policy)
        with transaction(ctx.engine) as conn:
            self._accounts = accounts_of(conn, policy)

    def prepare(self, snapshots: Sequence[LeadSnapshot], *, again: bool = False) -> list[Prepared]:
        """Read, enrich, relate and validate; the order of `snapshots` is kept.

        `again`: their time has come (a return, room for them), so Salesforce is asked about all.

        Raises:
            GatewayError: Salesforce could not be asked about the leads that may be handed off.
        """
        read = self._read(snapshots)
        verdicts = self._validator.verdicts(
            [LeadToJudge(r.snapshot.hubspot_id, r.facts, r.scopes, r.problems) for r in read]
        )
        relations = self._relations(read, again=again)
        return [
            Prepared(
                one.snapshot,
                one.facts,
                one.problems,
                verdicts[one.snapshot.hubspot_id],
                relations[one.snapshot.hubspot_id],
                one.told,
                one.answers,
                one.awaiting,
                identity_keys(one.facts),
            )
            for one in read
        ]

    def _read(self, snapshots: Sequence[LeadSnapshot]) -> list[_Read]:
        heard = self._heard(snapshots)
        derived = [enrich(one.merged.facts, one.snapshot, self._policy) for one in heard]
        filled: Mapping[str, Filled] = {}
        if self._policy.enrichment:
            filled = self.outside.fill(
                [(one.snapshot, found.facts) for one, found in zip(heard, derived, strict=True)]
            )
        return [
            self._joined(one, found.facts, filled.get(one.snapshot.hubspot_id, _NOTHING))
            for one, found in zip(heard, derived, strict=True)
        ]

    def _heard(self, snapshots: Sequence[LeadSnapshot]) -> list[_Heard]:
        """Read each snapshot and merge it with what the lead answered before."""
        earlier: Mapping[str, tuple[Answer, ...]] = {}
        if self._policy.profile.keep:
            with transaction(self._ctx.engine) as conn:
                ids = [one.hubspot_id for one in snapshots]
                earlier = earlier_answers(conn, self._policy, ids)
        heard = []
        for snapshot in snapshots:
            read = read_facts(snapshot, self._policy, self._kept)
            merged = merge(
                read.facts,
                earlier.get(snapshot.hubspot_id, ()),
                snapshot,
                self._policy.profile,
                form_of(read.facts),
            )
            heard.append(_Heard(snapshot, merged, read.problems))
        return heard

    def _joined(self, one: _Heard, facts: Facts, filled: Filled) -> _Read:
        """Put together what the lead said and what providers found, and see what it fires."""
        if filled.facts:
            stated = {**one.merged.facts, **filled.facts}
            facts = enrich(stated, one.snapshot, self._policy).facts
        answers = one.merged.answers
        told = {label: f"said on {answer.words()}" for label, answer in answers.items()}
        return _Read(
            one.snapshot,
            facts,
            (*one.problems, *filled.problems),
            self._scopes(facts, one.snapshot),
            told | {label: _from(found) for label, found in filled.provenance.items()},
            one.merged.news,
            tuple(filled.awaiting),
        )

    def _scopes(self, facts: Facts, snapshot: LeadSnapshot) -> frozenset[str]:
        """Return the triggers that fire, else the bands by which the lead may be handed off."""
        moment = self._ctx.clock.decides_at(snapshot.captured_at)
        total = score(facts, self._policy, moment, say=_wordless).total_milli
        triggers = fired(
            facts,
            self._policy,
            moment,
            captured_at=snapshot.captured_at,
            total_milli=total,
        )
        scopes = frozenset(one.trigger.id for one in triggers if one.trigger.hands_off)
        # A hand raise asks for less than a band does, because a form asks for less.
        return scopes or _bands(self._policy, total)

    def _relations(self, read: Sequence[_Read], *, again: bool) -> dict[str, CrmRelations]:
        """Relate every lead to an account; ask Salesforce only about those that may be handed off."""
        candidates = [one for one in read if one.scopes or again]
        people: Mapping[str, PersonMatch] = {}
        if candidates:
            ids = [one.snapshot.hubspot_id for one in candidates]
            mails = {one.snapshot.hubspot_id: _text(one.facts, "E-mail") for one in candidates}
            known = self._ctx.salesforce.people(ids, [mail for mail in mails.values() if mail])
            people = {key: known.match(key, mail) for key, mail in mails.items()}
        return {
            one.snapshot.hubspot_id: self._related(one, people.get(one.snapshot.hubspot_id))
            for one in read
        }

    def _related(self, lead: _Read, person: PersonMatch | None) -> CrmRelations:
        facts, accounts = lead.facts, self._accounts
        account = match_account(
            _text(facts, "Company domain"),
            _text(facts, "Company name"),
            accounts.index,
            mail_domain=_text(facts, "E-mail domain"),
            country=_text(facts, "Country"),
        )
        if person is None:
            return relations_from(account)
        contact = person.contact
        own = accounts.by_id.get(contact.account_id or "") if contact is not None else None
        if own is not None:
            # The account that sales put the person into beats any guess by domain.
            account = replace(
                account,
                account=own,
                matched_by=MatchedBy.CONTACT,
                confidence=100,
                reasons=("a contact of this account in Salesforce",),
            )
        return relations_from(
            account,
            lead_id=person.lead.id if person.lead else None,
            lead_owner=accounts.owner_keys.get(person.lead.owner_id) if person.lead else None,
            contact_id=contact.id if contact else None,
        )


def _bands(policy: Policy, total_milli: int) -> frozenset[str]:
    """Return the bands that hand off and that a lead with this score is in, or may have kept."""
    own = band_of(total_milli, policy)
    high_to_low = policy.bands_high_to_low
    upwards = high_to_low[: high_to_low.index(own) + 1]
    return frozenset(
        band.name for band in upwards if band.hands_off and (band is own or band.keeps(total_milli))
    )


def _wordless(_template: str, _facts: Facts) -> str:
    """Say nothing: only the sum is asked for, and words cost more than points."""
    return ""


def _from(found: Provenance) -> str:
    return f"from {found.source} on {found.at:%Y-%m-%d}, {found.confidence} % sure"


def _text(facts: Facts, label: str) -> str | None:
    value = facts.get(label)
    return value if isinstance(value, str) and value else None
