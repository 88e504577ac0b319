"""Which column of an export fills which field: told, or found by its name.

A column is known by the label of a field, its Salesforce name or its HubSpot property, whatever
the case, blanks, hyphens and underscores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from baton.errors import ConfigurationError
from baton.pipeline.exports.export_mapping import MappingFile, Source
from baton.policy.fields import Field, FieldObject
from baton.policy.models import Policy
from baton.policy.reading import did_you_mean

__all__ = ["ColumnPlan", "plan_columns"]

COMPANY_PREFIX = "company."
BASE = ("createdate", "recent_conversion_date", "recent_conversion_event_name")
"""HubSpot properties that are read although no field names them: they date a lead."""
_KEYS = (
    "recordid", "hsobjectid", "contactid", "leadid", "vid", "prospectid", "leadnumber", "id",
    "opportunityid",
)  # fmt: skip
_IN_EXPORTS: Mapping[str, str] = {
    "Email": "email",
    "Email address": "email",
    "Phone Number": "phone",
    "Create Date": "createdate",
    "Country/Region": "country",
    "State/Region": "state",
    "Company Domain Name": "domain",
    "Website URL": "domain",
    "Number of Employees": "numberofemployees",
    "Unsubscribed from all email": "hs_email_optout",
    "Original Source": "hs_analytics_source",
    "Original Traffic Source": "hs_analytics_source",
    "Original Traffic Source Drill-Down 1": "hs_analytics_source_data_1",
    "Number of Pageviews": "hs_analytics_num_page_views",
    "Number of Sessions": "hs_analytics_num_visits",
    "Time of Last Session": "hs_analytics_last_visit_timestamp",
    "Recent Conversion": "recent_conversion_event_name",
    "Recent Conversion Date": "recent_conversion_date",
}
"""How HubSpot's own exports call properties: the labels that it ships with."""
_LOADERS_PREFIX = "property"
"""Loaders into warehouses write ``property_firstname``."""
_NO_SIGN = re.compile(r"[\s_\-.:/]+")

Cells = Sequence[str]
Place = tuple[FieldObject, str]


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """What is read of each row.

    `read` fills properties of contact and company. `filled` lists column and field label, `unread`
    the columns that nothing reads, each with a hint or None. `missing` names what the policy
    requires of some lead and no column fills, with the scopes that ask for it. `key` is the place
    of the column that names a lead.
    """

    properties: tuple[tuple[str, Callable[[Cells], str]], ...]
    company: tuple[tuple[str, Callable[[Cells], str]], ...]
    filled: tuple[tuple[str, str], ...]
    unread: tuple[tuple[str, str | None], ...]
    missing: tuple[tuple[str, tuple[str, ...]], ...]
    key: int | None
    key_column: str | None

    def read(self, cells: Cells) -> tuple[dict[str, str], dict[str, str]]:
        """Return the properties of contact and company that a row holds."""
        contact = {name: text for name, source in self.properties if (text := source(cells))}
        company = {name: text for name, source in self.company if (text := source(cells))}
        return contact, company

    def key_of(self, cells: Cells) -> str:
        """Return what names the lead of a row, or nothing."""
        return cells[self.key].strip() if self.key is not None else ""


@dataclass(slots=True)
class _Columns:
    """The columns of a file by name."""

    names: tuple[str, ...]
    places: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.places = {}
        for place, name in enumerate(self.names):
            self.places.setdefault(name, place)

    def place(self, name: str, what: str) -> int:
        """Return the place of a column. Raises ConfigurationError that offers a similar one."""
        if name in self.places:
            return self.places[name]
        same = [known for known in self.places if folded(known) == folded(name)]
        if same:
            return self.places[same[0]]
        hint = did_you_mean(name, self.places) or "columns: " + ", ".join(list(self.places)[:40])
        raise ConfigurationError(f"{what}: the file has no column '{name}'; {hint}")


def folded(name: str) -> str:
    """Return a name in the form in which names are compared."""
    return _NO_SIGN.sub("", name.strip().casefold())


