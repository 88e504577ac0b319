"""Scores as Salesforce keeps them: what is written is what is seen afterwards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from baton.crm.marks import mark
from baton.pipeline.delivery.salesforce_records import points

FIELDS = (
    Path(__file__).resolve().parents[3]
    / "include/salesforce/force-app/main/default/objects/Lead/fields"
)


@pytest.mark.parametrize(
    ("milli", "kept"),
    [(115_863, "115.9"), (90_598, "90.6"), (81_250, "81.3"), (75_000, "75"), (-2_050, "-2.1")],
)
def test_a_score_is_written_as_the_field_keeps_it(milli: int, kept: str) -> None:
    assert mark(points(milli)) == kept


@pytest.mark.parametrize("name", ["Handoff_Score__c", "Handoff_Fit__c", "Handoff_Intent__c"])
def test_the_fields_keep_as_many_places_as_are_written(name: str) -> None:
    field = (FIELDS / f"{name}.field-meta.xml").read_text(encoding="utf-8")
    assert re.findall(r"<scale>(\d)</scale>", field) == ["1"]
