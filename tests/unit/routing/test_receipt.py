"""The fairness receipt adds up, and reads what the ladder really writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.routing.test_ladder import JONAS, MIRA, away, change, walk

from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.routing.receipt import Missed, PoolTurn, notes_of, receipts

ANA, BEN, CEM = "ana@relay.test", "ben@relay.test", "cem@relay.test"
NEXT, COULD = "is next; balance -0.50 leads after this one", "could have been picked; balance +0.50"


def turn(chosen: str, *others: tuple[str, str], weights: dict[str, int] | None = None) -> PoolTurn:
    notes = [f"{chosen} {NEXT}", *(f"{member} {words}" for member, words in others)]
    return PoolTurn(chosen, weights or {ANA: 1, BEN: 1}, notes)


def test_who_was_there_all_the_time_has_the_share_of_the_weights() -> None:
    ana, ben = receipts([turn(ANA, (BEN, COULD)), turn(BEN, (ANA, COULD)), turn(ANA, (BEN, COULD))])
    assert (ana.got, ana.by_weight, ana.fair, ana.missed) == (2, 1.5, 1.5, {})
    assert (ben.got, ben.turn) == (1, -0.5)


def test_leads_that_went_by_are_explained_and_others_took_them() -> None:
    away = (BEN, "is away until 2026-11-20 17:00 UTC")
    ana, ben = receipts([turn(ANA, away)] * 3 + [turn(BEN, (ANA, COULD))])
    assert ben.missed == {Missed.AWAY: 1.5}
    assert ben.times == {Missed.AWAY: 3}
    assert (ben.by_weight, ben.fair, ben.got) == (2.0, 0.5, 1)
    assert (ana.others, ana.fair, ana.got) == (1.5, 3.5, 3)


def test_a_weight_of_zero_is_owed_nothing() -> None:
    (ana,) = receipts([turn(ANA, (BEN, "has a weight of zero"), weights={ANA: 2, BEN: 0})])
    assert (ana.member, ana.fair) == (ANA, 1.0)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("is away until 2026-11-20 17:00 UTC", Missed.AWAY),
        ("is not in hours, works again from 2026-11-20 17:00 UTC", Missed.HOURS),
        ("has no working time ahead", Missed.HOURS),
        ("has 40 open handoffs, the cap is 40", Missed.CAP),
        ("got 5 handoffs in the last hour, the cap is 5", Missed.CAP),
        ("has more open for the weight: 7, weight 1", Missed.LOAD),
        ("had this lead before", Missed.BEFORE),
        ("fits by nothing, somebody fits better", Missed.FIT),
        ("left the company on 2026-11-01", Missed.GONE),
        ("does something new", Missed.OTHER),
    ],
)
def test_every_sentence_has_a_reason(words: str, reason: Missed) -> None:
    _ana, ben = receipts([turn(ANA, (BEN, words))])
    assert list(ben.missed) == [reason]


def test_who_fits_as_well_as_the_best_missed_nothing() -> None:
    notes = [f"{ANA} fits by Language", f"{BEN} fits by Language", f"{ANA} {NEXT}"]
    _ana, ben = receipts([PoolTurn(ANA, {ANA: 1, BEN: 1}, notes)])
    assert ben.missed == {}


members = st.sampled_from([ANA, BEN, CEM])
reasons = st.sampled_from(["is away until x", "has 4 open handoffs, the cap is 4", COULD])


@given(
    st.lists(
        st.tuples(
            members,
            st.dictionaries(members, reasons),
            st.fixed_dictionaries({one: st.integers(0, 5) for one in (ANA, BEN, CEM)}),
        ),
        max_size=30,
    )
)
def test_receipts_add_up(turns: list[tuple[str, dict[str, str], dict[str, int]]]) -> None:
    given_out = [
        turn(chosen, *others.items(), weights=weights | {chosen: max(1, weights[chosen])})
        for chosen, others, weights in turns
    ]
    found = receipts(given_out)
    assert sum(one.got for one in found) == len(turns)
    assert sum(one.fair for one in found) == pytest.approx(len(turns))
    assert sum(one.by_weight for one in found) == pytest.approx(len(turns))
    for one in found:
        parts = one.by_weight + one.others - sum(one.missed.values()) + one.turn
        assert parts == pytest.approx(one.got)
        assert set(one.missed) == set(one.times)


def test_it_reads_what_the_ladder_writes(policy: Policy, roster: Roster) -> None:
    """Sentences of the real ladder, with somebody away or full, are understood."""
    for changed, reason in (
        (away(roster, MIRA), Missed.AWAY),
        (change(roster, MIRA, cap_open=0), Missed.CAP),
        (change(roster, MIRA, active=False), Missed.GONE),
        (roster, None),
    ):
        route = walk(policy, changed)
        assert route.owner is not None
        assert route.pool == "SDR DACH"
        notes = notes_of("SDR DACH", (step.text for step in route.trace))
        weights = {JONAS: 1, MIRA: 1}
        found = {one.member: one for one in receipts([PoolTurn(route.owner.key, weights, notes)])}
        assert set(found[MIRA].missed) == ({reason} if reason else set())
        assert found[route.owner.key].got == 1
