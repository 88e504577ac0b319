"""The signs by which two contacts are one person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.leads.identity import Duplicate, best_duplicate, identity_keys, mailbox_of


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jo.Doe+fair@acme.test", "jo.doe@ACME.test", True),
        ("jo.doe@acme.test", "jodoe@acme.test", False),
        ("jo.doe@gmail.com", "jodoe@googlemail.com", True),
        ("Jo.Doe+x@gmail.com", "jodoe@gmail.com", True),
        ("jo@acme.test", "jo@acme-us.test", False),
        ("+tag@acme.test", "tag@acme.test", False),
        ("jo@bücher.test", "jo@xn--bcher-kva.test", True),
    ],
)
def test_one_mailbox(one: str, other: str, same: bool) -> None:
    assert (mailbox_of(one) == mailbox_of(other)) is same


def test_a_phone_counts_only_with_the_same_last_name() -> None:
    base = {"Phone": "+493055501234", "Last name": "Müller-Lüdenscheidt"}
    assert identity_keys(base) == identity_keys({**base, "Last name": "MULLER LUDENSCHEIDT"})
    assert identity_keys(base) != identity_keys({**base, "Last name": "Schulz"})
    assert identity_keys({"Phone": "+493055501234"}) == ()


def test_a_role_address_is_nobody() -> None:
    assert identity_keys({"E-mail": "info@acme.test", "Role address": True}) == ()
    assert identity_keys({"E-mail": "jo@acme.test", "Role address": False})


def test_whose_owner_a_duplicate_follows() -> None:
    closed = Duplicate("1", "mailbox", 95, "a@relay.test")
    opened = Duplicate("2", "phone_and_name", 80, "b@relay.test", "H2-1")
    weak = Duplicate("3", "phone_and_name", 60, "c@relay.test", "H3-1")
    ownerless = Duplicate("4", "mailbox", 95, None, "H4-1")
    assert best_duplicate([closed, opened, weak, ownerless]) == opened
    assert best_duplicate([closed, weak]) == closed
    assert best_duplicate([weak, ownerless]) is None
    assert best_duplicate([]) is None


@given(st.dictionaries(st.sampled_from(["E-mail", "Phone", "Last name"]), st.text(max_size=60)))
def test_any_text_gives_signs_or_none(facts: dict[str, str]) -> None:
    for key in identity_keys(facts):
        assert key.partition(":")[0] in ("mailbox", "phone_and_name")
