"""Bulk API 2.0 through simple-salesforce, unchanged, and by hand where it hides the protocol."""

from __future__ import annotations

import csv
import io

import pytest
import requests
from simple_salesforce import Salesforce


@pytest.fixture(scope="module")
def described(sandbox):
    return sandbox.description["salesforce"]


@pytest.fixture(scope="module")
def session(described):
    with requests.Session() as session:
        session.trust_env = False
        session.verify = described["ca_file"]
        yield session


@pytest.fixture(scope="module")
def token(described, session):
    form = {
        "grant_type": "client_credentials",
        "client_id": described["consumer_key"],
        "client_secret": described["consumer_secret"],
    }
    answer = session.post(f"{described['url']}/services/oauth2/token", data=form)
    return answer.json()["access_token"]


@pytest.fixture
def jobs(described, session, token):
    """Call below `jobs/`, with the token."""

    def call(method, path, **options):
        headers = {"authorization": f"Bearer {token}", **options.pop("headers", {})}
        url = f"{described['url']}/services/data/v64.0/jobs/{path}"
        return session.request(method, url, headers=headers, **options)

    return call


def ingest(jobs, content, **asked):
    """Take a job from its creation to its end; return what is said of it."""
    made = jobs("POST", "ingest", json={"object": "Lead", "operation": "insert", **asked}).json()
    sent = jobs(
        "PUT",
        f"ingest/{made['id']}/batches",
        data=content.encode(),
        headers={"content-type": "text/csv"},
    )
    assert (sent.status_code, sent.content) == (201, b"")
    jobs("PATCH", f"ingest/{made['id']}", json={"state": "UploadComplete"}).raise_for_status()
    return jobs("GET", f"ingest/{made['id']}").json()


def rows(jobs, job, kind):
    answer = jobs("GET", f"ingest/{job['id']}/{kind}")
    assert answer.headers["content-type"] == "text/csv;charset=UTF-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_simple_salesforce_inserts_and_queries(described, session, token):
    client = Salesforce(session_id=token, instance_url=described["url"], session=session)
    # The library makes its address out of the host alone; the port must be given back to it.
    client.bulk2_url = f"{described['url']}/services/data/v{client.sf_version}/jobs/"
    records = [{"LastName": f"Zoë {n}", "Company": "Bulk Works"} for n in range(3)]
    (result,) = client.bulk2.Lead.insert(records=records, wait=0.1)
    assert (result["numberRecordsProcessed"], result["numberRecordsFailed"]) == (3, 0)
    assert client.bulk2.Lead.get_successful_records(result["job_id"]).count("Zoë") == 3
    pages = client.bulk2.Lead.query(
        "SELECT LastName FROM Lead WHERE Company = 'Bulk Works' ORDER BY LastName", max_records=2
    )
    found = [row["LastName"] for page in pages for row in csv.DictReader(io.StringIO(page))]
    assert found == ["Zoë 0", "Zoë 1", "Zoë 2"]


def test_a_complete_job_may_hold_failed_records(jobs):
    job = ingest(jobs, "LastName,Company,NumberOfEmployees\nA,Works,12\nB,,1\nC,Works,many\n")
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", 3)
    assert job["numberRecordsFailed"] == 2
    failed = {row["LastName"]: row["sf__Error"] for row in rows(jobs, job, "failedResults")}
    assert failed["B"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"
    assert failed["C"].startswith("INVALID_TYPE_ON_FIELD_IN_RECORD:")
    (done,) = rows(jobs, job, "successfulResults")
    assert (done["sf__Created"], done["LastName"]) == ("true", "A")


def test_upsert_leaves_empty_cells_and_empties_marked_ones(jobs, sandbox):
    first = "HubSpot_Contact_Id__c,LastName,Company,Title,Phone\n880001,A,Works,CFO,+441\n"
    key = {"operation": "upsert", "externalIdFieldName": "HubSpot_Contact_Id__c"}
    ingest(jobs, first, **key)
    again = "HubSpot_Contact_Id__c,LastName,Company,Title,Phone\n880001,B,,,#N/A\n"
    job = ingest(jobs, again, **key)
    (done,) = rows(jobs, job, "successfulResults")
    assert done["sf__Created"] == "false"
    lead = sandbox.world.org.find("Lead", HubSpot_Contact_Id__c="880001")
    assert (lead["LastName"], lead["Company"]) == ("B", "Works")
    assert (lead["Title"], lead["Phone"]) == ("CFO", None)


def test_deleting_by_id(jobs, sandbox):
    made = sandbox.world.org.insert("Lead", {"LastName": "Gone", "Company": "Works"})
    job = ingest(jobs, f"Id\n{made}\n00QBt0000000099AAA\n", operation="delete")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    assert sandbox.world.org.get("Lead", made) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("LastName,Shoe\nA,42\n", "InvalidBatch : Field name not found : Shoe"),
        ("LastName,Company\r\nA,W\r\n", "ClientInputError : LineEnding is invalid on user data."),
    ],
)
def test_an_upload_that_is_wrong_as_a_whole_fails_the_job(jobs, content, problem):
    job = ingest(jobs, content)
    assert (job["state"], job["errorMessage"]) == ("Failed", problem)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"object": "Shoe", "operation": "insert"}, "the object Shoe is not supported"),
        ({"object": "Lead", "operation": "fold"}, "the operation fold is not supported"),
        (
            {"object": "Lead", "operation": "upsert", "externalIdFieldName": "Title"},
            "not an external id: Title",
        ),
        ({"object": "Lead", "operation": "insert", "lineEnding": "CR"}, "cannot be CR"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(jobs, asked, message):
    answer = jobs("POST", "ingest", json=asked)
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, "INVALIDJOB")
    assert error["message"].endswith(message)


def test_a_job_takes_one_upload_and_ends_once(jobs):
    made = jobs("POST", "ingest", json={"object": "Lead", "operation": "insert"}).json()
    path = f"ingest/{made['id']}"
    csv_type = {"content-type": "text/csv"}
    assert jobs("PUT", f"{path}/batches", data=b"LastName\n", headers=csv_type).status_code == 201
    assert jobs("PUT", f"{path}/batches", data=b"LastName\n", headers=csv_type).status_code == 400
    assert jobs("DELETE", path).status_code == 400
    assert jobs("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert jobs("PATCH", path, json={"state": "UploadComplete"}).status_code == 400
    assert jobs("DELETE", path).status_code == 204
    assert jobs("GET", path).status_code == 404


def test_a_query_that_is_no_soql_makes_no_job(jobs):
    answer = jobs("POST", "query", json={"operation": "query", "query": "SELECT Shoe FROM Lead"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_a_query_without_results_still_has_its_columns(jobs):
    asked = {"operation": "query", "query": "SELECT Id, Owner.Name FROM Lead WHERE LastName = '§'"}
    made = jobs("POST", "query", json=asked).json()
    assert jobs("GET", f"query/{made['id']}/results").status_code == 400
    jobs("GET", f"query/{made['id']}")
    answer = jobs("GET", f"query/{made['id']}/results")
    assert answer.headers["sforce-numberofrecords"] == "0"
    assert answer.headers["sforce-locator"] == "null"
    assert answer.text == '"Id","Owner.Name"\n'
