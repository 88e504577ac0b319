"""The pages of the application, found by its routes and by the links between them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

MOST = 250
"""So many addresses at most are visited; there is a page for every lead."""


def pages_of(app: FastAPI) -> list[APIRoute]:
    """Return the routes that show a page."""
    return [
        route
        for route in app.routes
        if isinstance(route, APIRoute)
        and "GET" in route.methods
        and getattr(route.response_class, "media_type", None) == HTMLResponse.media_type
    ]


@dataclass(frozen=True)
class Crawled:
    """What was found by following links: status by address, and an address for each route."""

    status: dict[str, int] = field(default_factory=dict)
    came_from: dict[str, str] = field(default_factory=dict)
    dangling: list[str] = field(default_factory=list)
    by_route: dict[str, str] = field(default_factory=dict)


def crawl(app: FastAPI, base: str) -> Crawled:
    """Follow every link from the first page on, a few of each kind."""
    found, routes = Crawled(), pages_of(app)
    waiting, seen = ["/"], {"/"}
    kinds: dict[str, int] = {}
    with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
        while waiting and len(found.status) < MOST:
            address = waiting.pop(0)
            try:
                answer = client.get(address)
            except httpx.TransportError:  # the server let go of it half way
                found.status[address] = 599
                continue
            found.status[address] = answer.status_code
            path = urlsplit(address).path
            route = next((one for one in routes if one.path_regex.match(path)), None)
            if route is not None and answer.status_code == 200:
                found.by_route.setdefault(route.path, address)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            for link in _links(answer.text):
                target, fragment = _split(urljoin(address, link))
                if target == address and fragment and f'id="{fragment}"' not in answer.text:
                    found.dangling.append(f"{address} #{fragment}")
                kind = re.sub(r"\d+|=[^&]*", "*", target)
                if target in seen or kinds.get(kind, 0) >= 3:
                    continue
                kinds[kind] = kinds.get(kind, 0) + 1
                seen.add(target)
                found.came_from[target] = address
                waiting.append(target)
        _visit_the_rest(client, routes, found)
    return found


def _visit_the_rest(client: httpx.Client, routes: list[APIRoute], found: Crawled) -> None:
    for route in routes:
        if route.path not in found.by_route:
            address = _address(route, found)
            found.status[address] = client.get(address).status_code
            if found.status[address] == 200:
                found.by_route[route.path] = address


def _address(route: APIRoute, found: Crawled) -> str:
    """Return an address of a page to which no link was met: a form leads there, or more data."""
    somewhere = next((one for one in found.status if re.match(r"/lead/\d+$", one)), "/lead/1")
    address = route.path.replace("{lead_id}", somewhere.rpartition("/")[2])
    return re.sub(r"{[^}]*}", "1", address)


def _links(text: str) -> list[str]:
    found = re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text)
    return [html.unescape(one) for one in found if not one.startswith(("http", "mailto:"))]


def _split(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else ""), parts.fragment
