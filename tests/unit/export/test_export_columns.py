"""Which column fills which field."""

from __future__ import annotations

from pathlib import Path

import pytest

from baton.errors import ConfigurationError, PolicyErrors
from baton.pipeline.exports.export_columns import plan_columns
from baton.pipeline.exports.export_mapping import read_mapping
from baton.policy.models import Policy


def filled(policy: Policy, *columns: str, maps: tuple[str, ...] = ()) -> dict[str, str]:
    return dict(plan_columns(columns, policy, maps=maps).filled)


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("Company size", "Company size"),
        ("company  SIZE", "Company size"),
        ("company_size", "Company size"),
        ("NumberOfEmployees", "Company size"),
        ("LastName", "Last name"),
        ("last name", "Last name"),
        ("jobtitle", "Job title"),
        ("E-Mail", "E-mail"),
        ("Email", "E-mail"),
        ("Phone Number", "Phone"),
        ("Country/Region", "Country"),
        ("Number of Employees", "Company size"),
        ("Company Domain Name", "Website"),
        ("property_firstname", "First name"),
        ("Company", "Company name"),
        ("recent_conversion_date", "Last conversion at"),
    ],
)
def test_columns_are_known_by_label_salesforce_and_hubspot_name(
    policy: Policy, column: str, label: str
) -> None:
    assert filled(policy, column) == {column: label}


def test_what_is_told_goes_before_what_is_found(policy: Policy) -> None:
    found = filled(policy, "Firm", "Company name", maps=("firm=Company name", "Company name=State"))
    assert found == {"Firm": "Company name", "Company name": "State"}


def test_a_company_property_and_a_contact_property_of_one_name_are_kept_apart(
    policy: Policy,
) -> None:
    plan = plan_columns(
        ["Industry", "Their own words"], policy, maps=["Their own words=Stated industry"]
    )  # fmt: skip
    assert plan.read(["SOFTWARE", "we make apps"]) == (
        {"industry": "we make apps"}, {"industry": "SOFTWARE"},
    )  # fmt: skip


def test_unread_columns_are_told_once_with_a_hint(policy: Policy) -> None:
    plan = plan_columns(["E-mail", "Job tittle", "Favourite colour", "Territory"], policy)
    hints = dict(plan.unread)
    assert hints["Job tittle"] == "did you mean 'Job title'?"
    assert hints["Favourite colour"] is None
    assert hints["Territory"] == "Baton works out 'Territory' itself"


def test_two_columns_for_one_field_are_not_mixed_up(policy: Policy) -> None:
    plan = plan_columns(["E-mail", "email"], policy)
    assert plan.filled == (("E-mail", "E-mail"),)
    assert dict(plan.unread)["email"] == "the column 'E-mail' fills the same field"


def test_required_fields_without_a_column_are_named_with_who_asks(policy: Policy) -> None:
    missing = dict(plan_columns(["First name", "Last name", "Company"], policy).missing)
    assert missing["E-mail"] == ("always",)
    assert "hot" in missing["Phone"]
    assert "Last name" not in missing


def test_another_property_helps_out_for_a_required_field(policy: Policy) -> None:
    assert "Company name" not in dict(plan_columns(["Stated company"], policy).missing)


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (("Firm",), "must look like"),
        (("=Company name",), "must look like"),
        (("Frim=Company name",), "no column 'Frim'; did you mean 'Firm'"),
        (("Firm=Compny name",), "no field 'Compny name'; did you mean 'Company name'"),
        (("Firm=Territory",), "works out 'Territory' itself"),
    ],
)
def test_a_wrong_map_says_what_there_is(
    policy: Policy, maps: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        plan_columns(["Firm", "E-mail"], policy, maps=maps)


def test_a_file_of_which_nothing_is_known_is_refused(policy: Policy) -> None:
    with pytest.raises(ConfigurationError, match="no column is known: colour, taste"):
        plan_columns(["colour", "taste"], policy)


def test_a_column_that_occurs_twice_is_refused(policy: Policy) -> None:
    with pytest.raises(ConfigurationError, match="more than once: E-mail"):
        plan_columns(["E-mail", "E-mail"], policy)


def test_the_key_is_found_or_told(policy: Policy) -> None:
    assert plan_columns(["Record ID", "E-mail"], policy).key_column == "Record ID"
    assert plan_columns(["E-mail"], policy).key_column is None
    assert plan_columns(["E-mail", "Ref"], policy, key="ref").key_of(["a", " 7 "]) == "7"
    with pytest.raises(ConfigurationError, match="--key: the file has no column 'Nr'"):
        plan_columns(["E-mail"], policy, key="Nr")


def mapping_file(folder: Path, text: str) -> Path:
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_replaces_fills_and_dates(policy: Policy, tmp_path: Path) -> None:
    text = """
properties:
  email: {template: "lead-{Nr}@export.test"}
  country: {column: Land, values: {Select: ""}}
  handoff_permission: {constant: true}
  hs_email_optout: {column: Mail, values: {Yes: "false", No: "true"}}
  hs_analytics_source: {column: Src, values: {g: ORGANIC_SEARCH}, otherwise: OTHER_CAMPAIGNS}
  createdate: {column: Made, type: datetime}
company:
  numberofemployees: {column: Staff, type: number}
"""
    mapping = read_mapping(mapping_file(tmp_path, text))
    columns = ["Nr", "Land", "Mail", "Src", "Made", "Staff", "Other"]
    plan = plan_columns(columns, policy, mapping=mapping)
    contact, company = plan.read(["7", "Select", "Yes", "x", "24.11.2026 10:30", "1,200", "?"])
    assert contact == {
        "email": "lead-7@export.test",
        "handoff_permission": "true",
        "hs_email_optout": "false",
        "hs_analytics_source": "OTHER_CAMPAIGNS",
        "createdate": "2026-11-24T10:30:00+00:00",
    }
    assert company == {"numberofemployees": "1200"}
    empty, _ = plan.read([""] * 7)
    assert "email" not in empty


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("properties: {email: {}}", ConfigurationError, "exactly one of column, template"),
        ("properties: {email: {colum: A}}", ConfigurationError, r"properties\.email\.colum"),
        ("- a", ConfigurationError, "must have a section 'properties:'"),
        ("properties: {a: 1", PolicyErrors, "mapping.yaml"),
    ],
)
def test_a_broken_mapping_says_where(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_mapping(mapping_file(tmp_path, text))


def test_a_mapping_for_another_file_names_the_column(policy: Policy, tmp_path: Path) -> None:
    mapping = read_mapping(mapping_file(tmp_path, "properties: {email: Adress}"))
    with pytest.raises(ConfigurationError, match="no column 'Adress'; did you mean 'Address'"):
        plan_columns(["Address"], policy, mapping=mapping)
