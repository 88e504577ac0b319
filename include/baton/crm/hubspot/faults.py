"""HubSpot's error answers, translated into Baton's errors.

Bodies may quote what was sent (an e-mail address, say), so a text is built from categories, codes
and property names; a message of HubSpot's own is only used after redaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ContractError,
    FatalGatewayError,
    GatewayError,
    InvalidRecordError,
    PermissionDeniedError,
    RateLimitedError,
    RecordError,
    RejectedRecordError,
    RetriableRecordError,
    UnavailableError,
)
from baton.transport import redact

_OURS = frozenset(
    {
        "PROPERTY_DOESNT_EXIST", "INVALID_EMAIL", "INVALID_OPTION", "INVALID_INTEGER",
        "INVALID_DATE", "READ_ONLY_VALUE", "INVALID_LONG", "INVALID_DOUBLE", "INVALID_PHONE",
    }
)  # fmt: skip
_PASSING = frozenset({"INTERNAL_ERROR", "RATE_LIMITS"})
"""What ails HubSpot and not the record: the same write may succeed later."""


_CREDENTIALS = (
    "put the access token of a private app or service key (HubSpot > Settings > Integrations) "
    "into the connection's password"
)
_MENDS = {
    "PROPERTY_DOESNT_EXIST": "it does not exist; run 'baton setup hubspot', or 'baton doctor' "
    "where the policy names it",
    "READ_ONLY_VALUE": "it is read-only; name another property under write_back in the policy",
    "INVALID_OPTION": "the value is none of its options; add it in HubSpot (Settings > "
    "Properties), or make it a text property",
}
"""What mends a refused property, by HubSpot's code."""


class BadRequestError(FatalGatewayError):
    """A 400: the whole request was refused, nothing was done. `record` says why, for one record."""

    def __init__(self, connection: str, record: RecordError, *, status: int = 400) -> None:
        super().__init__(connection, f"request refused: {record}", status=status)
        self.record = record


class NotFoundError(FatalGatewayError):
    """A 404: no such record, list or path."""


class ConflictError(FatalGatewayError):
    """A 409: it exists already."""


def error_of(
    conn_id: str,
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    *,
    what: str,
    changes: bool,
) -> GatewayError:
    """Return the error for an answer that is not 2xx.

    `changes` says whether the request could change anything: an overload answer to such a request
    leaves its outcome unknown.
    """
    raw = _parse(body)
    detail = _detail(raw, what, headers)
    if status in (401, 530):
        return AuthenticationError(conn_id, f"token refused; {_CREDENTIALS} ({detail})")
    if status == 403:
        return _forbidden(conn_id, raw, detail)
    if status in (423, 429, 477):
        return _slow_down(conn_id, status, raw, headers, detail)
    if status >= 500:
        return _overload(conn_id, status, detail, changes=changes)
    if raw is None:
        said = f"HTTP {status} without JSON; check base_url and any proxy in between ({what})"
        return ContractError(conn_id, said, status=status)
    if status == 404:
        return NotFoundError(conn_id, f"not found ({detail})", status=404)
    if status == 409:
        return ConflictError(conn_id, f"exists already ({detail})", status=409)
    if status == 400:
        return BadRequestError(conn_id, record_error(raw, conn_id))
    return FatalGatewayError(conn_id, f"HTTP {status} ({detail})", status=status)


def record_error(raw: Mapping[str, Any], conn_id: str = "hubspot_default") -> RecordError:
    """Return the error of one record, from a 400 body or from a row of a 207's ``errors``.

    Its text names the connection, the properties and, where one is known, the mend.
    """
    inner = [one for one in raw.get("errors") or () if isinstance(one, dict)]
    codes = list(dict.fromkeys(str(one["code"]) for one in inner if one.get("code")))
    fields = [
        name for one in (raw, *inner) for name in (one.get("context") or {}).get("propertyName", ())
    ]
    category = str(raw.get("category") or raw.get("errorType") or "VALIDATION_ERROR")
    code = codes[0] if codes else category
    kind: type[RecordError] = RejectedRecordError
    if _OURS.intersection(codes):
        kind = InvalidRecordError
    elif category in _PASSING:
        kind = RetriableRecordError
    named = ", ".join(dict.fromkeys(fields)) or "the record"
    said = f"HubSpot ({conn_id}) refused {named}"
    if code in _MENDS:
        said = f"{said}: {_MENDS[code]}"
    elif not codes:
        said = f"{said}: {_quoteless(str(raw.get('message') or ''))}"
    return kind(code, said, fields=tuple(dict.fromkeys(fields)))


