"""Where the pages are, as the browser sees it: below Airflow's path, and below that of a proxy."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
"""No empty part: `//elsewhere` would be another host."""


def root_of(request: Request) -> str:
    """Return the path that the server itself knows the pages by, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def base_of(request: Request) -> str:
    """Return what every address on a page begins with.

    A proxy that cuts a part off the path says so in `X-Forwarded-Prefix`; where Airflow's
    `base_url` names that part too, it counts once.
    """
    root = root_of(request)
    prefix = request.headers.get("x-forwarded-prefix", "").partition(",")[0].strip().rstrip("/")
    if not _PREFIX.fullmatch(prefix) or f"{root}/".startswith(f"{prefix}/"):
        return root
    return prefix + root
