"""Which account a lead belongs to, how surely, and why."""

from __future__ import annotations

import pytest

from baton.leads.accounts import (
    Account,
    AccountIndex,
    AccountMatch,
    MatchedBy,
    match_account,
    sibling_label,
)
from baton.leads.company_names import normalised_company_name

FREE = frozenset({"gmail.com", "freemail.test"})
ALIASES = {"acme-us.test": "acme.test", "Bücher-Tochter.test": "xn--bcher-kva.test"}
ACME = Account("001A", "Acme Manufacturing GmbH", "https-less.test", "a@x.test")


def index(*accounts: Account) -> AccountIndex:
    return AccountIndex(accounts, FREE, ALIASES)


def found(match: AccountMatch) -> tuple[str | None, MatchedBy, int]:
    return match.account.id if match.account else None, match.matched_by, match.confidence


def account(key: str, name: str = "Some Name", domain: str | None = None, **more: str) -> Account:
    return Account(key, name, domain, **more)


def test_the_same_domain_is_sure() -> None:
    match = match_account("acme.test", "Whatever", index(account("1", domain="www.ACME.test")))
    assert found(match) == ("1", MatchedBy.DOMAIN, 100)
    assert match.reasons == ("same domain acme.test",)


def test_an_alias_or_subsidiary_is_nearly_sure_and_says_so() -> None:
    match = match_account("acme-us.test", None, index(account("1", domain="acme.test")))
    assert found(match) == ("1", MatchedBy.ALIAS, 95)
    assert match.reasons == ("acme-us.test is listed as a domain of acme.test",)


def test_an_alias_in_either_form_of_an_international_name() -> None:
    books = index(account("1", domain="bücher.test"))
    assert match_account("xn--bcher-kva.test", None, books).confidence == 100
    assert match_account("bücher-tochter.test", None, books).matched_by is MatchedBy.ALIAS


def test_an_account_with_an_own_domain_beats_the_alias() -> None:
    both = index(account("1", domain="acme.test"), account("2", domain="acme-us.test"))
    assert found(match_account("acme-us.test", None, both))[0] == "2"


def test_the_domain_of_the_mail_helps_where_the_website_says_nothing() -> None:
    acme = index(account("1", domain="acme.test"))
    assert found(match_account(None, None, acme, mail_domain="mail.acme.test"))[0] == "1"
    assert match_account("other.test", None, acme, mail_domain="acme.test").account is not None


def test_website_and_mail_of_two_accounts_are_for_a_person() -> None:
    two = index(account("1", "One", "one.test"), account("2", "Two", "two.test"))
    match = match_account("one.test", None, two, mail_domain="two.test")
    assert found(match) == (None, MatchedBy.AMBIGUOUS, 0)
    assert "1, 2" in match.reasons[0]


@pytest.mark.parametrize("domain", ["gmail.com", "mail.gmail.com", "freemail.test"])
def test_free_mail_never_matches(domain: str) -> None:
    accounts = index(account("1", "Alone", domain), account("2", "Other", "gmail.de"))
    for given in ({"domain": domain}, {"domain": None, "mail_domain": domain}):
        match = match_account(given["domain"], None, accounts, mail_domain=given.get("mail_domain"))
        assert found(match) == (None, MatchedBy.NOTHING, 0)


def test_a_page_at_a_host_of_pages_is_not_the_host() -> None:
    hosted = index(account("1", domain="acme.github.io"))
    assert match_account("github.io", None, hosted).account is None
    assert match_account("acme.github.io", None, hosted).account is not None


def test_a_website_below_the_domain() -> None:
    below = index(account("1", domain="shop.acme.test"))
    assert found(match_account("acme.test", None, below)) == ("1", MatchedBy.DOMAIN, 90)


def test_the_name_with_any_legal_form() -> None:
    by_name = index(account("1", "Fjörd & Søn A/S"))
    assert found(match_account(None, "FJORD AND SON", by_name)) == ("1", MatchedBy.NAME, 80)


