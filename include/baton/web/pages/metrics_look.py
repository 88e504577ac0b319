"""What the page Metrics shows, read from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection

from baton.audit.measures import Ratio
from baton.audit.metrics import METRICS, Metric
from baton.ledger.agreements import policies
from baton.ledger.database.engine import expect_cheap_lookups
from baton.ledger.pages import page_metrics
from baton.ledger.pages.page_metrics import Figures, Split, SystemClock
from baton.pipeline.active_policy import active_policy
from baton.policy.agreement_models import Commitment
from baton.policy.document_frame import phrase_of
from baton.policy.wording import points_in_words
from baton.web.windows import Window
from baton.web.wording import NOTHING, count, duration, share

WEEKS: Final = 12
FEW: Final = 20
"""Below so many, a median or a share says little, and the page says so."""
ROWS: Final = 12
"""Of each split so many values are shown, those with the most handoffs."""

NOT_HERE: Final = -1
UNMEASURED: Final = {
    "data_incorrect_rate": "Sales answer 'Data correct?' on the Salesforce record, if at all; "
    "Baton does not read that answer, and guesses none from reason codes.",
    "timing_wrong_rate": "Baton does not read the answer to 'Timing right?'.",
}
"""Why a metric that the agreement may name has no figure on this page."""
_MONTH_DAYS: Final = Decimal("30.4")
_SECONDS: Final = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One figure: its definition, its value as text, and of how many it was measured."""

    metric: Metric
    title: str
    text: str
    of: int
    note: str = ""
    tone: str = ""

    @property
    def few(self) -> bool:
        """Tell whether it was measured of too few to say much."""
        return 0 < self.of < FEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What one side promised, of one band or of all, and what came of it.

    `kept` None: `why` says in a word why that is not known, `because` in a sentence, if any.
    """

    side: str
    say: str
    metric: Metric | None
    band: str | None
    target: str
    result: str
    kept: bool | None
    why: str
    because: str
    few: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the funnel. `of_all` and `of_last` are shares."""

    name: str
    meaning: str
    number: int
    of_all: float | None
    of_last: float | None


@dataclass(frozen=True, slots=True)
class Week:
    """One week of the trend. `unfinished`: it is not over yet."""

    monday: date
    figures: Figures
    unfinished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsShown:
    """The page. `splits` by name of the split, those with most handoffs first."""

    whole: Figures
    speed: tuple[Measured, ...]
    outcome: tuple[Measured, ...]
    promises: tuple[Promise, ...]
    funnel: tuple[Step, ...]
    splits: Mapping[str, tuple[Split, ...]]
    weeks: tuple[Week, ...]


def look(conn: Connection, now: datetime, window: Window) -> MetricsShown:
    """Read the page from the ledger."""
    expect_cheap_lookups(conn)
    mondays = _mondays(now)
    first_week = datetime.combine(mondays[0], time(), UTC)
    found = page_metrics.measured(conn, window.since, window.until, first_week=first_week, now=now)
    whole, system = found.whole, found.system
    return MetricsShown(
        whole=whole,
        speed=tuple(_speed(whole)),
        outcome=tuple(_outcome(whole, system)),
        promises=tuple(_promises(conn, found, window)),
        funnel=tuple(_funnel(whole)),
        splits={name: _split(found.splits, name) for name in page_metrics.SPLITS},
        weeks=tuple(_weeks(mondays, found.weeks)),
    )


def _speed(one: Figures) -> Iterator[Measured]:
    yield _time("speed_to_lead_median", "Median", one.touch_median, one.touched)
    yield _time("speed_to_lead_p90", "Nine in ten within", one.touch_p90, one.touched)
    for minutes, number in ((1, one.within_1), (5, one.within_5), (60, one.within_60)):
        words = f"{minutes} minute{'s' if minutes > 1 else ''}"
        name = f"touched_within_{words.replace(' ', '_')}"
        yield _share(name, f"Within {words}", Ratio(number, one.asked))
    yield Measured(
        metric=METRICS["never_touched"],
        title="Never touched",
        text=count(one.never_touched),
        of=one.asked,
        note=f"of {count(one.asked)}" if one.asked else "nobody asked",
        tone="warn" if one.never_touched else "",
    )


def _outcome(one: Figures, system: SystemClock) -> Iterator[Measured]:
    yield _share(
        "acceptance_rate", "Accepted by sales", Ratio(one.accepted, one.verdicts_or_expired)
    )
    yield _share(
        "sla_breach_rate", "Missed the response time", Ratio(one.breached, one.clock_decided)
    )
    yield _share("win_rate", "Won, of those closed", Ratio(one.won, one.closed))
    yield _time("system_latency_p95", "Owner told within", system.p95, system.measured)


def _time(name: str, title: str, seconds: float | None, of: int) -> Measured:
    note = f"of {count(of)} touched" if name.startswith("speed") else f"of {count(of)} messages"
    return Measured(
        metric=METRICS[name],
        title=title,
        text=duration(seconds),
        of=of,
        note=note if of else "nothing to measure",
    )


