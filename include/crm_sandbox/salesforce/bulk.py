"""Bulk API 2.0: many records as CSV in one job, and queries whose result is CSV.

A job is worked through when it is asked about for the first time after its upload is complete.
Each record stands for itself: a job is complete even if every record of it failed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from crm_sandbox.salesforce.api import ApiCall, ApiReply, Route
from crm_sandbox.salesforce.bulk_cells import (
    DELIMITERS,
    as_csv,
    cell_of,
    flattened,
    is_unknown,
    selected_columns,
    taken,
    value_of,
)
from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.ids import make_id
from crm_sandbox.salesforce.org import Org
from crm_sandbox.salesforce.own_rules import SaveOptions
from crm_sandbox.salesforce.schema import SObject
from crm_sandbox.salesforce.soql.engine import Engine
from crm_sandbox.salesforce.values import render

MAX_UPLOAD = 150 * 1024 * 1024
"""Bytes of one upload."""

_PAGE = 2000
_LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


class JobState(StrEnum):
    """How far a job is."""

    OPEN = "Open"
    UPLOAD_COMPLETE = "UploadComplete"
    JOB_COMPLETE = "JobComplete"
    ABORTED = "Aborted"
    FAILED = "Failed"


class Operation(StrEnum):
    """What a job does with its records."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"
    HARD_DELETE = "hardDelete"


@dataclass(slots=True)
class _Rows:
    """Rows of a result file: a head of their own before the columns of the upload."""

    head: tuple[str, ...]
    rows: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class _Job:
    id: str
    operation: Operation
    sobject: SObject
    by: str
    created: datetime
    version: str
    key: str | None
    delimiter: str
    line_ending: str
    options: SaveOptions
    state: JobState = JobState.OPEN
    content: str = ""
    columns: tuple[str, ...] = ()
    done: _Rows = field(default_factory=lambda: _Rows(("sf__Id", "sf__Created")))
    failed: _Rows = field(default_factory=lambda: _Rows(("sf__Id", "sf__Error")))
    problem: str | None = None


@dataclass(slots=True)
class _QueryJob:
    id: str
    text: str
    include_deleted: bool
    by: str
    created: datetime
    version: str
    state: JobState = JobState.UPLOAD_COMPLETE
    columns: tuple[str, ...] = ()
    rows: list[list[str]] = field(default_factory=list)
    problem: str | None = None