def _forbidden(conn_id: str, raw: Mapping[str, Any] | None, detail: str) -> PermissionDeniedError:
    missing: dict[str, None] = {}
    for one in (raw or {}).get("errors") or ():
        context = one.get("context") or {}
        for scope in context.get("requiredGranularScopes") or context.get("requiredScopes") or ():
            missing[str(scope)] = None
    named = (
        f"; add to the private app or service key in HubSpot: {', '.join(missing)}"
        if missing
        else "; add it to the private app or service key in HubSpot"
    )
    return PermissionDeniedError(
        conn_id, f"the token lacks a scope{named} ({detail})", missing=tuple(missing)
    )


def _slow_down(
    conn_id: str,
    status: int,
    raw: Mapping[str, Any] | None,
    headers: Mapping[str, str],
    detail: str,
) -> GatewayError:
    asked = _seconds(headers.get("Retry-After"))
    if status == 423:
        # Such a lock lasts two seconds; whether the limiter slows down is not its business.
        return RateLimitedError(
            conn_id, f"records are locked ({detail})", retry_after=asked or 2.0, status=423
        )
    if status == 477:
        return RateLimitedError(
            conn_id,
            f"the account is being moved to another data centre ({detail})",
            retry_after=asked or 3600.0,
            status=477,
        )
    policy = str((raw or {}).get("policyName") or "").upper()
    message = str((raw or {}).get("message") or "").lower()
    if policy == "DAILY" or "daily limit" in message:
        return RateLimitedError(
            conn_id,
            "the daily limit is used up; calls go out again at midnight of the portal's time zone, "
            f"or have it raised in HubSpot ({detail})",
            retry_after=asked,
            daily=True,
        )
    pause = 1.0 if policy == "SECONDLY" or "your secondly limit" in message else 10.0
    interval = _seconds(headers.get("X-HubSpot-RateLimit-Interval-Milliseconds"))
    if pause == 10.0 and interval:
        pause = interval / 1000
    return RateLimitedError(conn_id, f"too many calls ({detail})", retry_after=asked or pause)


def _overload(conn_id: str, status: int, detail: str, *, changes: bool) -> GatewayError:
    # 503 and 521–523 mean that the request was not taken; the others may follow a committed write.
    if changes and status not in (503, 521, 522, 523, 525, 526):
        return AmbiguousOutcomeError(
            conn_id, f"HTTP {status} to a change ({detail})", status=status
        )
    return UnavailableError(conn_id, f"HTTP {status} ({detail})", status=status)


def _parse(body: bytes) -> Mapping[str, Any] | None:
    try:
        raw = json.loads(body)
    except ValueError:
        return None
    return raw if isinstance(raw, dict) else None


def _detail(raw: Mapping[str, Any] | None, what: str, headers: Mapping[str, str]) -> str:
    if raw is None:
        return what
    names = ("category", "policyName", "subCategory")
    parts = [what, *(str(raw[name]) for name in names if raw.get(name))]
    reference = raw.get("correlationId") or headers.get("x-hubspot-correlation-id")
    if reference:
        parts.append(f"correlation id {reference}")
    return ", ".join(parts)


def _quoteless(message: str) -> str:
    """Drop what stands in quotes or brackets: HubSpot quotes the values it was sent."""
    cut = min((at for at in (message.find(mark) for mark in "\"'[{") if at >= 0), default=-1)
    return redact(message if cut < 0 else message[:cut])


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
