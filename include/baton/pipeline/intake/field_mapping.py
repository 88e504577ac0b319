"""The field mapping of the policy against what HubSpot and Salesforce really have.

A property that is gone is no error to HubSpot: it is left out of every answer, so that all leads
look as if they had never said anything. Hence the definitions are compared with the policy, by
``baton doctor`` in full and, once an hour, before leads are pulled.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from baton.crm.hubspot import HubSpotGateway, PropertyDefinition
from baton.crm.salesforce import FieldDescription, SalesforceGateway
from baton.errors import GatewayError
from baton.ledger.database.engine import transaction
from baton.ledger.proofs import checks
from baton.pipeline.context import Context
from baton.policy.fields import Field, FieldObject, FieldType
from baton.policy.models import Policy

logger = logging.getLogger(__name__)

HUBSPOT_CHECK, SALESFORCE_CHECK = "fields.hubspot", "fields.salesforce"
CHECK_EVERY = timedelta(hours=1)
"""Definitions change a few times a month; four calls an hour are nothing."""

_T = FieldType
_TEXT = frozenset({"string", "phone_number", "enumeration", "number", "bool", "date", "datetime"})
_READABLE: Mapping[FieldType, frozenset[str]] = {
    _T.TEXT: _TEXT,
    _T.INTEGER: frozenset({"number", "string", "enumeration"}),
    _T.NUMBER: frozenset({"number", "string", "enumeration"}),
    _T.BOOLEAN: frozenset({"bool", "enumeration", "string"}),
    _T.DATE: frozenset({"date", "datetime", "string"}),
    _T.DATETIME: frozenset({"datetime", "date", "string"}),
    _T.CHOICE: frozenset({"enumeration", "string", "bool"}),
    _T.LIST: frozenset({"enumeration", "string"}),
    _T.EMAIL: frozenset({"string"}),
    _T.PHONE: frozenset({"string", "phone_number"}),
    _T.COUNTRY: frozenset({"string", "enumeration"}),
    _T.URL: frozenset({"string"}),
}
"""Which types of HubSpot a field of the policy can be read from."""
_OBJECTS = {FieldObject.CONTACT: "contacts", FieldObject.COMPANY: "companies"}
_ARCHIVED_AT = "HubSpot > Settings > Properties > Archived"


@dataclass(frozen=True, slots=True)
class MappingFinding:
    """A field that does not serve as the policy maps it. `field` is the CRM's name for it."""

    connection: str
    object: str
    field: str
    code: str
    trouble: str
    mend: str

    def __str__(self) -> str:
        """Say it in one line: connection, field, trouble, mend."""
        return f"{self.connection}: {self.object} {self.field} {self.trouble}; {self.mend}"

    @property
    def key(self) -> str:
        """Return what it is about, for the record of checks."""
        return f"{self.code} {self.object} {self.field}"


def check_hubspot_fields(gateway: HubSpotGateway, policy: Policy) -> list[MappingFinding]:
    """Return the properties that the policy reads or writes and that do not serve.

    Raises GatewayError: the definitions could not be read (the scope crm.schemas.… is missing).
    """
    kinds = {one.object for one in policy.fields.values() if one.hubspot}
    live = {kind: gateway.property_definitions(_OBJECTS[kind]) for kind in sorted(kinds)}
    live.setdefault(FieldObject.CONTACT, {})
    absent = {kind for kind, name in _named(policy) if name not in live[kind]}
    archived = {
        kind: gateway.property_definitions(_OBJECTS[kind], archived=True) for kind in sorted(absent)
    }
    book = _Book(gateway.connection.conn_id, live, archived)
    found = [each for one in policy.fields.values() for each in book.of_field(one)]
    found += [each for one in policy.write_back.properties.values() for each in book.of_ours(one)]
    return found


def _named(policy: Policy) -> Iterator[tuple[FieldObject, str]]:
    yield from ((one.object, one.hubspot) for one in policy.fields.values() if one.hubspot)
    yield from ((FieldObject.CONTACT, name) for name in policy.write_back.properties.values())


