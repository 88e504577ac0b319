"""What the org refuses, and how Salesforce words it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class OrgFault(Exception):  # noqa: N818 - the name is part of the sandbox's contract
    """A refusal of the org.

    `error_code` is Salesforce's code, `message` the sentence in the reply's body, `fields` the
    names at fault, `http_status` the status where the refusal is the whole reply, `records`
    the matches (`Lead/00Q…`) when a key is ambiguous, `details` what else the reply's body says.
    The exception's own text holds the code alone, because
    the sentence may quote personal data.
    """

    def __init__(
        self,
        error_code: str,
        message: str,
        fields: Sequence[str] = (),
        http_status: int = 400,
        records: Sequence[str] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(error_code)
        self.error_code = error_code
        self.message = message
        self.fields = list(fields)
        self.http_status = http_status
        self.records = list(records)
        self.details = dict(details or {})

    def row_body(self) -> Any:
        """The body when the refusal is the whole reply of a REST call."""
        body: dict[str, Any] = {"message": self.message, "errorCode": self.error_code}
        if self.fields:
            body["fields"] = self.fields
        return [body | self.details]

    def save_error(self) -> dict[str, Any]:
        """The entry in `errors` of one record's result within a collection."""
        return {"statusCode": self.error_code, "message": self.message, "fields": self.fields}


def no_such_column(name: str, sobject: str) -> OrgFault:
    """A field in a record's body that the object does not have."""
    return OrgFault("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")


def no_such_object(name: str) -> OrgFault:
    """An object that the org does not have."""
    return OrgFault("NOT_FOUND", "The requested resource does not exist", http_status=404)


def bad_reference() -> OrgFault:
    """A reference to a record that is not there or is of the wrong kind."""
    return OrgFault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


def is_deleted() -> OrgFault:
    """A record in the recycle bin."""
    return OrgFault("ENTITY_IS_DELETED", "entity is deleted", http_status=404)


def parser_error(kind: str, shown: str) -> OrgFault:
    """A JSON value that the field's type cannot take; `shown` names the JSON token, no value."""
    return OrgFault(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from {shown} or request may be missing "
        "a required field",
    )
