"""What comes out of deciding on an export: the CSV of decisions, the rejects, the summary."""

from __future__ import annotations

import csv
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from baton.decision.decision import DecisionOutcome
from baton.decision.package import points_in_words, reason_in_words
from baton.errors import ConfigurationError
from baton.routing.ladder import OwnerKind

if TYPE_CHECKING:
    from _csv import Writer
    from collections.abc import Callable, Iterator

    from baton.decision.columns import FrameDecisions
    from baton.leads.verdict import Failure
    from baton.pipeline.exports.export_text import Unreadable
    from baton.scoring.points import Score

__all__ = ["COLUMNS", "DecisionWriter", "FileReport", "Line", "harmless", "lines_of"]

COLUMNS = (
    "row", "lead", "outcome", "reason_code", "reason", "band", "score", "score_reasons",
    "trigger", "rule", "owner", "pool_or_queue", "state",
)  # fmt: skip
REJECT_COLUMNS = ("row", "line", "reason", "text")
MOST_REJECTS_SHOWN = 5
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: such a text gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text


@dataclass(frozen=True, slots=True)
class Line:
    """What the file says of one decision; an empty text where there is nothing to say.

    `place` is the pool that picked the owner, or the queue. `words` and `score` are made on demand.
    """

    outcome: DecisionOutcome
    reason_code: str
    band: str
    trigger: str
    rule: str
    owner: str
    place: str
    state: str
    failures: tuple[Failure, ...]
    words: Callable[[], str]
    score: Callable[[], Score | None]


def lines_of(found: FrameDecisions) -> Iterator[Line]:
    """Yield what the file says of each decision."""
    for place in range(len(found)):
        outcome, owner, state = found.outcomes[place], found.owners[place], found.lead_states[place]
        assert outcome is not None  # every lead has come to one
        queue = owner if found.owner_kinds[place] is OwnerKind.QUEUE else None
        yield Line(
            outcome,
            found.reason_codes[place] or "",
            found.bands[place] or "",
            found.triggers[place] or "",
            found.rules[place] or "",
            owner or "",
            (owner and found.pools[place]) or queue or "",
            state.value if state else "",
            found.failures(place),
            partial(found.words, place),
            partial(found.score, place),
        )


@dataclass(slots=True)
class FileReport:
    """What became of a file, counted.

    `unreadable` counts values that are no values, by field; `lower_ends` ranges of which the lower
    end was taken. `repeated`: how many rows name a lead that a row before them names, and
    `repeats` the first of them, each with the row that named it first.
    """

    decided: int = 0
    rejected: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    bands: Counter[str] = field(default_factory=Counter)
    triggers: Counter[str] = field(default_factory=Counter)
    owners: Counter[tuple[str, str]] = field(default_factory=Counter)
    why_not: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    lower_ends: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    repeats: list[tuple[int, int]] = field(default_factory=list)
    rejects: list[Unreadable] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Return how many rows the file holds, empty ones apart."""
        return self.decided + self.rejected

    def add(self, line: Line) -> None:
        """Count one decision."""
        self.decided += 1
        self.outcomes[line.outcome.value] += 1
        self.bands[line.band] += 1
        if line.trigger:
            self.triggers[line.trigger] += 1
        if line.outcome is DecisionOutcome.HANDOFF and line.owner:
            self.owners[line.owner, line.place] += 1
            return
        for reason in _why_not(line):
            self.why_not[line.outcome.value, reason] += 1

    def reject(self, found: Unreadable) -> None:
        """Count what is no row."""
        self.rejected += 1
        if len(self.rejects) < MOST_REJECTS_SHOWN:
            self.rejects.append(found)

    def end(self) -> None:
        """Put the counts in one order, so that the same file gives the same report."""
        for name in (
            "outcomes",
            "bands",
            "triggers",
            "owners",
            "why_not",
            "unreadable",
            "lower_ends",
        ):
            counts: Counter[Any] = getattr(self, name)
            ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
            setattr(self, name, Counter(dict(ordered)))

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "rows": self.rows,
            "decided": self.decided,
            "rejected": self.rejected,
            "outcomes": dict(self.outcomes),
            "bands": dict(self.bands),
            "triggers": dict(self.triggers),
            "owners": [
                {"owner": owner, "pool_or_queue": place, "handoffs": count}
                for (owner, place), count in self.owners.items()
            ],
            "not_handed_off": [
                {"outcome": outcome, "reason": reason, "leads": count}
                for (outcome, reason), count in self.why_not.items()
            ],
            "unreadable_values": dict(self.unreadable),
            "lower_ends_taken": dict(self.lower_ends),
            "repeated": self.repeated,
            "repeats": [{"row": row, "first_row": first} for row, first in self.repeats],
            "rejects": [
                {"row": r.number, "line": r.line, "reason": r.reason} for r in self.rejects
            ],
        }


def _why_not(line: Line) -> tuple[str, ...]:
    """Return why a lead was not handed off: each thing that is wrong with it, else its reason."""
    if line.failures:
        return tuple(dict.fromkeys(one.message for one in line.failures))
    return (line.reason_code.replace("_", " "),)


class DecisionWriter:
    """Writes decisions, and the rejects if there are any; a file appears when it is complete."""

    def __init__(self, out: Path | None, rejects: Path | None) -> None:
        self._out, self._rejects = out, rejects
        self._stack = ExitStack()
        self._writer: Writer | None = None
        self._reject_writer: Writer | None = None
        self._parts: list[tuple[Path, Path]] = []

    def __enter__(self) -> Self:
        if self._out is not None:
            self._writer = self._open(self._out, COLUMNS)
        if self._rejects is not None and self._rejects.is_file():
            # Rejects of an earlier run would be taken for this one's.
            self._reject_writer = self._open(self._rejects, REJECT_COLUMNS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()
        for part, final in self._parts:
            if kind is None:
                part.replace(final)
            else:
                part.unlink(missing_ok=True)

    def write(self, row: int, lead: str, line: Line) -> None:
        """Write the decision on a row; `lead` is what its key column holds."""
        if self._writer is None:
            return
        score = line.score()
        said = score.strongest(len(score.reasons)) if score else ()
        reasons = "; ".join(map(reason_in_words, said))
        before = (lead, line.outcome.value, line.reason_code, line.words(), line.band)
        points = points_in_words(score.total_milli) if score else ""
        after = (reasons, line.trigger, line.rule, line.owner, line.place, line.state)
        self._writer.writerow([row, *map(harmless, before), points, *map(harmless, after)])

    def reject(self, found: Unreadable) -> None:
        """Keep what is no row."""
        if self._rejects is None:
            return
        if self._reject_writer is None:
            self._reject_writer = self._open(self._rejects, REJECT_COLUMNS)
        text = found.text.rstrip("\r\n")
        self._reject_writer.writerow([found.number, found.line, found.reason, harmless(text)])

    def _open(self, path: Path, columns: tuple[str, ...]) -> Writer:
        part = path.with_name(path.name + ".part")
        try:
            file = part.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
        self._stack.enter_context(file)
        self._parts.append((part, path))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        return writer
