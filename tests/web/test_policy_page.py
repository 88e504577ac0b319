"""Policy: the agreement in words, versions with what they changed, cases, rosters."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.web.conftest import NOW, Visitors

from baton.ledger.agreements import policies
from baton.ledger.agreements.policies import ActivationKind
from baton.ledger.database.engine import transaction
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.bundle import PolicyBundle
from baton.policy.loader import read_bundle, read_roster

POLICY = Path(__file__).resolve().parents[2] / "include" / "policy"


def changed(bundle: PolicyBundle, before: str, after: str) -> PolicyBundle:
    texts = {name: body.replace(before, after) for name, body in bundle.texts.items()}
    assert texts != dict(bundle.texts)
    return PolicyBundle(texts)


@pytest.fixture
def first() -> PolicyBundle:
    """The shipped policy."""
    return read_bundle(POLICY)


@pytest.fixture
def agreed(ledger_engine: Engine, ledger_url: str, first: PolicyBundle) -> str:
    """A ledger with the shipped policy and roster in force."""
    with transaction(ledger_engine) as conn:
        adopt_roster(
            conn, read_roster(POLICY / "roster.yaml"), by="nadia", at=NOW, note="as it <is>"
        )
        activate_policy(conn, first, by="nadia", at=NOW, parent=None, note="as agreed")
    return ledger_url


def test_the_agreement_stands_on_the_page_in_words(visitors: Visitors, agreed: str) -> None:
    page = visitors.client(agreed).get("/policy").text
    for said in ("At a glance", "Demo request", "5 working minutes", "In force since", "by nadia"):
        assert said in page
    anchors = set(re.findall(r'<h2 id="([\w-]+)"', page))
    linked = set(re.findall(r'<a href="#([\w-]+)"', page)) - {"content"}
    assert linked <= anchors
    # The links of Today lead to sections that there are.
    assert "at-a-glance" in anchors
    assert not re.search(r"<style| style=", page)


def test_a_review_that_is_overdue_is_said(
    visitors: Visitors, agreed: str, ledger_engine: Engine, first: PolicyBundle
) -> None:
    old = changed(first, "on: 2026-11-03", "on: 2026-01-03")
    with transaction(ledger_engine) as conn:
        activate_policy(conn, old, by="nadia", at=NOW, parent=first.hash)
    assert "review of this agreement is overdue" in visitors.client(agreed).get("/policy").text


def test_versions_say_what_changed_and_who_did_it(
    visitors: Visitors, agreed: str, ledger_engine: Engine, first: PolicyBundle
) -> None:
    second = changed(first, "hot: {above: 75,", "hot: {above: 80,")
    with transaction(ledger_engine) as conn:
        activate_policy(
            conn, second, by="greg", at=NOW, parent=first.hash, note="fewer <b>hot</b> ones"
        )
        policies.activate(
            conn, first.hash, parent=second.hash, by="ops", at=NOW + timedelta(minutes=1),
            kind=ActivationKind.ROLLBACK, note="too few",
        )  # fmt: skip
    client = visitors.client(agreed)
    page = client.get("/policy/versions").text
    by = re.findall(r"(Activated|Rolled back) by (\w+)", page)
    assert by == [("Rolled back", "ops"), ("Activated", "greg"), ("Activated", "nadia")]
    assert "fewer &lt;b&gt;hot&lt;/b&gt; ones" in page
    assert "80" in page
    assert page.count(">in force<") == 1
    assert "The first version." in page

    links = re.findall(r'href="(/policy\?version=\w+)"', page)
    earlier = client.get(links[1])
    assert earlier.status_code == 200
    assert "This is an earlier version" in earlier.text
    assert "by greg" in earlier.text


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("0000", "there is no policy 0000"),
        ("<script>", "there is no policy"),
        ("z" * 300, "there is no policy"),
    ],
)
def test_an_unknown_version_is_said_in_words(
    visitors: Visitors, agreed: str, version: str, words: str
) -> None:
    page = visitors.client(agreed).get("/policy", params={"version": version})
    assert page.status_code == 404
    assert words in page.text
    assert "<script>" not in page.text.replace("<script src=", "")


def test_versions_that_no_longer_load(
    visitors: Visitors, agreed: str, ledger_engine: Engine, first: PolicyBundle
) -> None:
    with transaction(ledger_engine) as conn:
        broken = policies.store(conn, PolicyBundle({"agreement.yaml": "name: old"}), at=NOW)
        policies.activate(conn, broken, parent=first.hash, by="ghost", at=NOW)
    client = visitors.client(agreed)
    page = client.get("/policy")
    assert page.status_code == 200
    assert "cannot be used with this version of Baton" in page.text
    assert "this version of Baton cannot read it" in client.get("/policy/versions").text
    assert client.get("/").status_code == 200
    assert "There is no policy to decide by" in client.get("/").text
    assert "There is nothing to test yet" in client.get("/policy/cases?go=1").text


def test_before_anything_was_agreed(visitors: Visitors, ledger_url: str) -> None:
    client = visitors.client(ledger_url)
    for path, words in (
        ("", "No policy is active yet"),
        ("/versions", "No policy was ever active"),
        ("/cases", "There is nothing to test yet"),
        ("/cases?go=1", "There is nothing to test yet"),
        ("/roster", "There is no roster yet"),
    ):
        page = client.get(f"/policy{path}")
        assert page.status_code == 200
        assert words in page.text


def test_cases_run_only_when_asked(visitors: Visitors, agreed: str) -> None:
    client = visitors.client(agreed)
    assert "Run the cases" in client.get("/policy/cases").text
    page = client.get("/policy/cases?go=1").text
    passed, failed = re.findall(r"<dd>(\d+)</dd>", page)[:2]
    assert int(passed) > 50
    assert failed == "0"


def test_cases_that_come_out_otherwise_say_how(
    visitors: Visitors, agreed: str, ledger_engine: Engine, first: PolicyBundle
) -> None:
    other = changed(first, "id: demo-request, points: 30", "id: demo-request, points: 1")
    with transaction(ledger_engine) as conn:
        activate_policy(conn, other, by="greg", at=NOW, parent=first.hash)
    page = visitors.client(agreed).get("/policy/cases?go=1").text
    assert re.search(r"expected .+, got ", page)


def test_rosters_with_what_changed(visitors: Visitors, agreed: str, ledger_engine: Engine) -> None:
    roster = read_roster(POLICY / "roster.yaml")
    people = tuple(
        rep.model_copy(update={"cap_day": 3}) if at == 0 else rep
        for at, rep in enumerate(roster.people)
    )
    with transaction(ledger_engine) as conn:
        adopt_roster(conn, roster.model_copy(update={"people": people}), by="mara", at=NOW)
    client = visitors.client(agreed)
    page = client.get("/policy/roster").text
    assert "most new leads a day" in page
    assert "By mara" in page
    assert "as it &lt;is&gt;" in page
    with transaction(ledger_engine) as conn:
        conn.execute(text("UPDATE roster_version SET content = '{\"people\": 5}'"))
    page = client.get("/policy/roster")
    assert page.status_code == 200
    assert "cannot be read by this version of Baton" in page.text
