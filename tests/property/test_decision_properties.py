"""Whatever a lead looks like: a decision with a reason, a score that adds up, a replay that agrees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from baton.decision.decide import decide, replay
from baton.decision.decision import DecisionOutcome
from baton.decision.inputs import gather
from baton.leads.history import LeadHistory, OpenHandoff
from baton.leads.states import LeadState, allowed
from baton.policy.facts import FactValue
from baton.policy.fields import FieldType
from baton.policy.loader import parse_policy, read_bundle, roster_from_yaml
from baton.routing.book import PoolBook

SHIPPED = Path(__file__).parents[2] / "include" / "policy"
POLICY = parse_policy(read_bundle(SHIPPED))
ROSTER = roster_from_yaml((SHIPPED / "roster.yaml").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
FIRST, LAST = datetime(2026, 1, 1), datetime(2026, 11, 4)  # noqa: DTZ001 (zone added below)
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
WORDS = st.sampled_from(
    [
        "Demo request",
        "DACH",
        "APAC",
        "Mid-market",
        "Enterprise",
        "COMPUTER_SOFTWARE",
        "CEO",
        "{x}",
        "ÿ",
    ]
)
BY_TYPE: dict[FieldType, st.SearchStrategy[FactValue]] = {
    FieldType.INTEGER: st.integers(-5, 6000),
    FieldType.NUMBER: st.decimals(-10, 200, places=1),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATETIME: INSTANTS,
    FieldType.LIST: st.lists(WORDS, max_size=3).map(tuple),
}
# Now and then a value of another kind altogether.
NONSENSE: st.SearchStrategy[FactValue] = st.one_of(
    WORDS, st.integers(), st.booleans(), INSTANTS, st.just(Decimal("NaN")), st.none()
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        label: st.one_of(BY_TYPE.get(field.type, WORDS), NONSENSE)
        for label, field in POLICY.fields.items()
    },
)
HISTORIES = st.builds(
    LeadHistory,
    state=st.sampled_from([s for s in LeadState if s is not LeadState.IN_HANDOFF]),
    band_before=st.sampled_from([None, *POLICY.bands]),
    earlier_owners=st.lists(st.sampled_from([rep.key for rep in ROSTER.people]), max_size=2).map(
        tuple
    ),
    cycle=st.integers(0, 3),
    last_disposition=st.sampled_from([None, *POLICY.dispositions]),
    return_at=st.one_of(st.none(), INSTANTS),
    last_trigger_at=st.one_of(st.none(), INSTANTS),
)
OPEN = st.builds(
    LeadHistory,
    state=st.just(LeadState.IN_HANDOFF),
    open_handoff=st.just(OpenHandoff(1, "jonas.keller@relay.test", 1)),
    band_before=st.sampled_from([None, *POLICY.bands]),
    last_trigger_at=st.one_of(st.none(), INSTANTS),
)


@settings(deadline=None, max_examples=150)
@given(FACTS, st.one_of(HISTORIES, OPEN), INSTANTS)
def test_every_lead_gets_a_decision_that_adds_up_and_can_be_repeated(
    facts: dict[str, FactValue], history: LeadHistory, captured: datetime
) -> None:
    inputs = gather(
        POLICY, lead_key="L1", facts=facts, captured_at=captured, decided_at=NOW, history=history
    )
    book = PoolBook()
    found = decide(inputs, POLICY, ROSTER, book)
    assert found.reason_code
    assert found.words
    if found.score is not None:
        assert found.score.total_milli == sum(r.points_milli for r in found.score.reasons)
    if found.lead_state is not None and found.lead_state is not history.state:
        assert allowed(history.state, found.lead_state)
    if found.outcome is DecisionOutcome.HANDOFF:
        assert found.route is not None
        assert found.route.owner is not None
        assert found.terms is not None
        assert found.terms.first_touch_due > NOW
        assert found.package is not None
        assert 1 <= len(found.package.card) <= 10
        assert history.open_handoff is None
    elif found.outcome is not DecisionOutcome.UPDATE:
        assert book.changed == {}
        assert found.package is None
    again = replay(inputs.canonical(), found.canonical(), POLICY, ROSTER)
    assert again.canonical() == found.canonical()


@settings(deadline=None, max_examples=60)
@given(FACTS, st.integers(1, 400))
def test_time_alone_never_raises_a_score_of_a_quiet_lead(
    facts: dict[str, FactValue], days: int
) -> None:
    """Decay only takes away, as long as nothing negative decays."""
    quiet = {
        label: value
        for label, value in facts.items()
        if not (isinstance(value, datetime) and value > NOW)
    }
    later = NOW + timedelta(days=days)

    def intent(at: datetime) -> int:
        inputs = gather(POLICY, lead_key="L1", facts=quiet, captured_at=NOW, decided_at=at)
        found = decide(inputs, POLICY, ROSTER, PoolBook())
        return found.score.intent_milli if found.score else 0

    assert intent(later) <= intent(NOW)
