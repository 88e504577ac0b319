"""`crm-sandbox load`: exports and other files into a running sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crm_sandbox.cli import app
from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.hubspot.records import Record
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.loading import LoadError, LoadReport, load_file
from crm_sandbox.loading_report import row_ranges


@pytest.fixture
def portal(sandbox: SandboxThread) -> Portal:
    return sandbox.world.portal


class Loader:
    def __init__(self, sandbox: SandboxThread, folder: Path) -> None:
        self.described = sandbox.description["hubspot"]
        self.folder = folder

    def file(self, text: str, name: str = "file.csv") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def __call__(self, text: str, *, mapping: str | None = None, **more: Any) -> LoadReport:
        mapping_file = self.file(mapping, "mapping.yaml") if mapping else None
        return load_file(
            self.file(text),
            url=self.described["url"],
            token=self.described["token"],
            mapping_file=mapping_file,
            **more,
        )

    def command(self, *arguments: str) -> Result:
        where = ["--url", self.described["url"], "--token", self.described["token"]]
        return CliRunner().invoke(app, ["load", *arguments, *where])


@pytest.fixture
def load(sandbox: SandboxThread, tmp_path: Path) -> Loader:
    return Loader(sandbox, tmp_path)


def contact(portal: Portal, email: str) -> Record:
    found = portal.find("contacts", "email", email)
    assert found is not None
    return found


def test_an_export_with_labels(load: Loader, portal: Portal) -> None:
    owner = portal.add_owner("lea@relay.test", "Lea", "Brandt")
    report = load(
        "Record ID,First Name,Email,Lifecycle Stage,Original Traffic Source,Number of Pageviews,"
        "Create Date,Contact owner,Favourite colour\n"
        "991,Ida,ida@export.test,Lead,Organic Search,12,2026-08-03 10:15,Lea Brandt,green\n"
        "992,Bo,bo@export.test,Lead,Paid Social,,2026-08-04 11:00,Somebody Else,\n"
    )
    assert (report.rows, report.created, report.refusals) == (2, 2, [])
    ida = contact(portal, "ida@export.test").properties
    assert ida["firstname"] == "Ida"
    assert ida["lifecyclestage"] == "lead"
    assert ida["hs_analytics_source"] == "ORGANIC_SEARCH"
    assert ida["hs_analytics_num_page_views"] == "12"
    assert ida["createdate"] == "2026-08-03T10:15:00Z"
    assert ida["hubspot_owner_id"] == owner
    assert ida["favourite_colour"] == "green"
    assert ida["hs_object_id"] != "991"
    assert "hubspot_owner_id" not in contact(portal, "bo@export.test").properties
    told = "\n".join(report.remarks)
    assert "Record ID" in told
    assert "favourite_colour (string)" in told
    assert "1 owners are not known" in told


def test_rows_that_are_refused_are_listed_and_the_rest_goes_on(
    load: Loader, portal: Portal
) -> None:
    report = load(
        "email,lifecyclestage,num_conversion_events\n"
        "good@rows.test,lead,1\n"
        "nonsense,lead,1\n"
        ",,\n"
        "stage@rows.test,Astronaut,1\n"
        "number@rows.test,lead,lots\n"
        ",lead,2\n"
    )
    assert [(r.row, r.reason) for r in report.refusals] == [
        (3, "email: INVALID_EMAIL"),
        (5, "lifecyclestage: INVALID_OPTION"),
        (6, "num_conversion_events: INVALID_INTEGER"),
    ]
    assert (report.created, report.empty) == (2, 1)
    assert report.created + report.updated + report.empty + len(report.refusals) == report.rows


def test_loading_again_updates_and_rows_with_one_address_follow_each_other(
    load: Loader, portal: Portal
) -> None:
    load("email,city\nsame@again.test,Lyon\n")
    report = load("email,city\nsame@again.test,Nice\nsame@again.test,Nancy\n")
    assert (report.created, report.updated) == (0, 2)
    assert contact(portal, "same@again.test").properties["city"] == "Nancy"


MAPPING = """
properties:
  email: {template: "lead-{Lead Number}@export.test"}
  jobtitle: What do you do
  hs_analytics_source:
    column: Lead Source
    values: {Google: ORGANIC_SEARCH, Select: ""}
    otherwise: OTHER_CAMPAIGNS
  site_visits: {column: TotalVisits, type: number}
  first_seen: {column: Seen, type: datetime}
  lifecyclestage: {constant: lead}
company:
  domain: {column: Site}
  name: {column: Firm}
  numberofemployees: {column: Staff}
