"""The charts of Metrics as Vega-Lite specifications; each stands beside a table with its figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from baton.web.pages.metrics_look import Step, Week

_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
_LENGTH: Final = (
    "datum.value < 60 ? datum.value + ' s' : datum.value < 3600 ? datum.value / 60 + ' min'"
    " : datum.value < 86400 ? datum.value / 3600 + ' h' : datum.value / 86400 + ' d'"
)
"""A number of seconds as people read it."""
_TICKS: Final = (1, 10, 60, 300, 900, 3600, 14400, 43200, 259200, 604800)


def pace_chart(weeks: Sequence[Week]) -> str:
    """Return the chart of the time to the first contact, week by week."""
    values = [
        {"week": _label(one), "seconds": max(1.0, seconds), "line": line}
        for one in weeks
        for line, seconds in (
            ("median", one.figures.touch_median),
            ("nine in ten", one.figures.touch_p90),
        )
        if seconds is not None
    ]
    y = {
        "field": "seconds",
        "type": "quantitative",
        "title": None,
        "scale": {"type": "log"},
        "axis": {"values": list(_TICKS), "labelExpr": _LENGTH},
    }
    return _spec(values, _lines(weeks, y, ("median", "nine in ten")))


def shares_chart(weeks: Sequence[Week]) -> str:
    """Return the chart of the shares that were touched in time and accepted, week by week."""
    values = [
        {"week": _label(one), "share": part / whole, "line": line}
        for one in weeks
        for line, part, whole in (
            ("within 5 minutes", one.figures.within_5, one.figures.asked),
            ("within an hour", one.figures.within_60, one.figures.asked),
            ("accepted", one.figures.accepted, one.figures.verdicts_or_expired),
        )
        if whole
    ]
    y = {
        "field": "share",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, 1]},
        "axis": {"format": "%", "tickCount": 5},
    }
    return _spec(values, _lines(weeks, y, ("within an hour", "within 5 minutes", "accepted")))


def funnel_chart(steps: Sequence[Step]) -> str:
    """Return the chart of the funnel."""
    values = [{"step": one.name, "number": one.number} for one in steps]
    bars = {
        "encoding": {
            "y": {
                "field": "step",
                "type": "nominal",
                "sort": [one.name for one in steps],
                "title": None,
                "axis": {"ticks": False, "domain": False, "labelPadding": 8},
            },
            "x": {"field": "number", "type": "quantitative", "title": None, "axis": None},
        },
        "layer": [
            {"mark": {"type": "bar", "cornerRadiusEnd": 3, "height": 20}},
            {
                "mark": {"type": "text", "align": "left", "dx": 6},
                "encoding": {"text": {"field": "number", "format": ",d"}},
            },
        ],
    }
    return _spec(values, bars)


def _label(week: Week) -> str:
    return f"{week.monday.day} {week.monday:%b}"


def _lines(weeks: Sequence[Week], y: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {
        "mark": {"type": "line", "point": {"size": 35}, "strokeWidth": 2},
        "encoding": {
            "x": {
                "field": "week",
                "type": "ordinal",
                "title": None,
                "scale": {"type": "point", "domain": [_label(one) for one in weeks]},
                "axis": {"labelAngle": 0, "labelOverlap": "parity", "grid": False},
            },
            "y": y,
            "color": {
                "field": "line",
                "type": "nominal",
                "sort": list(names),
                "scale": {"domain": list(names)},
                "legend": {"orient": "top", "title": None},
            },
        },
    }


def _spec(values: Sequence[dict[str, Any]], more: dict[str, Any]) -> str:
    return json.dumps({"$schema": _SCHEMA, "data": {"values": list(values)}, **more})
