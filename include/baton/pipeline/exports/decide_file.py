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

from baton.decision.columns import DecisionFrame, FrameDecisions, decide_frame, matcher
from baton.decision.decision import Decision, HoldReason
from baton.decision.inputs import DecisionInputs
from baton.errors import ConfigurationError
from baton.leads.enrichment import enrich
from baton.leads.facts import KeptValues, Problem, hand_raise_properties, read_facts
from baton.leads.model import LeadSnapshot, captured_at
from baton.leads.relations import Account, AccountIndex, CrmRelations
from baton.leads.verdict import Verdict
from baton.pipeline.exports.decided_file import DecisionWriter, FileReport, lines_of
from baton.pipeline.exports.export_columns import ColumnPlan, folded
from baton.pipeline.exports.export_text import Export, Row, RowReader, Unreadable, open_export
from baton.pipeline.exports.repeated_rows import NamedRows
from baton.policy.facts import Facts
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.scoring.columns import frame_of
from baton.validation.plain import PlainValidator

__all__ = ["DecidedRow", "FileTerms", "decide_file", "read_accounts", "row_explained"]

CHUNK = 5_000
REMEMBERED = 20_000
"""For so many companies it is remembered which account is theirs."""
_NO_RELATIONS = CrmRelations()
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
    """A row with the whole of what was decided on it."""

    row: Row
    inputs: DecisionInputs
    decision: Decision


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
        for chunk in _decided(export, terms, progress, report):
            for found in chunk.no_rows:
                report.reject(found)
                writer.reject(found)
            for row, line in zip(chunk.rows, lines_of(chunk.decisions), strict=True):
                report.add(line)
                writer.write(row.number, terms.plan.key_of(row.cells), line)
    report.end()
    return report


def row_explained(export: Export, terms: FileTerms, number: int) -> DecidedRow:
    """Return one row with its decision, after deciding on all rows before it.

    Raises ConfigurationError when the file has no such row.
    """
    for chunk in _decided(export, terms, lambda _rows, _bytes: None, FileReport()):
        for found in chunk.no_rows:
            if found.number == number:
                raise ConfigurationError(f"row {number} is no lead: {found.reason}")
        for place, row in enumerate(chunk.rows):
            if row.number == number:
                decisions = chunk.decisions
                inputs = decisions.frame.inputs_at(place)
                return DecidedRow(row, inputs, decisions.decision(place))
    raise ConfigurationError(
        f"{export.path} has no lead in row {number}; rows count as in a spreadsheet, "
        "the header is row 1"
    )


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some rows with the decisions on them, and what among them is no row."""

    rows: Sequence[Row]
    no_rows: Sequence[Unreadable]
    decisions: FrameDecisions


def _decided(
    export: Export, terms: FileTerms, progress: Progress, report: FileReport
) -> Iterator[_Chunk]:
    reader = RowReader(export)
    rows = reader.read()
    judge = _Judge(terms, report)
    done = 0
    while found := list(islice(rows, CHUNK)):
        yield judge.decide(found)
        done += len(found)
        progress(done, reader.position)
    report.repeated, report.repeats = judge.named.repeats()


@dataclass(slots=True)
class _Read:
    """What was read of the rows of a chunk, one entry a row."""

    facts: list[Facts] = field(default_factory=list)
    captured: list[datetime] = field(default_factory=list)
    problems: list[tuple[Problem, ...]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


class _Judge:
    """Decides chunk by chunk; the book of pools goes through the whole file."""

    def __init__(self, terms: FileTerms, report: FileReport) -> None:
        self.terms = terms
        self.report = report
        self.book = PoolBook()
        self.validator = PlainValidator.of(terms.policy)
        self.kept = KeptValues()
        self.named = NamedRows()
        self.hand_raises = hand_raise_properties(terms.policy)
        self.released = () if terms.guard else (HoldReason.BLAST_RADIUS.value,)
        accounts = terms.accounts
        self.match = matcher(accounts, remembered=REMEMBERED) if accounts else _unrelated

    def decide(self, chunk: Sequence[Row | Unreadable]) -> _Chunk:
        """Decide on a chunk in the order of its rows."""
        terms = self.terms
        rows = [row for row in chunk if isinstance(row, Row)]
        read = _Read()
        for row in rows:
            self.read(row, read)
        frame = DecisionFrame.of_facts(
            frame_of(read.facts),
            terms.policy,
            self.match,
            lead_keys=[_key(row) for row in rows],
            captured_at=read.captured,
            decided_at=terms.moment,
            verdicts=read.verdicts,
            problems=read.problems,
            positions=[row.number for row in rows],
            released=self.released,
        )
        no_rows = [row for row in chunk if isinstance(row, Unreadable)]
        decisions = decide_frame(frame, terms.policy, terms.roster, self.book)
        return _Chunk(rows, no_rows, decisions)

    def read(self, row: Row, into: _Read) -> None:
        """Read a row as the pipeline reads a contact it has never seen."""
        terms, moment = self.terms, self.terms.moment
        properties, company = terms.plan.read(row.cells)
        captured = captured_at(properties, self.hand_raises) or moment
        snapshot = LeadSnapshot(_key(row), moment, moment, captured, properties, company)
        read = read_facts(snapshot, terms.policy, self.kept)
        self.report.unreadable.update(problem.label for problem in read.problems)
        self.report.lower_ends.update(read.lower_ends)
        email = read.facts.get("E-mail")
        self.named.add(row.number, terms.plan.key_of(row.cells) or (str(email) if email else ""))
        facts = enrich(read.facts, snapshot, terms.policy).facts
        into.facts.append(facts)
        into.captured.append(captured)
        into.problems.append(read.problems)
        into.verdicts.append(self.validator.verdict(facts, problems=read.problems))


def _key(row: Row) -> str:
    return f"row {row.number}"


def _unrelated(*_company: str | None) -> CrmRelations:
    return _NO_RELATIONS


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
