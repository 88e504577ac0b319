"""What every page needs: the ledger, the time, the templates, and who is looking."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import Connection, Engine

from baton.clock import Clock
from baton.ledger.database.engine import ledger_engine, transaction
from baton.ledger.database.migrate import check_current
from baton.settings import Settings
from baton.web.access import Access, Visitor
from baton.web.addresses import base_of, root_of
from baton.web.seals import FIELD, Seals, refuse_other_sites
from baton.web.wording import FILTERS

HERE: Final = Path(__file__).parent

PAGES: Final = (
    ("", "Today"),
    ("handoffs", "Handoffs"),
    ("review", "Review"),
    ("team", "Team"),
    ("metrics", "Metrics"),
    ("policy", "Policy"),
    ("sync", "Sync health"),
)
"""The pages in the order of the menu: path below the base, and name."""


@dataclass(slots=True)
class Site:
    """The pages' common ground. `database_url` is asked when the ledger is first needed."""

    access: Access
    clock: Clock
    seals: Seals
    database_url: Callable[[], str]
    links: Mapping[str, str] = field(default_factory=dict)
    """What the addresses of records begin with: "hubspot" (of a contact), "salesforce"."""

    _engines: dict[str, Engine] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _templates: Environment = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare the templates."""
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(FILTERS)

    def settings(self) -> Settings:
        """Return the installation's settings as the server's environment has them.

        Raises SettingsError, which names the variable to mend.
        """
        return Settings.from_environment({**os.environ, "BATON_DATABASE_URL": self.database_url()})

    @contextmanager
    def ledger(self) -> Iterator[Connection]:
        """Open a transaction on the ledger.

        Raises LedgerUnavailableError, MigrationNeededError or SettingsError, with what to do.
        """
        with transaction(self._engine()) as conn:
            yield conn

    def _engine(self) -> Engine:
        """Return the engine of the ledger, after a look at its tables the first time."""
        url = self.database_url()
        with self._lock:
            found = self._engines.get(url)
        if found is not None:
            return found
        engine = ledger_engine(url, pooled=True)
        try:
            check_current(engine)
        except BaseException:
            engine.dispose()
            raise
        with self._lock:
            return self._engines.setdefault(url, engine)

    def close(self) -> None:
        """Let go of the ledger."""
        with self._lock:
            engines = list(self._engines.values())
            self._engines.clear()
        for engine in engines:
            engine.dispose()

    def page(
        self,
        request: Request,
        visitor: Visitor,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Render a page, or, for htmx, the part of it that the template leaves of itself."""
        now = self.clock.now()
        base = base_of(request)
        text = self._templates.get_template(template).render(
            base=base,
            airflow=base.removesuffix("/baton"),
            pages=PAGES,
            here=request.url.path.removeprefix(root_of(request)).strip("/").partition("/")[0],
            visitor=visitor,
            seal=self.seals.make(visitor.name, now),
            now=now,
            links=self.links,
            **values,
        )
        return HTMLResponse(text, status, headers=dict(headers or {}))

    def reader(self) -> Any:
        """Return the dependency of a route that shows something: its value is the Visitor."""
        access = self.access

        async def known(request: Request) -> Visitor:
            return await access(request)

        return Depends(known)

    def actor(self) -> Any:
        """Return the dependency of a route that changes something: its value is the Visitor."""
        access, seals, clock = self.access, self.seals, self.clock

        async def permitted(
            request: Request, seal: Annotated[str, Form(alias=FIELD)] = ""
        ) -> Visitor:
            visitor = await access(request)
            refuse_other_sites(request)
            if not visitor.may_act:
                raise HTTPException(403, f"Nothing was done: {visitor.why_not}")
            if not seals.holds(seal, visitor.name, clock.now()):
                raise HTTPException(
                    403, "Nothing was done: this page is stale. Reload it and try again."
                )
            return visitor

        return Depends(permitted)
