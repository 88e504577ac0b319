"""Values are made to fit what the org's fields take, before they are sent.

A text that is too long is cut, a word that a picklist does not have is left out: the lead goes
through, and the finding is counted for an admin to see. What an object takes is described once a
day and kept in the ledger, so that it costs no call a lead.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta

from baton.crm.salesforce import FieldDescription
from baton.errors import FatalGatewayError, GatewayError
from baton.ledger.database.engine import transaction
from baton.ledger.effects import crm_objects
from baton.ledger.effects.crm_objects import Finding, StoredObject
from baton.pipeline.context import Context

logger = logging.getLogger(__name__)

GOOD_FOR = timedelta(days=1)
_TEXTS = frozenset({"string", "textarea", "phone", "url"})
_UNSAID = frozenset({"picklist", "multipicklist"})


@dataclass(frozen=True, slots=True)
class Shape:
    """What an object takes, as far as known. `present`: the org has it and shows it to us."""

    name: str
    present: bool
    fields: Mapping[str, FieldDescription]

    def fit(
        self, record: Mapping[str, object], *, lead_id: int
    ) -> tuple[dict[str, object], list[Finding]]:
        """Return the record as the org takes it, with what had to be cut or left out."""
        fitting: dict[str, object] = {}
        findings: list[Finding] = []
        for name, value in record.items():
            field = self.fields.get(name)
            kept = value if field is None else _fitting(field, value)
            if kept == value:
                fitting[name] = value
                continue
            cut = kept is not None
            if cut:
                fitting[name] = kept
            detail = "" if cut else str(value)[:80]
            kind = "cut" if cut else "not_a_value"
            findings.append(Finding(self.name, name, kind, detail, lead_id))
        return fitting, findings


UNKNOWN = Shape("", present=True, fields={})


def _fitting(field: FieldDescription, value: object) -> object:
    if not isinstance(value, str):
        return value
    if field.type in _TEXTS and field.length and len(value) > field.length:
        return value[: field.length]
    if field.type in _UNSAID and field.values and value not in field.values:
        known = {one.casefold(): one for one in field.values}
        found = known.get(value.casefold())
        return found if found is not None or field.restricted else value
    return value


def shapes(ctx: Context, names: Iterable[str]) -> dict[str, Shape]:
    """Return what these objects take; describes those of which the ledger does not know, or no more.

    An org that cannot be asked just now costs nobody their lead: the shape is unknown then.
    """
    wanted = list(names)
    with ctx.engine.connect() as conn:
        known = crm_objects.stored(conn, wanted)
    now = ctx.clock.now()
    for name in wanted:
        one = known.get(name)
        if one is None or abs(now - one.described_at) > GOOD_FOR:
            fresh = _described(ctx, name)
            if fresh is not None:
                known[name] = fresh
    return {name: _shape(known[name]) if name in known else UNKNOWN for name in wanted}


def forget(ctx: Context, names: Iterable[str]) -> None:
    """Describe these objects anew when they are next needed: a refusal said that they changed."""
    with transaction(ctx.engine) as conn:
        crm_objects.forget(conn, names)


def note(ctx: Context, findings: Iterable[Finding]) -> None:
    """Count findings, and say them in the log without any value of a lead."""
    made = list(findings)
    if not made:
        return
    with transaction(ctx.engine) as conn:
        crm_objects.find(conn, made, at=ctx.clock.now())
    for one in sorted({(one.sobject, one.field, one.kind) for one in made}):
        logger.warning("%s.%s: %s; the record went through without it", *one)


def _described(ctx: Context, name: str) -> StoredObject | None:
    try:
        fields = ctx.salesforce.describe(name).fields
    except FatalGatewayError as error:
        if error.status != 404:
            raise
        made = StoredObject(name, present=False, fields={}, described_at=ctx.clock.now())
    except GatewayError as error:
        logger.warning("%s could not be described: %s", name, error)
        return None
    else:
        told = {field: asdict(one) for field, one in fields.items()}
        made = StoredObject(name, present=True, fields=told, described_at=ctx.clock.now())
    with transaction(ctx.engine) as conn:
        crm_objects.store(conn, made)
    return made


def _shape(one: StoredObject) -> Shape:
    fields = {
        name: FieldDescription(**{**told, "values": tuple(told.get("values") or ())})
        for name, told in one.fields.items()
    }
    return Shape(one.name, one.present, fields)
