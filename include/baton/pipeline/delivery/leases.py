"""Leases are short, so that a killed worker's leads move on, and renewed while the worker lives.

A killed worker's lease ends within LEASE_SECONDS; the next run, a minute later at most, takes its
effects over. A worker that lives keeps its lease however long a group of calls takes: nobody sends
the same beside it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from baton.errors import LedgerError
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import ClaimedEffect
from baton.pipeline.context import Context

logger = logging.getLogger(__name__)

LEASE_SECONDS = 20
"""With the minute between two runs, and what a run takes, a killed worker's leads wait below 90 s."""
RENEWED_EVERY_SECONDS = 5.0
"""Three renewals may fail before a lease ends."""


@contextmanager
def kept(ctx: Context, claimed: Sequence[ClaimedEffect]) -> Iterator[None]:
    """Renew the leases of these effects while the block runs. Short blocks never touch them."""
    over = threading.Event()
    thread = threading.Thread(
        target=_renew, args=(ctx, [one.id for one in claimed], over), name="leases", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(ctx: Context, ids: Sequence[int], over: threading.Event) -> None:
    while not over.wait(RENEWED_EVERY_SECONDS):
        until = ctx.clock.now() + timedelta(seconds=LEASE_SECONDS)
        try:
            with transaction(ctx.engine) as conn:
                outbox.renew(conn, ids, worker=ctx.worker, until=until)
        except (LedgerError, SQLAlchemyError) as error:
            # The next renewal may succeed; if none does, the fence guards what follows.
            logger.warning("the leases of %d effects: %s", len(ids), type(error).__name__)
