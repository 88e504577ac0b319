"""Load a CSV of contacts into a running sandbox over HubSpot's HTTP API."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm_sandbox.loading_client import PortalClient
from crm_sandbox.loading_map import (
    Definition,
    LoadError,
    MappingFile,
    as_value,
    make_plan,
    read_mapping_file,
)

__all__ = ["LoadError", "LoadReport", "Refusal", "load_file"]

_BATCH = 100
_PRIMARY = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
_EXISTING = re.compile(r"Existing ID: (\d+)")

Advance = Callable[[int, int], None]
"""Told how many rows are done, of how many."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not loaded. `row` counts as a spreadsheet does: the header is row 1."""

    row: int
    reason: str


@dataclass(slots=True)
class LoadReport:
    """What became of a file: every row is created, updated, refused or empty."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    empty: int = 0
    companies_created: int = 0
    companies_reused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def loaded(self) -> int:
        """Rows that are in the portal now."""
        return self.created + self.updated

    def to_json(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "empty": self.empty,
            "companies_created": self.companies_created,
            "companies_reused": self.companies_reused,
            "remarks": self.remarks,
            "refused": [{"row": r.row, "reason": r.reason} for r in self.refusals],
        }


@dataclass(slots=True)
class _Row:
    number: int
    values: dict[str, str]
    company: dict[str, str]
    company_id: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The CSV: its headers, and each row with its number in the file."""

    headers: list[str]
    rows: list[tuple[int, dict[str, str]]]
    remarks: list[str]


