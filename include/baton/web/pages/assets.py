"""Scripts and styles. They hold nothing secret, yet they too are for people who have logged in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from baton.web.access import Visitor
from baton.web.site import HERE, Site

_FOLDER: Final = HERE / "static"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def router(site: Site) -> APIRouter:
    """Return the routes of the assets: the files that are there when the server starts."""
    files = {
        path.relative_to(_FOLDER).as_posix(): path
        for path in sorted(_FOLDER.rglob("*"))
        if path.suffix in _TYPES
    }
    routes = APIRouter()

    @routes.get("/static/{name:path}")
    def asset(name: str, _visitor: Visitor = site.reader()) -> FileResponse:
        return _served(files, name)

    return routes


def _served(files: dict[str, Path], name: str) -> FileResponse:
    found = files.get(name)
    if found is None:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(found, media_type=_TYPES[found.suffix])
