"""Fields of the CRMs that do not serve as the policy maps them: which, how, and the mend.

Two sources. What the hourly look at the definitions found (a property that is gone), and what came
up when a lead was written and went through all the same (a text that was cut, a word that a picklist
does not have). The latter is dropped when a later description of the field shows it mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from baton.crm.salesforce import FieldDescription
from baton.ledger.effects import crm_objects
from baton.ledger.effects.crm_objects import FindingRow, Standing, StoredObject
from baton.ledger.proofs import checks
from baton.pipeline.intake.field_mapping import HUBSPOT_CHECK, SALESFORCE_CHECK
from baton.pipeline.today.morning_words import many

LOOK_BACK: Final = timedelta(days=7)
"""What did not come up again within a week is taken for mended."""
HUBSPOT, SALESFORCE = "HubSpot", "Salesforce"
_CHECKS: Final = {HUBSPOT: HUBSPOT_CHECK, SALESFORCE: SALESFORCE_CHECK}
_UNTIL: Final = "told until 'baton doctor' sees it mended, or a week after it last came up"
_GRANT: Final = (
    "give the integration user's permission set edit access to it (field-level security)"
)
_DEFINED: Final[Mapping[str, tuple[str, str]]] = {
    "gone": ("is gone", "create it again, or correct the field in the policy"),
    "archived": ("is archived", "restore it (HubSpot > Settings > Properties > Archived)"),
    "type": ("has another type than the policy says", "correct the field's type in the policy"),
    "values": (
        "lacks values that the policy names",
        "add them to its options, or correct `values` in the policy",
    ),
    "read_only": (
        "cannot be written",
        f"{_GRANT}; in HubSpot name another property in the policy",
    ),
    "hidden": ("is missing, or hidden from the integration user", f"create it and {_GRANT}"),
}
"""What the look at the definitions calls them: the trouble, and the mend."""


@dataclass(frozen=True, slots=True)
class FieldTrouble:
    """A field that does not serve. `leads`: how often leads went through without it, if they did.

    `stands`: as far as known it is so now; else it came up, and may have been mended since.
    """

    connection: str
    field: str
    trouble: str
    mend: str
    leads: int = 0
    stands: bool = True

    @property
    def words(self) -> str:
        """Say field and trouble in one line."""
        return f"{self.field} {self.trouble}"


def field_troubles(conn: Connection, now: datetime) -> list[FieldTrouble]:
    """Return the fields that do not serve, as last seen: HubSpot's before Salesforce's."""
    met = [
        replace(one, stands=False, mend=f"{one.mend}; {_UNTIL}")
        for one in map(_met, _lately(conn, now))
    ]
    return sorted([*_defined(conn), *met], key=lambda one: (one.connection, -one.leads))


def met_objects(conn: Connection, now: datetime) -> frozenset[str]:
    """Return the objects of Salesforce of whose fields something came up in writing."""
    return frozenset(one.sobject for one in _lately(conn, now))


def met_troubles(
    conn: Connection, now: datetime, live: Mapping[str, Mapping[str, FieldDescription]]
) -> list[FieldTrouble]:
    """Return those that came up in writing and were not mended since.

    `live` are the fields of the objects as they are now; what they show as mended is dropped from the
    ledger, and Salesforce is written by the new definition from then on.
    """
    before = crm_objects.stored(conn, live)
    told = {
        name: {field: asdict(one) for field, one in fields.items()} for name, fields in live.items()
    }
    judged = [
        (one, crm_objects.standing(one, before.get(one.sobject), told.get(one.sobject, {})))
        for one in _lately(conn, now)
    ]
    # Else the description stays the one by which was written: it tells what a cut text did not fit.
    for name in sorted({one.sobject for one, how in judged if how is Standing.MENDED}):
        crm_objects.store(conn, StoredObject(name, True, told[name], now))
    return [
        replace(_met(one), stands=how is Standing.STANDS)
        for one, how in judged
        if how is not Standing.MENDED
    ]


def _lately(conn: Connection, now: datetime) -> list[FindingRow]:
    return crm_objects.findings(conn, now - LOOK_BACK)


def _defined(conn: Connection) -> Iterator[FieldTrouble]:
    for connection, name in _CHECKS.items():
        check = checks.last(conn, name)
        for key in check.findings if check else ():
            code, _, field = key.partition(" ")
            trouble, mend = _DEFINED.get(code, (f"does not serve ({code})", ""))
            more = "'baton doctor' tells it in full"
            yield FieldTrouble(connection, field, trouble, f"{mend}; {more}" if mend else more)


def _met(one: FindingRow) -> FieldTrouble:
    since = f" since {one.first_at:%d %B %Y}" if one.count > 1 else ""
    went = f"{many(one.count, 'time', 'times')}{since}, last on {one.last_at:%d %B at %H:%M} UTC"
    trouble, mend = _MET[one.kind]
    detail = f"'{one.detail}'" if one.detail else "what was to be written"
    return FieldTrouble(
        SALESFORCE,
        f"{one.sobject}.{one.field}",
        f"{trouble.format(detail=detail)}: {went}",
        mend,
        one.count,
    )


_MET: Final[Mapping[str, tuple[str, str]]] = {
    "cut": (
        "is too short, and texts were cut",
        "make it longer in Salesforce (Setup > Object Manager), or name another in the policy",
    ),
    "not_a_value": (
        "has no value {detail}, and records went through without it",
        "add the value to the picklist in Salesforce, or correct it in HubSpot",
    ),
    "not_writable": (
        "was refused, and records went through without it",
        f"{_GRANT}, or correct the field in the policy",
    ),
    "ambiguous": (
        "is shared by several records of one person, and the newest was taken",
        "merge them in Salesforce (Lead > Find Duplicates)",
    ),
}
"""What came up in writing: the trouble, and the mend."""
