from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.leads.company_names import normalised_company_name
from baton.leads.relations import (
    Account,
    AccountIndex,
    CrmRelations,
    MatchedBy,
    match_account,
    relation_facts,
    relations_from,
)

ACME = Account("001A", "Acme Manufacturing GmbH", "acme.test", "ae@x.test", "Customer - Direct")
BOLT = Account("001B", "Bolt Ltd", "www.Bolt.test", "ae@x.test", "Prospect", "006B", "opp@x.test")
TWIN_1 = Account("001C", "Twin North", "twin.test", "n@x.test")
TWIN_2 = Account("001D", "Twin South", "twin.test", "s@x.test")
FREE = Account("001E", "Freelancer", "gmail.com", "f@x.test")
INDEX = AccountIndex((TWIN_2, ACME, BOLT, TWIN_1, FREE), frozenset({"gmail.com"}))


def test_the_domain_decides() -> None:
    found = match_account("acme.test", "Something else", INDEX)
    assert (found.account, found.matched_by, found.confidence) == (ACME, MatchedBy.DOMAIN, 100)
    assert match_account("BOLT.test", None, INDEX).account == BOLT


def test_the_name_helps_out_without_legal_form_case_and_accents() -> None:
    found = match_account(None, "ACME  Manufacturing, Inc.", INDEX)
    assert (found.account, found.matched_by, found.confidence) == (ACME, MatchedBy.NAME, 80)
    elsewhere = match_account("acme-us.test", "Acme Manufacturing", INDEX)
    assert (elsewhere.account, elsewhere.confidence) == (ACME, 60)


def test_free_mail_never_matches() -> None:
    assert match_account("gmail.com", None, INDEX).account is None


def test_two_that_fit_are_for_a_person_to_settle() -> None:
    found = match_account("twin.test", None, INDEX)
    assert (found.account, found.matched_by) == (None, MatchedBy.AMBIGUOUS)
    assert found.reasons == ("same domain twin.test fits several accounts: 001C, 001D",)
    assert match_account("twin.test", "Twin South AG", INDEX).account == TWIN_2


def test_nothing_fits() -> None:
    for domain, name in [(None, None), ("other.test", "Other"), ("", ""), (None, "n/a")]:
        found = match_account(domain, name, INDEX)
        assert (found.account, found.matched_by) == (None, MatchedBy.NOTHING)


def test_relations_become_facts() -> None:
    known = relations_from(match_account("bolt.test", None, INDEX), lead_id="00Q1")
    assert known.open_opportunity_owner == "opp@x.test"
    facts = relation_facts(known)
    assert facts["Open opportunity"] is True
    assert facts["Existing customer"] is False
    assert facts["Lead known"] is True
    customer = relation_facts(relations_from(match_account("acme.test", None, INDEX)))
    assert customer["Existing customer"] is True
    assert relation_facts(CrmRelations())["Account known"] is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH", "muller sohne"),
        ("Acme, Inc.", "ACME"),
        ("Bolt B.V.", "bolt"),
        ("Fjell AS", "Fjell"),
    ],
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    assert normalised_company_name(one) == normalised_company_name(other)


@pytest.mark.parametrize("name", [None, "", "n/a", "None", "  ", "GmbH", "Unknown"])
def test_names_of_nobody(name: str | None) -> None:
    assert normalised_company_name(name) in (None, "gmbh")


@given(st.text(max_size=400), st.text(max_size=80))
def test_matching_never_fails(name: str, domain: str) -> None:
    match_account(domain, name, INDEX)
