"""Every change that is named, made to the lead by another way and decided, gives what it claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from baton.decision.boundary_values import GIVEN
from baton.decision.counterfactual import (
    MOST_RUNS,
    Change,
    Claim,
    Goal,
    claim_of,
    smallest_changes,
    under,
)
from baton.decision.decide import decide
from baton.decision.decision import Decision, DecisionOutcome
from baton.decision.facts_that_follow import FactChange
from baton.decision.inputs import DecisionInputs, gather
from baton.leads.enrichment import enrich
from baton.leads.history import LeadHistory
from baton.leads.model import LeadSnapshot
from baton.leads.relations import CrmRelations
from baton.policy.facts import FactValue, known
from baton.policy.loader import parse_policy, read_bundle, roster_from_yaml
from baton.routing.book import PoolBook
from baton.routing.distribution import PoolState
from baton.scoring.bands import higher

SHIPPED = Path(__file__).parents[2] / "include" / "policy"
POLICY = parse_policy(read_bundle(SHIPPED))
ROSTER = roster_from_yaml((SHIPPED / "roster.yaml").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
RAISES = POLICY.hand_raise_times


def some(*values: FactValue) -> st.SearchStrategy[FactValue]:
    return st.sampled_from(values)


AGES = st.integers(0, 100).map(lambda days: NOW - timedelta(days=days, hours=2))
LEADS = st.fixed_dictionaries(
    {"E-mail": some("robin@softworks.test", "robin@gmail.com", "info@softworks.test")},
    optional={
        "First name": some("Robin"),
        "Last name": some("Tester"),
        "Phone": some("+4930901820"),
        "Company name": some("Softworks"),
        "Company size": st.integers(1, 6000),
        "Industry": some("COMPUTER_SOFTWARE", "TOBACCO", "FISHERY"),
        "Job title": some("VP Sales", "Sales manager", "Student"),
        "Country": some("DE", "US", "GB", "JP", "IT", "BR"),
        "Website": some("softworks.test"),
        "Tech stack": some(("HubSpot",), ("Other",)),
        "Budget range": some("Under 10k", "50k to 200k"),
        "Decision timeline": some("This month", "This quarter", "This year", "Just looking"),
        "Primary pain point": some("leads go stale"),
        "Quiz score": st.integers(0, 100),
        "Quiz answers": some("some"),
        "Quiz taken at": AGES,
        "Last conversion": some("Demo request", "Home: Contact sales", "Newsletter"),
        "Last conversion at": AGES,
        "Demo requested at": AGES,
        "Pricing page views": st.integers(0, 5),
        "Pricing page last view at": AGES,
        "Content downloads": st.integers(0, 7),
        "Last content at": AGES,
        "Permission to hand off": st.booleans(),
    },
)
HISTORIES = st.one_of(
    st.just(LeadHistory()),
    st.builds(
        LeadHistory,
        band_before=st.sampled_from([None, *POLICY.bands]),
        earlier_owners=some((), ("mira.lindner@relay.test",)),
        cycle=st.integers(0, 2),
    ),
)
RELATIONS = st.sampled_from(
    [
        CrmRelations(),
        CrmRelations(
            account_id="001", account_name="Softworks", account_owner="helena.voss@relay.test"
        ),
        CrmRelations(
            account_id="001",
            account_type="Customer",
            account_owner="ines.moreau@relay.test",
            open_opportunity_id="006",
            open_opportunity_owner="tom.adeyemi@relay.test",
        ),
    ]
)


def inputs_of(
    facts: Mapping[str, FactValue],
    history: LeadHistory,
    relations: CrmRelations,
    captured: datetime | None = None,
) -> DecisionInputs:
    """What the chain itself would make of these facts."""
    raised = [at for label in RAISES if isinstance(at := facts.get(label), datetime)]
    at = captured or max(raised, default=NOW - timedelta(hours=1))
    snapshot = LeadSnapshot(
        hubspot_id="1", modified_at=NOW, seen_at=NOW, captured_at=at, properties={}
    )
    found = enrich(facts, snapshot, POLICY).facts
    return gather(
        POLICY,
        lead_key="1",
        facts=found,
        captured_at=at,
        decided_at=NOW,
        history=history,
        relations=relations,
    )


def book_of(decision: Decision) -> PoolBook:
    return PoolBook.from_consulted(decision.consulted)


def told(claim: Claim) -> tuple[object, ...]:
    return claim.outcome, claim.reason_code, claim.band, claim.total_milli, claim.pool


def any_text_will_do(one: FactChange) -> bool:
    """Personal facts are not named, and a text that is only wanted at all can be any."""
    return one.only_known and (one.after is None or one.after in (GIVEN, (GIVEN,)))


def of_the_mailbox(change: Change) -> bool:
    """An address is personal: what an other one would tell is not worked out from it."""
    derived = {"Free mail", "Disposable address", "Role address", "E-mail domain"}
    return any(fact.label in derived for fact in change.facts)


@settings(deadline=None, max_examples=80)
@given(LEADS, HISTORIES, RELATIONS)
def test_every_change_that_is_named_gives_exactly_what_it_claims(
    facts: dict[str, FactValue], history: LeadHistory, relations: CrmRelations
) -> None:
    inputs = inputs_of(facts, history, relations)
    book = PoolBook({"SDR DACH": PoolState(2, {"jonas.keller@relay.test": 1}, {})})
    decision = decide(inputs, POLICY, ROSTER, book)

    found = smallest_changes(inputs, decision, POLICY, ROSTER)

    assert found.runs <= MOST_RUNS
    assert told(found.base) == told(claim_of(decision, decision.consulted))
    for change in found.changes:
        proof = under(change, inputs, decision, POLICY, ROSTER)
        assert claim_of(proof, decision.consulted) == change.claim
        reached(change, found.base)
        if change.circumstance is not None or of_the_mailbox(change):
            continue
        # The same from the beginning: the source facts are changed, all else is worked out.
        other = dict(facts)
        for one in change.facts:
            other[one.label] = "anything" if any_text_will_do(one) else one.after
        raises = any(one.label in RAISES for one in change.facts)
        given_facts = {label: value for label, value in other.items() if known(value)}
        again = inputs_of(given_facts, history, relations, None if raises else inputs.captured_at)
        if raises and not any(label in given_facts for label in RAISES):
            again = replace(again, captured_at=inputs.captured_at)
        really = decide(again, POLICY, ROSTER, book_of(decision))
        assert told(claim_of(really, decision.consulted)) == told(change.claim)


def reached(change: Change, base: Claim) -> None:
    claim = change.claim
    match change.goal:
        case Goal.HIGHER_BAND:
            assert higher(claim.band, base.band, POLICY)
        case Goal.LOWER_BAND:
            assert higher(base.band, claim.band, POLICY)
        case Goal.HANDED_OVER:
            assert base.outcome is not DecisionOutcome.HANDOFF
            assert claim.outcome is DecisionOutcome.HANDOFF
        case Goal.OTHER_OWNER:
            assert claim.outcome is DecisionOutcome.HANDOFF
            assert (claim.owner or claim.pool) not in (base.owner, None)
