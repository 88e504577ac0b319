"""Facts that Baton works out from others, offline, with the source of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from baton.leads.contact_points import country_of_phone, registrable_domain
from baton.leads.model import LeadSnapshot
from baton.policy.facts import Facts, FactValue, known
from baton.policy.models import Policy
from baton.policy.references import NamedAccount

Found = Iterator[tuple[str, FactValue, str]]


@dataclass(frozen=True, slots=True)
class Enriched:
    """All facts, and for each derived one by what it was worked out."""

    facts: Facts
    provenance: Mapping[str, str]


def enrich(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Enriched:
    """Add the derived facts that the policy declares. What stands in `facts` is never overwritten."""
    held: dict[str, FactValue] = dict(facts)
    provenance: dict[str, str] = {}
    for step in (_form, _mail, _company_domain, _country, _territory, _named_account, _segment):
        for label, value, source in step(held, snapshot, policy):
            if label in policy.fields and known(value) and not known(held.get(label)):
                held[label] = value
                provenance[label] = source
    return Enriched(held, provenance)


def _text(facts: Facts, label: str) -> str | None:
    value = facts.get(label)
    return value if isinstance(value, str) and value else None


def _form(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    """HubSpot names a conversion "page: form" or "form"."""
    conversion = _text(facts, "Last conversion")
    if conversion:
        yield "Form", conversion.rsplit(": ", 1)[-1].strip(), "Last conversion"


def _mail(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    address = _text(facts, "E-mail")
    if address is None:
        return
    mailbox, _, host = address.rpartition("@")
    yield "E-mail domain", host, "E-mail"
    domains = {host, registrable_domain(host) or host}
    yield "Free mail", not domains.isdisjoint(policy.mail.free), "E-mail"
    yield "Disposable address", not domains.isdisjoint(policy.mail.disposable), "E-mail"
    yield "Role address", mailbox.split("+")[0] in policy.mail.roles, "E-mail"


def _company_domain(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    website = _text(facts, "Website")
    if website:
        yield "Company domain", registrable_domain(website), "Website"
    host = _text(facts, "E-mail domain")
    if host and not facts.get("Free mail") and not facts.get("Disposable address"):
        yield "Company domain", registrable_domain(host), "E-mail"


def _country(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    phone = _text(facts, "Phone")
    if phone:
        yield "Country", country_of_phone(phone), "Phone"


def _territory(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    country = _text(facts, "Country")
    if country:
        yield "Territory", policy.territories.get(country), "Country"


def _named_account(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    domains = {_text(facts, "Company domain"), _text(facts, "E-mail domain")}
    account = next((named for named in policy.named_accounts if named.domain in domains), None)
    yield "Named account", account is not None, "Company domain"
    if isinstance(account, NamedAccount):
        yield "Named account owner", account.owner, "Company domain"


def _segment(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    for segment in policy.segments:
        if segment.when.evaluate(facts, snapshot.captured_at):
            yield "Segment", segment.name, "policy"
            return
