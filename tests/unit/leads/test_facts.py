from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton.leads.enrichment import enrich
from baton.leads.facts import (
    hand_raise_properties,
    personal_properties,
    read_facts,
    wanted_properties,
)
from baton.leads.model import LeadSnapshot, captured_at
from baton.leads.permission import permissions
from baton.policy.facts import FactValue
from baton.policy.fields import FieldObject
from baton.policy.models import Policy

Make = Callable[..., LeadSnapshot]


def test_a_good_lead_is_read_without_a_problem(policy: Policy, snapshot: Make) -> None:
    read = read_facts(
        snapshot(
            {
                "email": " Erika.Muster+web@Acme.TEST ",
                "firstname": "Erika",
                "lastname": "Null",
                "phone": "030 55501234",
                "country": "Deutschland",
                "quiz_score": "80",
                "quiz_taken_at": "1763600000000",
                "demo_requested_at": "2026-11-20T11:00:00.000Z",
                "budget_range": "50k_200k",
                "tech_stack": "Salesforce; Slack;;Salesforce",
                "handoff_permission": "true",
            },
            {"name": "Acme GmbH", "numberofemployees": "1,200", "industry": "INSURANCE"},
        ),
        policy,
    )
    assert read.problems == ()
    expected: dict[str, FactValue] = {
        "E-mail": "erika.muster+web@acme.test",
        "Last name": "Null",
        "Phone": "+493055501234",
        "Country": "DE",
        "Quiz score": Decimal(80),
        "Quiz taken at": datetime(2025, 11, 20, 0, 53, 20, tzinfo=UTC),
        "Demo requested at": datetime(2026, 11, 20, 11, tzinfo=UTC),
        "Budget range": "50k to 200k",
        "Tech stack": ("Salesforce", "Slack"),
        "Permission to hand off": True,
        "Company size": 1200,
    }
    assert {label: read.facts[label] for label in expected} == expected
    assert read.sources["Company size"] == "hubspot company.numberofemployees"


@pytest.mark.parametrize(
    ("prop", "text", "label", "code"),
    [
        ("email", "not an address", "E-mail", "not_an_email"),
        ("email", "a@b@c.test", "E-mail", "not_an_email"),
        ("email", "x@" + "y" * 300 + ".test", "E-mail", "not_an_email"),
        ("phone", "call me", "Phone", "not_a_phone"),
        ("phone", "12", "Phone", "not_a_phone"),
        ("phone", "0123456789012345678", "Phone", "not_a_phone"),
        ("country", "Narnia", "Country", "unknown_country"),
        ("country", "n/a", "Country", "placeholder"),
        ("company", "none", "Company name", "placeholder"),
        ("company", "???", "Company name", "placeholder"),
        ("firstname", "--", "First name", "placeholder"),
        ("company_size", "lots", "Company size", "not_a_number"),
        ("company_size", "-5", "Company size", "too_low"),
        ("company_size", "99999999", "Company size", "too_high"),
        ("quiz_score", "NaN", "Quiz score", "not_a_number"),
        ("quiz_score", "Infinity", "Quiz score", "not_a_number"),
        ("quiz_score", "101", "Quiz score", "too_high"),
        ("pricing_page_views", "2.5", "Pricing page views", "not_a_number"),
        ("last_content_at", "2037-01-01T00:00:00Z", "Last content at", "in_the_future"),
        ("last_content_at", "yesterday", "Last content at", "not_a_date"),
        ("budget_range", "a lot", "Budget range", "unknown_choice"),
        ("handoff_permission", "perhaps", "Permission to hand off", "not_yes_or_no"),
    ],
)
def test_nonsense_is_a_problem_and_no_value(
    policy: Policy, snapshot: Make, prop: str, text: str, label: str, code: str
) -> None:
    read = read_facts(snapshot({prop: text}), policy)
    assert label not in read.facts
    assert (label, code) in [(problem.label, problem.code) for problem in read.problems]
    said = " ".join(problem.message for problem in read.problems)
    assert text not in said, "a message never repeats the value"


