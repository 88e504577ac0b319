"""Thirty rules over the same generated leads: Baton by columns and one by one, and its peers.

Every tool runs in a process of its own, on one core, from leads in the form that suits it; making
that form is not counted here but in `frames`. All of them must find the same points.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alone import measured
from figures import Figure

SIZES = (10_000, 100_000, 1_000_000)
CHUNK = 100_000
BLOCK = 10_000
RULES = Path(__file__).with_name("thirty_rules.yaml")

# Name, function, the sizes it is tried at (slow ones at fewer leads, said in the table), package.
PEERS: tuple[tuple[str, str, tuple[int, ...], str], ...] = (
    ("Baton, columns, exact reasons", "baton_columns", SIZES, "numpy"),
    ("polars by hand, no reasons", "polars_by_hand", SIZES, "polars"),
    ("pandas by hand, no reasons", "pandas_by_hand", SIZES, "pandas"),
    ("plain Python loop, no reasons", "plain_loop", SIZES, "baton"),
    ("Baton, one by one, reasons in words", "baton_one_by_one", (10_000,), "baton"),
    ("zen-engine, one compiled expression", "zen_expression", (10_000,), "zen"),
    ("zen-engine, decision with expression node", "zen_decision", (10_000,), "zen"),
    ("rule-engine, 30 rules", "rule_engine", (10_000,), "rule_engine"),
)


def scores(quick: bool) -> list[Figure]:
    """Measure all that is installed; raise AssertionError where points differ."""
    figures: list[Figure] = []
    sums: dict[int, int] = {}
    for name, function, sizes, package in PEERS:
        if find_spec(package) is None:
            print(f"  {name}: left out, install it: pip install -r benchmarks/requirements.txt")
            continue
        for size in (2_000,) if quick else sizes:
            found = measured("scores", function, count=size)
            assert sums.setdefault(size, found["sum"]) == found["sum"], f"{name} counts otherwise"
            figures += _figures(name, size, found)
    return figures


FRAMES = (
    ("Baton: frame_of(rows)", "baton_frame"),
    ("pandas.DataFrame(rows)", "pandas_rows"),
    ("polars.DataFrame(rows)", "polars_rows"),
)


def frames(quick: bool) -> list[Figure]:
    """Measure how long it takes to make columns of leads that come as dictionaries."""
    figures = []
    for name, function in FRAMES:
        size = 2_000 if quick else 100_000
        found = measured("scores", function, count=size)
        figures.append(Figure(name, f"{size:,} dictionaries", size / found["seconds"], "leads/s"))
    return figures


def baton_frame(count: int) -> dict[str, Any]:
    """Make Baton's frame of facts."""
    from baton.scoring.columns import frame_of

    return _built(count, frame_of, instants=True)


def pandas_rows(count: int) -> dict[str, Any]:
    """Make a pandas frame of dictionaries."""
    import pandas as pd

    return _built(count, pd.DataFrame, instants=False)


def polars_rows(count: int) -> dict[str, Any]:
    """Make a polars frame of dictionaries."""
    import polars as pl

    return _built(count, lambda rows: pl.DataFrame(rows, infer_schema_length=1000), instants=False)


def _built(count: int, build: Callable[[Any], Any], *, instants: bool) -> dict[str, Any]:
    from lead_columns import as_rows, leads

    rows = as_rows(leads(count), instants=instants)
    began = time.process_time()
    assert len(build(rows)) == count
    return {"seconds": time.process_time() - began}


def _figures(name: str, size: int, found: dict[str, Any]) -> list[Figure]:
    note = f"; {found['note']}" if "note" in found else ""
    return [
        Figure(name, f"{size:,} leads{note}", size / found["seconds"], "leads/s"),
        Figure(f"{name}: peak", f"{size:,} leads", found["peak_mb"], "MB"),
    ]


