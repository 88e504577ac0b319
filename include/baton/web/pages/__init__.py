"""One module a page: what it shows, and its routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter

from baton.web.pages import assets, today
from baton.web.site import Site

ROUTERS: Final[tuple[Callable[[Site], APIRouter], ...]] = (assets.router, today.router)
"""Each gives the routes of one page."""
