"""Records as the cells of a CSV, and back, the way Bulk API 2.0 writes and reads them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from crm_sandbox.salesforce.api import ApiReply
from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.schema import NUMBER_TYPES, FieldType, SObject

CSV_TYPE = "text/csv;charset=UTF-8"
NULL_CELL = "#N/A"
"""What a cell says to empty a field; an empty cell leaves it as it is."""

DELIMITERS = {
    "COMMA": ",",
    "TAB": "\t",
    "SEMICOLON": ";",
    "PIPE": "|",
    "CARET": "^",
    "BACKQUOTE": "`",
}


def is_unknown(sobject: SObject, name: str) -> bool:
    """True for a column that is no field of the object."""
    return sobject.field(name) is None


def taken(values: dict[str, Any], name: str) -> Any:
    """Take a value out of a row, whatever the case of its name. Raises OrgFault without one."""
    held = next((one for one in values if one.lower() == name.lower()), None)
    if held is None:
        raise OrgFault("MISSING_ARGUMENT", f"{name} not specified", [name])
    return values.pop(held)


def value_of(sobject: SObject, name: str, cell: str) -> Any:
    """A cell as the JSON value that the field takes."""
    if cell == NULL_CELL:
        return None
    found = sobject.field(name)
    if found is None or found.type not in _FROM_TEXT:
        return cell
    try:
        return _FROM_TEXT[found.type](cell)
    except ValueError:
        message = f"'{found.type}' cannot be read from the cell"
        raise OrgFault("INVALID_TYPE_ON_FIELD_IN_RECORD", message, [found.name]) from None


def _boolean(cell: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if cell.lower() not in known:
        raise ValueError("neither true nor false")
    return known[cell.lower()]


def _number(cell: str) -> int | float:
    return int(cell) if cell.lstrip("+-").isdigit() else float(cell)


_FROM_TEXT: dict[FieldType, Callable[[str], Any]] = {
    FieldType.BOOLEAN: _boolean,
    **dict.fromkeys(NUMBER_TYPES, _number),
}


def flattened(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A record without its attributes, and with what it refers to as `Owner.Name`."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if name == "attributes":
            continue
        if isinstance(value, dict):
            found |= flattened(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def selected_columns(text: str) -> tuple[str, ...]:
    """The columns of a query that found nothing."""
    between = text.split(None, 1)[-1].lower().partition(" from ")[0]
    return tuple(one.strip() for one in text.split(None, 1)[-1][: len(between)].split(","))


def cell_of(value: Any) -> str:
    """A value as text; nothing is an empty cell."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str) -> ApiReply:
    """A reply whose body is these rows; `delimiter` is a name among DELIMITERS."""
    written = io.StringIO(newline="")
    writer = csv.writer(
        written, delimiter=DELIMITERS[delimiter], quoting=csv.QUOTE_ALL, lineterminator="\n"
    )
    writer.writerow(columns)
    writer.writerows(rows)
    return ApiReply(200, headers={"content-type": CSV_TYPE}, text=written.getvalue())