def plan_columns(
    columns: Sequence[str],
    policy: Policy,
    *,
    maps: Sequence[str] = (),
    mapping: MappingFile | None = None,
    key: str | None = None,
) -> ColumnPlan:
    """Settle what fills what. With a mapping only what it and `maps` say is read.

    `maps` are texts such as "Firm=Company name". Raises ConfigurationError for a column or field
    that does not exist, with the closest that does.
    """
    held = _Columns(tuple(columns))
    twice = sorted({name for name in columns if name and list(columns).count(name) > 1})
    if twice:
        raise ConfigurationError(
            f"columns occur more than once: {', '.join(twice)}; rename all but one of each"
        )
    sources, labels, notes = _sources(held, policy, maps, mapping)
    if not sources:
        raise ConfigurationError(
            f"no column is known: {', '.join(list(columns)[:40])}; map some with "
            f"--map 'Column=Field'; fields: {', '.join(_fillable(policy))}"
        )
    filled = tuple((column, labels[place]) for place, column in _used(sources, held))
    read = {column for column, _ in filled}
    unread = [name for name in held.names if name and name not in read]
    place = _key_place(held, key)
    key_column = held.names[place] if place is not None else None
    return ColumnPlan(
        _readers(sources, held, FieldObject.CONTACT),
        _readers(sources, held, FieldObject.COMPANY),
        filled,
        tuple(
            (name, notes.get(name, _hint(name, policy))) for name in unread if name != key_column
        ),
        _missing(policy, frozenset(sources)),
        place,
        key_column,
    )


def _sources(
    held: _Columns, policy: Policy, maps: Sequence[str], mapping: MappingFile | None
) -> tuple[dict[Place, Source], dict[Place, str], dict[str, str | None]]:
    """Return the source of each property, the label it fills, and remarks on columns."""
    labels = _labels(policy)
    sources: dict[Place, Source] = {}
    notes: dict[str, str | None] = {}
    told = [_told(text, held, policy) for text in maps]
    if mapping is not None:
        for kind, part in (
            (FieldObject.CONTACT, mapping.properties),
            (FieldObject.COMPANY, mapping.company),
        ):
            sources.update({(kind, name): source for name, source in part.items()})
        for name in mapping.columns:
            held.place(name, "the mapping")
        notes = dict.fromkeys(held.names, "the mapping does not use it")
    else:
        taken = {column for column, _ in told}
        _match(held, policy, taken, sources, notes)
    for column, target in told:
        sources[target] = Source(column=column)
    return sources, {place: labels.get(place, place[1]) for place in sources}, notes


def _labels(policy: Policy) -> dict[Place, str]:
    """Return the label of each property; where several fields read one, the first."""
    found: dict[Place, str] = {}
    for one in policy.fields.values():
        if one.hubspot:
            found.setdefault((one.object, one.hubspot), one.label)
    return found


def _match(
    held: _Columns,
    policy: Policy,
    taken: set[str],
    sources: dict[Place, Source],
    notes: dict[str, str | None],
) -> None:
    known = _names(policy.fields.values())
    by_column: dict[Place, str] = {}
    for column in held.names:
        target = _known_as(column, known) if column and column not in taken else None
        if target is None:
            continue
        if isinstance(target, str):
            notes[column] = f"Baton works out '{target}' itself"
        elif target in sources:
            notes[column] = f"the column '{by_column[target]}' fills the same field"
        else:
            sources[target] = Source(column=column)
            by_column[target] = column


def _known_as(column: str, known: Mapping[str, Place | str]) -> Place | str | None:
    name = folded(column)
    return known.get(name) or known.get(name.removeprefix(_LOADERS_PREFIX))