class Bulk:
    """Answers below `jobs/ingest` and `jobs/query`."""

    def __init__(self, org: Org) -> None:
        """Work on the records of this org."""
        self._org = org
        self._engine = Engine(org.store)
        self._jobs: dict[str, _Job] = {}
        self._queries: dict[str, _QueryJob] = {}
        self._count = 0

    def routes(self) -> list[Route]:
        """The paths this class answers."""
        one, query = "jobs/ingest/{id}", "jobs/query/{id}"
        return [
            Route("jobs/ingest", {"POST": self._create, "GET": self._list}),
            Route(one, {"GET": self._show, "PATCH": self._change, "DELETE": self._remove}),
            Route(f"{one}/batches", {"PUT": self._upload}),
            Route(f"{one}/successfulResults", {"GET": self._successful}),
            Route(f"{one}/failedResults", {"GET": self._unsuccessful}),
            Route(f"{one}/unprocessedRecords", {"GET": self._unprocessed}),
            Route("jobs/query", {"POST": self._create_query}),
            Route(query, {"GET": self._show_query, "PATCH": self._abort_query}),
            Route(f"{query}/results", {"GET": self._results}),
        ]

    # -- jobs that write ----------------------------------------------------------------------

    def _create(self, call: ApiCall) -> ApiReply:
        asked = call.record()
        sobject = self._sobject(asked.get("object"))
        operation = _operation(asked.get("operation"))
        key = asked.get("externalIdFieldName")
        if operation is Operation.UPSERT:
            found = sobject.field(str(key)) if key else None
            if found is None or not found.is_key:
                raise _invalid_job(
                    f"InvalidJob : Field name not found or not an external id: {key}"
                )
            key = found.name
        job = _Job(
            self._next_id(),
            operation,
            sobject,
            call.user_id,
            self._org.clock.now(),
            call.version,
            key if operation is Operation.UPSERT else None,
            _chosen(DELIMITERS, asked, "columnDelimiter", "COMMA"),
            _chosen(_LINE_ENDINGS, asked, "lineEnding", "LF"),
            call.options,
        )
        self._jobs[job.id] = job
        return ApiReply(200, _about(job))

    def _list(self, _call: ApiCall) -> ApiReply:
        records = [_about(job) for job in self._jobs.values()]
        return ApiReply(200, {"done": True, "records": records, "nextRecordsUrl": None})

    def _show(self, _call: ApiCall, job_id: str) -> ApiReply:
        job = self._job(job_id)
        if job.state is JobState.UPLOAD_COMPLETE:
            self._work(job)
        return ApiReply(200, _about(job))

    def _upload(self, call: ApiCall, job_id: str) -> ApiReply:
        job = self._job(job_id)
        if job.state is not JobState.OPEN or job.content:
            raise _invalid_job("InvalidJobState : the upload of this job is complete", 400)
        if len(call.content) > MAX_UPLOAD:
            raise _invalid_job("ClientInputError : the upload is larger than 150 MB", 413)
        try:
            job.content = call.content.decode("utf-8")
        except UnicodeDecodeError:
            raise _invalid_job("ClientInputError : the upload is not UTF-8") from None
        return ApiReply(201)

    def _change(self, call: ApiCall, job_id: str) -> ApiReply:
        job = self._job(job_id)
        wanted = call.record().get("state")
        if wanted not in (JobState.UPLOAD_COMPLETE, JobState.ABORTED):
            raise _invalid_job(f"InvalidJobState : a job cannot be put into the state {wanted}")
        if job.state is not JobState.OPEN:
            raise _invalid_job(f"InvalidJobState : the job is {job.state} already")
        job.state = JobState(wanted)
        return ApiReply(200, _about(job))

    def _remove(self, _call: ApiCall, job_id: str) -> ApiReply:
        job = self._job(job_id)
        if job.state not in (JobState.JOB_COMPLETE, JobState.FAILED, JobState.ABORTED):
            raise _invalid_job("InvalidJobState : only a job that has ended can be deleted")
        del self._jobs[job_id]
        return ApiReply(204)

    def _work(self, job: _Job) -> None:
        delimiter, ending = DELIMITERS[job.delimiter], _LINE_ENDINGS[job.line_ending]
        if ending == "\n" and "\r\n" in job.content:
            job.state = JobState.FAILED
            job.problem = "ClientInputError : LineEnding is invalid on user data."
            return
        rows = list(csv.reader(io.StringIO(job.content, newline=""), delimiter=delimiter))
        if not rows:
            job.state, job.problem = JobState.FAILED, "InvalidBatch : the upload has no header row"
            return
        job.columns, records = tuple(rows[0]), rows[1:]
        unknown = [name for name in job.columns if is_unknown(job.sobject, name)]
        if unknown:
            job.state = JobState.FAILED
            job.problem = f"InvalidBatch : Field name not found : {unknown[0]}"
            return
        for cells in records:
            try:
                record_id, created = self._save(job, cells)
            except OrgFault as fault:
                named = ",".join(fault.fields)
                error = f"{fault.error_code}:{fault.message}:{named} --"
                job.failed.rows.append(["", error, *cells])
            else:
                job.done.rows.append([record_id, str(created).lower(), *cells])
        job.state = JobState.JOB_COMPLETE

    def _save(self, job: _Job, cells: Sequence[str]) -> tuple[str, bool]:
        if len(cells) != len(job.columns):
            raise OrgFault("INVALID_FIELD", "the row does not have as many cells as the header")
        values = {
            name: value_of(job.sobject, name, cell)
            for name, cell in zip(job.columns, cells, strict=True)
            if cell != ""
        }
        kind, by = job.sobject.name, job.by
        match job.operation:
            case Operation.INSERT:
                made = self._org.insert(kind, values, by=by, options=job.options)
                return made, True
            case Operation.UPSERT:
                assert job.key is not None
                key = taken(values, job.key)
                return self._org.upsert(kind, job.key, key, values, by=by, options=job.options)
            case Operation.UPDATE:
                record_id = taken(values, "Id")
                self._org.update(kind, record_id, values, by=by, options=job.options)
                return record_id, False
        record_id = taken(values, "Id")
        self._org.delete(kind, record_id)
        return record_id, False

    def _successful(self, _call: ApiCall, job_id: str) -> ApiReply:
        job = self._job(job_id)
        return as_csv((*job.done.head, *job.columns), job.done.rows, job.delimiter)

    def _unsuccessful(self, _call: ApiCall, job_id: str) -> ApiReply:
        job = self._job(job_id)
        return as_csv((*job.failed.head, *job.columns), job.failed.rows, job.delimiter)

    def _unprocessed(self, _call: ApiCall, job_id: str) -> ApiReply:
        return as_csv(self._job(job_id).columns, (), self._job(job_id).delimiter)

    # -- jobs that read -----------------------------------------------------------------------

    def _create_query(self, call: ApiCall) -> ApiReply:
        asked = call.record()
        operation = asked.get("operation")
        if operation not in ("query", "queryAll"):
            raise _invalid_job(f"InvalidJob : the operation {operation} is not supported")
        job = _QueryJob(
            self._next_id(),
            str(asked.get("query") or ""),
            operation == "queryAll",
            call.user_id,
            self._org.clock.now(),
            call.version,
        )
        self._run(job)  # a query that is wrong is refused at once
        self._queries[job.id] = job
        return ApiReply(200, _about_query(job, JobState.UPLOAD_COMPLETE))

    def _run(self, job: _QueryJob) -> None:
        result = self._engine.run(
            job.text, now=self._org.clock.now(), include_deleted=job.include_deleted
        )
        shown = [flattened(result.show(one, "")) for one in result.records]
        columns = dict.fromkeys(name for row in shown for name in row)
        job.columns = tuple(columns) or selected_columns(job.text)
        job.rows = [[cell_of(row.get(name)) for name in job.columns] for row in shown]

    def _show_query(self, _call: ApiCall, job_id: str) -> ApiReply:
        job = self._query_job(job_id)
        if job.state is JobState.UPLOAD_COMPLETE:
            job.state = JobState.JOB_COMPLETE
        return ApiReply(200, _about_query(job, job.state))

    def _abort_query(self, call: ApiCall, job_id: str) -> ApiReply:
        job = self._query_job(job_id)
        if call.record().get("state") != JobState.ABORTED:
            raise _invalid_job("InvalidJobState : a query job can only be aborted")
        job.state = JobState.ABORTED
        return ApiReply(200, _about_query(job, job.state))

    def _results(self, call: ApiCall, job_id: str) -> ApiReply:
        job = self._query_job(job_id)
        if job.state is not JobState.JOB_COMPLETE:
            raise _invalid_job("InvalidJobState : the job has no results yet")
        given = call.query.get("locator", "0")
        start = int(given) if given.isdigit() else 0
        size = call.query.get("maxRecords", "")
        end = start + (int(size) if size.isdigit() and int(size) else max(_PAGE, len(job.rows)))
        page = job.rows[start:end]
        more = str(end) if end < len(job.rows) else "null"
        extra = {"Sforce-Locator": more, "Sforce-NumberOfRecords": str(len(page))}
        reply = as_csv(job.columns, page, "COMMA")
        return ApiReply(200, headers={**reply.headers, **extra}, text=reply.text)

    # -- inside -------------------------------------------------------------------------------

    def _next_id(self) -> str:
        self._count += 1
        return make_id("750", self._count)

    def _sobject(self, name: object) -> SObject:
        found = self._org.schema.get(name) if isinstance(name, str) else None
        if found is None or not found.prefix:
            raise _invalid_job(f"InvalidJob : the object {name} is not supported")
        return found

    def _job(self, job_id: str) -> _Job:
        found = self._jobs.get(job_id)
        if found is None:
            raise _gone()
        return found

    def _query_job(self, job_id: str) -> _QueryJob:
        found = self._queries.get(job_id)
        if found is None:
            raise _gone()
        return found


