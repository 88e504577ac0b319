"""Preparing the two CRM systems: what HubSpot needs is created, what Salesforce lacks is listed.

Idempotent: a second run finds everything there and changes nothing. Nothing that exists is ever
changed; where it differs from what is needed, that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from baton.crm.hubspot import HubSpotGateway, PropertyDefinition
from baton.crm.salesforce import FieldDescription, SalesforceGateway
from baton.crm.salesforce.deployable import deployed_fields
from baton.errors import FatalGatewayError
from baton.policy.actions import Action
from baton.policy.models import Policy
from baton.policy.terms_models import Outcome

_KINDS: Mapping[str, tuple[str, str, str]] = {
    "state": ("Handoff state", "string", "text"),
    "band": ("Score band", "string", "text"),
    "score": ("Score", "number", "number"),
    "reasons": ("Score reasons", "string", "textarea"),
    "owner": ("Handed to", "string", "text"),
    "handoff": ("Handoff", "string", "text"),
    "decided_at": ("Decided at", "datetime", "date"),
    "return_date": ("Returns on", "date", "date"),
    "disposition": ("Outcome from sales", "string", "text"),
    "cold_since": ("Cold since", "date", "date"),
}
"""What Baton writes back: label, type and field type of the HubSpot property."""


@dataclass(frozen=True, slots=True)
class HubSpotPlan:
    """What must be in HubSpot. `reads` are properties that somebody else must have defined."""

    group: str
    group_label: str
    properties: tuple[PropertyDefinition, ...]
    lists: tuple[str, ...]
    reads: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class SetupReport:
    """What was created (or would be, in a dry run), was there, differs, or is missing."""

    created: tuple[str, ...]
    present: tuple[str, ...]
    differing: tuple[str, ...]
    missing: tuple[str, ...]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class RequiredField:
    """A Salesforce field that Baton needs; `values` must be among a picklist's."""

    sobject: str
    name: str
    type: str
    unique: bool = False
    values: tuple[str, ...] = ()
    writes: bool = True


@dataclass(frozen=True, slots=True)
class MissingField:
    """A Salesforce field that does not serve: what the trouble is and how to mend it."""

    sobject: str
    field: str
    trouble: str
    mend: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.sobject}.{self.field}: {self.trouble}; {self.mend}"


HANDOFF_OBJECT = "Handoff__c"
"""Optional: sales can report on cycles where the org has it."""
_ONLY_READ = frozenset(
    {
        ("Lead", "Data_Correct__c"), ("Lead", "Timing_Right__c"), ("Task", "Disposition__c"),
        ("Task", "Disposition_Reason__c"), ("Task", "Return_Date__c"),
    }
)  # fmt: skip
_REASONS = "Disposition_Reason__c"


def salesforce_fields() -> tuple[RequiredField, ...]:
    """Return what ``include/salesforce`` deploys, as describe shows it to the integration user."""
    return tuple(
        RequiredField(
            one.sobject,
            one.name,
            one.type,
            unique=one.unique,
            # Which reasons there are, the policy says.
            values=() if one.name == _REASONS else one.values,
            writes=(one.sobject, one.name) not in _ONLY_READ,
        )
        for one in deployed_fields()
    )


_DEPLOY = "deploy include/salesforce and assign its permission set to the integration user"


def hubspot_plan(policy: Policy, *, more_lists: Sequence[str] = ()) -> HubSpotPlan:
    """Return what a policy needs in HubSpot: its write-back properties, its lists, its fields."""
    write_back = policy.write_back
    group = write_back.group.strip().lower().replace(" ", "_")
    properties = tuple(_property(what, name, group) for what, name in write_back.properties.items())
    properties += tuple(_filled_by_hubspot(policy, group))
    actions: list[Action | None] = []
    for one in policy.dispositions.values():
        actions += (one.action, one.then_after_cap)
    lists = dict.fromkeys(action.list for action in actions if action is not None and action.list)
    reads: dict[str, dict[str, None]] = {}
    for field in policy.fields.values():
        if field.hubspot:
            object_type = "companies" if field.object == "company" else "contacts"
            reads.setdefault(object_type, {})[field.hubspot] = None
    return HubSpotPlan(
        group=group,
        group_label=write_back.group,
        properties=properties,
        lists=tuple(dict.fromkeys((*lists, *more_lists))),
        reads={object_type: tuple(names) for object_type, names in reads.items()},
    )


