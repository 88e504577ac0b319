"""SOQL: what is found, what is refused, and that indexes change nothing but the speed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from crm_sandbox.clock import SandboxClock
from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.org import Org
from crm_sandbox.salesforce.soql.engine import Engine

NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.fixture
def org():
    org = Org(SandboxClock(NOW - timedelta(days=30)))
    amara = org.add_user("Amara Okafor", "amara.okafor@relay.test")
    queue = org.add_queue("Inbound triage", "Inbound_triage")
    people = [
        ("101", "Ash", "ash@one.test", amara, 10, 500, "Hot"),
        ("102", "Birk", "BIRK@two.test", amara, 5, None, "Warm"),
        ("103", "O'Hara", "ohara@two.test", queue, 1, 20, None),
        ("104", "Dale_100%", None, queue, 0, 80, "Hot"),
    ]
    for key, name, email, owner, days_ago, size, rating in people:
        fields = {
            "LastName": name,
            "Company": f"Company {key}",
            "Email": email,
            "OwnerId": owner,
            "NumberOfEmployees": size,
            "Rating": rating,
            "HubSpot_Contact_Id__c": key,
        }
        org.insert("Lead", fields, at=NOW - timedelta(days=days_ago))
    first = org.find("Lead", HubSpot_Contact_Id__c="101")
    for subject in ("Call", "Mail"):
        org.insert("Task", {"OwnerId": amara, "WhoId": first["Id"], "Subject": subject}, at=NOW)
    return org


@pytest.fixture
def run(org):
    engine = Engine(org.store)

    def run(text, **options):
        result = engine.run(text, now=NOW, **options)
        return [result.show(one, "/base") for one in result.records]

    return run


@pytest.fixture
def names(run):
    return lambda where: [row["LastName"] for row in run(f"SELECT LastName FROM Lead {where}")]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("WHERE HubSpot_Contact_Id__c = '102'", ["Birk"]),
        ("WHERE HubSpot_Contact_Id__c IN ('104', '101', 'none')", ["Ash", "Dale_100%"]),
        ("WHERE Email = 'birk@TWO.test'", ["Birk"]),
        ("WHERE LastName = 'ASH'", ["Ash"]),
        ("WHERE LastName LIKE 'b_R%'", ["Birk"]),
        (r"WHERE LastName LIKE '%\_100\%'", ["Dale_100%"]),
        (r"WHERE LastName = 'O\'Hara'", ["O'Hara"]),
        ("WHERE Email LIKE '%@two.test' AND Owner.Type = 'Queue'", ["O'Hara"]),
        ("WHERE Owner.Name = 'amara okafor'", ["Ash", "Birk"]),
        ("WHERE NumberOfEmployees > 20", ["Ash", "Dale_100%"]),
        ("WHERE NumberOfEmployees <= 80", ["O'Hara", "Dale_100%"]),
        ("WHERE NumberOfEmployees = null", ["Birk"]),
        ("WHERE NumberOfEmployees != 20", ["Ash", "Birk", "Dale_100%"]),
        ("WHERE Rating NOT IN ('Hot')", ["Birk", "O'Hara"]),
        ("WHERE NOT Rating = 'Hot'", ["Birk", "O'Hara"]),
        ("WHERE (NOT (Rating = 'Hot' OR Rating = 'Warm'))", ["O'Hara"]),
        ("WHERE IsConverted = false AND (Rating = 'Warm' OR Email = null)", ["Birk", "Dale_100%"]),
        ("WHERE HubSpot_Contact_Id__c = '101' OR Email = 'ohara@two.test'", ["Ash", "O'Hara"]),
        ("WHERE CreatedDate = TODAY", ["Dale_100%"]),
        ("WHERE CreatedDate = YESTERDAY", ["O'Hara"]),
        ("WHERE CreatedDate = LAST_N_DAYS:5", ["Birk", "O'Hara", "Dale_100%"]),
        ("WHERE CreatedDate < LAST_N_DAYS:5", ["Ash"]),
        ("WHERE CreatedDate = THIS_WEEK", ["O'Hara", "Dale_100%"]),
        ("WHERE CreatedDate > 2026-03-10T11:59:59Z", ["O'Hara", "Dale_100%"]),
        ("WHERE CreatedDate >= 2026-03-10T14:00:00+02:00", ["O'Hara", "Dale_100%"]),
        ("WHERE SystemModstamp >= 2026-03-11T12:00:00.000+0000", ["Dale_100%"]),
        ("WHERE Id IN (SELECT WhoId FROM Task WHERE Subject = 'call')", ["Ash"]),
        ("WHERE Id NOT IN (SELECT WhoId FROM Task)", ["Birk", "O'Hara", "Dale_100%"]),
        ("ORDER BY NumberOfEmployees", ["Birk", "O'Hara", "Dale_100%", "Ash"]),
        ("ORDER BY NumberOfEmployees DESC NULLS LAST", ["Ash", "Dale_100%", "O'Hara", "Birk"]),
        ("ORDER BY Owner.Name, LastName DESC", ["Birk", "Ash", "O'Hara", "Dale_100%"]),
        ("ORDER BY LastName LIMIT 2 OFFSET 1", ["Birk", "Dale_100%"]),
    ],
)
def test_finds(names, where, expected):
    assert names(where) == expected


def test_id_is_compared_in_both_forms(org, names):
    lead = org.find("Lead", HubSpot_Contact_Id__c="103")
    assert names(f"WHERE Id = '{lead['Id'][:15]}'") == ["O'Hara"]
    assert names(f"WHERE Id IN ('{lead['Id']}')") == ["O'Hara"]


def test_keywords_fields_and_objects_ignore_case(run):
    rows = run("select lastname, OWNER.name from LEAD l where l.hubspot_contact_id__C = '101'")
    assert rows[0]["LastName"] == "Ash"
    assert rows[0]["Owner"]["Name"] == "Amara Okafor"


def test_parents_children_and_missing_parents(run):
    [row] = run(
        "SELECT Id, Owner.Name, Owner.Type, ConvertedOpportunity.StageName, "
        "(SELECT Subject FROM Tasks ORDER BY Subject DESC LIMIT 1) "
        "FROM Lead WHERE HubSpot_Contact_Id__c = '101'"
    )
    assert row["attributes"] == {"type": "Lead", "url": f"/base/sobjects/Lead/{row['Id']}"}
    assert row["Owner"]["attributes"]["type"] == "User"
    assert row["Owner"]["Type"] == "User"
    assert row["ConvertedOpportunity"] is None
    assert row["Tasks"]["totalSize"] == 1
    assert row["Tasks"]["records"][0]["Subject"] == "Mail"
    [without] = run("SELECT Id, (SELECT Id FROM Tasks) FROM Lead WHERE LastName = 'Birk'")
    assert without["Tasks"] is None


def test_activity_names_its_person_by_kind(run):
    rows = run("SELECT Who.Type, Who.Name FROM Task ORDER BY Subject")
    assert {row["Who"]["Type"] for row in rows} == {"Lead"}
    assert rows[0]["Who"]["Name"] == "Ash"


def test_groups_and_aggregates(run):
    rows = run(
        "SELECT Rating, COUNT(Id) n, MAX(NumberOfEmployees), MIN(CreatedDate) FROM Lead "
        "GROUP BY Rating ORDER BY COUNT(Id) DESC, Rating"
    )
    assert [(row["Rating"], row["n"], row["expr0"]) for row in rows] == [
        ("Hot", 2, 500),
        (None, 1, 20),
        ("Warm", 1, None),
    ]
    assert rows[0]["attributes"] == {"type": "AggregateResult"}
    assert rows[0]["expr1"] == "2026-03-01T12:00:00.000+0000"


def test_aggregate_over_nothing_is_one_row(run):
    [row] = run("SELECT COUNT(Id), MAX(CreatedDate) FROM Lead WHERE LastName = 'nobody'")
    assert (row["expr0"], row["expr1"]) == (0, None)


def test_count_gives_a_total_and_no_records(org):
    result = Engine(org.store).run("SELECT COUNT() FROM Lead WHERE Rating = 'Hot'", now=NOW)
    assert (result.total, list(result.records)) == (2, [])


def test_deleted_rows_are_seen_only_on_demand(org, run):
    org.delete("Lead", org.find("Lead", HubSpot_Contact_Id__c="101")["Id"])
    text = "SELECT Id FROM Lead WHERE HubSpot_Contact_Id__c = '101'"
    assert run(text) == []
    assert len(run(text, include_deleted=True)) == 1


def test_all_fields_need_a_limit(run):
    row = run("SELECT FIELDS(ALL) FROM Lead LIMIT 1")[0]
    assert {"Id", "Company", "Handoff_Key__c"} <= row.keys()
    with pytest.raises(OrgFault, match="MALFORMED_QUERY"):
        run("SELECT FIELDS(ALL) FROM Lead")


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("SELECT * FROM Lead", "MALFORMED_QUERY", "unexpected token: *"),
        ("SELECT Id FROM Lead WHERE Id IN ()", "MALFORMED_QUERY", "unexpected token: )"),
        ("SELECT Id FROM Lead WHERE A = 1 AND B = 2 OR C = 3", "MALFORMED_QUERY", "OR"),
        ('SELECT Id FROM Lead WHERE LastName = "x"', "MALFORMED_QUERY", '"x"'),
        ("SELECT Id FROM Lead WHERE LastName = 'x", "MALFORMED_QUERY", "quote"),
        ("SELECT Id FROM Lead WHERE Email IS NULL", "MALFORMED_QUERY", "IS"),
        ("SELECT Id FROM Lead trailing garbage", "MALFORMED_QUERY", "garbage"),
        ("SELECT Id FROM Lead LIMIT x", "MALFORMED_QUERY", "x"),
        ("SELECT Id FROM Lead LIMIT 1 OFFSET 2001", "MALFORMED_QUERY", "2000"),
        ("SELECT Id FROM Lead GROUP BY Rating", "MALFORMED_QUERY", "grouped or aggregated"),
        ("SELECT Id, Id FROM Lead", "INVALID_FIELD", "duplicate field"),
        ("SELECT Foo__c FROM Lead", "INVALID_FIELD", "No such column 'Foo__c' on entity 'Lead'"),
        ("SELECT Boss.Name FROM Lead", "INVALID_FIELD", "relationship 'Boss'"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported"),
        ("SELECT Id, (SELECT Id FROM Deals) FROM Lead", "INVALID_TYPE", "'Deals'"),
        ("SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD", "dateTime"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "dateTime"),
        ("SELECT Id FROM Lead WHERE LastName = 5", "INVALID_FIELD", "string"),
        ("SELECT Id FROM Lead WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "abc"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM LeadHistory WHERE NewValue = 'x'", "INVALID_FIELD", "filtered"),
        ("SELECT Id FROM Lead ORDER BY Description", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Lead WHERE LastName = '" + "x" * 4001 + "'", "MALFORMED_QUERY", "4000"),
        ("SELECT Id FROM Lead HAVING Id = null", "MALFORMED_QUERY", "HAVING"),
        ("SELECT TYPEOF Who WHEN Lead THEN Id END FROM Task", "MALFORMED_QUERY", "WHEN"),
        ("SELECT Id FROM Lead WITH SECURITY_ENFORCED", "MALFORMED_QUERY", "WITH"),
        ("SELECT DISTANCE(A, B, 'mi') FROM Lead", "MALFORMED_QUERY", "DISTANCE"),
        ("SELECT convertCurrency(AnnualRevenue) FROM Lead", "MALFORMED_QUERY", "convertCurrency"),
    ],
)
def test_refuses(run, text, code, part):
    with pytest.raises(OrgFault) as caught:
        run(text)
    assert caught.value.error_code == code
    assert part in caught.value.message


def test_error_shows_the_place(run):
    with pytest.raises(OrgFault) as caught:
        run("SELECT Id, Foo__c FROM Lead")
    lines = caught.value.message.split("\n")
    assert lines[1] == "SELECT Id, Foo__c FROM Lead"
    assert lines[2].index("^") == lines[1].index("Foo__c")
    assert lines[3] == "ERROR at Row:1:Column:12"


def test_ids_are_ordered_and_compared_by_case(org, run):
    # Ids of a row of records soon differ by case alone: …A and …a are two leads.
    for number in range(80):
        org.insert("Lead", {"LastName": f"Row {number}", "Company": "Many"}, at=NOW)
    ordered = [row["Id"] for row in run("SELECT Id FROM Lead ORDER BY Id")]
    assert ordered == [row["Id"] for row in org.rows("Lead")]
    cursor = ordered[40]
    after = run(f"SELECT Id FROM Lead WHERE Id > '{cursor}' ORDER BY Id")
    assert [row["Id"] for row in after] == ordered[41:]
    for lead_id in ordered:
        org.insert("Task", {"WhoId": lead_id, "Subject": lead_id})
    assert all(org.find("Task", Subject=one, WhoId=one)["WhoId"] == one for one in ordered)


def test_indexes_find_the_same_rows_as_a_scan(org, names):
    conditions = [
        "Email = 'birk@two.test'",
        "HubSpot_Contact_Id__c IN ('101', '104')",
        "SystemModstamp > 2026-03-10T00:00:00Z",
        "Email IN ('ash@one.test', 'ohara@two.test') OR HubSpot_Contact_Id__c = '104'",
    ]
    for condition in conditions:
        # A negation twice over hides the condition from the index.
        assert names(f"WHERE {condition}") == names(f"WHERE NOT (NOT ({condition}))")
    lead = org.find("Lead", HubSpot_Contact_Id__c="102")
    org.update("Lead", lead["Id"], {"Email": "moved@two.test"})
    assert names("WHERE Email = 'birk@two.test'") == []
    assert names("WHERE Email = 'moved@two.test'") == ["Birk"]


def test_indexed_queries_stay_fast_over_many_rows(org):
    for number in range(20_000):
        fields = {
            "LastName": "Row",
            "Company": "Many",
            "Email": f"row{number}@many.test",
            "HubSpot_Contact_Id__c": f"9{number}",
        }
        org.insert("Lead", fields, at=NOW - timedelta(days=20))
    engine = Engine(org.store)
    keys = ",".join(f"'9{number}'" for number in range(0, 20_000, 100))
    conditions = [
        f"HubSpot_Contact_Id__c IN ({keys})",
        f"Email IN ('row7@many.test') OR HubSpot_Contact_Id__c IN ({keys})",
        "SystemModstamp >= 2026-03-10T00:00:00Z",
    ]

    def cost(condition):
        costs = []
        for _ in range(3):
            started = time.process_time()
            engine.run(f"SELECT Id FROM Lead WHERE {condition}", now=NOW)
            costs.append(time.process_time() - started)
        return min(costs)

    for condition in conditions:
        # A negation twice over hides the condition from the index: the same query as a scan.
        assert cost(condition) * 3 < cost(f"NOT (NOT ({condition}))")
