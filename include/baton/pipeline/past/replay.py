"""Does every stored decision come out the same again? From its own inputs, policy and roster.

Decisions are read in chunks and compared as canonical bytes; policies and rosters are read once
for each version, so memory does not grow with the number of decisions. What cannot be repeated
(damaged inputs, a version that this release can no longer read) is counted and named, and the rest
goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import ValidationError
from sqlalchemy import Engine

from baton.decision import ENGINE_VERSION
from baton.decision.canonical import canonical_bytes, hash_of
from baton.decision.decide import replay as decide_as_stored
from baton.decision.difference import Difference, first_difference
from baton.errors import BatonError
from baton.leads.states import LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.leads import leads
from baton.ledger.record import decisions
from baton.ledger.record.decisions import DecisionRow, Selection
from baton.pipeline.versions.stored_agreements import StoredAgreements, UnreadableVersionError

CHUNK = 500
_UNREPEATABLE = (BatonError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What reading damaged inputs can end in, pydantic's and Decimal's errors included."""


class Standing(StrEnum):
    """What came of repeating one decision."""

    EQUAL = "equal"
    DIFFERENT = "different"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Finding:
    """A decision that did not come out the same, and why, in words without personal data."""

    decision_id: int
    lead_id: int
    engine_version: str
    standing: Standing
    words: str
    difference: Difference | None = None

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        found = self.difference
        return {
            "decision": self.decision_id,
            "lead": self.lead_id,
            "engine": self.engine_version,
            "standing": self.standing.value,
            "words": self.words,
            "path": found.path if found else None,
            "stored": found.before if found else None,
            "now": found.after if found else None,
        }


@dataclass(slots=True)
class ReplayReport:
    """Counts by standing and by engine version, and the first findings of each kind."""

    counts: Counter[Standing] = field(default_factory=Counter)
    engines: Counter[str] = field(default_factory=Counter)
    different_by_engine: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Return how many decisions were looked at."""
        return self.counts.total()

    @property
    def all_equal(self) -> bool:
        """Tell whether every decision that could be compared at all, was, and came out the same."""
        return self.counts[Standing.EQUAL] + self.counts[Standing.ERASED] == self.total

    @property
    def first(self) -> Finding | None:
        """Return the first decision that came out differently."""
        return next((one for one in self.findings if one.standing is Standing.DIFFERENT), None)

    def add(self, finding: Finding) -> None:
        """Count one decision, and keep the first few of each kind that is not well."""
        standing = finding.standing
        self.counts[standing] += 1
        self.engines[finding.engine_version] += 1
        if standing is Standing.DIFFERENT:
            self.different_by_engine[finding.engine_version] += 1
        if standing is Standing.UNREADABLE:
            self.unreadable[finding.words] = self.unreadable.get(finding.words, 0) + 1
        kept = sum(1 for one in self.findings if one.standing is standing)
        if standing not in (Standing.EQUAL, Standing.ERASED) and kept < _KEPT:
            self.findings.append(finding)

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "engine": ENGINE_VERSION,
            "decisions": self.total,
            **{standing.value: self.counts[standing] for standing in Standing},
            "engines": dict(self.engines),
            "unreadable_versions": self.unreadable,
            "findings": [one.to_json() for one in self.findings],
        }


_KEPT = 20


def replay(
    engine: Engine,
    selection: Selection,
    *,
    progress: Callable[[int], None] = lambda _done: None,
) -> ReplayReport:
    """Repeat the selected decisions, oldest first; `progress` hears how many are done.

    Nothing is written. Raises LedgerError where the ledger cannot be read; whatever is wrong with
    a single decision ends up in the report.
    """
    report = ReplayReport()
    agreements = StoredAgreements()
    after = 0
    while True:
        agreements.make_room()
        with transaction(engine) as conn:
            rows = decisions.page(conn, selection, after_id=after, limit=CHUNK)
            erased = leads.ids_in_state(conn, {row.lead_id for row in rows}, LeadState.ERASED)
            for row in rows:
                agreements.know(conn, row.policy_hash, row.roster_hash)
        for row in rows:
            report.add(_erased(row) if row.lead_id in erased else repeat(row, agreements))
        progress(report.total)
        if len(rows) < CHUNK:
            return report
        after = rows[-1].id


def repeat(row: DecisionRow, agreements: StoredAgreements) -> Finding:
    """Repeat one stored decision and compare the canonical bytes. Never raises for its content."""
    if hash_of(canonical_bytes(row.inputs)) != row.inputs_hash:
        return _finding(
            row,
            Standing.DAMAGED,
            "the stored inputs are not those that were recorded: their hash differs",
        )
    try:
        policy, roster = agreements.of(row.policy_hash, row.roster_hash)
    except UnreadableVersionError as error:
        return _finding(row, Standing.UNREADABLE, str(error))
    try:
        again = decide_as_stored(row.inputs, row.result, policy, roster)
    except _UNREPEATABLE as error:
        words = f"it cannot be decided again: {_in_words(error)}"
        return _finding(row, Standing.DAMAGED, words)
    if again.canonical() == canonical_bytes(row.result):
        return _finding(row, Standing.EQUAL, "")
    return _different(row, again.to_json())


def _different(row: DecisionRow, again: dict[str, object]) -> Finding:
    words = "the same inputs lead to another decision"
    if hash_of(canonical_bytes(row.result)) != row.result_hash:
        words = "the stored decision was changed after it was recorded: its hash differs"
    elif row.engine_version != ENGINE_VERSION:
        words = (
            f"engine {ENGINE_VERSION} decides otherwise than engine {row.engine_version}, "
            "which made this decision"
        )
    difference = first_difference(row.result, again)
    return _finding(row, Standing.DIFFERENT, words, difference)


def _erased(row: DecisionRow) -> Finding:
    return _finding(row, Standing.ERASED, "the person has been erased")


def _finding(
    row: DecisionRow, standing: Standing, words: str, difference: Difference | None = None
) -> Finding:
    return Finding(row.id, row.lead_id, row.engine_version, standing, words, difference)


def _in_words(error: Exception) -> str:
    """Say what is wrong without showing a value."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        return f"{place}: {first['msg']}"
    return str(error) if isinstance(error, BatonError) else type(error).__name__
