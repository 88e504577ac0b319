"""The shipped mapping and overlay for the X Education export, on rows of its shape."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from baton.leads.enrichment import enrich
from baton.leads.facts import read_facts
from baton.leads.model import LeadSnapshot
from baton.policy.fields import FieldObject
from baton.policy.loader import parse_policy, read_bundle
from baton.policy.models import Policy
from baton.scoring.points import score
from crm_sandbox.loading_map import MappingFile, read_mapping_file

SHIPPED = Path(__file__).parents[3] / "include" / "policy"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
WRITTEN_BY_SALES = {
    "Converted", "Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity",
    "Asymmetrique Activity Index", "Asymmetrique Profile Index",
    "Asymmetrique Activity Score", "Asymmetrique Profile Score",
}  # fmt: skip
KEEN = {
    "Lead Number": "660001", "Lead Origin": "Landing Page Submission", "Lead Source": "Google",
    "Do Not Email": "No", "Do Not Call": "Yes", "TotalVisits": "4", "Country": "India",
    "Total Time Spent on Website": "1480", "Page Views Per Visit": "2.5",
    "Specialization": "Finance Management", "City": "Select",
    "What is your current occupation": "Working Professional",
    "A free copy of Mastering The Interview": "Yes",
}  # fmt: skip


@pytest.fixture(scope="module")
def mapping() -> MappingFile:
    return read_mapping_file(SHIPPED / "mappings" / "xeducation.yaml")


@pytest.fixture(scope="module")
def school() -> Policy:
    return parse_policy(read_bundle(SHIPPED, SHIPPED / "overlays" / "xeducation.yaml"))


def lead(mapping: MappingFile, row: dict[str, str]) -> LeadSnapshot:
    held = {name: source.read(row) for name, source in mapping.properties.items()}
    return LeadSnapshot("1", NOW, NOW, NOW, {**held, "createdate": "2026-11-19T00:00:00Z"})


def test_nothing_that_sales_wrote_is_mapped(mapping: MappingFile) -> None:
    used = {column for source in mapping.properties.values() for column in source.columns()}
    assert not used & WRITTEN_BY_SALES


def test_the_overlay_reads_only_what_the_mapping_fills(
    mapping: MappingFile, school: Policy
) -> None:
    asked = {label for rule in school.score for label in rule.when.labels()}
    read = {school.fields[label].hubspot for label in asked}
    assert read <= set(mapping.properties)
    assert set(mapping.properties) - set(wanted(school)) <= {"export_lead_number"}


def wanted(school: Policy) -> set[str]:
    return {
        f.hubspot for f in school.fields.values() if f.hubspot and f.object is FieldObject.CONTACT
    }


def test_a_keen_lead_is_hot_and_an_idle_one_is_not(mapping: MappingFile, school: Policy) -> None:
    seen = lead(mapping, KEEN)
    read = read_facts(seen, school)
    assert read.problems == ()
    facts = enrich(read.facts, seen, school).facts
    assert facts["E-mail"] == "lead-660001@export.test"
    assert facts["Territory"] == "APAC"
    assert facts["Permission to call"] is False
    assert "City" not in facts, "Select means that nothing was chosen"
    assert school.bands["hot"].holds(score(facts, school, NOW).total_milli)

    idle = lead(mapping, {**KEEN, "Total Time Spent on Website": "0", "TotalVisits": "",
                          "What is your current occupation": "", "Lead Origin": "API"})  # fmt: skip
    facts = enrich(read_facts(idle, school).facts, idle, school).facts
    assert not school.bands["warm"].holds(score(facts, school, NOW).total_milli)


def test_an_enquiry_is_handed_off_whatever_its_score(mapping: MappingFile, school: Policy) -> None:
    seen = lead(mapping, {"Lead Number": "1", "Lead Origin": "Lead Add Form", "Lead Source": ""})
    facts = enrich(read_facts(seen, school).facts, seen, school).facts
    assert school.triggers["enquiry"].when.evaluate(facts, NOW)
    assert facts["Created at"] == datetime(2026, 11, 19, tzinfo=UTC)
