"""How each check of the installation ended last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from baton.ledger.tables.pages import check_result

CONSERVATION = "conservation"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The last end of a check. `findings` counts what was found, by code."""

    name: str
    at: datetime
    ok: bool
    findings: Mapping[str, int]


def record(
    conn: Connection, name: str, *, at: datetime, ok: bool, findings: Mapping[str, int]
) -> None:
    """Store how a check ended, in the place of how it ended before."""
    values = {"at": at, "ok": ok, "findings": dict(findings)}
    conn.execute(
        insert(check_result)
        .values(name=name, **values)
        .on_conflict_do_update(index_elements=[check_result.c.name], set_=values)
    )


def last(conn: Connection, name: str) -> CheckResult | None:
    """Return how a check ended last; None before its first time."""
    row = conn.execute(select(check_result).where(check_result.c.name == name)).one_or_none()
    return CheckResult(**row._asdict()) if row else None
