"""Pages over a real ledger, served by uvicorn on a free port, to an admin or to a viewer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import uvicorn
from fastapi import FastAPI

from baton.web.access import Access
from baton.web.app import create_app


@dataclass(frozen=True)
class Served:
    """An application and where it is served."""

    app: FastAPI
    url: str


class Standing:
    """A clock that stands, so that pages do not change while they are looked at."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


@contextmanager
def served(ledger_url: str, access: Access, at: datetime) -> Iterator[Served]:
    """Serve the pages as of `at` until the end of the block."""
    app = create_app(
        access,
        secret=b"a secret for tests alone",
        database_url=lambda: ledger_url,
        clock=Standing(at),
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        began = time.monotonic()
        while not server.started:
            assert time.monotonic() - began < 30, "uvicorn does not start"
            time.sleep(0.02)
        try:
            yield Served(app, f"http://127.0.0.1:{port}")
        finally:
            server.should_exit = True
            thread.join(10)
            app.state.site.close()
