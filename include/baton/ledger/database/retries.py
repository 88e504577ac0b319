"""Transactions that are made again when the database broke a tie between two of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from baton.ledger.database.engine import transaction

logger = logging.getLogger(__name__)

TRIES = 4
_TIES = frozenset({"40P01", "40001"})
"""SQLSTATE of a deadlock and of a serialisation failure: nothing was written, nothing is wrong."""

Result = TypeVar("Result")


def in_transaction(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Return what `work` returns in one transaction; make it again if it was the loser of a tie.

    Whoever merges leads holds handoffs when it asks for the pools, whoever passes handoffs on holds
    the pools when it asks for them: PostgreSQL ends such a ring by refusing one of the two. `work`
    must read everything from the connection and keep nothing outside it.
    """
    for left in range(TRIES - 1, -1, -1):
        try:
            with transaction(engine) as conn:
                return work(conn)
        except DBAPIError as error:
            if not left or getattr(error.orig, "sqlstate", None) not in _TIES:
                raise
            logger.warning("two transactions waited for each other: one of them is made again")
    raise AssertionError("unreachable")  # the last try returns or raises