def read_csv(path: Path) -> Table:
    """Read a CSV with comma, semicolon or tab. Raises LoadError when there is nothing in it."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise LoadError(f"Cannot read {path}: {error.strerror}") from error
    remarks: list[str] = []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
        remarks.append("the file is not UTF-8; it was read as Windows-1252")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise LoadError(f"{path} cannot be read as CSV, line {reader.line_num}: {error}") from error
    headers = [header.strip() for header in (lines[0] if lines else [])]
    if not any(headers):
        raise LoadError(f"{path} has no header row.")
    repeated = sorted({h for h in headers if h and headers.count(h) > 1})
    if repeated:
        names = ", ".join(repeated)
        remarks.append(f"columns that occur more than once (the last counts): {names}")
    rows = [
        (number, dict(zip(headers, cells, strict=False)))
        for number, cells in enumerate(lines[1:], start=2)
    ]
    return Table(headers, rows, remarks)


def load_file(
    path: Path,
    *,
    url: str,
    token: str,
    maps: Sequence[str] = (),
    mapping_file: Path | None = None,
    advance: Advance | None = None,
) -> LoadReport:
    """Load a file. Raises LoadError when it cannot start; rows that fail are in the report."""
    table = read_csv(path)
    mapping = read_mapping_file(mapping_file) if mapping_file else None
    with PortalClient(url, token) as client:
        loader = _Loader(client, table, mapping, maps, advance or (lambda done, of: None))
        return loader.run()


class _Loader:
    def __init__(
        self,
        client: PortalClient,
        table: Table,
        mapping: MappingFile | None,
        maps: Sequence[str],
        advance: Advance,
    ) -> None:
        self._client = client
        self._table = table
        self._advance = advance
        self._contacts = client.definitions("contacts")
        self._companies = client.definitions("companies")
        self._plan = make_plan(
            table.headers,
            definitions=self._contacts,
            company_definitions=self._companies,
            mapping=mapping,
            maps=maps,
        )
        self._report = LoadReport(rows=len(table.rows), remarks=list(table.remarks))

    def run(self) -> LoadReport:
        plan, report = self._plan, self._report
        report.remarks.extend(plan.remarks)
        self._client.define("contacts", plan.new_properties.values())
        self._client.define("companies", plan.new_company_properties.values())
        self._contacts = {**self._contacts, **plan.new_properties}
        self._companies = {**self._companies, **plan.new_company_properties}
        rows = self._rows()
        self._place_companies(rows)
        done = report.rows - len(rows)
        self._advance(done, report.rows)
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            self._write(batch)
            done += len(batch)
            self._advance(done, report.rows)
        return report

    # ---- rows ------------------------------------------------------------------------------

    def _rows(self) -> list[_Row]:
        owners = _OwnerNames(self._client) if "hubspot_owner_id" in self._plan.properties else None
        rows = []
        for number, cells in self._table.rows:
            values = _values(self._plan.properties, self._contacts, cells)
            company = _values(self._plan.company, self._companies, cells)
            if owners is not None:
                owners.settle(values)
            if values or company:
                rows.append(_Row(number, values, company))
            else:
                self._report.empty += 1
        if owners is not None and owners.unknown:
            self._report.remarks.append(
                f"{len(owners.unknown)} owners are not known to this portal; their contacts were "
                "loaded without an owner"
            )
        return rows

    # ---- companies -------------------------------------------------------------------------

    def _place_companies(self, rows: list[_Row]) -> None:
        """Find or create the company of each row, by domain or else by name."""
        wanted: dict[str, dict[str, str]] = {}
        for row in rows:
            key = _company_key(row.company)
            if key:
                merged = wanted.setdefault(key, {})
                for name, value in row.company.items():
                    merged.setdefault(name, value)
        if not wanted:
            return
        known = self._client.companies_by_key(_company_key)
        ids = {key: known[key] for key in wanted if key in known}
        self._report.companies_reused = len(ids)
        new = [(key, values) for key, values in wanted.items() if key not in ids]
        ids.update(self._create_companies(new))
        for row in rows:
            row.company_id = ids.get(_company_key(row.company))

    def _create_companies(self, new: list[tuple[str, dict[str, str]]]) -> dict[str, str]:
        ids: dict[str, str] = {}
        for start in range(0, len(new), _BATCH):
            inputs = [
                {"objectWriteTraceId": str(start + place), "properties": values}
                for place, (_, values) in enumerate(new[start : start + _BATCH])
            ]
            made, refused = self._client.write("companies", "create", inputs)
            ids.update({new[int(trace)][0]: row["id"] for trace, row in made.items()})
            for error in refused.values():
                self._report.remarks.append(f"a company was refused: {_reason(error)}")
        self._report.companies_created += len(ids)
        return ids

    # ---- contacts --------------------------------------------------------------------------

    def _write(self, rows: list[_Row]) -> None:
        by_trace = {str(row.number): row for row in rows}
        inputs = [_create_input(row) for row in rows]
        made, refused = self._client.write("contacts", "create", inputs)
        self._report.created += len(made)
        again: dict[str, list[_Row]] = {}
        for trace, error in refused.items():
            existing = _EXISTING.search(error.get("message", ""))
            if error.get("category") == "CONFLICT" and existing:
                again.setdefault(existing[1], []).append(by_trace[trace])
            else:
                self._refuse(by_trace[trace], error)
        self._lose_none(by_trace, made, refused)
        self._update(again)

    def _update(self, again: Mapping[str, list[_Row]]) -> None:
        """Update contacts that were there; where rows share one, each in turn, in file order."""
        rounds = max((len(rows) for rows in again.values()), default=0)
        for turn in range(rounds):
            current = {key: rows[turn] for key, rows in again.items() if len(rows) > turn}
            inputs = [
                {"id": key, "objectWriteTraceId": str(row.number), "properties": row.values}
                for key, row in current.items()
            ]
            by_trace = {str(row.number): row for row in current.values()}
            done, refused = self._client.write("contacts", "update", inputs)
            self._report.updated += len(done)
            for trace, error in refused.items():
                self._refuse(by_trace[trace], error)
            self._lose_none(by_trace, done, refused)
            pairs = [(key, row.company_id) for key, row in current.items() if row.company_id]
            self._client.associate(pairs, _PRIMARY)

    def _lose_none(
        self, rows: Mapping[str, _Row], done: Mapping[str, Any], refused: Mapping[str, Any]
    ) -> None:
        for trace, row in rows.items():
            if trace not in done and trace not in refused:
                self._report.refusals.append(Refusal(row.number, "HubSpot did not answer for it"))

    def _refuse(self, row: _Row, error: Mapping[str, Any]) -> None:
        self._report.refusals.append(Refusal(row.number, _reason(error)))


def _values(
    sources: Mapping[str, Any], definitions: Mapping[str, Definition], cells: Mapping[str, str]
) -> dict[str, str]:
    pairs = (
        (name, as_value(source.read(cells), source, definitions[name]))
        for name, source in sources.items()
    )
    return {name: value for name, value in pairs if value}


def _company_key(values: Mapping[str, Any]) -> str:
    domain = str(values.get("domain") or "").strip().lower()
    return domain or str(values.get("name") or "").strip().casefold()


def _create_input(row: _Row) -> dict[str, Any]:
    made: dict[str, Any] = {"objectWriteTraceId": str(row.number), "properties": row.values}
    if row.company_id:
        made["associations"] = [{"to": {"id": row.company_id}, "types": _PRIMARY}]
    return made


def _reason(error: Mapping[str, Any]) -> str:
    """Why a row was refused, without its values: they may be personal."""
    details: Iterable[Mapping[str, Any]] = error.get("errors") or ()
    parts = [
        f"{', '.join(d.get('context', {}).get('propertyName', ['?']))}: {d.get('code', '?')}"
        for d in details
    ]
    return "; ".join(parts) or str(error.get("category") or "refused")


class _OwnerNames:
    """Turns what an export shows as owner (name, e-mail or id) into the owner's id."""

    def __init__(self, client: PortalClient) -> None:
        self.unknown: set[str] = set()
        self._ids: dict[str, str] = {}
        for owner in client.owners():
            name = f"{owner.get('firstName') or ''} {owner.get('lastName') or ''}".strip()
            for key in (owner["id"], owner.get("email") or "", name):
                if key:
                    self._ids.setdefault(key.casefold(), owner["id"])

    def settle(self, values: dict[str, str]) -> None:
        """Replace the owner in a row's values, or take an unknown one out."""
        given = values.pop("hubspot_owner_id", "")
        found = self._ids.get(given.casefold())
        if found:
            values["hubspot_owner_id"] = found
        elif given:
            self.unknown.add(given)
