"""What changed between two policies, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from baton.policy.difference import Kind, differences
from baton.policy.difference_words import changes
from baton.policy.loader import parse_policy, policy_from_texts, read_bundle
from baton.policy.models import Policy

Edited = Callable[..., Policy]


def words(before: Policy, after: Policy) -> list[str]:
    return [change.words for change in changes(before, after)]


def test_the_same_policy_has_no_difference(policy: Policy, shipped: Path) -> None:
    assert changes(policy, policy) == ()
    commented = dict(read_bundle(shipped).texts)
    commented["sla.yaml"] += "\n# nothing but a remark\n"
    again = policy_from_texts(commented)
    assert again.hash != policy.hash
    assert changes(policy, again) == ()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("scoring.yaml", "demo-request, points: 30", "demo-request, points: 35"),
         "The rule 'demo-request' (intent) gives 35 points instead of 30."),
        (("scoring.yaml", "above: 75,", "above: 72,"),
         "The band 'hot' now begins above 72 instead of above 75."),
        (("scoring.yaml", "warm: {from: 50}", "warm: {above: 50}"),
         "The band 'warm' now begins above 50 instead of from 50."),
        (("scoring.yaml", "Company size: {below: 10}", "Company size: {below: 8}"),
         ("The rule 'size-tiny' (fit) now counts when Company size is below 8; before, when Company "
         "size is below 10.")),
        (("sla.yaml", "hot: {first_touch: 5 working minutes", "hot: {first_touch: 6 working minutes"),
         ("For 'hot', a person of sales must answer within 6 working minutes instead of 5 working "
         "minutes.")),
        (("fields.yaml", "demo_request: [First name, ", "demo_request: ["),
         "A lead of 'demo_request' no longer needs First name."),
        (("lists/own_domains.csv", "relay.test", "relay.test\nrelay-group.test"),
         "The list “own domains”: 1 entry added (relay-group.test)."),
        (("lists/territories.csv", "NO,UK and Nordics", "NO,DACH"),
         "NO now belongs to DACH instead of “UK and Nordics”."),
        (("dispositions.yaml", "at_most: 3", "at_most: 4"),
         ("The reason code 'no_budget' may send a lead back at most 4 times in a row, before at most 3 "
         "times in a row.")),
        (("routing.yaml", "account owner, reassign: never,", "account owner,"),
         "The route rule 'named-account': who gets the lead no longer keeps it when the clock runs out."),
        (("agreement.yaml", "handoffs_per_run: 200", "handoffs_per_run: 150"),
         "Guards: handoffs per run is now 150 instead of 200."),
        (("agreement.yaml", "at_least: 150", "at_least: 120"),
         "The promise of marketing about handoffs: at least 120 instead of 150."),
        (("agreement.yaml", "band: hot, at_most: 5", "at_most: 5"),
         "The promise of sales about speed to lead median counts all leads instead of hot."),
        (("agreement.yaml", "quarantined: {after: 30 days", "quarantined: {after: 20 days"),
         "A lead that is quarantined waits at most 20 days instead of 30 days."),
        (("scoring.yaml", "inbound_call:\n    label: Inbound call", "inbound_call:\n    label: A call"),
         "Triggers: inbound call › label is now “A call” instead of “Inbound call”."),
    ],
)  # fmt: skip
def test_one_change_is_one_sentence(
    policy: Policy, edited: Edited, edit: tuple[str, str, str], said: str
) -> None:
    assert words(policy, edited(edit)) == [said]


def test_a_rule_that_moved_says_before_what(policy: Policy, texts: Mapping[str, str]) -> None:
    lines = texts["routing.yaml"].splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if "id: customer" in line)
    second = next(at for at, line in enumerate(lines) if "id: named-account" in line)
    lines[first], lines[second] = lines[second], lines[first]
    moved = policy_from_texts({**texts, "routing.yaml": "".join(lines)})
    assert words(policy, moved) == ["The route rule 'named-account' now comes before 'customer'."]


def test_what_came_and_went_is_told_with_what_it_says(policy: Policy, edited: Edited) -> None:
    line = '  - {id: support, when: {Form: Support request}, say: "asked for support; the support desk answers"}'
    new = '  - {id: press, when: {Form: Press enquiry}, say: "is of the press"}'
    found = words(policy, edited(("scoring.yaml", line, new)))
    assert found == [
        "The reason 'press' for never handing off is new: Form is Press enquiry.",
        "The reason 'support' for never handing off is gone. It said: Form is Support request.",
    ]


def test_a_list_that_several_rules_name_is_told_once(policy: Policy, edited: Edited) -> None:
    found = words(policy, edited(("lists/competitors.csv", "leadrush.test", "leadrush-group.test")))
    assert found == [
        "The list “competitors”: 1 entry added (leadrush-group.test) and 1 entry removed (leadrush.test)."
    ]


def test_a_whole_other_agreement_is_told_section_by_section(policy: Policy, shipped: Path) -> None:
    other = parse_policy(read_bundle(shipped, shipped / "overlays" / "xeducation.yaml"))
    there, back = changes(policy, other), changes(other, policy)
    assert {one.section for one in there} >= {
        "Score",
        "Bands",
        "Routing",
        "Stages",
        "Response times",
    }
    assert {one.path for one in there if one.kind == "added"} == {
        one.path for one in back if one.kind == "removed"
    }


def test_the_structure_holds_both_values(policy: Policy, edited: Edited) -> None:
    after = edited(("agreement.yaml", "hops_per_handoff: 3", "hops_per_handoff: 4"))
    (found,) = differences(policy, after)
    assert (found.path, found.kind, found.before, found.after) == (
        ("guards", "hops_per_handoff"),
        Kind.CHANGED,
        3,
        4,
    )
