"""Checks one value against its field, and turns values into JSON.

Rows hold Python values: aware UTC datetimes without fractions of a second, dates, bool, int,
float, str and None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crm_sandbox.salesforce.errors import OrgFault, parser_error
from crm_sandbox.salesforce.ids import normalise_id
from crm_sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES, Field, FieldType

_EMAIL = re.compile(r"[^@\s,;<>()\[\]\"]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def to_second(at: datetime) -> datetime:
    """The instant in UTC without its fraction of a second, as Salesforce stores it."""
    return at.astimezone(UTC).replace(microsecond=0)


def clean(field: Field, value: Any) -> Any:
    """The value as it is stored. Raises OrgFault as Salesforce refuses it."""
    if value is None or value == "":
        return False if field.type is FieldType.BOOLEAN else None
    return _CLEANERS[_family(field)](field, value)


def render(value: Any) -> Any:
    """The value as JSON carries it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    if isinstance(value, date):
        return value.isoformat()
    return value


def parse_datetime(text: str) -> datetime | None:
    """An aware datetime in UTC from ISO 8601 text; None when it is not one."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return to_second(at)


def parse_date(text: str) -> date | None:
    """A date from `YYYY-MM-DD`; None when it is not one."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _family(field: Field) -> str:
    if field.type in TEXT_TYPES:
        return "text"
    if field.type in NUMBER_TYPES:
        return "number"
    return field.type.value


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return f"VALUE_{str(value).upper()}"
    if isinstance(value, int):
        return "VALUE_NUMBER_INT"
    if isinstance(value, float):
        return "VALUE_NUMBER_FLOAT"
    if isinstance(value, list):
        return "START_ARRAY"
    return "START_OBJECT" if isinstance(value, dict) else "VALUE_STRING value"


def _clean_text(field: Field, value: Any) -> str | None:
    if not isinstance(value, str):
        raise parser_error("string", _token(value))
    text = value.strip() or None
    if text is None:
        return None
    if field.length and len(text) > field.length:
        raise OrgFault(
            "STRING_TOO_LONG",
            f"{field.name}: data value too large: {text[:255]} (max length={field.length})",
            [field.name],
        )
    if field.type is FieldType.EMAIL and not _EMAIL.fullmatch(text):
        raise OrgFault(
            "INVALID_EMAIL_ADDRESS",
            f"{field.name}: invalid email address: {text}",
            [field.name],
        )
    return _from_picklist(field, text) if field.type is FieldType.PICKLIST else text


def _from_picklist(field: Field, text: str) -> str:
    for one in field.values:
        if one.value.lower() == text.lower():
            return one.value
    if field.restricted:
        raise OrgFault(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.name}: bad value for restricted picklist field: {text}",
            [field.name],
        )
    return text


def _clean_number(field: Field, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise parser_error(field.type.value, _token(value))
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise parser_error(field.type.value, "VALUE_STRING value") from None
    if not math.isfinite(number):
        raise parser_error(field.type.value, "VALUE_NUMBER_FLOAT")
    rounded = number.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP)
    digits = field.precision - field.scale
    if field.precision and abs(rounded) >= Decimal(10) ** digits:
        raise OrgFault(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.name}: value outside of valid range on numeric field",
            [field.name],
        )
    return int(rounded) if field.type is FieldType.INT else float(rounded)


def _clean_boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise parser_error("boolean", _token(value))


def _clean_date(field: Field, value: Any) -> date:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    if isinstance(value, date):
        return value
    day = parse_date(value) if isinstance(value, str) else None
    if day is None:
        raise parser_error("date", _token(value))
    return day


def _clean_datetime(field: Field, value: Any) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{field.name} needs an aware datetime")
        return to_second(value)
    at = parse_datetime(value) if isinstance(value, str) else None
    if at is None:
        raise parser_error("datetime", _token(value))
    return at


def _clean_id(field: Field, value: Any) -> str:
    record_id = normalise_id(value) if isinstance(value, str) else None
    if record_id is None:
        raise OrgFault(
            "MALFORMED_ID",
            f"{field.label or field.name}: id value of incorrect type",
            [field.name],
        )
    return record_id


_CLEANERS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _clean_text,
    "number": _clean_number,
    FieldType.BOOLEAN.value: _clean_boolean,
    FieldType.DATE.value: _clean_date,
    FieldType.DATETIME.value: _clean_datetime,
    FieldType.REFERENCE.value: _clean_id,
    FieldType.ID.value: _clean_id,
}
