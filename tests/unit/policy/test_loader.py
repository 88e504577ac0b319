from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from baton.errors import PolicyErrors
from baton.policy.bundle import PolicyBundle
from baton.policy.findings import Level
from baton.policy.loader import check_policy, parse_policy, policy_from_texts, read_bundle
from baton.policy.models import Policy


def test_the_policy_is_split_over_files_and_lists(texts: Mapping[str, str]) -> None:
    assert {"agreement.yaml", "scoring.yaml", "lists/territories.csv"} <= set(texts)
    assert "roster.yaml" not in texts, "the roster is not policy"
    assert not [name for name in texts if name.startswith(("overlays/", "mappings/"))]


def test_the_hash_covers_every_file_and_list(texts: Mapping[str, str]) -> None:
    before = PolicyBundle(texts).hash
    listed = dict(texts) | {"lists/competitors.csv": texts["lists/competitors.csv"] + "x.test,X\n"}
    assert PolicyBundle(listed).hash != before
    assert policy_from_texts(texts).hash == before
    assert PolicyBundle(dict(reversed(texts.items()))).hash == before


def test_line_ends_do_not_change_the_version(tmp_path: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert read_bundle(tmp_path).hash == PolicyBundle(texts).hash


def test_an_overlay_changes_values_and_nothing_else(shipped: Path, policy: Policy) -> None:
    demo = parse_policy(read_bundle(shipped, shipped / "overlays" / "demo.yaml"))
    assert demo.hash != policy.hash
    assert demo.sla["hot"].first_touch.seconds == 20
    assert demo.score == policy.score


def test_an_overlay_can_replace_and_remove(texts: Mapping[str, str]) -> None:
    over = "replace: [suppress]\nsuppress: []\nsla: {quiz: null}\nguards: {handoffs_per_run: 7}\n"
    found = policy_from_texts({**texts, "overlays/x.yaml": over})
    assert found.suppress == ()
    assert "quiz" not in found.sla
    assert found.guards.handoffs_per_run == 7
    assert found.guards.hops_per_handoff == 3


def test_errors_in_an_overlay_point_into_the_overlay(texts: Mapping[str, str]) -> None:
    with pytest.raises(PolicyErrors) as raised:
        policy_from_texts({**texts, "overlays/x.yaml": "name: X\nguards: {handoffs_per_runn: 7}\n"})
    assert "overlays/x.yaml:2:10: 'handoffs_per_runn' is not known here" in str(raised.value)
    assert "did you mean 'handoffs_per_run'?" in str(raised.value)


def test_all_errors_come_at_once_in_order_with_their_lines(texts: Mapping[str, str]) -> None:
    broken = dict(texts)
    broken["scoring.yaml"] = broken["scoring.yaml"].replace("points: 20", "points: twenty", 1)
    broken["sla.yaml"] = broken["sla.yaml"].replace("5 working minutes", "5 workin minutes", 1)
    broken["routing.yaml"] = broken["routing.yaml"].replace("Company size:", "Company sise:", 1)
    with pytest.raises(PolicyErrors) as raised:
        policy_from_texts(broken)
    errors = raised.value.errors
    assert [error.file for error in errors] == ["routing.yaml", "scoring.yaml", "sla.yaml"]
    assert all(error.line and error.column and error.snippet for error in errors)
    assert "did you mean 'Company size'?" in str(errors[0])
    assert "points: twenty" in str(errors[1])
    assert "'5 workin minutes' is not a length of time" in str(errors[2])


def test_a_missing_directory_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(PolicyErrors, match="there is no policy directory"):
        read_bundle(tmp_path / "none")
    with pytest.raises(PolicyErrors, match=r"no \*.yaml file"):
        read_bundle(tmp_path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("a: " + "x" * 10_000_000)
    started = time.monotonic()
    with pytest.raises(PolicyErrors, match=r"policy.yaml: the file is larger than"):
        read_bundle(tmp_path)
    assert time.monotonic() - started < 1


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(PolicyErrors, match="is not UTF-8 text"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "just words"])
def test_a_policy_that_is_no_policy(text: str) -> None:
    with pytest.raises(PolicyErrors, match=r"policy is empty|a map of sections"):
        policy_from_texts({"policy.yaml": text})


def test_a_section_in_two_files_is_refused(texts: Mapping[str, str]) -> None:
    with pytest.raises(PolicyErrors, match=r"'queues' already stands in routing.yaml"):
        policy_from_texts({**texts, "zebra.yaml": "queues: [Other]\n"})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("lists/territories.csv", "country,territory\nDE,A\nDE,B\n", "DE belongs to both 'A' and 'B'"),
        ("lists/territories.csv", "country,territory\nGermany,A\n", "not an ISO country code"),
        ("lists/territories.csv", "land,territory\nDE,A\n", "lacks the column country"),
        ("lists/named_accounts.csv", "domain,owner\nx.test,a@b.test\nX.test,c@b.test\n", "is named twice"),
        ("lists/named_accounts.csv", "domain,owner\nnowhere,a@b.test\n", "is not a domain"),
        ("lists/free_mail.csv", "domain\na.test,b\n", "line 2 has 2 values for 1 columns"),
        ("lists/free_mail.csv", "", "the first line must name each column"),
    ],
)  # fmt: skip
def test_lists_that_cannot_be_used(
    texts: Mapping[str, str], name: str, text: str, message: str
) -> None:
    with pytest.raises(PolicyErrors, match=message):
        policy_from_texts({**texts, name: text})


def test_all_that_is_wrong_in_the_lists_is_told_at_once_each_at_its_line(
    texts: Mapping[str, str],
) -> None:
    lists = {
        "lists/territories.csv": "country,territory\nDE,A\nGermany,A\n\nDE,B\nAT,\n",
        "lists/named_accounts.csv": "domain,owner\nnowhere,a@b.test\nx.test,nobody\n",
        "lists/company_aliases.csv": "alias_domain,domain\na.test,b\nc.test,d.test\nc.test,e.test\n",
    }
    with pytest.raises(PolicyErrors) as caught:
        policy_from_texts({**texts, **lists})
    told = {(error.file, error.line): str(error) for error in caught.value.errors}
    assert {place: told[place] for place in told if place[0] in lists}.keys() == {
        ("lists/territories.csv", 3),
        ("lists/territories.csv", 5),
        ("lists/territories.csv", 6),
        ("lists/named_accounts.csv", 2),
        ("lists/named_accounts.csv", 3),
        ("lists/company_aliases.csv", 2),
        ("lists/company_aliases.csv", 4),
    }
    assert (
        "did you mean" in told["lists/territories.csv", 3]
        or "Germany is DE" in told["lists/territories.csv", 3]
    )
    short = "domain\na.test,b\nc.test\nd.test,e\n"
    with pytest.raises(PolicyErrors) as caught:
        policy_from_texts({**texts, "lists/free_mail.csv": short})
    lines = [error.line for error in caught.value.errors if error.file == "lists/free_mail.csv"]
    assert lines == [2, 4]


def test_findings_have_places(texts: Mapping[str, str]) -> None:
    changed = dict(texts)
    changed["routing.yaml"] = changed["routing.yaml"].replace(
        ", watched_by: nadia.petrov@relay.test", ""
    )
    _, found = check_policy(PolicyBundle(changed))
    (finding, place), *rest = found
    assert not rest
    assert (finding.level, finding.message) == (Level.WARNING, "nobody watches the fallback")
    assert place is not None
    assert place.file == "routing.yaml"
    assert "otherwise" in changed["routing.yaml"].splitlines()[place.line - 1]
