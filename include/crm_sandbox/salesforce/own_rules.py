"""Rules that an org's own admin has set: duplicate rules, validation rules, late commits.

A fresh org has none. They are set through the sandbox's admin port, so that a test can show what a
client makes of an org that is stricter, or slower, than the standard one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.schema import Schema, SObject
from crm_sandbox.salesforce.store import Store
from crm_sandbox.salesforce.table import Row


class OwnRuleError(ValueError):
    """A rule that cannot be used; the text says which part and why."""


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """What the headers of a call say about saving.

    `auto_assign`: the assignment rule may set the owner. `allow_duplicates`: a duplicate rule that
    only alerts does not stop the save.
    """

    auto_assign: bool = False
    allow_duplicates: bool = False


PLAIN_SAVE = SaveOptions()
"""Without any header: no assignment rule, duplicates alerted."""


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """Records of `object` that share `field` with one of `among` are duplicates.

    `blocks`: nothing lets them through; otherwise a caller who allows it may save.
    """

    object: str
    field: str
    among: tuple[str, ...]
    blocks: bool = False
    name: str = "Standard_Rule"

    def check(self, store: Store, row: Row, own_id: str, *, allowed: bool) -> None:
        """Raise OrgFault DUPLICATES_DETECTED where another live record has the value."""
        value = row[self.field]
        if value is None or (allowed and not self.blocks):
            return
        found = [
            (name, other)
            for name in self.among
            for other in store.equal(store.sobject(name), self.field, value)
            if other["Id"] != own_id and not other.get("IsConverted")
        ]
        if found:
            raise OrgFault(
                "DUPLICATES_DETECTED",
                "Use one of these records?",
                details={"duplicateResult": self._result(found)},
            )

    def _result(self, found: list[tuple[str, Row]]) -> dict[str, Any]:
        return {
            "allowSave": not self.blocks,
            "duplicateRule": self.name,
            "duplicateRuleEntityType": self.object,
            "errorMessage": "Use one of these records?",
            "matchResults": [
                {
                    "entityType": name,
                    "errors": [],
                    "matchEngine": "ExactMatchEngine",
                    "matchRecords": [
                        {
                            "additionalInformation": [],
                            "fieldDiffs": [],
                            "matchConfidence": 100.0,
                            "record": {"attributes": {"type": name}, "Id": other["Id"]},
                        }
                    ],
                    "rule": f"{self.name}_{self.field}",
                    "size": 1,
                    "success": True,
                }
                for name, other in found
            ],
        }


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A record of `object` is refused, with `message`, unless `field` matches `matches`."""

    object: str
    field: str
    matches: str
    message: str

    def check(self, row: Row) -> None:
        """Raise OrgFault FIELD_CUSTOM_VALIDATION_EXCEPTION."""
        value = row[self.field]
        if not re.search(self.matches, "" if value is None else str(value)):
            raise OrgFault("FIELD_CUSTOM_VALIDATION_EXCEPTION", self.message, [self.field])


@dataclass(frozen=True, slots=True)
class LateCommits:
    """Every `every`-th save is stamped `seconds` before it can be seen, as a long commit is."""

    every: int
    seconds: float


@dataclass(slots=True)
class OwnRules:
    """What this org's admin has set."""

    duplicates: tuple[DuplicateRule, ...] = ()
    validations: tuple[ValidationRule, ...] = ()
    late: LateCommits | None = None
    _saves: int = field(default=0, repr=False)

    def check(
        self, store: Store, kind: SObject, row: Row, before: Row | None, options: SaveOptions
    ) -> None:
        """Raise OrgFault where a rule refuses the record; `before` is None on insert."""
        for rule in self.validations:
            if rule.object == kind.name:
                rule.check(row)
        own_id = before["Id"] if before else ""
        for duplicate in self.duplicates:
            named = duplicate.object == kind.name
            if named and (before is None or before[duplicate.field] != row[duplicate.field]):
                duplicate.check(store, row, own_id, allowed=options.allow_duplicates)

    def stamped_at(self, at: datetime) -> datetime:
        """The stamp of the next save that is stored at `at`."""
        if self.late is None:
            return at
        self._saves += 1
        lags = self._saves % self.late.every == 0
        return at - timedelta(seconds=self.late.seconds) if lags else at

    def to_json(self) -> dict[str, Any]:
        """The rules as `read_own_rules` takes them."""
        late = self.late
        return {
            "duplicates": [
                {
                    "object": one.object,
                    "field": one.field,
                    "among": list(one.among),
                    "blocks": one.blocks,
                    "name": one.name,
                }
                for one in self.duplicates
            ],
            "validations": [
                {
                    "object": one.object,
                    "field": one.field,
                    "matches": one.matches,
                    "message": one.message,
                }
                for one in self.validations
            ],
            "late_commits": {"every": late.every, "seconds": late.seconds} if late else None,
        }


def read_own_rules(raw: Mapping[str, Any], schema: Schema) -> OwnRules:
    """Read rules from JSON. Raises OwnRuleError."""
    _known(raw, "duplicates", "validations", "late_commits")
    late = raw.get("late_commits")
    return OwnRules(
        tuple(_duplicate(one, schema) for one in raw.get("duplicates") or ()),
        tuple(_validation(one, schema) for one in raw.get("validations") or ()),
        _late(late) if late else None,
    )


def _duplicate(raw: Mapping[str, Any], schema: Schema) -> DuplicateRule:
    _known(raw, "object", "field", "among", "blocks", "name")
    name, field_name = _place(raw, schema)
    among = tuple(raw.get("among") or (name,))
    for other in among:
        _place({"object": other, "field": field_name}, schema)
    given = {"name": str(raw["name"])} if raw.get("name") else {}
    return DuplicateRule(name, field_name, among, bool(raw.get("blocks")), **given)


def _validation(raw: Mapping[str, Any], schema: Schema) -> ValidationRule:
    _known(raw, "object", "field", "matches", "message")
    name, field_name = _place(raw, schema)
    pattern = str(raw.get("matches", ""))
    try:
        re.compile(pattern)
    except re.error as error:
        raise OwnRuleError(f"matches is not a regular expression: {error}") from error
    return ValidationRule(name, field_name, pattern, str(raw.get("message") or "Not valid."))


def _late(raw: Mapping[str, Any]) -> LateCommits:
    _known(raw, "every", "seconds")
    every, seconds = int(raw.get("every", 1)), float(raw.get("seconds", 60))
    if every < 1 or seconds < 0:
        raise OwnRuleError("late_commits needs every >= 1 and seconds >= 0")
    return LateCommits(every, seconds)


def _place(raw: Mapping[str, Any], schema: Schema) -> tuple[str, str]:
    kind = schema.get(str(raw.get("object", "")))
    if kind is None:
        raise OwnRuleError(f"there is no object {raw.get('object')!r}")
    found = kind.field(str(raw.get("field", "")))
    if found is None:
        raise OwnRuleError(f"{kind.name} has no field {raw.get('field')!r}")
    return kind.name, found.name


def _known(raw: Mapping[str, Any], *names: str) -> None:
    unknown = sorted(set(raw) - set(names))
    if unknown:
        raise OwnRuleError(f"unknown key {unknown[0]!r}; allowed: {', '.join(names)}")
