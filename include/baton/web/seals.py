"""Seals on forms: a page's form can be sent by the person it was shown to, and by nobody else.

The log-in travels in a cookie, which a browser also adds to requests that another site made up
(cross-site request forgery). A form therefore carries a seal that only this server can make, for
this person, for a while; and the browser must not say that the request comes from elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from fastapi import HTTPException, Request

FIELD = "seal"
LIFE = timedelta(hours=8)
"""How long a page may stay open before its forms are stale."""

_TRUSTED_SITES = (None, "same-origin", "none")


class Seals:
    """Makes and checks seals with one secret."""

    def __init__(self, secret: bytes) -> None:
        """Use `secret`; every server of an installation needs the same."""
        if len(secret) < 16:
            raise ValueError("a secret of at least 16 bytes is needed")
        self._secret = secret

    def make(self, person: str, at: datetime) -> str:
        """Return the seal of forms shown to `person` at `at`."""
        until = int((at + LIFE).timestamp())
        return f"{until}.{self._signature(person, until)}"

    def holds(self, seal: str, person: str, at: datetime) -> bool:
        """Tell whether `seal` was made for `person` and is not stale at `at`."""
        until, _, signature = seal.partition(".")
        if not (until.isascii() and until.isdecimal()) or int(until) < at.timestamp():
            return False
        return hmac.compare_digest(self._signature(person, int(until)), signature)

    def _signature(self, person: str, until: int) -> str:
        said = f"{until}\n{person}".encode()
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()


def refuse_other_sites(request: Request) -> None:
    """Raise HTTPException 403 when the browser says that another site made this request."""
    if request.headers.get("sec-fetch-site") not in _TRUSTED_SITES:
        raise HTTPException(403, "this request was made by another site; nothing was done")
