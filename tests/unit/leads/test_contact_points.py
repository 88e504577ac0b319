from __future__ import annotations

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.leads import contact_points
from baton.leads.contact_points import (
    country_of_phone,
    read_email,
    read_host,
    read_phone,
    registrable_domain,
)
from baton.leads.places import country_code


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A.B@Example.TEST", "a.b@example.test"),
        ("mailto:a@b.test", "a@b.test"),
        ("<a@b.test>", "a@b.test"),
        ("a@localhost", None),
        ("a b@c.test", None),
        ("", None),
        ("@", None),
    ],
)
def test_addresses(text: str, found: str | None) -> None:
    assert read_email(text) == found


@pytest.mark.parametrize(
    ("text", "country", "found"),
    [
        ("+49 30 55501234", None, "+493055501234"),
        ("004930 55501234", "US", "+493055501234"),
        ("030 55501234", "DE", "+493055501234"),
        ("030 55501234", None, None),
        ("+1 416 555 0199", None, "+14165550199"),
        ("+00 000 000", "DE", None),
        ("", "DE", None),
        ("030 55501234", "XX", None),
    ],
)
def test_phones(text: str, country: str | None, found: str | None) -> None:
    assert read_phone(text, country) == found


def test_a_number_tells_its_country() -> None:
    assert country_of_phone("+493055501234") == "DE"
    assert country_of_phone("+80012345678") is None
    assert country_of_phone("nonsense") is None


@pytest.mark.parametrize(
    ("text", "host", "domain"),
    [
        ("https://www.Acme.TEST/about?x=1", "acme.test", "acme.test"),
        ("mail.acme.test", "mail.acme.test", "acme.test"),
        ("http://user@shop.acme.co.uk:8080", "shop.acme.co.uk", "acme.co.uk"),
        ("münchen.de", "xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("10.0.0.1", None, None),
        ("localhost", None, None),
        ("n/a", None, None),
        ("http://[", None, None),
        ("a..b", None, None),
        ("co.uk", "co.uk", None),
    ],
)
def test_web_addresses(text: str, host: str | None, domain: str | None) -> None:
    assert read_host(text) == host
    assert (registrable_domain(host) if host else None) == domain


def test_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert read_email("someone@never-seen-before.test")
    assert (
        registrable_domain("x.never-seen-before-either.co.jp") == "never-seen-before-either.co.jp"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("NO", "NO"),
        ("no", "NO"),
        ("Norge", "NO"),
        ("Deutschland", "DE"),
        ("ÖSTERREICH", "AT"),
        ("Osterreich", "AT"),
        ("UK", "GB"),
        ("England", "GB"),
        ("日本", "JP"),
        ("USA", "US"),
        ("Viet Nam", "VN"),
        ("South Korea", "KR"),
        ("Narnia", None),
        ("Earth", None),
        ("", None),
        ("x" * 5000, None),
    ],
)
def test_countries_however_they_are_written(text: str, code: str | None) -> None:
    assert country_code(text) == code


_NAMES = st.text("abAB01._+-' üß", min_size=0, max_size=70)
_HOSTS = st.one_of(
    st.text("abC1.-_ü@", max_size=20),
    st.sampled_from(
        ["acme.test", "Acme.TEST", "xn--mller-kva.test", "a", "[1.2.3.4]", "b <x@y.de"]
    ),
    st.integers(1, 70).map(lambda length: "a" * length + ".test"),
    st.integers(1, 40).map(lambda count: "abcde." * count + "test"),
)


@settings(deadline=None, max_examples=400)
@given(_NAMES, _HOSTS)
def test_plain_addresses_are_read_as_the_validator_reads_them(name: str, host: str) -> None:
    told = f"{name}@{host}".strip().removeprefix("mailto:").strip("<>").strip()
    whole = contact_points._validated(told) if len(told) <= 254 else None
    assert read_email(f"{name}@{host}") == whole
