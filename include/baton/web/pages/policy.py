"""Policy: the agreement in words, its versions and what each changed, its cases, the rosters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from baton.errors import ConfigurationError, PolicyErrors
from baton.ledger.agreements import policies, rosters
from baton.ledger.agreements.policies import Activation
from baton.pipeline.versions.policy_versions import history, named_version, readable
from baton.pipeline.versions.roster_versions import HistoryEntry, roster_history
from baton.policy.difference_words import Change
from baton.policy.document import Activated, document_of
from baton.policy.document_parts import Document
from baton.policy.models import Policy
from baton.policy.roster import Roster, roster_from_json
from baton.web.access import Visitor
from baton.web.pages.policy_cases import CasesRun, run
from baton.web.site import Site

TABS: Final = (
    ("policy", "Agreement"),
    ("policy/versions", "Versions"),
    ("policy/cases", "Test cases"),
    ("policy/roster", "Roster versions"),
)
MOST_VERSIONS: Final = 20


@dataclass(frozen=True, slots=True)
class Agreed:
    """The document to show. `activation` is None for a version that was never active."""

    document: Document | None
    activation: Activation | None
    current: bool
    trouble: str = ""


def router(site: Site) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter()

    @routes.get("/policy", response_class=HTMLResponse)
    def agreement(
        request: Request, version: str = "", visitor: Visitor = site.reader()
    ) -> HTMLResponse:
        with site.ledger() as conn:
            shown = agreed(conn, site.clock.now(), version)
        status = 404 if version and shown.document is None else 200
        return site.page(
            request, visitor, "policy.html", status=status, tab="policy", tabs=TABS, shown=shown
        )

    @routes.get("/policy/versions", response_class=HTMLResponse)
    def versions(request: Request, visitor: Visitor = site.reader()) -> HTMLResponse:
        with site.ledger() as conn:
            lines = history(conn, limit=MOST_VERSIONS)
        shown = [(line, by_section(line.changes)) for line in lines]
        return site.page(
            request, visitor, "policy_versions.html", tab="policy/versions", tabs=TABS, shown=shown
        )

    @routes.get("/policy/cases", response_class=HTMLResponse)
    def cases(request: Request, go: bool = False, visitor: Visitor = site.reader()) -> HTMLResponse:
        with site.ledger() as conn:
            pair = _current(conn)
        shown: CasesRun | None = run(site.settings(), *pair) if go and pair else None
        return site.page(
            request,
            visitor,
            "policy_cases.html",
            tab="policy/cases",
            tabs=TABS,
            shown=shown,
            there=pair is not None,
        )

    @routes.get("/policy/roster", response_class=HTMLResponse)
    def roster(request: Request, visitor: Visitor = site.reader()) -> HTMLResponse:
        with site.ledger() as conn:
            entries, trouble = _rosters(conn)
        return site.page(
            request,
            visitor,
            "policy_roster.html",
            tab="policy/roster",
            tabs=TABS,
            entries=entries,
            trouble=trouble,
        )

    return routes


def agreed(conn: Connection, now: datetime, version: str = "") -> Agreed:
    """Return the current agreement, or the version whose hash begins with `version`."""
    found = policies.activations(conn, limit=1)
    current = found[0] if found else None
    if current is None and not version:
        return Agreed(None, None, current=True)
    try:
        policy = named_version(conn, version or "active")
    except ConfigurationError as error:
        return Agreed(None, None, current=not version, trouble=str(error))
    is_current = current is not None and policy.hash == current.hash
    activation = current if is_current else _activation_of(conn, policy.hash)
    document = document_of(
        policy,
        roster=_roster(conn) if is_current else None,
        today=now.date() if is_current else None,
        activated=Activated(activation.at, activation.by_whom) if activation else None,
    )
    return Agreed(document, activation, current=is_current)


def by_section(found: tuple[Change, ...] | None) -> OrderedDict[str, list[Change]] | None:
    """Return changes under the headings of their sections; None where they are not known."""
    if found is None:
        return None
    sections: OrderedDict[str, list[Change]] = OrderedDict()
    for one in found:
        sections.setdefault(one.section, []).append(one)
    return sections


def _activation_of(conn: Connection, policy_hash: str) -> Activation | None:
    found: Iterator[Activation] = (
        one for one in policies.activations(conn, limit=500) if one.hash == policy_hash
    )
    return next(found, None)


def _roster(conn: Connection) -> Roster | None:
    version = rosters.current(conn)
    return None if version is None else roster_from_json(version.content)


def _current(conn: Connection) -> tuple[Policy, Roster] | None:
    policy, roster = readable(policies.current(conn)), _roster(conn)
    return None if policy is None or roster is None else (policy, roster)


def _rosters(conn: Connection) -> tuple[list[HistoryEntry], str]:
    try:
        return list(islice(roster_history(conn, limit=MOST_VERSIONS), MOST_VERSIONS)), ""
    except (PolicyErrors, ValueError):
        return [], "A version of the roster cannot be read by this version of Baton."