"""


def test_a_mapping_file(load: Loader, portal: Portal) -> None:
    report = load(
        "Lead Number,What do you do,Lead Source,TotalVisits,Seen,Site,Firm,Staff,Extra\n"
        '1,Buyer,Google,"1,200",03.08.2026 10:15,firm-one.test,Firm One,,a\n'
        "2,Boss,Olark Chat,3,2026-08-03,FIRM-ONE.test,,250,b\n"
        "3,Chief,Select,,,,,,c\n",
        mapping=MAPPING,
    )
    assert (report.created, report.companies_created) == (3, 1)
    first = contact(portal, "lead-1@export.test").properties
    assert first["jobtitle"] == "Buyer"
    assert first["hs_analytics_source"] == "ORGANIC_SEARCH"
    assert first["site_visits"] == "1200"
    assert first["first_seen"] == "2026-08-03T10:15:00Z"
    second = contact(portal, "lead-2@export.test").properties
    assert second["hs_analytics_source"] == "OTHER_CAMPAIGNS"
    assert first["associatedcompanyid"] == second["associatedcompanyid"]
    company = portal.require("companies", first["associatedcompanyid"] or "")
    assert company.properties["name"] == "Firm One"
    assert company.properties["numberofemployees"] == "250"
    third = contact(portal, "lead-3@export.test").properties
    assert "hs_analytics_source" not in third
    assert "associatedcompanyid" not in third
    told = "\n".join(report.remarks)
    assert "site_visits (number)" in told
    assert "first_seen (datetime)" in told
    assert "Extra" in told
    again = load("Lead Number,Site\n9,firm-one.test\n", maps=["Site=company.domain"])
    assert (again.companies_created, again.companies_reused) == (0, 1)


def test_map_options(load: Loader, portal: Portal) -> None:
    load(
        "Work mail,Firm\nmapped@maps.test,Mapped AB\n",
        maps=["Work mail=email", "Firm=company.name"],
    )
    record = contact(portal, "mapped@maps.test").properties
    company = portal.require("companies", record["associatedcompanyid"] or "")
    assert company.properties["name"] == "Mapped AB"


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("properties: {email: {column: Emial}}", "Did you mean 'Email'?"),
        ("properties: {email: {template: '{Nummer}@x.test'}}", "Nummer"),
        ("properties: {email: {colum: Email}}", "properties.email.colum"),
        ("properties: {email: {column: Email, constant: x}}", "exactly one of"),
        ("properties: {'E mail': {column: Email}}", "cannot be the name of a property"),
        ("just text", "`properties:` section"),
        ("properties: [", "not YAML"),
    ],
)
def test_a_mapping_that_is_wrong(load: Loader, mapping: str, says: str) -> None:
    with pytest.raises(LoadError) as caught:
        load("Email,Name\nx@y.test,X\n", mapping=mapping)
    assert says in str(caught.value)


def test_map_options_that_are_wrong(load: Loader) -> None:
    with pytest.raises(LoadError, match="Did you mean 'Email'"):
        load("Email\nx@y.test\n", maps=["Emial=email"])
    with pytest.raises(LoadError, match="must look like"):
        load("Email\nx@y.test\n", maps=["Email"])


def test_other_delimiters_and_encodings(load: Loader, portal: Portal, tmp_path: Path) -> None:
    path = tmp_path / "western.csv"
    path.write_bytes("email;city\nzoe@west.test;Malmö\n".encode("cp1252"))
    described = load.described
    report = load_file(path, url=described["url"], token=described["token"])
    assert contact(portal, "zoe@west.test").properties["city"] == "Malmö"
    assert "Windows-1252" in report.remarks[0]


def test_the_command_prints_a_summary(load: Loader) -> None:
    path = load.file("email\nshown@command.test\nnonsense\n")
    done = load.command(str(path))
    assert done.exit_code == 0
    assert "2 rows: 1 contacts created" in done.output
    assert "email: INVALID_EMAIL: rows 3" in done.output
    as_json = load.command(str(path), "--json")
    assert json.loads(as_json.stdout)["updated"] == 1


def test_the_command_fails_only_when_nothing_was_loaded(load: Loader) -> None:
    assert load.command(str(load.file("email\nnonsense\n"))).exit_code == 1
    missing = load.command(str(load.folder / "missing.csv"))
    assert missing.exit_code == 2
    assert "Cannot read" in missing.output
    empty = load.command(str(load.file("")))
    assert (empty.exit_code, "no header row" in empty.output) == (2, True)


def test_wrong_token_and_nobody_there(load: Loader) -> None:
    path = load.file("email\nx@y.test\n")
    with pytest.raises(LoadError, match="does not accept this token"):
        load_file(path, url=load.described["url"], token="wrong")
    with pytest.raises(LoadError, match="No HubSpot answers"):
        load_file(path, url="http://127.0.0.1:9", token="t")


def test_a_large_file_is_lossless_under_faults(
    load: Loader, portal: Portal, sandbox: SandboxThread
) -> None:
    from crm_sandbox.faults import FaultRule

    for rule in (
        {"kind": "504", "when": "after", "path_regex": "contacts/batch/create", "count": 1},
        {"kind": "429", "path_regex": "contacts/batch/create", "skip": 1, "count": 1},
    ):
        sandbox.world.faults.add(FaultRule.from_json(rule))
    before = portal.count("contacts")
    rows = "".join(f"big{n}@large.test,{n}\n" for n in range(450))
    try:
        report = load("email,zip\n" + rows)
    finally:
        sandbox.world.faults.clear()
    # The first batch was done though the answer was lost: its rows count as updated.
    assert (report.created, report.updated, report.refusals) == (350, 100, [])
    assert portal.count("contacts") == before + 450


def test_row_ranges() -> None:
    assert row_ranges([9, 2, 3, 4, 7]) == "2-4, 7, 9"
