from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, insert, inspect, text
from sqlalchemy.exc import DBAPIError

from baton.errors import LedgerUnavailableError, MigrationNeededError, SettingsError
from baton.ledger.agreements import policies
from baton.ledger.database import migrate
from baton.ledger.database.engine import check_reachable, transaction
from baton.ledger.database.engine import ledger_engine as open_engine
from baton.ledger.database.engine import ledger_url as read_url
from baton.ledger.effects import outbox
from baton.ledger.record import admin_actions
from baton.ledger.record.admin_actions import NewAdminAction
from baton.ledger.tables.effects import attempt
from baton.ledger.tables.schema import metadata

if TYPE_CHECKING:
    from tests.integration.ledger.conftest import World

OPTIONS = {"version_table": migrate.VERSION_TABLE}


def test_up_down_up_leaves_exactly_the_tables_of_the_metadata(empty_url: str) -> None:
    engine = open_engine(empty_url)
    assert migrate.upgrade(empty_url) == migrate.head()
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn, opts=OPTIONS), metadata) == []
        assert set(inspect(conn).get_table_names()) == {*metadata.tables, migrate.VERSION_TABLE}
    assert migrate.downgrade(empty_url, "base") is None
    with engine.connect() as conn:
        assert inspect(conn).get_table_names() == [migrate.VERSION_TABLE]
        functions = conn.execute(text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'baton%'"))
        assert functions.scalar_one() == 0
    assert migrate.upgrade(empty_url) == migrate.head()


def test_there_is_one_head() -> None:
    scripts = ScriptDirectory.from_config(migrate._config())
    assert scripts.get_heads() == [migrate.head()]


def test_two_migrations_at_once_do_no_harm(empty_url: str) -> None:
    failures: list[Exception] = []

    def run() -> None:
        try:
            migrate.upgrade(empty_url)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    migrate.check_current(open_engine(empty_url))


def test_an_unmigrated_ledger_names_the_command(empty_url: str) -> None:
    with pytest.raises(MigrationNeededError, match="no tables yet: run 'baton db migrate'"):
        migrate.check_current(open_engine(empty_url))


def test_a_ledger_of_a_newer_version_says_so(ledger_engine: Engine) -> None:
    with ledger_engine.begin() as conn:
        conn.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(MigrationNeededError, match="made by a newer one"):
        migrate.check_current(ledger_engine)


TEXTS = {
    "transition": "cause",
    "decision": "outcome",
    "attempt": "outcome",
    "policy_activation": "by_whom",
    "admin_action": "reason",
}


@pytest.mark.parametrize("table", TEXTS)
@pytest.mark.parametrize(
    "change",
    ["UPDATE {table} SET {column} = 'x'", "DELETE FROM {table}", "TRUNCATE {table} CASCADE"],
)
def test_what_is_append_only_refuses_changes(world: World, table: str, change: str) -> None:
    conn = world.conn
    handoff = world.handoff()
    effect_id = outbox.by_keys(conn, world.chain(handoff)[:1]).popitem()[1].id
    policies.activate(conn, world.policy(), parent=None, by="test", at=handoff.decided_at)
    conn.execute(insert(attempt).values(effect_id=effect_id, at=handoff.decided_at, outcome="done"))
    admin_actions.record(
        conn,
        NewAdminAction(
            at=handoff.decided_at,
            by_whom="test",
            action="retry",
            subject=f"effect {effect_id}",
            reason="because",
            form="form",
            seen="dead",
            result="done",
            words="tried again",
        ),
    )
    statement = text(change.format(table=table, column=TEXTS[table]))
    with pytest.raises(DBAPIError, match="append-only"), conn.begin_nested():
        conn.execute(statement)


def test_erasing_a_person_may_touch_what_is_append_only(world: World) -> None:
    world.lead()
    world.conn.execute(text("SET LOCAL baton.erasure = 'on'"))
    assert world.conn.execute(text("UPDATE transition SET cause = 'erased'")).rowcount == 1


def test_a_database_that_is_not_there_says_what_to_do(ledger_url: str) -> None:
    gone = ledger_url.replace("/t_", "/nosuch_")
    with pytest.raises(LedgerUnavailableError, match="baton db start"):
        check_reachable(open_engine(gone))


def test_no_server_and_no_password_in_the_message() -> None:
    url = "postgresql://baton:very-secret@127.0.0.1:1/baton"
    with pytest.raises(LedgerUnavailableError) as caught, transaction(open_engine(url)):
        pass
    assert "127.0.0.1:1" in str(caught.value)
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite:///x.db", "no url:secret"])
def test_a_ledger_must_be_postgres(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_url(url)
    assert "secret@db.example.com" in str(caught.value)
    assert "no url" not in str(caught.value)


def test_a_database_from_the_template_is_there_at_once(new_database: Callable[..., str]) -> None:
    began = time.monotonic()
    url = new_database(template="baton_template")
    # A tenth of a second on an idle machine.
    assert time.monotonic() - began < 15
    migrate.check_current(open_engine(url))


def test_time_is_utc_on_every_connection(ledger_conn: Connection) -> None:
    assert ledger_conn.execute(text("SHOW timezone")).scalar_one() == "UTC"


def test_an_error_of_the_server_shows_no_values_of_rows(world: World) -> None:
    row = world.lead()
    statement = text("INSERT INTO person (lead_id, email) VALUES (:id, :email)")
    values = {"id": row.id, "email": "secret@buyer.test"}
    with pytest.raises(DBAPIError) as caught, world.conn.begin_nested():
        world.conn.execute(statement, values)
    shown = "".join(traceback.format_exception(caught.value))
    assert "duplicate key" in shown
    assert "pk_person" in shown
    assert "secret@buyer.test" not in shown
    assert "secret@buyer.test" not in str(caught.value)


def test_a_server_that_dies_in_a_transaction_says_what_to_do(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    killer = open_engine(ledger_url)

    def die() -> None:
        with transaction(engine) as conn:
            pid = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with killer.begin() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            conn.execute(text("SELECT 1"))

    with pytest.raises(LedgerUnavailableError, match="baton db start"):
        die()
