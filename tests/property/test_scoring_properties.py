"""Whatever a lead's values are: points that add up, one band, no exception, and what is not known
passes no test."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from baton.policy.conditions import AllOf, AnyOf, Condition, NoneOf, Operand, Operator, Test
from baton.policy.facts import Facts, FactValue, known
from baton.policy.fields import Field, FieldType
from baton.policy.implication import Implication
from baton.policy.loader import parse_policy, read_bundle
from baton.policy.parts import conditions
from baton.scoring.bands import band_of, higher
from baton.scoring.points import rules_for, score
from baton.scoring.triggers import fired

POLICY = parse_policy(read_bundle(Path(__file__).parents[2] / "include" / "policy"))
NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
LABELS = sorted(POLICY.fields)

ABSURD: st.SearchStrategy[FactValue] = st.sampled_from(
    [
        Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("1E+999999"),
        Decimal("-1E+999999"), Decimal("1E-999999"), 10**5000, -(10**5000), 0, True, False, "",
        "  ", "\x00", "\ud800", "{E-mail}", "%s", "İ", "ß" * 5000, (), ("",), ("a",) * 500, None,
        datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), date.min, date.max,
        datetime(2026, 11, 3, 10), datetime.min,  # noqa: DTZ001, DTZ901 (without a zone on purpose)
    ]
)  # fmt: skip
VALUES: st.SearchStrategy[FactValue] = st.one_of(
    ABSURD,
    st.text(max_size=30),
    st.integers(-(10**12), 10**12),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.booleans(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.lists(st.text(max_size=8), max_size=4).map(tuple),
)
FACTS = st.dictionaries(st.sampled_from(LABELS), VALUES, max_size=len(LABELS))
BANDS = st.sampled_from([None, "unknown", *POLICY.bands])
MILLI = st.integers(-2_000_000, 2_000_000)


@pytest.mark.requirement("002-06")
@given(facts=FACTS)
def test_the_score_is_exactly_the_sum_of_its_reasons(facts: Facts) -> None:
    found = score(facts, POLICY, NOW)
    assert found.total_milli == sum(reason.points_milli for reason in found.reasons)
    assert found.total_milli == found.fit_milli + found.intent_milli
    assert all(reason.points_milli for reason in found.reasons)
    assert len({reason.rule for reason in found.reasons}) == len(found.reasons)


@given(facts=FACTS)
def test_no_group_gives_more_than_its_ceiling_and_no_rule_more_than_it_may(facts: Facts) -> None:
    rules = {rule.id: rule for rule in POLICY.score}
    by_group = dict.fromkeys(POLICY.groups, 0)
    for reason in score(facts, POLICY, NOW).reasons:
        rule = rules[reason.rule]
        assert abs(reason.points_milli) <= abs(rule.points_milli) * (rule.up_to or 1)
        if rule.group is not None:
            by_group[rule.group] += reason.points_milli
    assert all(given <= POLICY.groups[name].at_most_milli for name, given in by_group.items())


@given(facts=FACTS)
def test_a_role_address_is_scored_by_its_company_alone(facts: Facts) -> None:
    held = {**facts, "Role address": True}
    found = score(held, POLICY, NOW)
    assert found.intent_milli == 0
    person = [label for label, field in POLICY.fields.items() if not field.about_company]
    without = {label: value for label, value in held.items() if label not in person}
    assert score({**without, "Role address": True}, POLICY, NOW) == found
    assert set(rules_for(held, POLICY)) <= set(POLICY.score)


@given(facts=FACTS, total=MILLI)
def test_triggers_come_in_the_order_of_the_policy(facts: Facts, total: int) -> None:
    found = [
        one.trigger.id for one in fired(facts, POLICY, NOW, captured_at=NOW, total_milli=total)
    ]
    assert found == [name for name in POLICY.triggers if name in found]


@given(facts=FACTS)
def test_every_condition_of_the_policy_answers(facts: Facts) -> None:
    for _, condition in conditions(POLICY):
        assert condition.evaluate(facts, NOW) in (True, False)
        assert condition.describe()


@given(total=MILLI, more=st.integers(0, 500_000), before=BANDS)
@example(total=75_000, more=1, before=None)
@example(total=70_000, more=1, before="hot")
def test_more_points_never_mean_a_lower_band(total: int, more: int, before: str | None) -> None:
    low, high = band_of(total, POLICY, before), band_of(total + more, POLICY, before)
    assert not higher(low.name, high.name, POLICY)


@given(total=MILLI, before=BANDS)
def test_a_band_once_reached_is_kept_when_nothing_changes(total: int, before: str | None) -> None:
    """Asked again with the same score, a lead stays where it is: no flapping."""
    found = band_of(total, POLICY, before)
    assert band_of(total, POLICY, found.name) == found
    assert not higher(band_of(total, POLICY).name, found.name, POLICY)


OPERANDS: st.SearchStrategy[Operand] = st.one_of(
    st.text(max_size=5), st.integers(-9, 9), st.decimals(-9, 9, places=1), st.booleans(), st.dates()
)


@st.composite
def single_tests(draw: st.DrawFn) -> Test:
    operator = draw(st.sampled_from(sorted(Operator)))
    match operator:
        case Operator.EXISTS:
            operand: Operand = draw(st.booleans())
        case Operator.WITHIN_DAYS:
            operand = draw(st.integers(0, 36_500))
        case Operator.MATCHES:
            operand = draw(st.sampled_from([r"\d+", "a|b", "^x", r"\bceo\b"]))
        case Operator.BETWEEN:
            operand = tuple(draw(st.lists(OPERANDS, min_size=2, max_size=2)))
        case Operator.IN | Operator.NOT_IN:
            operand = tuple(draw(st.lists(OPERANDS, min_size=1, max_size=3)))
        case _:
            operand = draw(OPERANDS)
    return Test("Value", operator, operand)


@given(test=single_tests(), value=VALUES)
def test_any_operator_meets_any_value_without_an_exception(test: Test, value: FactValue) -> None:
    assert test.evaluate({"Value": value}, NOW) in (True, False)


@given(test=single_tests(), value=st.sampled_from([None, "", " \t", ()]), there=st.booleans())
def test_what_is_not_known_passes_no_test_but_the_one_for_absence(
    test: Test, value: FactValue, there: bool
) -> None:
    facts = {"Value": value} if there else {}
    absence = test.operator is Operator.EXISTS and not test.operand
    assert not known(value)
    assert test.evaluate(facts, NOW) is absence
    assert NoneOf((test,)).evaluate(facts, NOW) is not absence


FIELDS = {
    "Size": Field(label="Size", hubspot="size", type=FieldType.INTEGER),
    "Word": Field(label="Word", hubspot="word"),
    "Several": Field(label="Several", hubspot="several", type=FieldType.LIST),
}
WORDS = st.sampled_from(["a", "B", "ab"])


@st.composite
def small_tests(draw: st.DrawFn) -> Test:
    label = draw(st.sampled_from(sorted(FIELDS)))
    if draw(st.integers(0, 6)) == 0:
        return Test(label, Operator.EXISTS, draw(st.booleans()))
    if label != "Size" or draw(st.booleans()):
        values = st.integers(0, 4) if label == "Size" else WORDS
        operator = draw(st.sampled_from([Operator.IN, Operator.NOT_IN]))
        return Test(label, operator, tuple(draw(st.lists(values, min_size=1, max_size=3))))
    operator = draw(st.sampled_from([Operator.AT_LEAST, Operator.AT_MOST, Operator.ABOVE,
                                     Operator.BELOW, Operator.BETWEEN]))  # fmt: skip
    low, high = sorted(draw(st.tuples(st.integers(0, 4), st.integers(0, 4))))
    return Test(label, operator, (low, high) if operator is Operator.BETWEEN else low)


SMALL: st.SearchStrategy[Condition] = st.recursive(
    small_tests(),
    lambda inner: st.tuples(
        st.sampled_from([AllOf, AnyOf, NoneOf]), st.lists(inner, min_size=1, max_size=3)
    ).map(lambda made: made[0](tuple(made[1]))),
    max_leaves=6,
)
SMALL_FACTS = st.fixed_dictionaries(
    {},
    optional={
        "Size": st.integers(-1, 5),
        "Word": WORDS,
        "Several": st.lists(WORDS, max_size=2).map(tuple),
    },
)
COMPARE = Implication(FIELDS)


@given(wide=SMALL, narrow=SMALL, leads=st.lists(SMALL_FACTS, min_size=12, max_size=12))
def test_what_is_said_of_two_conditions_holds_for_every_lead(
    wide: Condition, narrow: Condition, leads: list[Facts]
) -> None:
    covers, apart = COMPARE.covers(wide, narrow), COMPARE.disjoint(wide, narrow)
    clash = COMPARE.impossible(narrow)
    for facts in leads:
        inner, outer = narrow.evaluate(facts, NOW), wide.evaluate(facts, NOW)
        assert outer or not (covers and inner)
        assert not (apart and inner and outer)
        assert not (clash and inner)


HOSTILE = ["a" * 1000, "ab" * 500, " " * 1000, "head of " * 125, "x" * 999 + "!"]


@pytest.mark.parametrize(
    "pattern",
    [r"\w*ager\w*", r"(head|chief).*(sales|marketing)", r"a*b", r".*x.*", r"\b(vp|head)\b"],
)
def test_an_allowed_pattern_ends_soon_on_a_hostile_text(pattern: str) -> None:
    from baton.policy.patterns import check_pattern

    check_pattern(pattern)
    test = Test("Value", Operator.MATCHES, pattern)
    started = datetime.now(UTC)
    for text in HOSTILE:
        test.evaluate({"Value": text * 10}, NOW)
    assert datetime.now(UTC) - started < timedelta(seconds=5)
