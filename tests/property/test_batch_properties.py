"""Whole batches through one book: whatever they read of it, each decision can be repeated alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.test_decision_properties import FACTS, HISTORIES, NOW, POLICY, ROSTER

from baton.decision.decide import decide, decide_again, replay
from baton.decision.decision import Decision, DecisionOutcome, HoldReason, Origin
from baton.decision.inputs import DecisionInputs, gather
from baton.leads.history import NEW_LEAD
from baton.leads.relations import CrmRelations
from baton.policy.facts import FactValue
from baton.policy.models import Caps, Distribution, Policy
from baton.policy.roster import Leave, Roster
from baton.policy.targets import Target, TargetKind
from baton.routing.book import PoolBook
from baton.routing.distribution import PoolState

KEYS = [rep.key for rep in ROSTER.people]
OWNERS = st.one_of(st.none(), st.sampled_from([*KEYS, "gone@relay.test"]))
RELATIONS = st.builds(
    CrmRelations,
    account_id=st.sampled_from([None, "001A", "001B"]),
    account_owner=OWNERS,
    open_opportunity_id=st.sampled_from([None, None, "006A"]),
    open_opportunity_owner=OWNERS,
    lost_opportunity_owner=OWNERS,
    salesforce_lead_owner=OWNERS,
)
MAILS = st.sampled_from(
    ["a@acme.test", "b@acme.test", "jonas.keller+test@relay.test", "nobody+test@relay.test", None]
)
SPECIAL = st.fixed_dictionaries(
    {"E-mail": MAILS, "First name": st.just("Robin"), "Last name": st.just("Tester")},
    optional={
        "E-mail domain": st.sampled_from(["acme.test", "acme.test", "relay.test"]),
        "Company domain": st.sampled_from(["acme.test", "other.test", "gmail.com"]),
        "Company name": st.just("Acme"),
        "Source": st.sampled_from(["Offline", "Direct"]),
        "Source detail": st.just("IMPORT"),
        "Meeting booked at": st.sampled_from([NOW + timedelta(days=1), NOW - timedelta(days=9)]),
        "Meeting host": st.sampled_from([*KEYS[:3], "boss@elsewhere.test"]),
        "Territory": st.sampled_from(["DACH", "APAC", "UK and Nordics"]),
        "Form": st.sampled_from(["Newsletter", "Newsletter", "Demo request", "Contact sales"]),
        "Last conversion at": st.just(NOW - timedelta(minutes=1)),
    },
)
HOTS: Mapping[str, FactValue] = {
    "Job title": "VP Sales",
    "Phone": "+4930123456",
    "Company name": "Acme",
    "Company size": 300,
    "Industry": "COMPUTER_SOFTWARE",
    "Country": "DE",
    "Territory": "DACH",
    "Pricing page views": 4,
    "Pricing page last view at": NOW,
    "Decision timeline": "This month",
    "Budget range": "50k to 200k",
    "Primary pain point": "leads go stale",
}
PLAIN = st.just(CrmRelations())
LEADS = st.tuples(
    # Mostly leads that go to pools: what is drawn at random is seldom handed off at all.
    st.one_of(*[st.just(dict(HOTS))] * 5, FACTS),
    SPECIAL,
    st.one_of(*[st.just(NEW_LEAD)] * 5, HISTORIES),
    st.one_of(*[PLAIN] * 4, RELATIONS),
    st.one_of(st.none(), OWNERS),
    st.sampled_from([(), (), (), tuple(HoldReason)]),
)
COUNTS = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 4), max_size=4)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """The shipped policy with other ways to share, other caps, and other answers to nobody."""
    pools = {
        name: rule.model_copy(
            update={
                "distribute": (kind := draw(st.sampled_from(list(Distribution)))),
                "fit_by": ("Language", "Territory") if kind is Distribution.BEST_FIT else (),
                "only_in_hours": draw(st.booleans()),
                "caps": draw(st.sampled_from([None, Caps(hour=1), Caps(open=2, week=3)])),
            }
        )
        for name, rule in POLICY.pools.items()
    }
    words = st.sampled_from([None, Target(kind=TargetKind.WAIT), Target(kind=TargetKind.GO_ON)])
    route = tuple(
        rule.model_copy(update={"if_nobody": draw(words)})
        if rule.to.kind is TargetKind.POOL
        else rule
        for rule in POLICY.route
    )
    assert POLICY.imports is not None
    imports = POLICY.imports.model_copy(update={"a_day": draw(st.integers(1, 3))})
    together = draw(st.sampled_from([POLICY.keep_together, None]))
    update = {"pools": pools, "route": route, "imports": imports, "keep_together": together}
    return POLICY.model_copy(update=update)


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """The shipped roster with people away, with caps and with what they are good at."""
    away = (Leave(start=NOW - timedelta(days=1), end=NOW + timedelta(days=1)),)
    changes: dict[str, dict[str, Any]] = {}
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=6, unique=True)):
        changes[key] = draw(
            st.sampled_from(
                [
                    {"leave": away},
                    {"cap_hour": 1},
                    {"cap_week": 2, "cap_open": 9},
                    {"good_at": {"Language": ("de", "sv"), "Territory": ("DACH",)}},
                    {"active": False},
                ]
            )
        )
    people = tuple(rep.model_copy(update=changes.get(rep.key, {})) for rep in ROSTER.people)
    return Roster(people=people, pools=ROSTER.pools)


def inputs_of(policy: Policy, lead: tuple[Any, ...], position: int) -> DecisionInputs:
    facts, special, history, relations, colleagues, released = lead
    return gather(
        policy,
        lead_key=f"L{position}",
        facts={**facts, **{label: value for label, value in special.items() if value}},
        captured_at=NOW - timedelta(minutes=1),
        decided_at=NOW,
        relations=relations,
        history=history,
        position=position,
        released=released,
        colleagues=colleagues,
    )


@settings(deadline=None, max_examples=120)
@given(
    policies(),
    rosters(),
    st.lists(LEADS, min_size=1, max_size=6),
    COUNTS,
    COUNTS,
    st.integers(0, 3),
)
def test_every_decision_of_a_batch_can_be_repeated_from_what_it_consulted(
    policy: Policy,
    roster: Roster,
    batch: list[tuple[Any, ...]],
    lately: dict[str, int],
    in_week: dict[str, int],
    imported: int,
) -> None:
    book = PoolBook(
        {"SDR DACH": PoolState(2, {KEYS[5]: 1, KEYS[6]: -1})},
        open_loads=in_week,
        hour_loads=lately,
        day_loads=in_week,
        week_loads=in_week,
        imported=imported,
    )
    for position, lead in enumerate(batch):
        inputs = inputs_of(policy, lead, position)
        before = book.handed_off
        found = decide(inputs, policy, roster, book)
        again = replay(inputs.canonical(), found.canonical(), policy, roster)
        assert again.canonical() == found.canonical()
        stored = json.loads(json.dumps(found.to_json()))
        assert Decision.from_json(stored).canonical() == found.canonical()
        counted = found.outcome is DecisionOutcome.HANDOFF and found.origin is not Origin.TEST
        assert book.handed_off - before == counted
        assert_reasoned(found)


def assert_reasoned(found: Decision) -> None:
    """Nobody who is not routed is without a reason code; nobody waits who has been let go."""
    assert found.reason_code
    if found.outcome is DecisionOutcome.HOLD:
        assert found.reason_code in set(HoldReason)
    if found.outcome is DecisionOutcome.HANDOFF:
        assert found.route is not None
        assert found.route.owner is not None
        assert sum(step.chosen for step in found.route.trace) >= 1
        assert found.route.waits_for is None


@settings(deadline=None, max_examples=60)
@given(policies(), rosters(), LEADS, COUNTS, st.sets(st.sampled_from(KEYS), max_size=3))
def test_every_next_owner_can_be_repeated_and_had_it_never_before(
    policy: Policy, roster: Roster, lead: tuple[Any, ...], loads: dict[str, int], had: set[str]
) -> None:

    inputs = replace(inputs_of(policy, lead, 0), had_it=tuple(sorted(had)))
    if inputs.tester is not None:
        return
    found = decide_again(inputs, policy, roster, PoolBook(open_loads=loads, hour_loads=loads))
    assert replay(inputs.canonical(), found.canonical(), policy, roster) == found
    if found.route is not None and found.route.owner is not None:
        assert found.route.owner.key not in had


@pytest.mark.parametrize("hours", [0, 1])
def test_what_was_read_is_what_there_was_before_the_decision(hours: int) -> None:
    """A decision's own handoff is not among the loads it stores."""
    at: datetime = NOW + timedelta(hours=hours)
    facts = {**HOTS, "E-mail": "a@acme.test", "First name": "A", "Last name": "B"}
    inputs = gather(POLICY, lead_key="L", facts=facts, captured_at=at, decided_at=at)
    book = PoolBook(handed_off=4, imported=2)
    found = decide(inputs, POLICY, ROSTER, book)
    assert found.outcome is DecisionOutcome.HANDOFF
    assert (found.consulted["handed_off"], found.consulted["imported"]) == (4, 2)
    assert (book.handed_off, book.imported) == (5, 2)
