"""What the comparison of the systems found, as the ledger keeps it."""

from __future__ import annotations

from sqlalchemy import Connection, text
from tests.integration.ledger.conftest import minutes

from baton.ledger.proofs import reconciliation
from baton.ledger.proofs.reconciliation import Found


def gone(number: int, *, theirs: str | None = None) -> Found:
    return Found(code="contact_archived", hubspot_id=str(number), theirs=theirs)


def test_a_bulk_deletion_of_any_size_is_recorded_in_one_go(ledger_conn: Connection) -> None:
    """A statement takes 65,535 parameters, and a difference has twelve values."""
    many = 65_535 // 12 + 1
    reconciliation.record(ledger_conn, [gone(one) for one in range(many)], at=minutes(0))
    assert reconciliation.open_counts(ledger_conn) == {"contact_archived": many}


def test_what_is_found_again_is_one_row_and_keeps_the_comparison_that_saw_it(
    ledger_conn: Connection,
) -> None:
    begun = reconciliation.begin(ledger_conn, reconciliation.DEMAND, at=minutes(0))
    reconciliation.record(ledger_conn, [gone(1)], at=minutes(0), seen_in=begun.id)
    reconciliation.record(ledger_conn, [gone(1, theirs="bin")], at=minutes(5))
    (row,) = reconciliation.open_ones(ledger_conn)
    assert (row.found_at, row.seen_at) == (minutes(0), minutes(5))
    assert (row.theirs, row.seen_in) == ("bin", begun.id)

    assert reconciliation.settle(ledger_conn, [gone(1).key], at=minutes(6), by="tests") == 1
    reconciliation.record(ledger_conn, [gone(1)], at=minutes(7))
    assert ledger_conn.execute(text("SELECT count(*) FROM difference")).scalar_one() == 2