def test_what_is_empty_is_no_problem(policy: Policy, snapshot: Make) -> None:
    read = read_facts(snapshot({"email": None, "firstname": "", "phone": "   "}), policy)
    assert (dict(read.facts), read.problems) == ({}, ())


@pytest.mark.requirement("002-18")
def test_what_was_said_helps_out_where_nothing_is_known(policy: Policy, snapshot: Make) -> None:
    said = {"company": "Acme", "company_size": "51-200", "industry": "RETAIL", "country": "NO"}
    alone = read_facts(snapshot(said), policy)
    assert alone.facts["Company size"] == 51
    assert alone.facts["Company name"] == "Acme"
    assert alone.facts["Country"] == "NO"
    assert alone.sources["Company size"] == "hubspot contact.company_size"
    known = read_facts(snapshot(said, {"name": "Acme Ltd", "numberofemployees": "90"}), policy)
    assert known.facts["Company size"] == 90
    assert known.facts["Company name"] == "Acme Ltd"


def test_control_characters_are_dropped(policy: Policy, snapshot: Make) -> None:
    read = read_facts(snapshot({"jobtitle": "Head\x00 of\x1b Sales\ud800"}), policy)
    assert read.facts["Job title"] == "Head of Sales"


def test_which_properties_are_read(policy: Policy) -> None:
    contact = wanted_properties(policy, FieldObject.CONTACT)
    assert {"email", "quiz_answers", "recent_conversion_date", "createdate"} <= set(contact)
    assert "numberofemployees" in wanted_properties(policy, FieldObject.COMPANY)
    assert {"email", "firstname", "lastname", "phone", "quiz_answers"} <= personal_properties(
        policy
    )
    assert "inbound_call_at" in hand_raise_properties(policy)


@pytest.mark.requirement("001-10")
def test_the_buyers_clock_starts_at_the_latest_hand_raise(policy: Policy) -> None:
    raised = hand_raise_properties(policy)
    held = {
        "createdate": "2026-01-01T00:00:00Z",
        "recent_conversion_date": "2026-11-01T10:00:00Z",
        "quiz_taken_at": "2026-11-03T10:00:00Z",
        "inbound_call_at": "rubbish",
    }
    assert captured_at(held, raised) == datetime(2026, 11, 3, 10, tzinfo=UTC)
    created = captured_at({"createdate": "2026-01-01T00:00:00Z"}, raised)
    assert created == datetime(2026, 1, 1, tzinfo=UTC)
    assert captured_at({}, raised) is None


def test_the_hash_ignores_our_own_echo() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    first = LeadSnapshot("1", at, at, at, {"email": "a@b.test", "x": None}, {"name": "A"})
    echo = LeadSnapshot(
        "1", at, at, at, {"email": "a@b.test", "baton_state": "nurture"}, {"name": "A"}
    )
    changed = LeadSnapshot("1", at, at, at, {"email": "c@b.test"}, {"name": "A"})
    ours = frozenset({"baton_state"})
    assert first.content_hash(ours) == echo.content_hash(ours)
    assert first.content_hash() != echo.content_hash()
    assert first.content_hash(ours) != changed.content_hash(ours)


ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=60),
    st.from_regex(r"[-+0-9eE.,:TZ/ ]{0,30}", fullmatch=True),
    st.sampled_from(["\x00", "\ud800", "1e999", "9" * 400, "xn--", "@", "a@", "http://[", "٣"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_nothing_in_any_property_makes_reading_fail(
    policy: Policy, snapshot: Make, data: st.DataObject
) -> None:
    def some(kind: FieldObject) -> dict[str, str | None]:
        names = st.sampled_from(wanted_properties(policy, kind))
        return data.draw(st.dictionaries(names, ANYTHING, max_size=12))

    seen = snapshot(some(FieldObject.CONTACT), some(FieldObject.COMPANY))
    read = read_facts(seen, policy)
    facts = enrich(read.facts, seen, policy).facts
    permissions(facts, policy, seen.seen_at)
    seen.content_hash()
    captured_at(seen.properties, hand_raise_properties(policy))
    held = {**seen.properties, **(seen.company or {})}
    for problem in read.problems:
        assert problem.label in policy.fields
        assert not any(
            text and len(text) > 20 and text in problem.message for text in held.values()
        )
