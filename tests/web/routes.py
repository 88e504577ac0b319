"""Every route of the pages, as the application has them: none can be forgotten by a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

READING_POSTS = frozenset({"/handoffs"})
"""Searches: they may name a person, so they are sent in the body, but they change nothing."""


@dataclass(frozen=True)
class Asked:
    """A method and an address that some route answers."""

    method: str
    path: str
    route: str

    @property
    def changes(self) -> bool:
        """Whether it is there to change something."""
        return self.method != "GET" and self.route not in READING_POSTS


def every(app: FastAPI) -> list[Asked]:
    """Return one request for every method of every route."""
    assert {type(one) for one in app.routes} == {APIRoute}
    found = []
    for route in app.routes:
        assert isinstance(route, APIRoute)
        path = re.sub(r"{name:path}", "baton.css", route.path)
        path = re.sub(r"{[^}]*}", "1", path)
        found += [Asked(method, path, route.path) for method in sorted(route.methods)]
    return found


def dependencies(route: APIRoute) -> set[str]:
    """Return the names of all functions that a route depends on."""

    def of(dependant: Dependant) -> Iterator[Callable[..., Any]]:
        if dependant.call is not None:
            yield dependant.call
        for below in dependant.dependencies:
            yield from of(below)

    return {getattr(call, "__qualname__", "") for call in of(route.dependant)}
