"""Salesforce's error answers, translated into Baton's errors.

``errorCode`` is the contract, the text a sample. Texts may quote values (a too long company name,
an e-mail address), so only those of codes known to be harmless are passed on, and redacted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ContractError,
    DuplicateRecordError,
    FatalGatewayError,
    GatewayError,
    InvalidRecordError,
    OwnerInactiveError,
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
        "REQUIRED_FIELD_MISSING", "STRING_TOO_LONG", "INVALID_EMAIL_ADDRESS",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "MALFORMED_ID", "JSON_PARSER_ERROR",
        "NUMBER_OUTSIDE_VALID_RANGE", "INVALID_TYPE_ON_FIELD_IN_RECORD", "INVALID_FIELD",
        "MISSING_ARGUMENT", "INVALID_ID_FIELD",
    }
)  # fmt: skip
_PASSING = frozenset(
    {
        "UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "PROCESSING_HALTED",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK", "UNKNOWN_EXCEPTION",
    }
)  # fmt: skip
_SAYABLE = frozenset(
    {
        "FIELD_CUSTOM_VALIDATION_EXCEPTION", "REQUIRED_FIELD_MISSING", "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE", "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "INVALID_CROSS_REFERENCE_KEY",
        "CANNOT_UPDATE_CONVERTED_LEAD", "ENTITY_IS_DELETED", "MALFORMED_QUERY", "INVALID_TYPE",
    }
)  # fmt: skip
DUPLICATES = "DUPLICATES_DETECTED"
_SESSION = "INVALID_SESSION_ID"
_COLUMN = re.compile(r"No such column '(\w+)' on (?:entity|sobject of type) '?(\w+)'?")
_RECORD_ID = re.compile(r"\b[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?\b")

_SETUP = "deploy include/salesforce and assign its permission set (see `baton setup salesforce`)"


def session_expired(status: int, body: bytes) -> bool:
    """Say whether an answer means that the token has run out, so that a login can mend it."""
    code, message, _ = _first(body)
    return status == 401 and code == _SESSION and "not valid for use" not in message


def error_of(conn_id: str, status: int, body: bytes, *, what: str, changes: bool) -> GatewayError:
    """Return the error for an answer that is not a success.

    `changes` says whether the request could change anything: an overload answer to such a request
    leaves its outcome unknown.
    """
    code, message, is_json = _first(body)
    named = f"{code}, {what}" if code else what
    if status == 401:
        return AuthenticationError(conn_id, f"the session is refused ({named})", status=401)
    if code == "REQUEST_LIMIT_EXCEEDED" or "Limit exceeded" in message:
        return _limit(conn_id, status, message, named)
    if status == 403:
        return PermissionDeniedError(
            conn_id,
            f"the integration user may not do this ({named}){_said(code, message)}; assign it the "
            "permission set of include/salesforce, with API Enabled",
        )
    if status in (406, 420, 429) or (status == 400 and "Access Declined" in message):
        return UnavailableError(conn_id, f"HTTP {status}, try later ({named})", status=status)
    if status >= 500:
        if changes and status != 503:
            return AmbiguousOutcomeError(
                conn_id, f"HTTP {status} to a change ({named})", status=status
            )
        return UnavailableError(conn_id, f"HTTP {status} ({named})", status=status)
    if not is_json:
        said = f"HTTP {status} without JSON: is instance_url the My Domain address? ({what})"
        return ContractError(conn_id, said, status=status)
    if code in ("INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND", "INVALID_FIELD_FOR_INSERT_UPDATE"):
        return FatalGatewayError(
            conn_id, f"{code}: {_field_trouble(code, message)} ({what})", status=status
        )
    if code in _PASSING:
        return UnavailableError(conn_id, f"{code} ({what})", status=status)
    return FatalGatewayError(
        conn_id, f"HTTP {status} ({named}){_said(code, message)}", status=status
    )


def login_error(conn_id: str, status: int, body: bytes) -> GatewayError:
    """Return the error for a refused login, with what to look at."""
    try:
        raw = json.loads(body)
        code, said = str(raw["error"]), str(raw.get("error_description") or "")
    except (ValueError, KeyError, TypeError):
        if status >= 500 or status in (420, 429):
            return UnavailableError(conn_id, f"login answered HTTP {status}", status=status)
        return ContractError(
            conn_id, "login did not answer as Salesforce does: is it the My Domain address?"
        )
    mend = {
        "invalid_client": "check consumer_secret",
        "invalid_client_id": "check consumer_key",
        "unsupported_grant_type": "use the My Domain address as instance_url",
    }.get(code, "check the connected app, its run-as user and the My Domain address")
    return AuthenticationError(
        conn_id, f"login refused: {code}, {redact(said, 120)}; {mend}", status=status
    )


def record_error(
    errors: Sequence[Mapping[str, Any]], conn_id: str = "salesforce_default"
) -> RecordError:
    """Return the error of one record of a collection from its ``errors``.

    Its text names the connection, the fields and, where one is known, the mend.
    """
    first = errors[0] if errors else {}
    code = str(first.get("statusCode") or first.get("errorCode") or "UNKNOWN_EXCEPTION")
    message = str(first.get("message") or "")
    fields = tuple(str(one) for one in first.get("fields") or ())
    text = _record_text(code, message, fields, conn_id)
    if code == DUPLICATES:
        return DuplicateRecordError(code, text, fields=fields, matches=_matches(first))
    if code == "INACTIVE_OWNER_OR_USER":
        return OwnerInactiveError(code, text, fields=fields or ("OwnerId",))
    if code in _PASSING:
        return RetriableRecordError(code, text, fields=fields)
    kind = InvalidRecordError if code in _OURS else RejectedRecordError
    return kind(code, text, fields=fields)


def _matches(error: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the records that a duplicate rule found; collections may not tell them."""
    result = error.get("duplicateResult") or {}
    found = (
        (one.get("record") or {}).get("Id")
        for match in result.get("matchResults") or ()
        for one in match.get("matchRecords") or ()
    )
    return tuple(dict.fromkeys(str(one) for one in found if one))