def test_the_same_name_elsewhere_is_less_sure() -> None:
    acme = index(account("1", "Acme Ltd", "acme.test"))
    match = match_account("acme-steel.test", "ACME", acme)
    assert found(match) == ("1", MatchedBy.NAME, 60)
    assert "another domain" in match.reasons[0]


def test_a_sibling_domain_supports_the_name_and_is_weak_alone() -> None:
    sibling = index(account("1", "Quillworks GmbH", "quillworks-baton.de"))
    agreed = match_account("quillworks-baton.com", "Quillworks Inc.", sibling)
    assert found(agreed) == ("1", MatchedBy.NAME, 90)
    alone = match_account("quillworks-baton.com", None, sibling)
    assert found(alone) == ("1", MatchedBy.SIBLING, 50)
    assert match_account("quillworks-baton.com", "Another Firm", sibling).account is None


@pytest.mark.parametrize(
    ("domain", "label"),
    [
        ("acme.de", "acme"),
        ("acme.co.uk", "acme"),
        ("www.acme.com", "acme"),
        ("acme.io", None),
        ("acme.ai", None),
        ("acme.app", None),
        ("ab.de", None),
        ("nothing", None),
    ],
)
def test_which_domains_have_siblings(domain: str, label: str | None) -> None:
    assert sibling_label(domain) == label


TWO = {"domain": "twin.test"}


@pytest.mark.parametrize(
    ("one", "other", "name", "country", "because"),
    [
        ({"name": "Twin North"}, {"name": "Twin South"}, "Twin North AG", None, "name"),
        ({"country": "DE"}, {"country": "US"}, None, "DE", "country"),
        ({"open_opportunity_id": "006"}, {"type": "Customer"}, None, None, "open opportunity"),
        ({"type": "Customer - Direct"}, {"type": "Prospect"}, None, None, "customer"),
        ({"name": "Twin North"}, {"open_opportunity_id": "006"}, "Twin North", None, "name"),
        ({"country": "DE"}, {"open_opportunity_id": "006", "country": "US"}, None, "DE", "country"),
    ],
)
def test_tie_breaks(
    one: dict[str, str], other: dict[str, str], name: str | None, country: str | None, because: str
) -> None:
    accounts = index(account("1", **{**TWO, **one}), account("2", **{**TWO, **other}))
    match = match_account("twin.test", name, accounts, country=country)
    assert match.account is not None
    assert match.account.id == "1"
    assert match.confidence <= 100
    assert match.reasons[1] == f"of 2 that fit, chosen by {because}"


def test_what_no_tie_break_settles_is_for_a_person() -> None:
    same = [account(str(n), "Twin", "twin.test", type="Customer", country="DE") for n in (1, 2, 3)]
    match = match_account("twin.test", "Twin GmbH", index(*same), country="DE")
    assert found(match) == (None, MatchedBy.AMBIGUOUS, 0)
    assert match.reasons == ("same domain twin.test fits several accounts: 1, 2, 3",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH & Co. KG", "MULLER UND SOHNE"),
        ("Strauß Werke AG", "Strauss Werke"),
        ("Ørsted-Verk A/S", "Orsted Verk"),
        ("Łódź Sp. z o.o.", "Lodz"),
        ("Smith's Bakery, Inc.", "Smiths Bakery"),
        ("The Larkfield Company", "Larkfield"),
        ("A.B.C. Tooling Ltd.", "ABC Tooling"),
        ("Vallée S.A.R.L.", "Vallee"),
        ("Corvo S.p.A.", "Corvo"),
        ("Takeshi K.K.", "Takeshi"),
    ],
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    assert normalised_company_name(one) == normalised_company_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Larkfield Bank", "Larkfield Brewery"),
        ("Acme", "Acme Holdings"),
        ("Northern Steel", "Southern Steel"),
        ("东方科技", "西方科技"),
    ],
)
def test_names_that_differ(one: str, other: str) -> None:
    assert normalised_company_name(one) != normalised_company_name(other)


def test_a_legal_form_alone_stays_a_name() -> None:
    assert normalised_company_name("Co") == "co"
    assert normalised_company_name("AG Ltd") == "ag"