@dataclass(frozen=True, slots=True)
class _Book:
    """Definitions by object and name: those that are live, and those that were archived."""

    conn_id: str
    live: Mapping[FieldObject, Mapping[str, PropertyDefinition]]
    archived: Mapping[FieldObject, Mapping[str, PropertyDefinition]]

    def of_field(self, field: Field) -> Iterator[MappingFinding]:
        """Yield what is wrong with the property of a field that the policy reads."""
        name = field.hubspot
        if name is None:
            return
        say = self._finding(field.object, name)
        found = self.live[field.object].get(name)
        reads = f"the policy reads it as '{field.label}'"
        if found is None:
            yield self._absent(field.object, name, reads, "or correct the field in the policy")
            return
        if found.type not in _READABLE[field.type]:
            yield say(
                "type",
                f"has the type {found.type}, and {reads}, a {field.type.value}",
                "change the field's type in the policy, or point it to another property",
            )
        if found.type == "enumeration" and not found.open_options:
            there = {value for value, _ in found.options}
            lacking = [value for value in field.values if value not in there]
            if lacking:
                yield say(
                    "values",
                    f"offers no value {_listed(lacking)}, which the policy names for '{field.label}'",
                    "add it to the property's options in HubSpot, or correct `values` in the policy",
                )

    def of_ours(self, name: str) -> Iterator[MappingFinding]:
        """Yield what is wrong with a property that Baton writes; a missing one is for setup."""
        found = self.live[FieldObject.CONTACT].get(name)
        say = self._finding(FieldObject.CONTACT, name)
        if found is None:
            if name in self.archived.get(FieldObject.CONTACT, {}):
                mend = f"restore it ({_ARCHIVED_AT})"
                yield say("archived", "is archived, and Baton writes it", mend)
            else:
                yield say("gone", "is missing, and Baton writes it", "run 'baton setup hubspot'")
        elif found.read_only:
            yield say(
                "read_only",
                "is read-only, and Baton writes it",
                "name another property under write_back in the policy, then run "
                "'baton setup hubspot'",
            )

    def _absent(self, kind: FieldObject, name: str, reads: str, mend: str) -> MappingFinding:
        say = self._finding(kind, name)
        if name in self.archived.get(kind, {}):
            return say(
                "archived", f"is archived, and {reads}", f"restore it ({_ARCHIVED_AT}), {mend}"
            )
        return say("gone", f"does not exist, and {reads}", f"create it in HubSpot, {mend}")

    def _finding(self, kind: FieldObject, name: str) -> Callable[[str, str, str], MappingFinding]:
        def say(code: str, trouble: str, mend: str) -> MappingFinding:
            return MappingFinding(self.conn_id, f"{kind.value} property", name, code, trouble, mend)

        return say


def check_salesforce_fields(gateway: SalesforceGateway, policy: Policy) -> list[MappingFinding]:
    """Return the Lead fields that the policy names and that cannot be filled in.

    Raises GatewayError: the object could not be described.
    """
    fields = gateway.describe("Lead").fields
    conn_id = gateway.connection.conn_id
    return [
        MappingFinding(conn_id, "Lead field", one.salesforce, code, trouble, mend)
        for one in policy.fields.values()
        if one.salesforce
        for code, trouble, mend in _troubles(one, fields.get(one.salesforce))
    ]


_GRANT = "give it edit access (field-level security) in the integration user's permission set"


def _troubles(field: Field, found: FieldDescription | None) -> Iterator[tuple[str, str, str]]:
    named = f"the policy names it for '{field.label}'"
    correct = "or correct the field in the policy"
    if found is None:
        trouble = f"is missing, or hidden from the integration user, and {named}"
        yield "hidden", trouble, f"create it and {_GRANT}, {correct}"
    elif not found.createable:
        trouble = f"cannot be written by the integration user, and {named}"
        yield "read_only", trouble, f"{_GRANT}, {correct}"


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(f"'{one}'" for one in values[:5])
    return shown if len(values) <= 5 else f"{shown} and {len(values) - 5} more"


def watch_hubspot_fields(ctx: Context, policy: Policy) -> None:
    """Before a pull: check the properties when it was not done within the hour.

    What is wrong is logged as an error and recorded for the pages; leads go on, because the rest of
    what they say is worth more than their waiting. What is required of a lead and is gone puts
    leads into quarantine, as the policy says.
    """
    _watch(ctx, HUBSPOT_CHECK, lambda: check_hubspot_fields(ctx.hubspot, policy))


def watch_salesforce_fields(ctx: Context, policy: Policy) -> None:
    """As `watch_hubspot_fields`, for the fields of Salesforce Leads."""
    _watch(ctx, SALESFORCE_CHECK, lambda: check_salesforce_fields(ctx.salesforce, policy))


def _watch(ctx: Context, name: str, check: Callable[[], Iterable[MappingFinding]]) -> None:
    now = ctx.clock.now()
    if ctx.replays:
        return
    with transaction(ctx.engine) as conn:
        last = checks.last(conn, name)
    if last is not None and now - last.at < CHECK_EVERY:
        return
    try:
        found = list(check())
    except GatewayError as error:
        # The chain says itself what a connection refuses; this check is beside it.
        logger.warning("the fields could not be checked: %s", error)
        return
    for one in found:
        logger.error("fields: %s", one)
    with transaction(ctx.engine) as conn:
        checks.record(conn, name, at=now, ok=not found, findings={one.key: 1 for one in found})
