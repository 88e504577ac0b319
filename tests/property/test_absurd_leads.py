"""Whatever HubSpot holds: reasons, never exceptions; and no reason repeats a value.

Great Expectations costs ten seconds to import: everything that needs it stands in this module.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton.leads.accounts import Account, AccountIndex, match_account
from baton.leads.enrichment import enrich
from baton.leads.facts import read_facts, read_told
from baton.leads.identity import identity_keys
from baton.leads.model import LeadSnapshot
from baton.leads.permission import permissions
from baton.leads.profile import merge
from baton.policy.facts import known
from baton.policy.fields import FieldObject
from baton.policy.loader import parse_policy, read_bundle
from baton.validation.verdicts import LeadToJudge, LeadValidator

POLICY = parse_policy(read_bundle(Path(__file__).resolve().parents[2] / "include" / "policy"))
VALIDATOR = LeadValidator(POLICY)
SCOPES = frozenset({"always", *POLICY.triggers, *POLICY.bands})
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTACT, COMPANY = (
    sorted({f.hubspot for f in POLICY.fields.values() if f.hubspot and f.object is kind})
    for kind in (FieldObject.CONTACT, FieldObject.COMPANY)
)
INDEX = AccountIndex(
    [Account("1", "Acme GmbH", "acme.test"), Account("2", "Acme AG", "acme-two.test")],
    POLICY.mail.free,
    POLICY.company_aliases,
)
MARK = "Zq9"
"""Stands in every planted value: no reason may repeat it."""

ABSURD = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789.,+-eE:TZ/;@ ", max_size=24),
    st.sampled_from(
        [
            "", " ", "\x00", "\ud800", "NaN", "-inf", "1e999", "٣٤٥", "9" * 400, "true;false",
            "9999-99-99", "0001-01-01T00:00:00Z", "275760-09-13", "-62135596800000", "a@b", "@",
            "x@[127.0.0.1]", "a" * 70 + "@" + "b." * 60 + "test", "http://", "http://[::1]:99999/",
            "xn--", "xn--a.xn--b", "+", "++49", "00", "DE;AT", "NO", "{E-mail}", "{{", "%s", "null",
        ]
    ),
)  # fmt: skip


def snapshots(values: st.SearchStrategy[str]) -> st.SearchStrategy[LeadSnapshot]:
    maybe = st.one_of(st.none(), values)
    return st.builds(
        LeadSnapshot,
        st.just("101"),
        st.just(NOW),
        st.just(NOW),
        st.integers(0, 13_000).map(lambda days: NOW - timedelta(days=days)),
        st.dictionaries(st.sampled_from(CONTACT), maybe, max_size=len(CONTACT)),
        st.one_of(st.none(), st.dictionaries(st.sampled_from(COMPANY), maybe)),
    )


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(snapshots(ABSURD))
def test_reading_deriving_and_matching_never_fail(seen: LeadSnapshot) -> None:
    read = read_facts(seen, POLICY)
    facts = enrich(read.facts, seen, POLICY).facts
    merged = merge(facts, (), seen, POLICY.profile, str(facts.get("Form") or ""))
    again = merge(facts, merged.news, seen, POLICY.profile, "")
    assert again.facts == merged.facts, "what was just heard is no news"
    assert again.news == ()
    permissions(facts, POLICY, NOW)
    identity_keys(facts)
    match_account(
        _text(facts.get("Company domain")),
        _text(facts.get("Company name")),
        INDEX,
        mail_domain=_text(facts.get("E-mail domain")),
        country=_text(facts.get("Country")),
    )
    assert all(known(value) for value in read.facts.values())


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(snapshots(ABSURD), min_size=1, max_size=8))
def test_the_validator_gives_reasons_for_anything(several: list[LeadSnapshot]) -> None:
    leads = []
    for number, seen in enumerate(several):
        read = read_facts(seen, POLICY)
        facts = enrich(read.facts, seen, POLICY).facts
        leads.append(LeadToJudge(str(number), facts, SCOPES, read.problems))

    verdicts = VALIDATOR.verdicts(leads)

    assert set(verdicts) == {lead.key for lead in leads}
    for lead in leads:
        missing = {label for labels in POLICY.required.values() for label in labels}
        expected = {label for label in missing if not _there(lead.facts.get(label))}
        failed = {one.label for one in verdicts[lead.key].failures if one.rule == "required"}
        assert failed == expected
        assert verdicts[lead.key].ok is (not verdicts[lead.key].failures)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(snapshots(st.text(max_size=12).map(lambda text: f"{text}{MARK}{text}")))
def test_a_problem_names_label_and_code_and_never_the_value(seen: LeadSnapshot) -> None:
    read = read_facts(seen, POLICY)
    facts = enrich(read.facts, seen, POLICY).facts
    verdict = VALIDATOR.verdicts([LeadToJudge("1", facts, SCOPES, read.problems)])["1"]
    told = [(one.label, one.code, one.message) for one in read.problems]
    told += [(one.label, one.rule, one.message) for one in verdict.failures]
    for label, code, message in told:
        assert label in POLICY.fields
        assert code
        assert MARK not in message
        assert MARK not in code


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(sorted(POLICY.fields)), ABSURD))
def test_what_a_provider_tells_is_read_as_carefully(told: dict[str, str]) -> None:
    seen = LeadSnapshot("101", NOW, NOW, NOW, {})
    read = read_told(told, seen, POLICY, {}, "somebody")
    assert read.facts.keys() <= told.keys()
    assert all(one.label in told for one in read.problems)


CONTRADICTIONS = [
    ({"email": "a@acme.test", "country": "Germany", "phone": "+81 3 1234 5678"}, {"Country": "DE"}),
    ({"numberofemployees": "-5"}, {}),
    ({"demo_requested_at": (NOW + timedelta(days=400)).isoformat()}, {}),
    ({"quiz_score": "101"}, {}),
]


@pytest.mark.parametrize(("values", "facts"), CONTRADICTIONS)
def test_contradictions_have_a_defined_outcome(
    values: dict[str, str], facts: dict[str, object]
) -> None:
    seen = LeadSnapshot("101", NOW, NOW, NOW, values, values)
    read = read_facts(seen, POLICY)
    found = enrich(read.facts, seen, POLICY).facts
    assert facts.items() <= found.items()
    if not facts:
        assert read.problems


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _there(value: object) -> bool:
    return value not in (None, "", ()) and not (isinstance(value, str) and not value.strip())
