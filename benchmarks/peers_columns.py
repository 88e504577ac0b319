"""The thirty rules by hand for pandas and for polars, over a whole frame; no reasons."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from lead_columns import DAY, NOW_MICROS, TEXTS, Leads

DECIDES = r"(?i)\b(?:chief|founder|vp|head|director)\b"
LEADS_TEAM = r"(?i)\b(?:manager|lead)\b"


def _values(name: str) -> list[str]:
    return list(dict.fromkeys(value for value in TEXTS[name] if value is not None))


def _codes(some: Leads, name: str) -> Any:
    kept = _values(name)
    return np.array([-1 if v is None else kept.index(v) for v in TEXTS[name]])[some.texts[name]]


def pandas_frame(some: Leads) -> Any:
    """Return leads as a pandas frame: texts as categories, numbers that may be missing as floats."""
    import pandas as pd

    columns: dict[str, Any] = {
        name: pd.Categorical.from_codes(_codes(some, name), _values(name)) for name in some.texts
    }
    columns |= some.flags
    for name, numbers in {**some.numbers, **some.instants}.items():
        columns[name] = np.where(numbers < 0, np.nan, numbers) if (numbers < 0).any() else numbers
    return pd.DataFrame(columns)


def pandas_points(f: Any) -> Any:
    """Return the points of all leads of a pandas frame."""
    size, quiz, title = f["company_size"], f["quiz_score"], f["job_title"]
    demo_at, visit_at = f["demo_at"], f["last_visit_at"]
    sixty = NOW_MICROS - 60 * DAY
    points = size.between(50, 1000) * 20
    points += (size.between(20, 49) | size.between(1001, 5000)) * 10
    points += (size < 10) * -10
    points += size.notna() * 1
    wanted = ["COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "INSURANCE", "BANKING"]
    points += f["industry"].isin(wanted) * 10
    points += f["industry"].isin(["GAMBLING_CASINOS", "TOBACCO"]) * -25
    points += title.str.contains(DECIDES).fillna(False).astype(bool) * 10
    points += title.str.contains(LEADS_TEAM).fillna(False).astype(bool) * 5
    points += title.str.contains("(?i)trainee").fillna(False).astype(bool) * -15
    points += f["country"].isin(["DE", "AT", "CH"]) * 5
    points += f["country"].isin(["GB", "SE", "US"]) * 3
    points += f["free_mail"] * -10
    points += f["source"].isin(["PAID_SEARCH", "PAID_SOCIAL"]) * 2
    points += (f["source"] == "REFERRALS") * 8
    points += ((f["industry"] == "COMPUTER_SOFTWARE") & size.between(100, 999)) * 4
    points += (f["form"] == "Demo request") * 30
    points += (demo_at >= NOW_MICROS - 14 * DAY) * 10
    points += (f["form"] == "Contact sales") * 25
    points += (f["form"] == "Buyer's guide") * 8
    points += (quiz > 75) * 20
    points += quiz.between(50, 75) * 10
    points += f["timeline"].isin(["This month", "This quarter"]) * 15
    points += (f["timeline"] == "Just looking") * -5
    points += f["budget"].isin(["10k to 50k", "50k to 200k", "Over 200k"]) * 10
    points += (f["pricing_views"] >= 1) * 15
    points += (f["pricing_views"] >= 3) * 5
    points += (f["downloads"] >= 2) * 6
    points += (f["webinars"] >= 1) * 8
    points += (visit_at >= NOW_MICROS - 7 * DAY) * 5
    points += (~(visit_at >= sixty) & ~(demo_at >= sixty)) * -8
    return points.to_numpy()


def polars_frame(some: Leads) -> Any:
    """Return leads as a polars frame: texts as enums, numbers that may be missing as such."""
    import polars as pl

    columns: dict[str, Any] = {}
    for name in some.texts:
        kept = np.array([*_values(name), None], dtype=object)
        columns[name] = pl.Series(kept[_codes(some, name)].tolist(), dtype=pl.Enum(_values(name)))
    columns |= {name: pl.Series(flags) for name, flags in some.flags.items()}
    for name, numbers in {**some.numbers, **some.instants}.items():
        columns[name] = pl.Series(numbers)
    frame = pl.DataFrame(columns)
    unknown = [*some.numbers, *some.instants]
    return frame.with_columns(pl.when(pl.col(n) >= 0).then(pl.col(n)).alias(n) for n in unknown)


def polars_points(frame: Any) -> Any:
    """Return the points of all leads of a polars frame."""
    import polars as pl

    c = pl.col
    size, quiz = c("company_size"), c("quiz_score")

    def title(pattern: str) -> Any:
        # Asked of the twelve titles once, as pandas does with categories, not of every lead.
        return c("job_title").is_in(
            [one for one in _values("job_title") if re.search(pattern, one)]
        )

    demo_at, visit_at = c("demo_at"), c("last_visit_at")
    sixty = NOW_MICROS - 60 * DAY
    wanted = ["COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "INSURANCE", "BANKING"]
    rules = [
        (size.is_between(50, 1000), 20),
        (size.is_between(20, 49) | size.is_between(1001, 5000), 10),
        (size < 10, -10),
        (size.is_not_null(), 1),
        (c("industry").is_in(wanted), 10),
        (c("industry").is_in(["GAMBLING_CASINOS", "TOBACCO"]), -25),
        (title(DECIDES), 10),
        (title(LEADS_TEAM), 5),
        (title("(?i)trainee"), -15),
        (c("country").is_in(["DE", "AT", "CH"]), 5),
        (c("country").is_in(["GB", "SE", "US"]), 3),
        (c("free_mail"), -10),
        (c("source").is_in(["PAID_SEARCH", "PAID_SOCIAL"]), 2),
        (c("source") == "REFERRALS", 8),
        ((c("industry") == "COMPUTER_SOFTWARE") & size.is_between(100, 999), 4),
        (c("form") == "Demo request", 30),
        (demo_at >= NOW_MICROS - 14 * DAY, 10),
        (c("form") == "Contact sales", 25),
        (c("form") == "Buyer's guide", 8),
        (quiz > 75, 20),
        (quiz.is_between(50, 75), 10),
        (c("timeline").is_in(["This month", "This quarter"]), 15),
        (c("timeline") == "Just looking", -5),
        (c("budget").is_in(["10k to 50k", "50k to 200k", "Over 200k"]), 10),
        (c("pricing_views") >= 1, 15),
        (c("pricing_views") >= 3, 5),
        (c("downloads") >= 2, 6),
        (c("webinars") >= 1, 8),
        (visit_at >= NOW_MICROS - 7 * DAY, 5),
        (~(visit_at >= sixty).fill_null(False) & ~(demo_at >= sixty).fill_null(False), -8),
    ]
    terms = [holds.fill_null(False).cast(pl.Int64) * points for holds, points in rules]
    return frame.select(pl.sum_horizontal(terms).alias("points"))["points"].to_numpy()
