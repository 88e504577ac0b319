"""The connected app that may log in, and the sessions it holds."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """What a client needs to log in. Made up; opens nothing but this sandbox.

    `certificate` is the PEM public key or certificate that JWT assertions are signed for; without
    one, assertions are read but their signature is not verified.
    """

    consumer_key: str
    consumer_secret: str
    username: str
    password: str
    certificate: str | None = None

    @classmethod
    def made_from(cls, seed: int, username: str) -> ConnectedApp:
        """The same credentials for the same seed."""
        source = random.Random(f"connected-app-{seed}")
        return cls(
            consumer_key="3MVG9" + _token(source, 40),
            consumer_secret=_token(source, 48),
            username=username,
            password=_token(source, 16),
        )

    def with_certificate(self, certificate: str) -> ConnectedApp:
        """The app with a key for JWT assertions."""
        return replace(self, certificate=certificate)


class Sessions:
    """Access tokens and whose they are."""

    def __init__(self, org_id: str, *, seed: int = 0) -> None:
        """Tokens are made from the seed, so that a run can be repeated."""
        self._org_id = org_id
        self._random = random.Random(f"sessions-{seed}")
        self._users: dict[str, str] = {}
        self.refused = False
        """When true every call is refused for good: a session, but not for the REST API."""
        self.logins = 0

    def open(self, user_id: str) -> str:
        """Log a user in and return the access token."""
        token = f"{self._org_id[:15]}!{_token(self._random, 80)}"
        self._users[token] = user_id
        self.logins += 1
        return token

    def user(self, token: str) -> str | None:
        """The id of the user whose live token this is; None when expired or unknown."""
        return self._users.get(token)

    def revoke(self, token: str) -> None:
        """End one session."""
        self._users.pop(token, None)

    def expire_all(self) -> int:
        """End every session; returns how many there were."""
        count = len(self._users)
        self._users.clear()
        return count


def _token(source: random.Random, length: int) -> str:
    return "".join(source.choices(_ALPHABET, k=length))