def _about(job: _Job) -> dict[str, Any]:
    failed = len(job.failed.rows)
    body = {
        **_head(job.id, job.by, job.created, job.version),
        "operation": job.operation.value,
        "object": job.sobject.name,
        "externalIdFieldName": job.key,
        "assignmentRuleId": None,
        "state": job.state.value,
        "contentUrl": f"services/data/v{job.version}/jobs/ingest/{job.id}/batches",
        "lineEnding": job.line_ending,
        "columnDelimiter": job.delimiter,
    }
    if job.state is not JobState.OPEN:
        body |= {
            "jobType": "V2Ingest",
            "numberRecordsProcessed": len(job.done.rows) + failed,
            "numberRecordsFailed": failed,
            "retries": 0,
            "totalProcessingTime": 1,
            "apiActiveProcessingTime": 1,
            "apexProcessingTime": 0,
        }
    return body | ({"errorMessage": job.problem} if job.problem else {})


def _about_query(job: _QueryJob, state: JobState) -> dict[str, Any]:
    body = {
        **_head(job.id, job.by, job.created, job.version),
        "operation": "queryAll" if job.include_deleted else "query",
        "object": None,
        "state": state.value,
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
        "jobType": "V2Query",
    }
    if state is JobState.JOB_COMPLETE:
        body |= {"numberRecordsProcessed": len(job.rows), "retries": 0, "totalProcessingTime": 1}
    return body


def _head(job_id: str, by: str, created: datetime, version: str) -> dict[str, Any]:
    return {
        "id": job_id,
        "createdById": by,
        "createdDate": render(created),
        "systemModstamp": render(created),
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(version),
    }


def _operation(name: object) -> Operation:
    try:
        return Operation(str(name))
    except ValueError:
        raise _invalid_job(f"InvalidJob : the operation {name} is not supported") from None


def _chosen(known: dict[str, str], asked: dict[str, Any], name: str, otherwise: str) -> str:
    value = str(asked.get(name) or otherwise)
    if value not in known:
        raise _invalid_job(f"InvalidJob : {name} cannot be {value}")
    return value


def _invalid_job(message: str, status: int = 400) -> OrgFault:
    code = message.partition(" : ")[0].upper().replace(" ", "")
    return OrgFault(code, message, http_status=status)


def _gone() -> OrgFault:
    return OrgFault("NOT_FOUND", "The requested resource does not exist", http_status=404)
