from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.leads.enrichment import enrich, host_listed
from baton.leads.facts import read_facts
from baton.leads.model import LeadSnapshot
from baton.leads.permission import Permissions, permissions
from baton.policy.facts import Facts
from baton.policy.models import Policy

Make = Callable[..., LeadSnapshot]


@pytest.fixture
def facts_of(policy: Policy, snapshot: Make) -> Callable[..., Facts]:
    def facts(company: dict[str, str] | None = None, **properties: str) -> Facts:
        seen = snapshot(properties, company)
        return enrich(read_facts(seen, policy).facts, seen, policy).facts

    return facts


def test_a_company_address(facts_of: Callable[..., Facts]) -> None:
    facts = facts_of(email="a.b@mail.acme.test", country="Norway", company_size="1000")
    told = {label: facts[label] for label in ("Company domain", "E-mail domain", "Free mail",
            "Disposable address", "Role address", "Territory", "Segment", "Named account")}  # fmt: skip
    assert told == {
        "Company domain": "acme.test",
        "E-mail domain": "mail.acme.test",
        "Free mail": False,
        "Disposable address": False,
        "Role address": False,
        "Territory": "UK and Nordics",
        "Segment": "Enterprise",
        "Named account": False,
    }


def test_free_mail_has_no_company(facts_of: Callable[..., Facts]) -> None:
    facts = facts_of(email="someone@gmail.com")
    assert facts["Free mail"] is True
    assert "Company domain" not in facts
    site = facts_of({"domain": "www.acme.test"}, email="someone@gmail.com")
    assert site["Company domain"] == "acme.test"


def test_role_and_throw_away_addresses(facts_of: Callable[..., Facts]) -> None:
    assert facts_of(email="info+x@acme.test")["Role address"] is True
    assert facts_of(email="x@mailinator.test")["Disposable address"] is True


@pytest.mark.parametrize(
    ("address", "role", "disposable", "free"),
    [
        ("INFO@acme.test", True, False, False),
        ("Info+spring-fair@acme.test", True, False, False),
        ("information@acme.test", False, False, False),
        ("x@MAILINATOR.test", False, True, False),
        ("x@eu.mail.mailinator.test", False, True, False),
        ("x+y@Gmail.com", False, False, True),
        ("x@mailinator.test.acme.test", False, False, False),
    ],
)
def test_kinds_of_addresses(
    facts_of: Callable[..., Facts], address: str, role: bool, disposable: bool, free: bool
) -> None:
    facts = facts_of(email=address)
    told = (facts["Role address"], facts["Disposable address"], facts["Free mail"])
    assert told == (role, disposable, free)


def test_an_international_domain_is_the_same_in_mail_and_web(
    facts_of: Callable[..., Facts],
) -> None:
    by_mail = facts_of(email="a@bücher-müller.test")
    by_site = facts_of({"domain": "https://www.bücher-müller.test/de"}, email="a@gmail.com")
    assert by_mail["Company domain"] == by_site["Company domain"] == "xn--bcher-mller-thbg.test"


@pytest.mark.parametrize("listed", ["bücher.test", "xn--bcher-kva.test"])
@pytest.mark.parametrize("host", ["bücher.test", "xn--bcher-kva.test", "mail.bücher.test"])
def test_a_listed_international_domain_is_found_in_either_form(listed: str, host: str) -> None:
    assert host_listed(host, frozenset({listed}))
    assert not host_listed("bucher.test", frozenset({listed}))


def test_a_named_account_and_its_owner(facts_of: Callable[..., Facts]) -> None:
    facts = facts_of(email="x@brennwerk.test")
    assert facts["Named account"] is True
    assert facts["Named account owner"] == "helena.voss@relay.test"


def test_the_country_of_the_phone_helps_out(facts_of: Callable[..., Facts]) -> None:
    assert facts_of(phone="+46 8 465 004 12")["Territory"] == "UK and Nordics"
    assert facts_of(phone="+46 8 465 004 12", country="JP")["Country"] == "JP"


@pytest.mark.parametrize(
    ("conversion", "form"),
    [
        ("Demo request", "Demo request"),
        ("Pricing | Acme: Demo request", "Demo request"),
        ("a: b: Contact sales", "Contact sales"),
    ],
)
def test_the_form_of_a_conversion(
    facts_of: Callable[..., Facts], conversion: str, form: str
) -> None:
    assert facts_of(recent_conversion_event_name=conversion)["Form"] == form


def test_each_derived_fact_tells_its_source(policy: Policy, snapshot: Make) -> None:
    seen = snapshot({"email": "a@acme.test", "country": "DE"})
    found = enrich(read_facts(seen, policy).facts, seen, policy)
    company = found.provenance["Company domain"]
    assert (company.source, company.enricher, company.confidence) == (
        "E-mail",
        "company domain",
        90,
    )
    assert company.at == seen.modified_at
    assert found.provenance["Territory"].source == "Country"
    assert set(found.provenance) <= {
        label for label, field in policy.fields.items() if field.derived
    }


def permitted(policy: Policy, facts: Facts) -> Permissions:
    from datetime import UTC, datetime

    return permissions(facts, policy, datetime(2026, 11, 20, tzinfo=UTC))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"Permission to hand off": False}, "no_permission"),
        ({"E-mail domain": "relay.test"}, "employee"),
        ({"Company domain": "leadrush.test"}, "competitor"),
        ({"Account type": "Channel Partner / Reseller"}, "vendor"),
        ({"Disposable address": True}, "disposable_address"),
        ({"Job title": "Student"}, "student"),
        ({"Form": "Job application"}, "job_seeker"),
        ({"Form": "Support request"}, "support"),
    ],
)
def test_who_is_never_handed_off(policy: Policy, facts: dict[str, Any], code: str) -> None:
    found = permitted(policy, facts | {"Demo requested at": None})
    assert (found.hand_off, found.reason_code) == (False, code)
    assert found.words


def test_the_three_permissions_are_apart(policy: Policy) -> None:
    found = permitted(policy, {"E-mail opt-out": True, "Form": "Demo request"})
    assert (found.hand_off, found.email, found.call) == (True, False, True)
    found = permitted(policy, {"Permission to call": False})
    assert (found.hand_off, found.email, found.call) == (True, True, False)
    assert permitted(policy, {}).hand_off, "not asked is not refused"