def baton_columns(count: int) -> dict[str, Any]:
    """Score by columns, in chunks, keeping totals and every rule's points of each chunk."""
    from lead_columns import NOW_MICROS, as_frame, chunks

    from baton.scoring.column_points import score_frame
    from baton.scoring.columns import instant

    policy, now = thirty_rules(), instant(NOW_MICROS)
    warm = score_frame(as_frame(next(chunks(2_000, CHUNK))), policy, now)
    assert len(warm.gave(0)) > 0
    total, seconds = 0, 0.0
    for part in chunks(count, CHUNK):
        frame = as_frame(part)
        began = time.process_time()
        found = score_frame(frame, policy, now)
        seconds += time.process_time() - began
        assert int(found.total_milli.sum()) == sum(int(one.milli.sum()) for one in found.given)
        total += _weighed((found.total_milli // 1000).tolist())
    return {"seconds": seconds, "sum": total, "note": f"chunks of {CHUNK:,}"}


def thirty_rules() -> Any:
    """Return the shipped policy with the thirty rules in place of its own score."""
    from deciding import POLICY
    from ruamel.yaml import YAML

    from baton.policy.models import Policy
    from baton.policy.score_models import Scoring

    scoring = Scoring.model_validate(YAML(typ="safe").load(RULES.read_text(encoding="utf-8")))
    kept = {name: getattr(POLICY, name) for name in Policy.model_fields}
    return Policy.model_construct(**(kept | {"scoring": scoring}))


def baton_one_by_one(count: int) -> dict[str, Any]:
    """Score with the engine that decides on single leads."""
    from lead_columns import NOW_MICROS

    from baton.scoring.columns import instant
    from baton.scoring.points import score

    policy, now = thirty_rules(), instant(NOW_MICROS)
    return _rows(count, lambda lead: score(lead, policy, now).total_milli // 1000, instants=True)


def plain_loop(count: int) -> dict[str, Any]:
    """Score with if after if."""
    from peers_rows import plain_python

    return _rows(count, plain_python)


def zen_expression(count: int) -> dict[str, Any]:
    """Score with one expression of zen-engine."""
    from peers_rows import zen_expression as compiled

    return _rows(count, compiled())


def zen_decision(count: int) -> dict[str, Any]:
    """Score with a decision of zen-engine."""
    from peers_rows import zen_decision as loaded

    return _rows(count, loaded())


def rule_engine(count: int) -> dict[str, Any]:
    """Score with rule-engine."""
    from peers_rows import rule_engine_rules

    return _rows(count, rule_engine_rules())


def pandas_by_hand(count: int) -> dict[str, Any]:
    """Score a whole pandas frame."""
    from peers_columns import pandas_frame, pandas_points

    return _whole(count, pandas_frame, pandas_points)


def polars_by_hand(count: int) -> dict[str, Any]:
    """Score a whole polars frame."""
    from peers_columns import polars_frame, polars_points

    return _whole(count, polars_frame, polars_points)


def _whole(
    count: int, frame_of: Callable[[Any], Any], points: Callable[[Any], Any]
) -> dict[str, Any]:
    from lead_columns import leads

    points(frame_of(leads(2_000)))
    frame = frame_of(leads(count))
    began = time.process_time()
    found = points(frame)
    seconds = time.process_time() - began
    return {"seconds": seconds, "sum": _weighed(found.tolist()), "note": "in one piece"}


def _rows(count: int, points: Callable[[Any], int], *, instants: bool = False) -> dict[str, Any]:
    from lead_columns import as_rows, chunks

    total, seconds = 0, 0.0
    for part in chunks(count, CHUNK):
        rows = as_rows(part, instants=instants)
        began = time.process_time()
        found = [points(row) for row in rows]
        seconds += time.process_time() - began
        total += _weighed(found)
    return {"seconds": seconds, "sum": total, "note": "from dictionaries"}


def _weighed(points: list[int]) -> int:
    """Return a sum that also tells which lead has which points."""
    return sum(value * (place % BLOCK + 1) for place, value in enumerate(map(int, points)))
