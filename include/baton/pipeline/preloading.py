"""What a process that forks others does once, so that each of them need not."""

from __future__ import annotations

import gc
import logging

from sqlalchemy.exc import SQLAlchemyError

from baton.calendars.build import public_holidays
from baton.errors import BatonError
from baton.ledger.database.engine import ledger_engine, transaction
from baton.pipeline.active_policy import active_policy
from baton.settings import Settings
from baton.validation.verdicts import preload

logger = logging.getLogger(__name__)


def warm_up() -> None:
    """Load Great Expectations and the holiday tables: together some ten seconds of CPU."""
    preload()
    public_holidays("DE")


def read_policy() -> None:
    """Parse the policy that is current now, if there is one; a newer one is parsed when needed.

    No connection stays open: a forked process must not share one.
    """
    try:
        engine = ledger_engine(Settings.from_environment().database_url)
        with transaction(engine) as conn:
            active_policy(conn)
        engine.dispose()
    except (BatonError, SQLAlchemyError) as error:
        # Tasks say what is wrong in their own logs; the scheduler must start all the same.
        logger.warning("no policy to parse beforehand (%s)", type(error).__name__)


def keep() -> None:
    """Take all that is loaded out of the garbage collector's sight: none of it is garbage.

    Walking a million objects of libraries, time and again, took a busy task an eighth of its CPU;
    in a forked process it would copy their pages besides.
    """
    gc.collect()
    gc.freeze()