def _names(fields: Iterable[Field]) -> dict[str, Place | str]:
    """Return what each name stands for: a property, or the label of what Baton works out.

    Labels count before Salesforce names, these before HubSpot's; a person's before the company's.
    """
    listed = sorted(fields, key=lambda one: one.object is FieldObject.COMPANY)
    found: dict[str, Place | str] = {}
    ways: tuple[Callable[[Field], str | None], ...] = (
        lambda one: one.label,
        lambda one: one.salesforce,
        lambda one: one.hubspot,
    )
    for way in ways:
        for one in listed:
            name = way(one)
            if name:
                target = (one.object, one.hubspot) if one.hubspot else one.label
                found.setdefault(folded(name), target)
    for name in BASE:
        found.setdefault(folded(name), (FieldObject.CONTACT, name))
    for label, name in _IN_EXPORTS.items():
        if folded(name) in found:
            found.setdefault(folded(label), found[folded(name)])
    return found


def _told(text: str, held: _Columns, policy: Policy) -> tuple[str, Place]:
    column, sign, target = text.rpartition("=")
    if not sign or not column.strip() or not target.strip():
        raise ConfigurationError(f"--map '{text}' must look like --map 'Column=Field'")
    name = held.names[held.place(column.strip(), "--map")]
    wanted = target.strip()
    known = _names(policy.fields.values())
    if wanted.startswith(COMPANY_PREFIX):
        return name, (FieldObject.COMPANY, wanted.removeprefix(COMPANY_PREFIX))
    found = known.get(folded(wanted))
    if isinstance(found, str):
        raise ConfigurationError(
            f"--map '{text}': Baton works out '{found}' itself, no column can fill it"
        )
    if found is None:
        hint = did_you_mean(wanted, policy.fields) or "fields: " + ", ".join(_fillable(policy))
        raise ConfigurationError(f"--map '{text}': the policy has no field '{wanted}'; {hint}")
    return name, found


def _fillable(policy: Policy) -> list[str]:
    """Return the labels that a column can fill: what Baton works out itself is none of them."""
    return [label for label, field in policy.fields.items() if not field.derived]


def _used(sources: Mapping[Place, Source], held: _Columns) -> list[tuple[Place, str]]:
    return [
        (place, held.names[held.place(column, "the mapping")])
        for place, source in sources.items()
        for column in source.columns
    ]


def _readers(
    sources: Mapping[Place, Source], held: _Columns, kind: FieldObject
) -> tuple[tuple[str, Callable[[Cells], str]], ...]:
    return tuple(
        (place[1], _reader(source, held)) for place, source in sources.items() if place[0] is kind
    )


def _reader(source: Source, held: _Columns) -> Callable[[Cells], str]:
    places = {name: held.place(name, "the mapping") for name in source.columns}
    plain = source.column is not None and source.otherwise is None and source.type is None
    if plain and source.column is not None:
        at, values = places[source.column], source.values
        if not values:
            return lambda cells: cells[at].strip()

        def replaced(cells: Cells) -> str:
            text = cells[at].strip()
            return values.get(text, text)

        return replaced
    return lambda cells: source.read(lambda name: cells[places[name]].strip())


def _key_place(held: _Columns, key: str | None) -> int | None:
    if key is not None:
        return held.place(key, "--key")
    by_name = {folded(name): place for name, place in reversed(held.places.items())}
    return next((by_name[name] for name in _KEYS if name in by_name), None)


def _hint(column: str, policy: Policy) -> str | None:
    fields = [one for one in policy.fields.values() if not one.derived]
    names = [one.label for one in fields]
    names += [name for one in fields for name in (one.salesforce, one.hubspot) if name]
    return did_you_mean(column, names)


def _missing(policy: Policy, filled: frozenset[Place]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the required fields that no column can fill, and who asks for them."""
    readings = {reading.field.label: reading.places for reading in policy.readings}
    scopes: dict[str, list[str]] = {}
    for scope, labels in policy.required.items():
        for label in labels:
            places = readings.get(label)
            if places is not None and filled.isdisjoint(places):
                scopes.setdefault(label, []).append(scope)
    return tuple((label, tuple(names)) for label, names in scopes.items())