def _share(name: str, title: str, ratio: Ratio) -> Measured:
    return Measured(
        metric=METRICS[name],
        title=title,
        text=share(ratio.value),
        of=ratio.denominator,
        note=f"{count(ratio.numerator)} of {count(ratio.denominator)}"
        if ratio.denominator
        else "nothing to measure",
    )


_FUNNEL: Final = (
    ("Handed off", "handoffs", "passed to sales"),
    ("Accepted", "accepted", "sales took it: by a verdict, or by working it"),
    ("Worked", "worked", "accepted, and a person got in touch"),
    ("Converted", "converted", "became an opportunity"),
    ("Won", "won", "the opportunity was won"),
)


def _funnel(one: Figures) -> Iterator[Step]:
    last: int | None = None
    for name, field, meaning in _FUNNEL:
        number: int = getattr(one, field)
        yield Step(
            name,
            meaning,
            number,
            Ratio(number, one.handoffs).value,
            None if last is None else Ratio(number, last).value,
        )
        last = number


def _split(splits: Sequence[Split], name: str) -> tuple[Split, ...]:
    found = [one for one in splits if one.by == name]
    return tuple(sorted(found, key=lambda one: (-one.figures.handoffs, one.value or "")))


def _mondays(now: datetime) -> list[date]:
    today = now.astimezone(UTC).date()
    this = today - timedelta(days=today.weekday())
    return [this - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def _weeks(mondays: Sequence[date], found: Mapping[datetime, Figures]) -> Iterator[Week]:
    for monday in mondays:
        figures = found.get(datetime.combine(monday, time(), UTC), Figures())
        yield Week(monday, figures, unfinished=monday == mondays[-1])


def _promises(conn: Connection, found: page_metrics.Measured, window: Window) -> Iterator[Promise]:
    if policies.current_hash(conn) is None:
        return
    both = active_policy(conn).policy.commitments
    for side, ones in (("marketing", both.marketing), ("sales", both.sales)):
        for one in ones:
            yield _promise(side, one, _result(one, *found.of_band(one.band), window))


def _result(
    one: Commitment, whole: Figures, system: SystemClock, window: Window
) -> tuple[Decimal | None, int]:
    """Return the value in the unit of the promise, and of how many (NOT_HERE: not on this page)."""
    expired = whole.verdicts_or_expired - whole.verdicts
    ratios = {
        "acceptance_rate": Ratio(whole.accepted, whole.verdicts_or_expired),
        "acceptance_rate_decided": Ratio(whole.accepted, whole.verdicts),
        "undisposed_rate": Ratio(expired, whole.verdicts_or_expired),
        "sla_breach_rate": Ratio(whole.breached, whole.clock_decided),
        "touched_within_1_minute": Ratio(whole.within_1, whole.asked),
        "touched_within_5_minutes": Ratio(whole.within_5, whole.asked),
        "touched_within_60_minutes": Ratio(whole.within_60, whole.asked),
        "opportunity_rate": Ratio(whole.converted, whole.handoffs),
        "win_rate": Ratio(whole.won, whole.closed),
    }
    times = {
        "speed_to_lead_median": (whole.touch_median, whole.touched),
        "speed_to_lead_p90": (whole.touch_p90, whole.touched),
        "system_latency_median": (system.median, system.measured),
        "system_latency_p95": (system.p95, system.measured),
    }
    counts = {"handoffs": whole.handoffs, "never_touched": whole.never_touched}
    if one.metric in ratios:
        ratio = ratios[one.metric]
        if not ratio.denominator:
            return None, 0
        whole_of = 100 if one.unit.strip() == "%" else 1
        return Decimal(ratio.numerator) / ratio.denominator * whole_of, ratio.denominator
    if one.metric in times:
        seconds, of = times[one.metric]
        size = _SECONDS.get(one.unit.strip(), 1)
        return (None if seconds is None else Decimal(seconds) / size), of
    if one.metric in counts:
        number = Decimal(counts[one.metric])
        if "month" in one.unit:
            number = number / window.days * _MONTH_DAYS
        return number, FEW
    return None, NOT_HERE


def _promise(side: str, one: Commitment, result: tuple[Decimal | None, int]) -> Promise:
    value, of = result
    kept = None
    if value is not None:
        enough = one.at_least is None or value >= one.at_least
        kept = enough and (one.at_most is None or value <= one.at_most)
    return Promise(
        side=side,
        say=one.say,
        metric=METRICS.get(one.metric),
        band=one.band,
        target=_target(one),
        result=NOTHING if value is None else _with_unit(round(value, 1), one.unit),
        kept=kept,
        why="nothing to measure" if of == 0 else "not measured here",
        because=UNMEASURED.get(one.metric, "") if of == NOT_HERE else "",
        few=0 < of < FEW,
    )


def _target(one: Commitment) -> str:
    ends = (("at least", one.at_least), ("at most", one.at_most))
    said = [f"{words} {_with_unit(limit, one.unit)}" for words, limit in ends if limit is not None]
    return " and ".join(said) or phrase_of(one.metric)


def _with_unit(value: Decimal, unit: str) -> str:
    number = points_in_words(value)
    return f"{number} {unit}".strip()
