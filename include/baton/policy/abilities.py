"""What somebody is good at, as a roster writes it: values by label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_EXAMPLE = "write 'Language=de;en|Industry=INSURANCE'"


def read_abilities(value: object) -> object:
    """Turn ``Language=de;en|Industry=INSURANCE`` or a map of values into tuples by label.

    Spaces around names are taken off and a value named twice counts once. Raises ValueError for a
    text that does not read so.
    """
    if isinstance(value, str):
        return dict(_label_of(part) for part in value.split("|") if part.strip())
    if isinstance(value, Mapping):
        return {str(label): _values(values) for label, values in value.items()}
    return value


def abilities_in_text(good_at: Mapping[str, Sequence[str]]) -> str:
    """Return the text that `read_abilities` reads."""
    return "|".join(f"{label}={';'.join(values)}" for label, values in sorted(good_at.items()))


def _label_of(part: str) -> tuple[str, tuple[str, ...]]:
    label, equals, values = part.partition("=")
    if not equals or not label.strip():
        raise ValueError(f"'{part.strip()}' does not say what somebody is good at: {_EXAMPLE}")
    return label.strip(), _values(values)


def _values(values: object) -> tuple[str, ...]:
    parts = values.split(";") if isinstance(values, str) else values
    if not isinstance(parts, Sequence):
        msg = f"values are expected here, not '{values}': {_EXAMPLE}"
        raise ValueError(msg)  # noqa: TRY004 (pydantic makes a message of this kind alone)
    found = tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))
    if not found:
        raise ValueError(f"a label without values: {_EXAMPLE}")
    return found