_MENDS = {
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "add the value to the picklist in Setup, or correct "
    "it in the policy ('baton doctor' names the values that lack)",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "make it editable (field-level security) in the permission "
    "set of the integration user",
    "REQUIRED_FIELD_MISSING": "give it a default in Setup, or do not require it of the "
    "integration user",
}
"""What mends a refused field, by Salesforce's code."""


def _record_text(code: str, message: str, fields: tuple[str, ...], conn_id: str) -> str:
    if code == "INVALID_FIELD":
        return f"Salesforce ({conn_id}): {_field_trouble(code, message)}"
    if code == "DUPLICATE_VALUE":
        others = ", ".join(_RECORD_ID.findall(message.partition("record with id")[2]))
        return f"the key is taken by record {others}" if others else "the key is taken"
    text = f"Salesforce ({conn_id}) refused {', '.join(fields) or 'the record'}"
    mend = f"; {_MENDS[code]}" if code in _MENDS else ""
    return text + _said(code, message) + mend


def _field_trouble(code: str, message: str) -> str:
    column = _COLUMN.search(message)
    if column:
        return f"{column[2]} has no field {column[1]} that this user may see; {_SETUP}"
    return f"{redact(message)}; {_SETUP}" if code in _SAYABLE else _SETUP


def _said(code: str, message: str) -> str:
    return f": {redact(message)}" if code in _SAYABLE and message else ""


def _limit(conn_id: str, status: int, message: str, named: str) -> RateLimitedError:
    if "TotalRequests" in message:
        return RateLimitedError(
            conn_id,
            "the daily request limit is used up; calls go out again as the rolling 24 hours free "
            f"some, or have it raised in Salesforce ({named})",
            daily=True,
            status=status,
        )
    return RateLimitedError(
        conn_id, f"too many long requests at once ({named})", retry_after=30.0, status=status
    )


def _first(body: bytes) -> tuple[str, str, bool]:
    """Return code and message of the first error, and whether the body was JSON at all."""
    try:
        raw = json.loads(body)
    except ValueError:
        return "", body[:2000].decode("utf-8", "replace"), False
    first = raw[0] if isinstance(raw, list) and raw else raw
    if not isinstance(first, dict):
        return "", "", True
    return str(first.get("errorCode") or ""), str(first.get("message") or ""), True
