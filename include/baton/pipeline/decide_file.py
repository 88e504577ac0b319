"""Deciding on the leads of an export: no CRM, no database, no server.

Every row is read, scored and routed as the pipeline would, as a lead never seen before, all at one
moment. Pools take turns in the order of the rows and start afresh; caps count within the file.
Rows go through in chunks, so memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from baton.decision.decide import decide
from baton.decision.decision import Decision, HoldReason
from baton.decision.inputs import DecisionInputs, gather
from baton.errors import ConfigurationError
from baton.leads.enrichment import enrich
from baton.leads.facts import hand_raise_properties, read_facts
from baton.leads.model import LeadSnapshot, captured_at
from baton.leads.relations import (
    Account,
    AccountIndex,
    CrmRelations,
    match_account,
    relations_from,
)
from baton.pipeline.decided_file import DecisionWriter, FileReport
from baton.pipeline.export_columns import ColumnPlan, folded
from baton.pipeline.export_text import Export, Row, RowReader, Unreadable, open_export
from baton.policy.facts import Facts
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.validation.plain import PlainValidator

__all__ = ["DecidedRow", "FileTerms", "decide_file", "read_accounts", "row_explained"]

CHUNK = 2_000
_ACCOUNT_COLUMNS = {
    "id": ("id", "accountid", "accountsid"),
    "name": ("name", "accountname", "account", "company"),
    "domain": ("domain", "website", "companydomain"),
    "owner": ("owner", "owneremail", "accountowner"),
    "type": ("type", "accounttype"),
    "open_opportunity_id": ("openopportunityid", "openopportunity", "opportunityid"),
    "open_opportunity_owner": ("openopportunityowner", "opportunityowner"),
    "country": ("country", "billingcountry"),
}

Progress = Callable[[int, int], None]
"""Told how many rows are done, and how many bytes of the file that is."""


@dataclass(frozen=True, slots=True)
class FileTerms:
    """By what a file is decided: policy, roster, columns, moment, and the accounts there are.

    `guard`: the policy's limit on handoffs a run counts, so that what lies beyond it is held.
    """

    policy: Policy
    roster: Roster
    plan: ColumnPlan
    moment: datetime
    accounts: AccountIndex | None = None
    guard: bool = False


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """A row with what was decided on it."""

    row: Row
    inputs: DecisionInputs
    decision: Decision
    facts: Facts = field(repr=False)


def decide_file(
    export: Export,
    terms: FileTerms,
    *,
    out: Path | None = None,
    rejects: Path | None = None,
    progress: Progress = lambda _rows, _bytes: None,
) -> FileReport:
    """Decide on every row; write decisions to `out` and what is no row to `rejects`.

    `out` appears when all rows are done, `rejects` only if there are any. Raises
    ConfigurationError when a file cannot be written, and PolicyError where policy and roster
    contradict each other.
    """
    report = FileReport()
    with DecisionWriter(out, rejects) as writer:
        for done in _decided(export, terms, progress, report):
            if isinstance(done, Unreadable):
                report.reject(done)
                writer.reject(done)
            else:
                report.add(done.decision, done.inputs)
                writer.write(done.row.number, terms.plan.key_of(done.row.cells), done.decision)
    report.end()
    return report


def row_explained(export: Export, terms: FileTerms, number: int) -> DecidedRow:
    """Return one row with its decision, after deciding on all rows before it.

    Raises ConfigurationError when the file has no such row.
    """
    for done in _decided(export, terms, lambda _rows, _bytes: None, FileReport()):
        if isinstance(done, Unreadable):
            if done.number == number:
                raise ConfigurationError(f"row {number} is no lead: {done.reason}")
        elif done.row.number == number:
            return done
        elif done.row.number > number:
            break
    raise ConfigurationError(
        f"{export.path} has no lead in row {number}; rows count as in a spreadsheet, "
        "the header is row 1"
    )


def _decided(
    export: Export, terms: FileTerms, progress: Progress, report: FileReport
) -> Iterator[DecidedRow | Unreadable]:
    reader = RowReader(export)
    rows = reader.read()
    judge = _Judge(terms, report)
    done = 0
    while chunk := list(islice(rows, CHUNK)):
        yield from judge.decide(chunk)
        done += len(chunk)
        progress(done, reader.position)


class _Judge:
    """Decides chunk by chunk; the book of pools goes through the whole file."""

    def __init__(self, terms: FileTerms, report: FileReport) -> None:
        self.terms = terms
        self.report = report
        self.book = PoolBook()
        self.validator = PlainValidator.of(terms.policy)
        self.hand_raises = hand_raise_properties(terms.policy)
        self.released = () if terms.guard else (HoldReason.BLAST_RADIUS.value,)

    def decide(self, chunk: Sequence[Row | Unreadable]) -> Iterator[DecidedRow | Unreadable]:
        """Decide on a chunk in the order of its rows."""
        terms = self.terms
        for row in chunk:
            if isinstance(row, Unreadable):
                yield row
                continue
            inputs, facts = self.inputs(row)
            decision = decide(inputs, terms.policy, terms.roster, self.book)
            yield DecidedRow(row, inputs, decision, facts)

    def inputs(self, row: Row) -> tuple[DecisionInputs, Facts]:
        """Read a row as the pipeline reads a contact it has never seen."""
        terms, moment = self.terms, self.terms.moment
        properties, company = terms.plan.read(row.cells)
        captured = captured_at(properties, self.hand_raises) or moment
        key = f"row {row.number}"
        snapshot = LeadSnapshot(key, moment, moment, captured, properties, company)
        read = read_facts(snapshot, terms.policy)
        self.report.unreadable.update(problem.label for problem in read.problems)
        facts = enrich(read.facts, snapshot, terms.policy).facts
        inputs = gather(
            terms.policy,
            lead_key=key,
            facts=facts,
            captured_at=captured,
            decided_at=moment,
            verdict=self.validator.verdict(facts, problems=read.problems),
            relations=_related(facts, terms.accounts) if terms.accounts else None,
            position=row.number,
            problems=read.problems,
            released=self.released,
        )
        return inputs, facts


def _related(facts: Facts, accounts: AccountIndex) -> CrmRelations:
    return relations_from(
        match_account(
            _text(facts, "Company domain"),
            _text(facts, "Company name"),
            accounts,
            mail_domain=_text(facts, "E-mail domain"),
            country=_text(facts, "Country"),
        )
    )


def read_accounts(path: Path, policy: Policy) -> AccountIndex:
    """Read accounts from a CSV with at least a name or a domain in each row.

    Columns: id, name, domain (or website), owner (an e-mail), type, country, open opportunity id,
    open opportunity owner. Raises ConfigurationError.
    """
    export = open_export(path)
    known = {folded(name): place for place, name in enumerate(export.columns)}
    places = {
        name: next((known[one] for one in ways if one in known), None)
        for name, ways in _ACCOUNT_COLUMNS.items()
    }
    if places["name"] is None and places["domain"] is None:
        raise ConfigurationError(
            f"{path} needs a column 'name' or 'domain'; it has: {', '.join(export.columns)}"
        )
    found = []
    for row in RowReader(export).read():
        if isinstance(row, Unreadable):
            raise ConfigurationError(f"{path}, line {row.line}: {row.reason}")
        given = {
            name: row.cells[place].strip() or None
            for name, place in places.items()
            if place is not None
        }
        found.append(_account(given, row.number))
    return AccountIndex(found, frozenset(policy.mail.free), policy.company_aliases)


def _account(given: dict[str, str | None], number: int) -> Account:
    def lower(name: str) -> str | None:
        text = given.get(name)
        return text.lower() if text else None

    return Account(
        given.get("id") or f"row {number}",
        given.get("name") or "",
        given.get("domain"),
        lower("owner"),
        given.get("type"),
        given.get("open_opportunity_id"),
        lower("open_opportunity_owner"),
        given.get("country"),
    )


def _text(facts: Facts, label: str) -> str | None:
    value = facts.get(label)
    return value if isinstance(value, str) and value else None
