"""Signs that two contacts are one person. They are linked and listed; merging is for people to do.

A mailbox is the same with and without a plus part, in any case, and with or without the dots that
Gmail ignores. The same telephone number is a sign only together with the same last name: offices
share numbers. Addresses of a role (info@) are no person's, so they are no sign.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from baton.leads.company_names import folded
from baton.leads.contact_points import ascii_host
from baton.policy.facts import Facts

GOOGLE = frozenset({"gmail.com", "googlemail.com"})
LIKELY = 80
"""From this confidence on the second contact goes to the owner of the first."""


class Sign(StrEnum):
    """What two contacts share."""

    MAILBOX = "mailbox"
    PHONE_AND_NAME = "phone_and_name"
    SALESFORCE_RECORD = "salesforce_record"

    @property
    def words(self) -> str:
        """Return what is shared, in words."""
        return {
            "mailbox": "the same mailbox",
            "phone_and_name": "the same phone number and last name",
            "salesforce_record": "the same record in Salesforce",
        }[self.value]


CONFIDENCE = {Sign.MAILBOX: 95, Sign.PHONE_AND_NAME: 80, Sign.SALESFORCE_RECORD: 90}


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another contact that may be the same person, as the decision needs it. No personal data.

    `lead_key` is its HubSpot id, `owner` who has or last had it, `handoff` its open handoff's key.
    """

    lead_key: str
    reason: str
    confidence: int
    owner: str | None = None
    handoff: str | None = None

    def words(self) -> str:
        """Return it in words, for the rep."""
        also = f", open as {self.handoff}" if self.handoff else ""
        return f"{Sign(self.reason).words} as HubSpot contact {self.lead_key}{also}"


def identity_keys(facts: Facts) -> tuple[str, ...]:
    """Return the signs by which a person is recognised, as texts that are equal when they agree.

    They are personal data: they stand in the person table and nowhere else.
    """
    found = []
    address, role = facts.get("E-mail"), facts.get("Role address")
    if isinstance(address, str) and address and role is not True:
        found.append(f"{Sign.MAILBOX}:{mailbox_of(address)}")
    phone, name = facts.get("Phone"), facts.get("Last name")
    if isinstance(phone, str) and isinstance(name, str) and phone:
        plain = "".join(sign for sign in folded(name) if sign.isalnum())
        if len(plain) > 1:
            found.append(f"{Sign.PHONE_AND_NAME}:{phone}:{plain[:80]}")
    return tuple(found)


def mailbox_of(address: str) -> str:
    """Return the mailbox that an address reaches: no plus part, lower case, Gmail's dots dropped."""
    mailbox, _, host = address.strip().lower().rpartition("@")
    host = ascii_host(host)
    # A plus sign at the very beginning is no plus part.
    plain = mailbox[0:1] + mailbox[1:].partition("+")[0]
    if host in GOOGLE:
        plain, host = plain.replace(".", ""), "gmail.com"
    return f"{plain}@{host}"


def best_duplicate(duplicates: Iterable[Duplicate]) -> Duplicate | None:
    """Return the duplicate whose owner should have this lead too, or None.

    An open handoff comes first, then the surest sign; a weak sign moves nobody's lead.
    """
    likely = [one for one in duplicates if one.owner and one.confidence >= LIKELY]
    return max(
        likely,
        key=lambda one: (one.handoff is not None, one.confidence, one.lead_key),
        default=None,
    )
