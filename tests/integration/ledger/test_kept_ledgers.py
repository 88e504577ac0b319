"""A test that gets a ledger second-hand must not be able to tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from tests.integration.ledger.conftest import World
from tests.kept_ledgers import KeptLedgers
from tests.postgres import TEMPLATE

from baton.ledger.database.embedded import DatabaseAddress, drop_database
from baton.ledger.database.engine import ledger_engine, ledger_url, transaction


@pytest.fixture
def ledgers(
    postgres_server: DatabaseAddress, new_database: Callable[..., str]
) -> Iterator[KeptLedgers]:
    made: list[str] = []

    def create() -> str:
        made.append(new_database(template=TEMPLATE))
        return made[-1]

    yield KeptLedgers(postgres_server, create)
    for url in made:
        drop_database(postgres_server, ledger_url(url).database or "")


def test_a_second_hand_ledger_is_empty_and_counts_from_one(ledgers: KeptLedgers) -> None:
    numbers = []
    for _ in range(2):
        ledger = ledgers.take()
        engine = ledger_engine(ledger.url)
        with transaction(engine) as conn:
            world = World(conn)
            numbers.append((world.lead().id, world.decision(world.lead())))
            assert conn.execute(text("SELECT count(*) FROM decision")).scalar() == 1
        engine.dispose()
        ledgers.give_back(ledger)
    assert numbers[0] == numbers[1]
    assert ledger.uses == 2, "the first one was not used again"


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE lead ADD COLUMN more text",
        "ALTER TABLE decision DISABLE TRIGGER USER",
        "ALTER TABLE lead DROP CONSTRAINT ck_lead_timer",
        "CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_ledger_that_was_rebuilt_is_not_used_again(ledgers: KeptLedgers, change: str) -> None:
    ledger = ledgers.take()
    engine = ledger_engine(ledger.url)
    with transaction(engine) as conn:
        conn.execute(text(change))
    engine.dispose()
    ledgers.give_back(ledger)
    assert ledgers.take().url != ledger.url