def setup_hubspot(
    gateway: HubSpotGateway, plan: HubSpotPlan, *, dry_run: bool = False
) -> SetupReport:
    """Create the property group, properties and lists that are not there yet.

    Raises the GatewayErrors of the gateway, a missing scope as PermissionDeniedError.
    """
    defined = gateway.property_definitions("contacts")
    groups = gateway.property_groups("contacts")
    wanted = [one for one in plan.properties if one.name not in defined]
    lists = {name: gateway.find_list(name) for name in plan.lists}
    created = [] if plan.group in groups else [f"property group {plan.group}"]
    created += [f"property {one.name}" for one in wanted]
    created += [f"list {name}" for name, list_id in lists.items() if list_id is None]
    if not dry_run:
        if plan.group not in groups:
            gateway.create_property_group(plan.group, plan.group_label)
        gateway.create_properties(wanted)
        for name, list_id in lists.items():
            if list_id is None:
                gateway.ensure_list(name)
    # What Baton itself creates is not missing, also where it reads it.
    known = {"contacts": {**defined, **{one.name: one for one in plan.properties}}}
    known |= {kind: gateway.property_definitions(kind) for kind in plan.reads if kind not in known}
    return SetupReport(
        created=tuple(created),
        present=tuple(_present(plan, defined, groups, lists)),
        differing=tuple(_differing(plan.properties, defined)),
        missing=tuple(
            f"{object_type} property {name}"
            for object_type, names in plan.reads.items()
            for name in names
            if name not in known[object_type]
        ),
        dry_run=dry_run,
    )


def required_fields(policy: Policy) -> tuple[RequiredField, ...]:
    """Return `salesforce_fields`, with the policy's reasons as values of the reason picklists."""
    reasons = tuple(
        one.rep_sees
        for one in policy.dispositions.values()
        if one.rep_sees and one.outcome is not Outcome.ACCEPTED  # accepting needs no reason
    )
    return tuple(
        RequiredField(one.sobject, one.name, one.type, values=reasons, writes=one.writes)
        if one.name == _REASONS
        else one
        for one in salesforce_fields()
    )


def check_salesforce(
    gateway: SalesforceGateway, required: Sequence[RequiredField] | None = None
) -> tuple[MissingField, ...]:
    """Return the custom fields that are missing or do not serve; empty when all is well.

    Handoff__c may be missing as a whole: then no such rows are kept.
    """
    needed = salesforce_fields() if required is None else required
    found: list[MissingField] = []
    for sobject in dict.fromkeys(one.sobject for one in needed):
        wanted = [one for one in needed if one.sobject == sobject]
        try:
            fields = gateway.describe(sobject).fields
        except FatalGatewayError as error:
            if error.status != 404:
                raise
            if sobject == HANDOFF_OBJECT:
                continue
            trouble = "the object is not visible to the integration user"
            found.append(MissingField(sobject, "*", trouble, _DEPLOY))
            continue
        found += [
            MissingField(sobject, one.name, trouble, mend)
            for one in wanted
            for trouble, mend in _troubles(one, fields.get(one.name))
        ]
    return tuple(found)


def _troubles(one: RequiredField, field: FieldDescription | None) -> Iterable[tuple[str, str]]:
    if field is None:
        yield "is missing, or hidden from the integration user", _DEPLOY
        return
    if field.type != one.type:
        yield f"has the type {field.type} instead of {one.type}", "correct it in Setup"
    if one.unique and not (field.unique and field.external_id):
        yield "is not a unique external id", "tick External ID and Unique in Setup"
    if one.writes and not (field.createable and field.updateable):
        yield "cannot be edited by the integration user", _DEPLOY
    lacking = [value for value in one.values if value not in field.values]
    if lacking:
        yield f"lacks the values {', '.join(lacking)}", "add them to the picklist"


def _filled_by_hubspot(policy: Policy, group: str) -> Iterable[PropertyDefinition]:
    """Yield the property that HubSpot does not have of itself: who hosts the booked meeting."""
    host = policy.fields.get(policy.meetings.host) if policy.meetings else None
    if host is not None and host.hubspot and host.object == "contact":
        yield PropertyDefinition(
            name=host.hubspot,
            label=host.label,
            type="string",
            field_type="text",
            group=group,
            description="E-mail of the host of the booked meeting. A workflow fills it in.",
        )


def _property(what: str, name: str, group: str) -> PropertyDefinition:
    label, kind, field_type = _KINDS.get(
        what, (what.replace("_", " ").capitalize(), "string", "text")
    )
    return PropertyDefinition(
        name=name,
        label=f"Baton: {label}",
        type=kind,
        field_type=field_type,
        group=group,
        description="Written by Baton. What a person puts here stays until Baton has news.",
    )


def _present(
    plan: HubSpotPlan,
    defined: Mapping[str, PropertyDefinition],
    groups: Mapping[str, str],
    lists: Mapping[str, str | None],
) -> Iterable[str]:
    if plan.group in groups:
        yield f"property group {plan.group}"
    yield from (f"property {one.name}" for one in plan.properties if one.name in defined)
    yield from (f"list {name}" for name, list_id in lists.items() if list_id is not None)


def _differing(
    wanted: Iterable[PropertyDefinition], defined: Mapping[str, PropertyDefinition]
) -> Iterable[str]:
    for one in wanted:
        there = defined.get(one.name)
        if there is not None and there.type != one.type:
            yield f"property {one.name} has the type {there.type} instead of {one.type}"
