"""Slack's error answers and broken connections, translated into Baton's errors."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from urllib.error import URLError

from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    BatonError,
    ContractError,
    InvalidRecordError,
    OwnerInactiveError,
    PermissionDeniedError,
    RateLimitedError,
    RejectedRecordError,
    UnavailableError,
)

_TOKEN = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"}
)
_UNSURE = frozenset({"internal_error", "fatal_error", "request_timeout"})
"""Slack: some part of the operation may have been carried out before the error."""
_MENDS = {
    "channel_not_found": "create the channel or correct its name in the policy, and invite the app",
    "not_in_channel": "invite the app to the channel",
    "is_archived": "the channel is archived: name another one in the policy",
    "users_not_found": "no Slack user has that address: set slack_email in the roster",
    "user_not_found": "no such Slack user: set slack_email in the roster",
    "restricted_action": "a workspace setting forbids the app to post there",
}
_INACTIVE = frozenset({"user_disabled", "user_is_deactivated"})
_OURS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "no_text"})


def refused(
    conn_id: str,
    method: str,
    status: int,
    data: object,
    headers: Mapping[str, str],
    *,
    changes: bool,
) -> BatonError:
    """Return the error for an answer that is not ``ok``; `changes` says whether a repeat could
    double something.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    body = data if isinstance(data, dict) else {}
    code = str(body.get("error") or "")
    if status == 429 or code in ("ratelimited", "rate_limited"):
        pause = lower.get("retry-after", "")
        return RateLimitedError(
            conn_id,
            f"too many calls ({method})",
            retry_after=float(pause) if pause.isdigit() else 1.0,
        )
    if status >= 500 or code in _UNSURE:
        if changes and status != 503:
            return AmbiguousOutcomeError(
                conn_id, f"HTTP {status} to a message ({method})", status=status
            )
        return UnavailableError(conn_id, f"HTTP {status} ({method})", status=status)
    if code == "service_unavailable":
        return UnavailableError(conn_id, f"service unavailable ({method})", status=status)
    return _by_code(conn_id, method, status, code, body)


def _by_code(
    conn_id: str, method: str, status: int, code: str, body: Mapping[str, object]
) -> BatonError:
    if code in _TOKEN:
        return AuthenticationError(
            conn_id, f"the bot token is refused: {code}; check its value ({method})", status=status
        )
    if code == "missing_scope":
        scope = str(body.get("needed") or "unknown")
        return PermissionDeniedError(
            conn_id, f"the app lacks the scope {scope}; add it ({method})", missing=(scope,)
        )
    if code in _INACTIVE:
        return OwnerInactiveError(code, "the Slack user is deactivated")
    if code in _OURS:
        return InvalidRecordError(code, f"Slack cannot show the message ({method})")
    if code in _MENDS:
        return RejectedRecordError(code, _MENDS[code])
    if not code or " " in code:  # the SDK puts the text of a page it could not read there
        return ContractError(conn_id, f"HTTP {status} without Slack's JSON ({method})")
    # A code we do not know is about this message: the others must go out all the same.
    return RejectedRecordError(code, f"Slack refuses the message ({method})")


def broken(conn_id: str, method: str, error: Exception, *, changes: bool) -> BatonError:
    """Return the error for a connection that failed."""
    reason = error.reason if isinstance(error, URLError) else None
    name = type(reason if isinstance(reason, Exception) else error).__name__
    never_sent = isinstance(reason, (ConnectionRefusedError, socket.gaierror, TimeoutError))
    if never_sent or not changes:
        return UnavailableError(conn_id, f"cannot be reached ({method}: {name})")
    return AmbiguousOutcomeError(conn_id, f"no answer to a message ({method}: {name})")
