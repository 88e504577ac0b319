"""The readable agreement: complete, the same each time, safe to show, and the shipped one is current."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from baton.policy.document import Activated, as_html, as_markdown, document_of
from baton.policy.loader import policy_from_texts, read_roster
from baton.policy.models import Policy
from baton.policy.roster import Roster

HERE = Path(__file__).parent / "document"
SHIPPED_DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "agreement.md"
SMALL = policy_from_texts(
    {
        "policy.yaml": (HERE / "policy.yaml").read_text(encoding="utf-8"),
        "lists/rivals.csv": "domain\nrival.test\n",
        "lists/free.csv": "domain\nfreemail.test\n",
        "lists/territories.csv": "country,territory,region,effective_from\nDE,DACH,,\nDE,South,DE-BY,2027-01-01\nNO,Nordics,,\n",
        "lists/named.csv": "domain,name,owner\nbrenn.test,Brenn,bo@relay.test\n",
    }
)  # fmt: skip
ROSTER = Roster.model_validate(
    {
        "people": [{"key": "bo@relay.test", "name": "Bo <Lind>"}],
        "pools": [{"name": "German speakers", "members": [{"rep": "bo@relay.test", "weight": 2}]}],
    }
)


@pytest.mark.requirement("002-05")
@pytest.mark.requirement("002-26")
def test_the_whole_agreement_as_markdown(snapshot: SnapshotAssertion) -> None:
    assert as_markdown(document_of(SMALL, roster=ROSTER, today=date(2027, 2, 3))) == snapshot


@pytest.mark.requirement("002-37")
def test_the_document_that_ships_is_that_of_the_shipped_policy(policy: Policy) -> None:
    current = as_markdown(document_of(policy))
    assert SHIPPED_DOCUMENT.read_text(encoding="utf-8") == current, (
        "run: baton policy document include/policy --format md --out docs/agreement.md"
    )


@pytest.mark.requirement("002-05")
@pytest.mark.parametrize(
    "sentence",
    [
        "A score above 75 (hot)",
        "stay with marketing, with their score and its reasons, until the score reaches the line",
        "it is marked cold",
        "Sales accepts at least 82 % of what it gets",
        "at least 6 times over 10 days",
        "No lead stays anywhere for ever",
    ],
)
def test_it_answers_what_an_agreement_must_answer(policy: Policy, sentence: str) -> None:
    assert sentence.lower() in as_markdown(document_of(policy)).lower()


def test_the_same_policy_gives_the_same_text(policy: Policy) -> None:
    assert as_html(document_of(policy)) == as_html(document_of(policy))
    assert as_markdown(document_of(policy)) == as_markdown(document_of(policy))


@pytest.mark.requirement("002-37")
def test_a_review_that_is_overdue_is_said(policy: Policy) -> None:
    last_day = date(2026, 12, 3)
    assert document_of(policy, today=last_day).warning is None
    late = document_of(policy, today=date(2026, 12, 4))
    assert late.warning is not None
    assert "due on 3 December 2026, 1 day ago" in late.warning
    assert 'class="warning"' in as_html(late)
    assert f"> **{late.warning}**" in as_markdown(late)


def test_the_active_one_says_since_when_and_by_whom(policy: Policy) -> None:
    at = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    made = document_of(policy, activated=Activated(at, "ada"))
    assert ("In force since", "20 November 2026, 09:30 UTC, by ada") in made.facts
    assert policy.hash[:12] in as_markdown(made)


@pytest.fixture(scope="session")
def roster(shipped: Path) -> Roster:
    """Return the roster that ships as the example."""
    return read_roster(shipped / "roster.yaml")


def test_every_rule_reason_code_route_and_pool_is_in_it(policy: Policy, roster: Roster) -> None:
    text = as_markdown(document_of(policy, roster=roster))
    for one in policy.dispositions.values():
        assert f"| {one.rep_sees} |" in text
    for trigger in policy.triggers.values():
        assert f"- {trigger.label}: " in text
    for pool in policy.pools:
        assert f"| {pool} |" in text
    assert len(re.findall(r"^\d+\. ", text, re.MULTILINE)) == len(policy.route) + 1
    for rep in roster.people:
        in_pool = any(member.rep == rep.key for pool in roster.pools for member in pool.members)
        assert (rep.name in text) == in_pool
    plus = re.findall(r"^\| .* \| [+−][\d.]+ \|", text, re.MULTILINE)
    assert len(plus) == len(policy.score)


def test_no_section_of_a_policy_is_left_out() -> None:
    text = as_markdown(document_of(SMALL, roster=ROSTER))
    for words in (
        "Quiet hours", "Tests of colleagues", "Imported lists", "One company, one owner",
        "Meetings that are booked already", "Answers of several forms", "The daily list",
        "Product lines", "Deal sizes", "Germany (DE-BY) from 1 January 2027",
    ):  # fmt: skip
        assert words in text


def test_a_section_without_words_of_its_own_is_listed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from baton.policy import document_rest

    monkeypatch.setattr(document_rest, "special", lambda _policy: ())
    text = as_markdown(document_of(SMALL))
    assert "### Keep together" in text
    assert "for: 30 days" in text
    assert "a day: 40" in text


class Outline(HTMLParser):
    """Collects what a reader with a screen reader goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def test_the_page_stands_alone_and_can_be_read_by_anybody(policy: Policy) -> None:
    text = as_html(document_of(policy))
    page = Outline()
    page.feed(text)
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert {one.get("scope") for one in page.all("th")} == {"col", "row"}
    anchors = [one["id"] for one in page.all("h2") if one.get("id")]
    assert len(set(anchors)) == len(anchors)
    assert [one["href"] for one in page.all("a")] == ["#content", *(f"#{one}" for one in anchors)]
    assert not {"script", "link", "img", "iframe"} & {name for name, _ in page.tags}
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "&#34;Segoe" not in text


def test_texts_of_the_policy_are_no_markup() -> None:
    made = document_of(SMALL, roster=ROSTER)
    page, text = as_html(made), as_markdown(made)
    assert "<agreed>" not in page
    assert "Small &amp; &lt;agreed&gt;" in page
    assert "<Lind>" not in page
    assert "Small &amp; &lt;agreed&gt;" in text
    assert r"people \*exactly\*" in text
    assert r"people \| all sites" in text


def test_script_in_a_name_stays_text(edited: Callable[..., Policy]) -> None:
    made = edited(
        ("agreement.yaml", "name: Relay inbound", "name: '<script>alert(1)</script>'"),
        ("routing.yaml", "a named account", "<img src=x onerror=alert(1)>"),
    )
    page = as_html(document_of(made))
    assert "<script" not in page
    assert "<img" not in page
