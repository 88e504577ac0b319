"""The columnar engine says what the scalar engine says: whatever leads, policy, roster and book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.decision.column_inputs import matcher
from baton.decision.columns import DecisionFrame, FrameDecisions, decide_frame
from baton.decision.decide import decide
from baton.decision.decision import Decision
from baton.decision.inputs import DecisionInputs, gather
from baton.leads.accounts import Account, AccountIndex, match_account
from baton.leads.history import NEW_LEAD, LeadHistory, OpenHandoff
from baton.leads.relations import relations_from
from baton.leads.states import LeadState
from baton.leads.verdict import GOOD, Failure, Verdict
from baton.policy.conditions import (
    AllOf,
    AnyOf,
    Condition,
    NoneOf,
    Operand,
    Operator,
    Test,
)
from baton.policy.durations import parse_duration
from baton.policy.facts import FactValue
from baton.policy.loader import parse_policy, read_bundle, roster_from_yaml
from baton.policy.models import Caps, Distribution, Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.routing.distribution import PoolState
from baton.scoring.bands import band_of
from baton.scoring.column_conditions import Judge
from baton.scoring.column_points import score_frame
from baton.scoring.columns import frame_of
from baton.scoring.points import score

SHIPPED = Path(__file__).parents[2] / "include" / "policy"
POLICY = parse_policy(read_bundle(SHIPPED))
ROSTER = roster_from_yaml((SHIPPED / "roster.yaml").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
FIRST, LAST = datetime(2026, 9, 1), datetime(2026, 11, 26)  # noqa: DTZ001 (zone added below)
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
ELSEWHERE = st.datetimes(FIRST, LAST, timezones=st.just(timezone(timedelta(hours=2))))
MOMENTS = st.one_of(st.just(NOW), INSTANTS)
WORDS = st.sampled_from(["Demo request", "DACH", " dach ", "Enterprise", "VP Sales", "", " ", "1"])
NUMBERS = st.one_of(
    st.integers(-3, 6000), st.sampled_from([Decimal("1.0"), Decimal(1), Decimal("NaN"), 10**30])
)
DAYS = st.dates(date(2026, 9, 1), date(2026, 11, 26))
VALUES: st.SearchStrategy[FactValue] = st.one_of(
    st.none(),
    WORDS,
    NUMBERS,
    st.booleans(),
    INSTANTS,
    ELSEWHERE,
    DAYS,
    st.lists(WORDS, max_size=2).map(tuple),
)
# Columns of one kind, and columns in which anything stands.
COLUMNS = st.sampled_from([VALUES, INSTANTS, NUMBERS, WORDS, st.integers(-(2**70), 2**70)])


# ------------------------------------------------------------------------------ conditions and scores


def conditions() -> st.SearchStrategy[Condition]:
    """Return conditions over the labels A and B, deep and odd ones too."""
    plain = st.one_of(WORDS, NUMBERS, st.booleans(), INSTANTS, DAYS)
    several = st.lists(plain, min_size=1, max_size=3).map(tuple)
    member = st.sampled_from(
        [Operator.IS, Operator.IS_NOT, Operator.IN, Operator.NOT_IN, Operator.CONTAINS]
    )
    order = st.sampled_from([Operator.AT_LEAST, Operator.AT_MOST, Operator.ABOVE, Operator.BELOW])

    def tests(operators: Any, operands: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
        return st.builds(Test, st.sampled_from(["A", "B", "C"]), operators, operands)

    leaf: st.SearchStrategy[Condition] = st.one_of(
        tests(member, several),
        tests(order, plain),
        tests(st.just(Operator.BETWEEN), st.tuples(plain, plain)),
        tests(st.just(Operator.WITHIN_DAYS), st.integers(0, 90)),
        tests(st.just(Operator.EXISTS), st.booleans()),
        tests(st.just(Operator.MATCHES), st.sampled_from(["dach|vp", r"\d", "2026-11"])),
    )

    def joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        some = st.lists(parts, max_size=3).map(tuple)
        return st.one_of(st.builds(AllOf, some), st.builds(AnyOf, some), st.builds(NoneOf, some))

    return st.recursive(leaf, joined, max_leaves=6)


@settings(deadline=None, max_examples=250)
@given(st.data(), st.lists(conditions(), min_size=1, max_size=4), st.integers(0, 6))
def test_a_condition_holds_of_a_column_as_it_holds_of_each_lead(
    data: st.DataObject, asked: list[Condition], count: int
) -> None:
    columns: dict[str, list[FactValue]] = {
        label: data.draw(st.lists(data.draw(COLUMNS), min_size=count, max_size=count))
        for label in ("A", "B")
    }
    moments = data.draw(st.lists(MOMENTS, min_size=count, max_size=count))
    if data.draw(st.booleans()):
        moments = [NOW] * count
    judge = Judge(frame_of(columns), moments)
    for condition in asked:
        alone = [
            condition.evaluate({"A": columns["A"][i], "B": columns["B"][i]}, moments[i])
            for i in range(count)
        ]
        assert judge.holds(condition).tolist() == alone


def test_many_whole_numbers_are_compared_as_numbers() -> None:
    """A column with too many distinct numbers for codes; bounds of every kind."""
    numbers: list[FactValue] = [*range(-3000, 3000), None]
    frame = frame_of({"A": numbers})
    assert type(frame.columns["A"]).__name__ == "Wholes"
    judge = Judge(frame, NOW)
    bounds: list[Operand] = [5, Decimal("5.5"), Decimal("-0.5"), True, "5", Decimal("NaN"), 10**40]
    for operator in (Operator.AT_LEAST, Operator.AT_MOST, Operator.ABOVE, Operator.BELOW):
        for bound in bounds:
            asked = Test("A", operator, bound)
            alone = [asked.evaluate({"A": number}, NOW) for number in numbers]
            assert judge.holds(asked).tolist() == alone, (operator, bound)
    member = Test("A", Operator.IN, (7, Decimal(8), "9"))
    assert judge.holds(member).tolist() == [member.evaluate({"A": n}, NOW) for n in numbers]


BY_TYPE: dict[str, st.SearchStrategy[FactValue]] = {
    "integer": st.integers(-2, 6000),
    "number": st.decimals(-10, 200, places=1),
    "boolean": st.booleans(),
    "datetime": INSTANTS,
    "date": DAYS,
}
ANY_FACTS = st.fixed_dictionaries(
    {},
    optional={
        label: st.one_of(BY_TYPE.get(field.type, WORDS), VALUES)
        for label, field in POLICY.fields.items()
    },
)
RULES = {rule.id: rule for rule in POLICY.score}


def changed(policy: Policy, **values: object) -> Policy:
    """Return a policy with other parts, which remembers nothing of the old one."""
    kept = {name: getattr(policy, name) for name in Policy.model_fields}
    return Policy.model_construct(**(kept | values))


ODD_POLICY = changed(
    POLICY,
    # No limit to how often points count, points that decay downwards, ceilings that cut.
    scoring=POLICY.scoring.model_copy(
        update={
            "intent": tuple(
                rule.model_copy(update={"up_to": None, "group": "engagement"})
                if rule.for_each
                else rule.model_copy(update={"points": Decimal("-7.125")})
                if rule.id == "pricing-page"
                else rule
                for rule in POLICY.scoring.intent
            )
        }
    ),
)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(ANY_FACTS, MOMENTS, st.sampled_from([None, *POLICY.bands])), max_size=6),
    st.sampled_from([POLICY, ODD_POLICY]),
)
def test_scores_reasons_and_bands_are_those_of_each_lead(
    leads: list[tuple[dict[str, FactValue], datetime, str | None]], policy: Policy
) -> None:
    frame = frame_of([facts for facts, _, _ in leads])
    found = score_frame(
        frame, policy, [at for _, at, _ in leads], before=[band for _, _, band in leads]
    )
    for place, (facts, at, before) in enumerate(leads):
        alone = score(facts, policy, at)
        assert found.total_milli[place] == alone.total_milli
        assert found.fit_milli[place] == alone.fit_milli
        assert found.intent_milli[place] == alone.intent_milli
        assert found.gave(place) == tuple((r.rule, r.points_milli) for r in alone.reasons)
        assert found.reasons(place) == alone.reasons
        assert found.band(place) == band_of(alone.total_milli, policy, before).name
    for rule in RULES:
        given_by_rule = sum(dict(found.gave(place)).get(rule, 0) for place in range(len(leads)))
        assert found.points(rule).sum() == given_by_rule


# ----------------------------------------------------------------------------------- whole decisions


ACCOUNTS = AccountIndex(
    [
        Account("A1", "North Mills", "north-mills.test", owner="helena.voss@relay.test"),
        Account("A2", "South Works", "south-works.test", owner="gone@relay.test"),
        Account("A3", "Twice", "twice.test", type="Customer"),
        Account("A4", "Twice", "twice.test"),
        Account(
            "A5",
            "West Yard",
            "west-yard.test",
            open_opportunity_id="O1",
            open_opportunity_owner="marcus.bell@relay.test",
        ),
    ]
)
DOMAINS = ["north-mills.test", "south-works.test", "twice.test", "west-yard.test", *"abcdef"]
RECENTLY = st.integers(1, 400).map(lambda minutes: NOW - timedelta(minutes=minutes))
EAGER = st.fixed_dictionaries(
    {
        "E-mail": st.sampled_from(["a@north-mills.test", "qa+x@relay.test", "c@twice.test"]),
        "First name": st.just("Ada"),
        "Last name": st.sampled_from(["Byron", ""]),
        "Company name": st.sampled_from(["North Mills", "Twice", "West Yard", "Nobody Ltd"]),
        "Company domain": st.sampled_from(DOMAINS),
        "Company size": st.sampled_from([5, 60, 600, 6000]),
        "Country": st.sampled_from(["DE", "US", "GB", "IT"]),
        "Territory": st.sampled_from(["DACH", "Americas", "UK and Nordics", "APAC", "Nowhere"]),
        "Segment": st.sampled_from(["Enterprise", "Mid-market", "Small"]),
        "Industry": st.just("COMPUTER_SOFTWARE"),
        "Job title": st.sampled_from(["VP Sales", "Head of Sales", "student"]),
        "Language": st.sampled_from(["de", "en"]),
        "Budget range": st.just("50k to 200k"),
        "Decision timeline": st.just("This month"),
    },
    optional={
        "Demo requested at": RECENTLY,
        "Inbound call at": RECENTLY,
        "Quiz score": st.sampled_from([Decimal(60), Decimal(90)]),
        "Quiz taken at": RECENTLY,
        "Role address": st.booleans(),
        "Source": st.just("Offline"),
        "Source detail": st.just("IMPORT"),
        "Meeting booked at": st.just(NOW + timedelta(days=1)),
        "Meeting host": st.just("sofia.ricci@relay.test"),
        "Named account owner": st.just("tom.adeyemi@relay.test"),
        "Named account": st.booleans(),
        "Permission to hand off": st.booleans(),
    },
)
LEADS = st.one_of(EAGER, EAGER, ANY_FACTS)
PLAIN = st.builds(
    LeadHistory,
    state=st.sampled_from([LeadState.SEEN, LeadState.NURTURE, LeadState.HELD]),
    band_before=st.sampled_from([None, *POLICY.bands]),
)
ODD = st.builds(
    LeadHistory,
    state=st.sampled_from([s for s in LeadState if s is not LeadState.IN_HANDOFF]),
    earlier_owners=st.sampled_from([(), ("jonas.keller@relay.test",)]),
    cycle=st.integers(0, 2),
    last_disposition=st.sampled_from([None, *POLICY.dispositions]),
    last_trigger_at=st.one_of(st.none(), RECENTLY),
)
OPEN = LeadHistory(LeadState.IN_HANDOFF, open_handoff=OpenHandoff(1, "jonas.keller@relay.test", 1))
HISTORIES = st.one_of(st.just(NEW_LEAD), st.just(NEW_LEAD), PLAIN, ODD, st.just(OPEN))
VERDICTS = st.sampled_from(
    [GOOD, GOOD, GOOD]
    + [
        Verdict(False, (Failure(label, "required", f"{label} is missing"),))
        for label in ("E-mail", "Company size", "Budget range")
    ]
)


def _pools(distribute: Distribution, caps: Caps | None, *, only_in_hours: bool) -> Policy:
    told = {"distribute": distribute, "caps": caps, "only_in_hours": only_in_hours}
    if distribute is Distribution.BEST_FIT:
        told["fit_by"] = ("Language",)
    return changed(
        POLICY,
        pools={name: pool.model_copy(update=told) for name, pool in POLICY.pools.items()},
    )


POLICIES = [
    POLICY,
    changed(
        POLICY, keep_together=None, guards=POLICY.guards.model_copy(update={"handoffs_per_run": 2})
    ),
    _pools(Distribution.ROUND_ROBIN, Caps(open=2), only_in_hours=True),
    _pools(Distribution.LOAD_BALANCE, Caps(day=3, hour=2), only_in_hours=False),
    _pools(Distribution.BEST_FIT, None, only_in_hours=False),
    # The ladder without its end, short, and in another order.
    changed(POLICY, route=tuple(rule for rule in POLICY.route if not rule.fallback)),
    changed(POLICY, route=tuple(reversed(POLICY.route)), imports=None),
    changed(POLICY, route=(), required={}, suppress=()),
    changed(POLICY, required={"always": ("Budget range",), "hot": ("Segment",)}, meetings=None),
    changed(ODD_POLICY, triggers={}, testers=()),
]


def _rosters() -> list[Roster]:
    people = [
        rep.model_copy(
            update={
                "cap_open": place % 3 + 1 if place % 2 else None,
                "good_at": {"Language": ("de",)} if place % 3 else {},
                "active": place % 7 != 3,
            }
        )
        for place, rep in enumerate(ROSTER.people)
    ]
    return [ROSTER, Roster.model_construct(people=tuple(people), pools=ROSTER.pools)]


ROSTERS = _rosters()


def _book() -> PoolBook:
    state = PoolState(3, {"jonas.keller@relay.test": 1, "mira.lindner@relay.test": -1})
    return PoolBook({"SDR DACH": state}, open_loads={"hiro.tanaka@relay.test": 2}, handed_off=1)


def row(found: Decision) -> tuple[object, ...]:
    """Return what stands in the columns of a decision."""
    led = found.route
    owner = led.owner if led else None
    return (
        found.outcome,
        found.reason_code,
        found.band,
        found.score.total_milli if found.score else 0,
        found.score is not None,
        found.trigger,
        led.rule_id if led else None,
        owner.key if owner else None,
        owner.kind if owner else None,
        led.pool if led else None,
        found.lead_state,
        found.words,
        found.failures,
        found.score,
    )


def row_at(found: FrameDecisions, place: int) -> tuple[object, ...]:
    """Return the same of one lead of a frame."""
    return (
        found.outcomes[place],
        found.reason_codes[place],
        found.bands[place],
        found.score_milli[place],
        bool(found.judged[place]),
        found.triggers[place],
        found.rules[place],
        found.owners[place],
        found.owner_kinds[place],
        found.pools[place],
        found.lead_states[place],
        found.words(place),
        found.failures(place),
        found.score(place),
    )


def agree(
    inputs: Sequence[DecisionInputs], frame: DecisionFrame, policy: Policy, roster: Roster
) -> None:
    """Decide on all leads both ways and compare everything, the books at the end too."""
    one_by_one, at_once = _book(), _book()
    alone = [decide(each, policy, roster, one_by_one) for each in inputs]
    found = decide_frame(frame, policy, roster, at_once)
    assert [row_at(found, place) for place in range(len(found))] == list(map(row, alone))
    assert _states(at_once) == _states(one_by_one)
    assert at_once.handed_off == one_by_one.handed_off
    assert at_once.imported == one_by_one.imported
    for rep in roster.people:
        assert at_once.loads(rep.key) == one_by_one.loads(rep.key)
    for place, decision in enumerate(alone):
        assert found.decision(place).canonical() == decision.canonical()
    assert sum(found.counts().values()) == len(inputs)


def _states(book: PoolBook) -> dict[str, object]:
    return {name: state.to_json() for name, state in book.changed.items()}


Told = tuple[dict[str, FactValue], LeadHistory, Verdict, bool]


def gathered(told: Sequence[Told], policy: Policy) -> list[DecisionInputs]:
    """Return the inputs of leads, each with its account."""
    return [
        gather(
            policy,
            lead_key=f"L{place}",
            facts=facts,
            captured_at=NOW - timedelta(minutes=1),
            decided_at=NOW + timedelta(hours=9) if late else NOW,
            verdict=verdict,
            relations=relations_from(_match(facts)),
            history=history,
            position=place,
            released=("blast_radius",) if late else (),
        )
        for place, (facts, history, verdict, late) in enumerate(told)
    ]


def _match(facts: Mapping[str, FactValue]) -> Any:
    domain, name, mail, country = (
        value if isinstance(value := facts.get(label), str) and value else None
        for label in ("Company domain", "Company name", "E-mail domain", "Country")
    )
    return match_account(domain, name, ACCOUNTS, mail_domain=mail, country=country)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(LEADS, HISTORIES, VERDICTS, st.booleans()), min_size=1, max_size=8),
    st.sampled_from(POLICIES),
    st.sampled_from(ROSTERS),
)
def test_decisions_by_columns_are_those_of_each_lead(
    told: list[Told], policy: Policy, roster: Roster
) -> None:
    inputs = gathered(told, policy)
    agree(inputs, DecisionFrame.of_inputs(inputs), policy, roster)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(LEADS, VERDICTS), min_size=1, max_size=8),
    st.sampled_from(POLICIES),
    st.sampled_from(ROSTERS),
    st.sampled_from([(), ("blast_radius",)]),
)
def test_a_frame_of_facts_is_gathered_and_matched_as_each_lead_is(
    told: list[tuple[dict[str, FactValue], Verdict]],
    policy: Policy,
    roster: Roster,
    released: tuple[str, ...],
) -> None:
    facts, verdicts = [each for each, _ in told], [verdict for _, verdict in told]
    inputs = [
        replace(each, position=each.position + 2, released=released)
        for each in gathered([(one, NEW_LEAD, verdict, False) for one, verdict in told], policy)
    ]
    frame = DecisionFrame.of_facts(
        frame_of(facts),
        policy,
        matcher(ACCOUNTS),
        lead_keys=[each.lead_key for each in inputs],
        captured_at=[each.captured_at for each in inputs],
        decided_at=NOW,
        verdicts=verdicts,
        positions=[each.position for each in inputs],
        released=released,
    )
    agree(inputs, frame, policy, roster)


@settings(deadline=None, max_examples=12)
@given(st.lists(EAGER, min_size=1, max_size=8), st.sampled_from(POLICIES))
def test_recorded_inputs_are_decided_on_under_another_policy(
    facts: list[dict[str, FactValue]], policy: Policy
) -> None:
    """What-if: gathered under the shipped policy, decided on under another."""
    inputs = gathered([(each, NEW_LEAD, GOOD, False) for each in facts], POLICY)
    frame = DecisionFrame.of_inputs(inputs)
    agree(inputs, frame, POLICY, ROSTER)
    agree(inputs, frame, policy, ROSTER)


def test_keep_together_spans_chunks_that_share_a_book() -> None:
    policy = changed(POLICY, keep_together=POLICY.keep_together or _thirty_days())
    facts: dict[str, FactValue] = {
        "E-mail": "a@b.test",
        "First name": "Ada",
        "Last name": "Byron",
        "Company name": "B",
        "Company domain": "b.test",
        "Territory": "DACH",
        "Country": "DE",
        "Demo requested at": NOW - timedelta(minutes=5),
    }
    inputs = gathered([(facts, NEW_LEAD, GOOD, False)] * 4, policy)
    book = PoolBook()
    owners = [
        owner
        for part in (inputs[:2], inputs[2:])
        for owner in decide_frame(part, policy, ROSTER, book).owners
    ]
    assert owners[0] is not None
    assert set(owners) == {owners[0]}


def _thirty_days() -> Any:
    from baton.policy.models import KeepTogether

    return KeepTogether.model_validate({"for": parse_duration("30 days")})


def test_an_empty_frame_has_no_decisions() -> None:
    found = decide_frame([], POLICY, ROSTER, PoolBook())
    assert len(found) == 0
    assert not found.counts()
    assert len(score_frame(frame_of([]), POLICY, NOW)) == 0
    assert np.array_equal(score_frame(frame_of([]), POLICY, NOW).total_milli, [])
