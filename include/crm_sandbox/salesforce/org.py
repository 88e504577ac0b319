"""A Salesforce org in memory: its records and the rules under which they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from crm_sandbox.clock import SandboxClock
from crm_sandbox.salesforce.errors import OrgFault, bad_reference, is_deleted
from crm_sandbox.salesforce.history import record_history
from crm_sandbox.salesforce.ids import make_id, normalise_id
from crm_sandbox.salesforce.intake import accept
from crm_sandbox.salesforce.metadata import Metadata, default_metadata_dir, read_metadata
from crm_sandbox.salesforce.organisation import AUTOMATED_PROCESS, standing_rows
from crm_sandbox.salesforce.own_rules import PLAIN_SAVE, OwnRules, SaveOptions
from crm_sandbox.salesforce.quota import ApiQuota
from crm_sandbox.salesforce.rules import (
    check_references,
    check_required,
    check_unique,
    complete,
    note_activity,
)
from crm_sandbox.salesforce.schema import Field, PicklistValue, Schema, SObject
from crm_sandbox.salesforce.sessions import ConnectedApp, Sessions
from crm_sandbox.salesforce.stamps import set_audit_fields, settable_on_create, stamp
from crm_sandbox.salesforce.standard_objects import standard_schema
from crm_sandbox.salesforce.store import Store
from crm_sandbox.salesforce.table import Row, index_key
from crm_sandbox.salesforce.values import to_second

INTEGRATION_USERNAME = "integration@relay.test"
__all__ = ["INTEGRATION_USERNAME", "Org"]

_RULE_QUEUE = ("Assignment rule catch-all", "Assignment_Rule_Catch_All")


class Org:
    """The data and its rules.

    Rows that methods return are never changed afterwards and must not be changed by the caller.
    Every method that changes data takes `by`, the acting user's id (default: the integration
    user), and `at` (default: the clock's now), and raises OrgFault when Salesforce would refuse.
    """

    integration_sets_audit_fields = True
    """Whether the integration user may give CreatedDate and the like when creating records."""

    def __init__(
        self,
        clock: SandboxClock,
        *,
        metadata_dir: Path | None = None,
        seed: int = 0,
        org_id: str | None = None,
    ) -> None:
        """An org with its standard users and what `metadata_dir` deploys.

        Without a folder the `salesforce` folder beside the package is used, if there is one.
        `seed` makes consumer secret and tokens. Raises MetadataError for a file it cannot read.
        """
        self.clock = clock
        self._recorded_now = False
        folder = metadata_dir or default_metadata_dir()
        self.metadata = read_metadata(folder) if folder else Metadata()
        self.schema: Schema = self.metadata.apply(standard_schema())
        self.store = Store(self.schema)
        self.org_id = org_id or make_id("00D", 1)
        self.assignment_rule_active = True
        self.own_rules = OwnRules()
        self.system_user_id = self._first_user()
        self.integration_user_id = self.add_user("Lead Integration", INTEGRATION_USERNAME)
        self.assignment_queue_id = self.add_queue(*_RULE_QUEUE)
        for queue in self.metadata.queues:
            self._deploy_queue(queue.name, queue.developer_name, queue.sobjects)
        for name, values in standing_rows(self.org_id, self.lead_statuses):
            self.save_system_row(name, values)
        self.quota = ApiQuota(clock)
        self.app = ConnectedApp.made_from(seed, INTEGRATION_USERNAME)
        self.sessions = Sessions(self.org_id, seed=seed)

    # -- reading ------------------------------------------------------------------------------

    def get(self, sobject: str, record_id: str, *, include_deleted: bool = False) -> Row | None:
        """The record of an id of 15 or 18 characters; None when absent or deleted."""
        full = normalise_id(record_id)
        row = self.store.table(self.store.sobject(sobject).name).get(full) if full else None
        if row is None or (row.get("IsDeleted") and not include_deleted):
            return None
        return row

    def rows(self, sobject: str, *, include_deleted: bool = False) -> Iterator[Row]:
        """The records of an object, oldest first; records may change while this runs."""
        for row in self.store.table(self.store.sobject(sobject).name).rows():
            if include_deleted or not row.get("IsDeleted"):
                yield row

    def find(self, sobject: str, **equals: Any) -> Row | None:
        """The oldest record with all these values (text compares without case), or None."""
        return next(self.find_all(sobject, **equals), None)

    def find_all(self, sobject: str, **equals: Any) -> Iterator[Row]:
        """Every record with all these values; fast when one of the fields is indexed."""
        kind = self.store.sobject(sobject)
        table = self.store.table(kind.name)
        names = sorted(equals, key=lambda name: not table.is_indexed(name))
        first, rest = names[0], names[1:]
        for row in self.store.equal(kind, first, equals[first]):
            if all(_same(kind.fields[name], row[name], equals[name]) for name in rest):
                yield row

    # -- writing ------------------------------------------------------------------------------

    def insert(
        self,
        sobject: str,
        fields: Mapping[str, Any],
        *,
        by: str | None = None,
        at: datetime | None = None,
        options: SaveOptions = PLAIN_SAVE,
    ) -> str:
        """Create a record and return its id.

        The integration user may give audit fields (CreatedDate …) if it has that permission.
        """
        kind = self.store.sobject(sobject)
        if not kind.createable:
            raise _unsupported(kind, "create")
        when, who = self.moment(at), by or self.integration_user_id
        values = accept(self.store, kind, fields, creating=True, besides=self._audited(kind, who))
        row = {**self.store.blank(kind), **values}
        if "OwnerId" in row and row["OwnerId"] is None:
            row["OwnerId"] = values["OwnerId"] = who
        self._apply_assignment_rule(kind, row, values, options)
        self._stamp(row, who, when, created=True)
        set_audit_fields(kind, row, values)
        complete(self.store, kind, row, None, when)
        check_required(kind, row)
        check_references(self.store, kind, values)
        check_unique(self.store, kind, row, "")
        self.own_rules.check(self.store, kind, row, None, options)
        row["Id"] = record_id = self.store.table(kind.name).next_id()
        self._save(kind, None, row, by=who, at=when)
        return record_id

    def update(
        self,
        sobject: str,
        record_id: str,
        fields: Mapping[str, Any],
        *,
        by: str | None = None,
        at: datetime | None = None,
        options: SaveOptions = PLAIN_SAVE,
    ) -> None:
        """Change some fields of a record; a value of None empties the field."""
        kind = self.store.sobject(sobject)
        if not kind.updateable:
            raise _unsupported(kind, "update")
        before = self.require(kind, record_id)
        if before.get("IsConverted") and kind.name == "Lead":
            raise OrgFault("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        when, who = self.moment(at), by or self.integration_user_id
        values = accept(self.store, kind, fields, creating=False)
        row = {**before, **values}
        self._apply_assignment_rule(kind, row, values, options)
        self._stamp(row, who, when, created=False)
        complete(self.store, kind, row, before, when)
        check_required(kind, row)
        changed = {name: row[name] for name in values if row[name] != before[name]}
        check_references(self.store, kind, changed)
        check_unique(self.store, kind, row, before["Id"])
        self.own_rules.check(self.store, kind, row, before, options)
        self._save(kind, before, row, by=who, at=when)

    def upsert(
        self,
        sobject: str,
        key_field: str,
        key_value: Any,
        fields: Mapping[str, Any],
        *,
        by: str | None = None,
        at: datetime | None = None,
        options: SaveOptions = PLAIN_SAVE,
    ) -> tuple[str, bool]:
        """Update the one record with that key, or create it; returns its id and whether created.

        Raises OrgFault DUPLICATE_EXTERNAL_ID (status 300, `records`) when several have the key.
        """
        kind = self.store.sobject(sobject)
        matches = self.matches(sobject, key_field, key_value)
        if len(matches) > 1:
            raise OrgFault(
                "DUPLICATE_EXTERNAL_ID",
                f"{key_field}: more than one record found for external id field: {matches}",
                [key_field],
                http_status=300,
                records=[f"{kind.name}/{one}" for one in matches],
            )
        if matches:
            self.update(sobject, matches[0], fields, by=by, at=at, options=options)
            return matches[0], False
        key = kind.field(key_field)
        values = {**fields, (key.name if key else key_field): key_value}
        return self.insert(sobject, values, by=by, at=at, options=options), True

    def delete(self, sobject: str, record_id: str, *, at: datetime | None = None) -> None:
        """Move a record to the recycle bin."""
        kind = self.store.sobject(sobject)
        if not kind.deletable:
            raise _unsupported(kind, "delete")
        before = self.require(kind, record_id)
        if "IsDeleted" not in before:
            self.store.put(kind.name, before["Id"], None)
            return
        row = {**before, "IsDeleted": True}
        self._stamp(row, self.integration_user_id, self.moment(at), created=False)
        self.store.put(kind.name, row["Id"], row)

    def matches(self, sobject: str, key_field: str, key_value: Any) -> list[str]:
        """Ids of the live records with that key. Raises OrgFault when the field is no key."""
        kind = self.store.sobject(sobject)
        field = kind.field(key_field)
        if field is None or not field.is_key:
            raise no_key(key_field)
        value = normalise_id(str(key_value)) if field.name == "Id" else key_value
        return [row["Id"] for row in self.store.equal(kind, field.name, value)]

    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside are undone when an exception leaves the block. May be nested."""
        return self.store.transaction()

    @contextmanager
    def recorded_now(self) -> Iterator[None]:
        """What is done inside with an earlier `at` is stored now: so says its SystemModstamp.

        Outside, a change carries `at` in every field, as if the clock had stood there.
        """
        before, self._recorded_now = self._recorded_now, True
        try:
            yield
        finally:
            self._recorded_now = before

    def written_at(self, at: datetime) -> datetime:
        """When something that happened at `at` is stored."""
        stored = max(at, self.moment(None)) if self._recorded_now else at
        return self.own_rules.stamped_at(stored)

    # -- people -------------------------------------------------------------------------------

    def add_user(
        self,
        name: str,
        email: str,
        *,
        manager_id: str | None = None,
        active: bool = True,
        zone: str = "UTC",
    ) -> str:
        """Create a user whose username is the e-mail address; returns the id."""
        first, _, last = name.rpartition(" ")
        fields = {
            "FirstName": first,
            "LastName": last,
            "Email": email,
            "Username": email,
            "Alias": (first[:1] + last)[:8].lower(),
            "ManagerId": manager_id,
            "IsActive": active,
            "TimeZoneSidKey": zone,
        }
        return self.insert("User", fields, by=self.system_user_id)

    def add_queue(self, name: str, developer_name: str) -> str:
        """The id of the Lead queue of that developer name, created when it is not there."""
        return self._deploy_queue(name, developer_name, ("Lead",))

    def save_system_row(self, sobject: str, values: Mapping[str, Any]) -> str:
        """Store a row that no user could write (an organisation, a status), unchecked."""
        kind = self.store.sobject(sobject)
        record_id = str(values.get("Id") or self.store.table(kind.name).next_id())
        row = {**self.store.blank(kind), **values, "Id": record_id}
        self._stamp(row, self.system_user_id, self.moment(None), created=True)
        self.store.put(kind.name, record_id, row)
        return record_id

    # -- inside -------------------------------------------------------------------------------

    def moment(self, at: datetime | None) -> datetime:
        """Return `at`, or else now, as the org keeps moments: to the second."""
        return to_second(at or self.clock.now())

    def require(self, kind: SObject, record_id: str) -> Row:
        """Return a record that is there. Raises OrgFault: no such id, or in the recycle bin."""
        full = normalise_id(record_id)
        if full is None or self.schema.by_id(full) is not kind:
            raise OrgFault("MALFORMED_ID", f"bad id {record_id}", ["Id"])
        row = self.store.table(kind.name).get(full)
        if row is None:
            raise bad_reference()
        if row.get("IsDeleted"):
            raise is_deleted()
        return row

    def _apply_assignment_rule(
        self, kind: SObject, row: Row, values: dict[str, Any], options: SaveOptions
    ) -> None:
        if options.auto_assign and self.assignment_rule_active and kind.name == "Lead":
            row["OwnerId"] = values["OwnerId"] = self.assignment_queue_id

    def _audited(self, kind: SObject, who: str) -> frozenset[str]:
        fields = settable_on_create(kind)
        # The integration user is itself a record, made before there is an integration user.
        permitted = fields and self.integration_sets_audit_fields
        return fields if permitted and who == self.integration_user_id else frozenset()

    def _stamp(self, row: Row, by: str, at: datetime, *, created: bool) -> None:
        stamp(row, by=by, at=at, written=self.written_at(at), created=created)

    def _save(self, kind: SObject, before: Row | None, row: Row, *, by: str, at: datetime) -> None:
        self.store.put(kind.name, row["Id"], row)
        record_history(self.store, kind, before, row, by=by, at=at)
        note_activity(self.store, kind, row)

    def _first_user(self) -> str:
        user_id = self.store.table("User").next_id()
        self.system_user_id = user_id
        return self.save_system_row("User", {**AUTOMATED_PROCESS, "Id": user_id})

    def _deploy_queue(self, name: str, developer_name: str, sobjects: tuple[str, ...]) -> str:
        found = self.find("Group", DeveloperName=developer_name, Type="Queue") or self.find(
            "Group", Name=name, Type="Queue"
        )
        if found is not None:
            return str(found["Id"])
        fields = {"Name": name, "DeveloperName": developer_name, "Type": "Queue"}
        queue_id = self.insert("Group", fields, by=self.system_user_id)
        for sobject in sobjects:
            link = {"QueueId": queue_id, "SobjectType": sobject}
            self.insert("QueueSobject", link, by=self.system_user_id)
        return queue_id

    @property
    def consumer_key(self) -> str:
        """Key of the connected app."""
        return self.app.consumer_key

    @property
    def consumer_secret(self) -> str:
        """Secret of the connected app."""
        return self.app.consumer_secret

    @property
    def username(self) -> str:
        """Username of the integration user, for the flows that ask for one."""
        return self.app.username

    @property
    def lead_statuses(self) -> tuple[PicklistValue, ...]:
        """The values of Lead.Status, in order."""
        return self.store.sobject("Lead").fields["Status"].values


def no_key(name: str) -> OrgFault:
    """A field that records cannot be addressed by."""
    return OrgFault(
        "NOT_FOUND",
        f"Provided external ID field does not exist or is not accessible: {name}",
        http_status=404,
    )


def _same(field: Field, held: Any, wanted: Any) -> bool:
    return bool(index_key(field, held) == index_key(field, wanted))


def _unsupported(kind: SObject, verb: str) -> OrgFault:
    return OrgFault(
        "INVALID_TYPE_FOR_OPERATION",
        f"entity type {kind.name} does not support {verb}",
        http_status=405 if verb == "delete" else 400,
    )
