"""Fields: one label for one thing, mapped once to HubSpot's and Salesforce's names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import field_validator, model_validator

from baton.policy.actions import PolicyModel
from baton.policy.patterns import check_pattern

_HUBSPOT_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_SALESFORCE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}")


class FieldType(StrEnum):
    """How a field's text is read."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    LIST = "list"
    EMAIL = "email"
    PHONE = "phone"
    COUNTRY = "country"
    URL = "url"


class FieldObject(StrEnum):
    """Which HubSpot object holds the property."""

    CONTACT = "contact"
    COMPANY = "company"


COMPANY_FACTS = frozenset(
    {
        "Account ambiguous",
        "Account known",
        "Account type",
        "Company domain",
        "Existing customer",
        "Lost opportunity",
        "Named account",
        "Named account owner",
        "Open opportunity",
        "Segment",
        "Territory",
    }
)
"""The derived facts that say something of the company and nothing of the person."""

OUTCOME_FACTS = frozenset({"Score", "Band", "Trigger", "Recipient"})
"""The facts that the decision itself finds out: routes may read them, nobody can require them."""

DERIVED_FACTS = (
    COMPANY_FACTS
    | OUTCOME_FACTS
    | {
        "Contact known",
        "Deal size",
        "Disposable address",
        "E-mail domain",
        "Form",
        "Free mail",
        "Lead known",
        "Meeting booked",
        "Product line",
        "Role address",
    }
)
"""Every fact that Baton works out, where the policy declares the field as derived."""


class Field(PolicyModel):
    """A fact about a lead, by the label that people use.

    `hubspot` is the property that holds it, on `object`; without one it is `derived`: worked out
    by Baton. `values` gives HubSpot's inner values their readable names ({under_10k: Under 10k}).
    `known` lists the values that occur, where they are free texts that somebody else defines (the
    names of forms): a condition that asks for another one is pointed out.
    `at_least` and `at_most` bound believable numbers; `matches` is a pattern for texts.
    `else_from`: the label whose value helps out when this field has none.
    `future`: a date that may lie ahead; otherwise a later date than the reading is nonsense.
    `personal`: names or reaches a person, so it stays out of logs and of every stored input.
    `about_company`: says something of the company and nothing of the person. Where it is not
    written, it is so for what stands on the company and for the derived facts of the company.
    """

    label: str
    type: FieldType = FieldType.TEXT
    hubspot: str | None = None
    object: FieldObject = FieldObject.CONTACT
    salesforce: str | None = None
    personal: bool = False
    about_company: bool = False
    derived: bool = False
    values: Mapping[str, str] = {}
    known: tuple[str, ...] = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    matches: str | None = None
    else_from: str | None = None
    future: bool = False
    about: str = ""

    @field_validator("hubspot")
    @classmethod
    def _hubspot_name(cls, name: str | None) -> str | None:
        if name is not None and not _HUBSPOT_NAME.fullmatch(name):
            raise ValueError(
                f"'{name}' cannot be a HubSpot property: its inner name has only a-z, 0-9 and _"
            )
        return name

    @field_validator("salesforce")
    @classmethod
    def _salesforce_name(cls, name: str | None) -> str | None:
        if name is not None and not _SALESFORCE_NAME.fullmatch(name):
            raise ValueError(f"'{name}' cannot be a Salesforce field: write its API name")
        return name

    @field_validator("matches")
    @classmethod
    def _pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            check_pattern(pattern)
        return pattern

    @model_validator(mode="before")
    @classmethod
    def _company_fact(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or "about_company" in value:
            return value
        on_company = value.get("object") == FieldObject.COMPANY
        return {**value, "about_company": on_company or value.get("label") in COMPANY_FACTS}

    @model_validator(mode="after")
    def _has_a_source(self) -> Field:
        if self.hubspot is None and not self.derived:
            raise ValueError(
                "nothing provides it: name its HubSpot property (hubspot: ...) or say derived: true"
            )
        if self.hubspot is not None and self.derived:
            raise ValueError("it is either read from HubSpot or derived, not both")
        return self


@dataclass(frozen=True, slots=True)
class FieldReading:
    """A field, and the HubSpot properties that may hold it, first choice first."""

    field: Field
    places: tuple[tuple[FieldObject, str], ...]
