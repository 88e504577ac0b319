"""One module a page: what it shows, and its routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter

from baton.web.pages import (
    assets,
    handoffs,
    lead,
    lead_actions,
    metrics,
    policy,
    review,
    run,
    sync,
    team,
    today,
)
from baton.web.site import Site

ROUTERS: Final[tuple[Callable[[Site], APIRouter], ...]] = (
    assets.router,
    today.router,
    handoffs.router,
    lead.router,
    lead_actions.router,
    review.router,
    team.router,
    metrics.router,
    policy.router,
    run.router,
    sync.router,
)
"""Each gives the routes of one page."""
