"""A lead whose course differs under another policy: what it knows of itself later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from baton.decision.decision import Decision, DecisionOutcome
from baton.decision.other_course import OtherCourse, follow, history_there
from baton.decision.simulated_loads import SimulatedLoads, SimulatedTies
from baton.leads.history import NEW_LEAD, LeadHistory, OpenHandoff
from baton.leads.states import LeadState
from baton.routing.ladder import Owner, OwnerKind, Route, RouteReason

AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ANA, BEN, CLEO = "ana@relay.test", "ben@relay.test", "cleo@relay.test"


def nurtured(band: str = "warm") -> Decision:
    return Decision(
        "1", DecisionOutcome.NURTURE, "below", "", lead_state=LeadState.NURTURE, band=band
    )  # fmt: skip


def handed(owner: str, kind: OwnerKind = OwnerKind.USER, band: str = "hot") -> Decision:
    route = Route("r", Owner(kind, owner), RouteReason.POOL)
    return Decision(
        "1", DecisionOutcome.HANDOFF, "band", "", lead_state=LeadState.IN_HANDOFF, band=band,
        route=route, trigger_at=AT,
    )  # fmt: skip


def after(
    here: Decision,
    there: Decision,
    before: LeadHistory = NEW_LEAD,
    course: OtherCourse | None = None,
) -> OtherCourse | None:
    return follow(course, here, there, before, at=AT, open_for=3 * DAY)


WITH_ANA = LeadHistory(
    LeadState.IN_HANDOFF, "hot", OpenHandoff(7, ANA, 1), (ANA,), cycle=1, last_trigger_at=AT
)


def test_while_both_agree_nothing_is_kept() -> None:
    assert after(handed(ANA), handed(ANA)) is None
    assert after(nurtured(), nurtured()) is None
    assert history_there(WITH_ANA, None, AT) is WITH_ANA


def test_another_owner_has_the_same_handoff_and_its_answers() -> None:
    course = after(handed(ANA), handed(BEN))
    there = history_there(WITH_ANA, course, AT + HOUR)
    assert there.open_handoff == OpenHandoff(7, BEN, 1)
    assert there.earlier_owners == (BEN,)
    assert there.cycle == 1
    recycled = LeadHistory(LeadState.RECYCLED, "hot", None, (ANA,), 1, "no_budget", AT + DAY)
    later = history_there(recycled, course, AT + DAY)
    assert (later.state, later.last_disposition, later.return_at) == (
        LeadState.RECYCLED, "no_budget", AT + DAY,
    )  # fmt: skip
    assert later.earlier_owners == (BEN,)


def test_a_queue_there_owns_nothing_that_sticks() -> None:
    course = after(handed(ANA), handed("Inbound", OwnerKind.QUEUE))
    there = history_there(WITH_ANA, course, AT)
    assert there.open_handoff == OpenHandoff(7, None, 1)
    assert there.earlier_owners == ()
    back = after(handed("Inbound", OwnerKind.QUEUE), handed(BEN))
    queued = LeadHistory(LeadState.IN_HANDOFF, "hot", OpenHandoff(7, None, 1), (), 1)
    assert history_there(queued, back, AT).open_handoff == OpenHandoff(7, BEN, 1)


def test_a_handoff_that_is_none_there_leaves_the_lead_with_marketing() -> None:
    course = after(handed(ANA), nurtured())
    there = history_there(WITH_ANA, course, AT + HOUR)
    assert there.open_handoff is None
    assert there.state is LeadState.NURTURE
    assert (there.cycle, there.earlier_owners, there.band_before) == (0, (), "warm")


def test_a_handoff_only_there_is_open_for_a_while_and_then_marketings_again() -> None:
    course = after(nurtured(), handed(BEN))
    here = LeadHistory(LeadState.NURTURE, "warm")
    soon = history_there(here, course, AT + DAY)
    assert (soon.state, soon.open_handoff) == (LeadState.IN_HANDOFF, OpenHandoff(0, BEN, 1))
    assert (soon.cycle, soon.last_trigger_at) == (1, AT)
    late = history_there(here, course, AT + 4 * DAY)
    assert (late.state, late.open_handoff) == (LeadState.NURTURE, None)
    assert late.earlier_owners == (BEN,)


def test_courses_that_part_over_a_state_meet_again() -> None:
    held = Decision("1", DecisionOutcome.HOLD, "no_rule", "", LeadState.HELD, band="warm")
    course = after(held, nurtured())
    here = LeadHistory(LeadState.HELD, "warm")
    assert history_there(here, course, AT).state is LeadState.NURTURE
    assert after(nurtured(), nurtured(), here, course) is None


def test_only_another_band_is_remembered_as_the_band_before() -> None:
    course = after(nurtured("warm"), nurtured("nurture"))
    there = history_there(LeadHistory(LeadState.NURTURE, "warm"), course, AT)
    assert (there.band_before, there.state) == ("nurture", LeadState.NURTURE)


def test_gone_is_gone_in_both() -> None:
    erased = LeadHistory(LeadState.ERASED)
    assert history_there(erased, after(handed(ANA), nurtured()), AT) is erased


def test_passing_on_that_finds_nobody_there_keeps_the_owner() -> None:
    course = after(handed(ANA), handed(BEN))
    hold = Decision("1", DecisionOutcome.HOLD, "nobody_available", "", band="hot")
    kept = follow(course, handed(CLEO), hold, WITH_ANA, at=AT, open_for=None, passing=True)
    with_cleo = LeadHistory(LeadState.IN_HANDOFF, "hot", OpenHandoff(7, CLEO, 2), (ANA, CLEO), 1)
    there = history_there(with_cleo, kept, AT)
    assert there.open_handoff == OpenHandoff(7, BEN, 2)


def test_loads_come_and_go() -> None:
    loads = SimulatedLoads()
    loads.give(1, ANA, AT, AT + 2 * HOUR)
    loads.give(2, ANA, AT, None)
    loads.advance(AT + HOUR)
    assert (loads.open[ANA], loads.recent["hour"][ANA], loads.recent["day"][ANA]) == (2, 0, 2)
    loads.pass_on(2, BEN, AT + HOUR)
    loads.advance(AT + 2 * HOUR)
    assert (loads.open[ANA], loads.open[BEN], loads.recent["day"][BEN]) == (0, 1, 1)
    assert (loads.owner_of(1), loads.owner_of(2)) == (None, BEN)
    loads.advance(AT + 8 * DAY)
    assert loads.recent["week"][ANA] == 0
    assert loads.open[BEN] == 1


def test_a_lead_that_is_given_again_is_not_ended_by_its_first_end() -> None:
    loads = SimulatedLoads()
    loads.give(1, ANA, AT, AT + HOUR)
    loads.give(1, BEN, AT, None)
    loads.advance(AT + 2 * HOUR)
    assert (loads.open[ANA], loads.open[BEN]) == (0, 1)


def test_imports_count_for_a_day() -> None:
    loads = SimulatedLoads()
    loads.count_import(AT)
    assert loads.imported == 1
    loads.advance(AT + DAY)
    assert loads.imported == 0


def test_colleagues_are_other_leads_of_the_company_within_the_time() -> None:
    ties = SimulatedTies()
    ties.tie(("domain:acme.test",), 1, ANA, AT)
    ties.tie(("domain:acme.test",), 2, BEN, AT + HOUR)
    asked = ("account:1", "domain:acme.test")
    assert ties.colleague(asked, 3, AT + DAY, 2 * DAY) == BEN
    assert ties.colleague(asked, 2, AT + DAY, 2 * DAY) == ANA
    assert ties.colleague(asked, 3, AT + 9 * DAY, 2 * DAY) is None
