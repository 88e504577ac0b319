"""The Salesforce gateway: what Baton reads from Salesforce and writes to it, in Baton's words.

Synchronous; meant to be held for a task's life and shared between its threads, created after a
fork. Values (e-mail addresses above all) never travel in a URL: queries that hold any go into a
composite body.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from baton.connections import SalesforceConnection
from baton.crm.results import WriteResult, batches
from baton.crm.salesforce.faults import error_of, record_error
from baton.crm.salesforce.people import People
from baton.crm.salesforce.rows import (
    CONTACT_FIELDS,
    HISTORY_FIELDS,
    LEAD_FIELDS,
    HistoryRow,
    SalesforceAccount,
    SalesforceOpportunity,
    SalesforceOrg,
    SalesforceQueue,
    SalesforceUser,
    SObjectDescription,
    TaskRecord,
    account_record,
    contact_record,
    description,
    history_row,
    instant,
    lead_record,
    opportunity_record,
    task_record,
    user_record,
)
from baton.crm.salesforce.session import PINNED, SalesforceSession
from baton.crm.salesforce.tokens import TokenSource
from baton.crm.salesforce.writes import write_collection
from baton.errors import AuthenticationError, ContractError, InvariantError
from baton.transport import RateLimiter, RetryTerms, retrying

_IN_CHUNK = 250
_URL_ROOM = 8_000
_PAGE = 2000
_ALLOWING_DUPLICATES = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
_TASK_FIELDS = (
    "Id, Handoff_Key__c, WhoId, OwnerId, Status, IsClosed, IsDeleted, CreatedDate, "
    "CompletedDateTime, Description"
)


class SalesforceGateway:
    """Reads people, users, accounts and changes; writes records by key.

    Every method may raise the GatewayErrors of ``baton.errors``. Reads are repeated by error type;
    a write whose outcome is unknown is raised as AmbiguousOutcomeError and not repeated, because
    a person may have changed the record meanwhile: read it back first.
    """

    def __init__(
        self,
        connection: SalesforceConnection,
        limiter: RateLimiter,
        *,
        terms: RetryTerms | None = None,
        timeout: tuple[float, float] = (3.05, 60.0),
    ) -> None:
        """Prepare; no call is made, the first call logs in."""
        self.connection = connection
        self._session = SalesforceSession(
            conn_id=connection.conn_id,
            limiter=limiter,
            ca_file=connection.ca_file,
            timeout=timeout,
        )
        self._tokens = TokenSource(connection, self._session)
        self._terms = terms or RetryTerms()
        self._lock = threading.Lock()
        self._client: Any = None

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far, by method and path (ids cut out), logins and retries included."""
        return self._session.calls

    @property
    def api_usage(self) -> tuple[int, int] | None:
        """Requests used and allowed in the org's rolling day, as the last answer said."""
        return self._session.api_usage

    # -- org ---------------------------------------------------------------------------------

    def check(self) -> SalesforceOrg:
        """Prove that login and API access work; raises AuthenticationError, PermissionDenied…"""
        row = next(self.query("SELECT Id, Name FROM Organization LIMIT 1"), None) or {}
        org_id, user_id = self._tokens.identity
        used, limit = self.api_usage or (None, None)
        return SalesforceOrg(
            org_id=str(row.get("Id") or org_id),
            name=str(row.get("Name") or ""),
            user_id=user_id,
            api_used=used,
            api_limit=limit,
        )

    def server_now(self) -> datetime:
        """Return Salesforce's time by its last answer, never ahead of it; asks when none."""
        now = self._session.server_now()
        if now is None:
            self.check()
            now = self._session.server_now()
        if now is None:
            raise ContractError(self.connection.conn_id, "answers carry no Date header")
        return now

    def describe(self, sobject: str) -> SObjectDescription:
        """Return an object's fields as this user may see them (field-level security applies)."""
        return description(self._call("GET", f"sobjects/{sobject}/describe"))

    # -- queries -----------------------------------------------------------------------------

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the rows of a query, all its pages. `include_deleted` reads the recycle bin too."""
        if "@" in soql or len(soql) > _URL_ROOM // 2 or len(quote(soql)) > _URL_ROOM:
            (page,) = self._query_bodies([soql], include_deleted=include_deleted)
        else:
            page = self._call("GET", _verb(include_deleted), params={"q": soql})
        yield from self._rows(page)

    def query_in(
        self,
        template: str,
        values: Iterable[str],
        *,
        extra: Mapping[str, object] | None = None,
        include_deleted: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of a query with ``IN {values}``, in chunks of 250; none for no values.

        `extra` fills the template's other placeholders; everything is quoted as SOQL demands.
        """
        wanted = [one for one in dict.fromkeys(values) if one]
        for chunk in batches(wanted, _IN_CHUNK):
            soql = _format(template, values=list(chunk), **(extra or {}))
            (page,) = self._query_bodies([soql], include_deleted=include_deleted)
            yield from self._rows(page)

    def changed(
        self,
        sobject: str,
        fields: Sequence[str],
        since: datetime,
        until: datetime,
        *,
        stamp: str = "SystemModstamp",
        where: str | None = None,
        include_deleted: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows stamped within [since, until), ordered by (stamp, Id).

        Stamps have whole seconds: `since` is rounded down, `until` up. Reads by keyset, since many
        rows may share one stamp. Rows can be committed late with an older stamp, so windows must
        overlap. History objects have `stamp` ``CreatedDate``. `where` is a fixed SOQL condition.
        """
        columns = ", ".join(dict.fromkeys(("Id", stamp, *fields)))
        condition = f" AND ({where})" if where else ""
        head = f"SELECT {columns} FROM {sobject} WHERE "  # noqa: S608  # names, never values
        tail = f" AND {stamp} < {{hi}}{condition} ORDER BY {stamp}, Id LIMIT {_PAGE}"
        values: dict[str, object] = {"lo": _floor(since), "hi": _ceiling(until)}
        start = f"{stamp} >= {{lo}}"
        while True:
            soql = _format(head + start + tail, **values)
            last, count = None, 0
            for row in self.query(soql, include_deleted=include_deleted):
                last, count = row, count + 1
                yield row
            if last is None or count < _PAGE:
                return
            values |= {"lo": instant(last[stamp]), "id": last["Id"]}
            start = f"(({stamp} = {{lo}} AND Id > {{id}}) OR {stamp} > {{lo}})"

    def filled(
        self, sobject: str, field: str, more: Sequence[str] = (), *, after: str = ""
    ) -> tuple[list[dict[str, Any]], bool]:
        """Return a page of the rows whose `field` is not empty, by id, and whether it is the last.

        `after` is the id to go on behind. Deleted rows are left out. The primary key bounds each
        page, so that an object of millions is read in memory for one page.
        """
        columns = ", ".join(dict.fromkeys(("Id", field, *more)))
        onward = " AND Id > {after}" if after else ""
        soql = f"SELECT {columns} FROM {sobject} WHERE {field} != null{onward}"  # noqa: S608  # names
        values: dict[str, object] = {"after": after} if after else {}
        rows = list(self.query(_format(f"{soql} ORDER BY Id LIMIT {_PAGE}", **values)))
        return rows, len(rows) < _PAGE

    # -- what Baton looks for -----------------------------------------------------------------

    def people(
        self,
        hubspot_ids: Iterable[str],
        emails: Iterable[str],
        *,
        values: Sequence[str] = (),
    ) -> People:
        """Find Leads and Contacts by stamped HubSpot id and by e-mail.

        Converted, merged and deleted ones included; what they point to is read as well. One API
        call for 250 persons, and a second one when something points elsewhere. `values` are fields
        of Leads to be read besides.
        """
        ids = [one for one in dict.fromkeys(hubspot_ids) if one]
        mails = [one for one in dict.fromkeys(mail.strip().lower() for mail in emails) if one]
        people = People()
        for start in range(0, max(len(ids), len(mails)), _IN_CHUNK):
            end = start + _IN_CHUNK
            people = self._people_where(
                people,
                {"HubSpot_Contact_Id__c": ids[start:end], "Email": mails[start:end]},
                {"HubSpot_Contact_Id__c": ids[start:end], "Email": mails[start:end]},
                values,
            )
        return self._followed(people, values)

    def records(self, ids: Iterable[str], *, values: Sequence[str] = ()) -> People:
        """Return the Leads and Contacts with these ids, and what they point to."""
        wanted = sorted(set(ids))
        leads = [one for one in wanted if one.startswith("00Q")]
        contacts = [one for one in wanted if one.startswith("003")]
        if not leads and not contacts:
            return People()
        found = self._people_where(People(), {"Id": leads}, {"Id": contacts}, values)
        return self._followed(found, values)

    def _followed(self, people: People, values: Sequence[str]) -> People:
        for _ in range(3):  # a chain of merges is followed this far
            lead_ids, contact_ids = people.unread_ids()
            if not lead_ids and not contact_ids:
                break
            people = self._people_where(
                people, {"Id": sorted(lead_ids)}, {"Id": sorted(contact_ids)}, values
            )
        return people

    def user_id(self) -> str:
        """Return the id of the user that this connection acts as; asks only before any call."""
        return self._tokens.identity[1] or self.check().user_id

    def lead_history(self, lead_ids: Iterable[str], since: datetime) -> list[HistoryRow]:
        """Return what became of fields of these Leads at or after `since`, oldest first."""
        soql = (
            f"SELECT Id, {', '.join(HISTORY_FIELDS)} FROM LeadHistory"  # noqa: S608  # constants
            " WHERE LeadId IN {values} AND CreatedDate >= {since} ORDER BY CreatedDate, Id"
        )
        rows = self.query_in(soql, lead_ids, extra={"since": _floor(since)})
        return [row for raw in rows if (row := history_row(raw)) is not None]

    def changed_history(self, since: datetime, until: datetime) -> list[HistoryRow]:
        """Return what became of fields of all Leads within [since, until), oldest first."""
        rows = self.changed("LeadHistory", HISTORY_FIELDS, since, until, stamp="CreatedDate")
        return [row for raw in rows if (row := history_row(raw)) is not None]

    def tasks_by_key(self, keys: Iterable[str]) -> dict[str, TaskRecord]:
        """Return the tasks that bear these handoff keys, deleted and archived ones included."""
        soql = f"SELECT {_TASK_FIELDS} FROM Task WHERE Handoff_Key__c IN {{values}}"  # noqa: S608  # a constant
        rows = self.query_in(soql, keys, include_deleted=True)
        return {task.key: task for task in map(task_record, rows)}

    def users(self) -> list[SalesforceUser]:
        """Return all users, inactive ones included."""
        soql = "SELECT Id, Name, Email, Username, IsActive, ManagerId, TimeZoneSidKey FROM User"
        return [user_record(raw) for raw in self.query(soql)]

    def queues(self) -> list[SalesforceQueue]:
        """Return the queues that may own Leads."""
        allowed = {
            row["QueueId"]
            for row in self.query("SELECT QueueId FROM QueueSobject WHERE SobjectType = 'Lead'")
        }
        groups = self.query("SELECT Id, Name, DeveloperName FROM Group WHERE Type = 'Queue'")
        return [
            SalesforceQueue(raw["Id"], str(raw["Name"]), str(raw.get("DeveloperName") or ""))
            for raw in groups
            if raw["Id"] in allowed
        ]

    def accounts(self) -> Iterator[SalesforceAccount]:
        """Yield all accounts."""
        soql = "SELECT Id, Name, Website, OwnerId, Type, ParentId, BillingCountry FROM Account"
        return map(account_record, self.query(soql))

    def open_opportunities(self, since: datetime) -> Iterator[SalesforceOpportunity]:
        """Yield the opportunities that are open, and those changed since `since`."""
        soql = _format(
            "SELECT Id, AccountId, OwnerId, StageName, IsClosed, IsWon, Amount, LeadSource, "
            "CloseDate, CreatedDate, SystemModstamp FROM Opportunity "
            "WHERE (IsClosed = false) OR (SystemModstamp >= {since})",
            since=_floor(since),
        )
        return map(opportunity_record, self.query(soql))

    # -- writes ------------------------------------------------------------------------------

    def upsert(
        self,
        sobject: str,
        key_field: str,
        records: Sequence[Mapping[str, Any]],
        *,
        repeat_ambiguous: bool = False,
        allow_duplicates: bool = False,
    ) -> dict[str, WriteResult]:
        """Create or update records by an external-id field; the result is by its value.

        Record by record, never all or none. See `WriteResult` for batches that fail.
        `allow_duplicates`: a duplicate rule that only alerts does not stop a record.
        """
        path = f"composite/sobjects/{sobject}/{key_field}"
        more = {"headers": _ALLOWING_DUPLICATES} if allow_duplicates else {}
        return self._write(path, sobject, key_field, records, repeat=repeat_ambiguous, **more)

    def upsert_alone(self, sobject: str, key_field: str, record: Mapping[str, Any]) -> WriteResult:
        """Upsert one record by itself: a refusal tells more, the duplicates' ids above all."""
        key = str(record[key_field])
        root = f"/services/data/v{self.connection.api_version}/sobjects"
        part = {
            "method": "PATCH",
            "url": f"{root}/{sobject}/{key_field}/{quote(key, safe='')}",
            "referenceId": "alone",
            "httpHeaders": dict(PINNED),
            "body": {name: value for name, value in record.items() if name != key_field},
        }
        body = {"allOrNone": False, "compositeRequest": [part]}
        answer = self._call("POST", "composite", json=body) or {}
        parts = answer.get("compositeResponse") or ()
        saved = parts[0].get("body") if parts else None
        if isinstance(saved, dict) and saved.get("success"):
            created = bool(saved.get("created"))
            return WriteResult(key, ok=True, id=saved.get("id"), created=created)
        return WriteResult(key, ok=False, error=record_error(saved or (), self.connection.conn_id))

    def update(
        self,
        sobject: str,
        records: Sequence[Mapping[str, Any]],
        *,
        repeat_ambiguous: bool = False,
    ) -> dict[str, WriteResult]:
        """Update records by ``Id``; the result is by Id."""
        return self._write("composite/sobjects", sobject, "Id", records, repeat=repeat_ambiguous)

    # -- inside ------------------------------------------------------------------------------

    def _write(
        self,
        path: str,
        sobject: str,
        key_field: str,
        records: Sequence[Mapping[str, Any]],
        *,
        repeat: bool,
        **more: Any,
    ) -> dict[str, WriteResult]:
        def send(rows: list[dict[str, Any]]) -> Any:
            body = {"allOrNone": False, "records": rows}
            return self._call("PATCH", path, repeatable=repeat, json=body, **more)

        return write_collection(self.connection.conn_id, sobject, key_field, records, send)

    def _people_where(
        self,
        people: People,
        lead_values: Mapping[str, Sequence[str]],
        contact_values: Mapping[str, Sequence[str]],
        more: Sequence[str] = (),
    ) -> People:
        """Read more people in one composite request and return them joined with `people`."""
        queries: list[tuple[str, str]] = []
        lead_columns = tuple(dict.fromkeys((*LEAD_FIELDS, *more)))
        for sobject, fields, values in (
            ("Lead", lead_columns, lead_values),
            ("Contact", CONTACT_FIELDS, contact_values),
        ):
            head = f"SELECT {', '.join(fields)} FROM {sobject} WHERE "  # noqa: S608  # constants
            queries += [
                (sobject, _format(f"{head}{field} IN {{values}}", values=list(wanted)))
                for field, wanted in values.items()
                if wanted
            ]
        leads, contacts = dict(people.leads), dict(people.contacts)
        pages = self._query_bodies([soql for _, soql in queries], include_deleted=True)
        for (sobject, _), page in zip(queries, pages, strict=True):
            for raw in self._rows(page):
                if sobject == "Lead":
                    leads[raw["Id"]] = lead_record(raw, more)
                else:
                    contacts[raw["Id"]] = contact_record(raw)
        return People(leads=leads, contacts=contacts)

    def _query_bodies(
        self, queries: Sequence[str], *, include_deleted: bool
    ) -> list[Mapping[str, Any]]:
        """Run up to five queries in one composite request; return their first pages in order."""
        if not queries:
            return []
        prefix = f"/services/data/v{self.connection.api_version}/{_verb(include_deleted)}"
        body = {
            "allOrNone": False,
            "compositeRequest": [
                {"method": "GET", "url": f"{prefix}?q={quote(soql)}", "referenceId": f"q{index}"}
                for index, soql in enumerate(queries)
            ],
        }

        def ask() -> list[Mapping[str, Any]]:
            answer = self._once("POST", "composite", json=body) or {}
            parts = {one["referenceId"]: one for one in answer.get("compositeResponse") or ()}
            return [self._part(parts.get(f"q{index}")) for index in range(len(queries))]

        return retrying(ask, self._terms, repeatable=True)

    def _part(self, part: Mapping[str, Any] | None) -> Mapping[str, Any]:
        if part is None:
            raise ContractError(self.connection.conn_id, "a query of a composite has no answer")
        page: Mapping[str, Any] = part["body"]
        status = int(part["httpStatusCode"])
        if status >= 300:
            body = json.dumps(part["body"]).encode()
            raise error_of(
                self.connection.conn_id, status, body, what="query in composite", changes=False
            )
        return page

    def _rows(self, page: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield rows by `done`, never by count: a page may be short."""
        while True:
            yield from page["records"]
            if page.get("done", True):
                return
            locator = str(page["nextRecordsUrl"]).rpartition("/")[2]
            page = self._call("GET", f"query/{locator}")

    def _call(self, method: str, path: str, *, repeatable: bool = True, **kw: Any) -> Any:
        return retrying(lambda: self._once(method, path, **kw), self._terms, repeatable=repeatable)

    def _once(self, method: str, path: str, **kw: Any) -> Any:
        from simple_salesforce.exceptions import SalesforceError

        try:
            return self._salesforce().restful(path, method=method, **kw)
        except SalesforceError:
            # Only an expired session that a new login did not mend gets this far.
            raise AuthenticationError(
                self.connection.conn_id, "the session is refused right after a new login"
            ) from None

    def _salesforce(self) -> Any:
        """Return the client, logging in the first time."""
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        from simple_salesforce.api import Salesforce  # half a second of import: only when needed

        token, host = self._tokens()
        client: Any = Salesforce(
            session_id=token,
            instance_url=f"https://{host}",
            session=self._session,
            version=self.connection.api_version,
            object_pairs_hook=dict,
        )
        # A private attribute of the pinned version: what the client calls when a session expires.
        if not hasattr(client, "_salesforce_login_partial"):
            raise InvariantError("this version of simple-salesforce refreshes sessions otherwise")
        client._salesforce_login_partial = self._tokens  # noqa: SLF001  # there is no other way
        return client


def _verb(include_deleted: bool) -> str:
    return "queryAll" if include_deleted else "query"


def _format(template: str, **values: object) -> str:
    from simple_salesforce.format import format_soql

    return str(format_soql(template, **values))


def _floor(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _ceiling(at: datetime) -> datetime:
    floor = _floor(at)
    return floor if floor == at else floor + timedelta(seconds=1)
