"""HubSpot's error bodies, and the exception that carries one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class PortalFault(Exception):  # noqa: N818 - the name is the shared contract's
    """A refusal of the portal: an HTTP status and the JSON body HubSpot would send."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        """`body` lacks the correlation id, which the app adds when it answers."""
        super().__init__(f"{status} {body.get('category', '')}: {body.get('message', '')}")
        self.status = status
        self.body = dict(body)


@dataclass(frozen=True, slots=True)
class PropertyError:
    """One property value that was refused: its name, HubSpot's code and the sentence."""

    name: str
    code: str
    message: str


def fault(status: int, message: str, category: str | None = None, **extra: Any) -> PortalFault:
    """A fault with the usual envelope; `category` is left out when None."""
    body: dict[str, Any] = {"status": "error", "message": message}
    if category is not None:
        body["category"] = category
    body.update(extra)
    return PortalFault(status, body)


def invalid(message: str, **extra: Any) -> PortalFault:
    """400 VALIDATION_ERROR."""
    return fault(400, message, "VALIDATION_ERROR", **extra)


def invalid_properties(errors: Iterable[PropertyError], portal_id: int) -> PortalFault:
    """400 for property values that were refused, in the form of the v3 objects API."""
    listed = list(errors)
    details = [
        {
            "isValid": False,
            "message": error.message,
            "error": error.code,
            "name": error.name,
            "localizedErrorMessage": error.message,
            "portalId": portal_id,
        }
        for error in listed
    ]
    text = json.dumps(details, separators=(",", ":"))
    return invalid(
        f"Property values were not valid: {text}",
        errors=[
            {"message": e.message, "code": e.code, "context": {"propertyName": [e.name]}}
            for e in listed
        ],
    )


def not_found(record_id: str) -> PortalFault:
    """404 of a single record: a numeric id has no category, any other text has."""
    if record_id.isdigit():
        return fault(404, "resource not found")
    return fault(
        404,
        "Object not found.  objectId are usually numeric.",
        "OBJECT_NOT_FOUND",
        context={"id": [record_id]},
    )


def conflict(noun: str, existing_id: str) -> PortalFault:
    """409 of a create whose unique value is taken; the id stands only in the text."""
    return fault(409, f"{noun} already exists. Existing ID: {existing_id}", "CONFLICT")
