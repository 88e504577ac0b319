from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.notify.cards import MAX_LINES, Card, cut, escape, isolate, link, render

WHOLE = Card(
    headline="Hot lead: demo request",
    lead_name="Ada Example",
    company="Example & Sons <Ltd>",
    score="82",
    band="hot",
    trigger="Demo request",
    source="Paid search",
    reasons=("asked for a demo", "250 people, our size"),
    answers=tuple(f"Question {n}: answer" for n in range(12)),
    opening="You asked about …",
    due_text="first touch by 10:05",
    links=(("Salesforce", "https://org.test/00Q1"), ("HubSpot", "https://hub.test/1")),
    owner_mention="U0AMARA",
)


@pytest.mark.requirement("002-23")
def test_a_full_card_has_ten_lines_and_says_what_it_left_out() -> None:
    card = render(WHOLE)
    whole = "\n".join(card.lines)
    assert all(part in whole for part in ("Ada Example", "Score 82", "Demo request", "by 10:05"))
    assert len(card.lines) == MAX_LINES
    assert card.lines[0] == "Hot lead: demo request"
    assert "<@U0AMARA>" in card.lines[1]
    assert any("more in Salesforce" in line for line in card.lines)
    assert card.text == "Hot lead: demo request: Ada Example, Example &amp; Sons &lt;Ltd&gt;"


def test_what_is_left_out_is_counted_exactly() -> None:
    card = render(WHOLE)
    shown = sum(line.startswith("Question") for line in card.lines)
    assert f"… and {12 - shown} more in Salesforce" in card.lines


def test_a_bare_card() -> None:
    card = render(Card("Reminder"))
    assert card.lines == ("Reminder",)
    assert len(card.blocks) == 1


@given(
    st.builds(
        Card,
        headline=st.text(max_size=400),
        lead_name=st.text(max_size=300),
        company=st.text(max_size=300),
        reasons=st.lists(st.text(max_size=300), max_size=8).map(tuple),
        answers=st.lists(st.text(max_size=900), max_size=20).map(tuple),
        opening=st.text(max_size=900),
        links=st.lists(st.tuples(st.text(max_size=90), st.text(max_size=90)), max_size=9).map(
            tuple
        ),
    )
)
def test_no_card_is_longer_than_slack_or_people_take(card: Card) -> None:
    shown = render(card)
    assert len(shown.lines) <= MAX_LINES
    assert all("\n" not in line for line in shown.lines)
    for block in shown.blocks:
        text = block["text"]
        assert isinstance(text, dict)
        assert len(text["text"]) <= (150 if block["type"] == "header" else 3000)


def test_nothing_a_buyer_types_mentions_or_links() -> None:
    card = render(Card("Lead", lead_name="<!channel> <https://evil.test|click>", company="a&b"))
    text = card.lines[1]
    assert "<!" not in text
    assert "<http" not in text
    assert "&lt;!channel&gt;" in text
    assert escape("<&>") == "&lt;&amp;&gt;"
    assert link("bad", "javascript:alert(1)") == "bad"
    assert link("a|b>", "https://x.test/?q=1|2>3") == "<https://x.test/?q=1%7C2%3E3|a/b&gt;>"


def test_names_from_right_to_left_stay_in_their_place() -> None:
    assert isolate("أحمد") == "\u2068أحمد\u2069"
    assert isolate("Ahmed") == "Ahmed"
    sneaky = render(Card("Lead", lead_name="Eve\u202egnp.exe"))
    assert "\u202e" not in sneaky.lines[1]


@pytest.mark.parametrize(
    ("text", "limit"),
    [("👩‍👩‍👧" * 30, 20), ("🇩🇪" * 30, 20), ("e\u0301" * 40, 20), ("👍🏽" * 30, 20)],
)
def test_cutting_never_splits_what_is_one_sign(text: str, limit: int) -> None:
    whole = {"👩‍👩‍👧": 5, "🇩🇪": 2, "e\u0301": 2, "👍🏽": 2}
    sign = next(one for one in whole if text.startswith(one))
    short = cut(text, limit)
    assert len(short) <= limit
    assert short.endswith("…")
    assert len(short[:-1]) % len(sign) == 0
    assert cut("short", 20) == "short"
