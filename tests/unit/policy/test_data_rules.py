"""What the policy says of leads' data: read, and refused in words when it cannot be."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from baton.errors import PolicyErrors
from baton.policy.bundle import PolicyBundle
from baton.policy.loader import parse_policy, read_bundle
from baton.policy.models import Policy

ONE_STEP = "{provider: x, fills: [Industry], budget_a_day: 1}"
SHIPPED = read_bundle(Path(__file__).resolve().parents[3] / "include" / "policy")


def policy(overlay: str, **lists: str) -> Policy:
    texts = {**SHIPPED.texts, "overlays/x.yaml": overlay}
    texts |= {f"lists/{name}.csv": text for name, text in lists.items()}
    return parse_policy(PolicyBundle(texts))


def test_the_shipped_policy_shows_them() -> None:
    shipped = parse_policy(SHIPPED)
    assert "Decision timeline" in shipped.profile.keep
    assert shipped.profile.is_vague(" just LOOKING ")
    assert shipped.digest is not None
    assert (shipped.digest.at, shipped.digest.zone) == (time(8), "Europe/Berlin")
    assert shipped.drift is not None
    assert shipped.drift.volume is not None
    assert shipped.company_aliases["castellan-re.test"] == "castellan-insurance.test"


def test_a_provider_with_a_list_of_labels() -> None:
    text = "enrichment: [{provider: facts, fills: [Industry], budget_a_day: 5, wait: 10 minutes}]"
    (step,) = policy(text).enrichment
    assert step.fills == {"Industry": "Industry"}
    assert step.wait is not None
    assert (step.wait.seconds, step.timeout.seconds, step.confidence) == (600, 5, 70)


@pytest.mark.parametrize(
    ("overlay", "says"),
    [
        ("profile: {keep: [Budget rang]}", "did you mean 'Budget range'"),
        ("profile: {keep: [Segment]}", "'Segment' is worked out by Baton"),
        ("profile: {keep: [Message], for: ever}", "'ever' is not a length of time"),
        ("digest: {at: 8, channel: sales-ops}", "'8' is not a time of day; write it in quotes"),
        ('digest: {at: "24:10", channel: sales-ops}', "is not a time of day"),
        ("digest: {zone: Berlin, channel: sales-ops}", "'Berlin' is not a time zone"),
        ("digest: {channel: sales-opps}", "did you mean 'sales-ops'"),
        ("drift: {new_values: [Message]}", "'Message' is personal"),
        ("drift: {new_values: [Sourc]}", "did you mean 'Source'"),
        ("drift: {volume: {at_least: 120}}", "at_least"),
        (
            "enrichment: [{provider: x, fills: [Phone], budget_a_day: 1}]",
            "'Phone' is personal: providers are asked about companies only",
        ),
        ("enrichment: [{provider: x, fills: [Segment], budget_a_day: 1}]", "worked out by Baton"),
        ("enrichment: [{provider: X y, fills: [Industry], budget_a_day: 1}]", "cannot name"),
        (
            "enrichment: [{provider: x, fills: [Industry], budget_a_day: 1, timeout: 2 minutes}]",
            "too long to wait for a provider",
        ),
        (
            f"enrichment: [{ONE_STEP}, {ONE_STEP}]",
            "'x' stands here twice",
        ),
    ],
)
def test_what_is_refused_and_in_which_words(overlay: str, says: str) -> None:
    with pytest.raises(PolicyErrors) as caught:
        policy(overlay)
    assert says in str(caught.value)
    assert "overlays/x.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("alias,domain\na.test,b.test", "lacks the column alias_domain"),
        ("alias_domain,domain\na.test,b", "lists/mine.csv:2:1: 'b' is not a domain"),
        ("alias_domain,domain\na.test,b.test\na.test,c.test", "alias of both b.test and c.test"),
        ("alias_domain,domain\na.test,b.test\nb.test,c.test", "write a.test,c.test"),
    ],
)
def test_aliases_that_lead_astray(rows: str, says: str) -> None:
    with pytest.raises(PolicyErrors) as caught:
        policy("company_aliases: lists/mine.csv", mine=rows)
    assert says in str(caught.value)
