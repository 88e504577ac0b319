"""Facts that Baton works out from others: a chain of named enrichers, offline, each fact with its
source, its time and how sure it is.

What HubSpot says stands; among enrichers the earlier one in the chain wins. What outside providers
found is put before the chain (`baton.pipeline.intake.enrichment`), so that it may be worked on too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from baton.leads.contact_points import (
    ascii_host,
    country_of_phone,
    host_forms,
    registrable_domain,
)
from baton.leads.model import LeadSnapshot
from baton.policy.facts import Facts, FactValue, known
from baton.policy.models import Policy
from baton.policy.references import NamedAccount

Found = Iterator[tuple[str, FactValue, str]]
Finds = Callable[[Facts, LeadSnapshot, Policy], Found]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a fact comes from: its source, who worked it out, when, and how sure it is (0 to 100).

    `at` is the instant at which the source said so, as far as anybody knows. `source` is a label,
    a HubSpot property, a provider or the policy; never a value.
    """

    source: str
    enricher: str
    at: datetime
    confidence: int


@dataclass(frozen=True, slots=True)
class Enricher:
    """One step of the chain: its name, how it finds facts, and how sure these are (0 to 100)."""

    name: str
    find: Finds
    confidence: int = 100


@dataclass(frozen=True, slots=True)
class Enriched:
    """All facts, and for each derived one by what it was worked out."""

    facts: Facts
    provenance: Mapping[str, Provenance]


def enrich(
    facts: Facts,
    snapshot: LeadSnapshot,
    policy: Policy,
    chain: tuple[Enricher, ...] | None = None,
) -> Enriched:
    """Add the derived facts that the policy declares. What stands in `facts` is never overwritten."""
    held: dict[str, FactValue] = dict(facts)
    provenance: dict[str, Provenance] = {}
    for step in CHAIN if chain is None else chain:
        for label, value, source in step.find(held, snapshot, policy):
            if label in policy.fields and known(value) and not known(held.get(label)):
                held[label] = value
                provenance[label] = Provenance(
                    source, step.name, snapshot.modified_at, step.confidence
                )
    return Enriched(held, provenance)


def _text(facts: Facts, label: str) -> str | None:
    value = facts.get(label)
    return value if isinstance(value, str) and value else None


def form_of(facts: Facts) -> str:
    """Return the form of the last conversion, which HubSpot names "page: form" or "form"."""
    return (_text(facts, "Last conversion") or "").rsplit(": ", 1)[-1].strip()


def _form(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    yield "Form", form_of(facts) or None, "Last conversion"


def _mail(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    address = _text(facts, "E-mail")
    if address is None:
        return
    mailbox, _, host = address.rpartition("@")
    # In the form in which DNS, HubSpot and the lists of domains hold it.
    host = ascii_host(host)
    yield "E-mail domain", host, "E-mail"
    yield "Free mail", host_listed(host, policy.mail.free), "E-mail"
    yield "Disposable address", host_listed(host, policy.mail.disposable), "E-mail"
    yield "Role address", mailbox.split("+")[0].lower() in policy.mail.roles, "E-mail"


@lru_cache(maxsize=20_000)
def host_listed(host: str, listed: frozenset[str]) -> bool:
    """Tell whether a host, or a domain above it down to the registrable one, is on a list.

    International names are compared in both their forms, because lists hold either.
    """
    top = registrable_domain(host) or host
    names = {host, top}
    while host != top and host.endswith(f".{top}"):
        host = host.partition(".")[2]
        names.add(host)
    return not listed.isdisjoint({form for name in names for form in host_forms(name)})


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
        day = snapshot.seen_at.astimezone(UTC).date()
        region = _text(facts, "State") if policy.territories.by_region else None
        territory = policy.territories.of(country, region, day)
        yield "Territory", territory, "Country, State" if region else "Country"


def _named_account(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    held = {_text(facts, "Company domain"), _text(facts, "E-mail domain")} - {None}
    domains = {form for host in held if host for form in host_forms(host)}
    account = next((named for named in policy.named_accounts if named.domain in domains), None)
    yield "Named account", account is not None, "Company domain"
    if isinstance(account, NamedAccount):
        yield "Named account owner", account.owner, "Company domain"


def _groups(facts: Facts, snapshot: LeadSnapshot, policy: Policy) -> Found:
    """Segment, product line, deal size: of each list the first that holds."""
    held = dict(facts)
    lists = (
        ("Segment", policy.segments),
        ("Product line", policy.product_lines),
        ("Deal size", policy.deal_sizes),
    )
    for label, groups in lists:
        name = next(
            (one.name for one in groups if one.when.evaluate(held, snapshot.captured_at)), None
        )
        if name is not None and not known(held.get(label)):
            held[label] = name
            yield label, name, "policy"


CHAIN: tuple[Enricher, ...] = (
    Enricher("form", _form),
    Enricher("mail", _mail),
    Enricher("company domain", _company_domain, 90),
    Enricher("country of phone", _country, 80),
    Enricher("territory", _territory),
    Enricher("named account", _named_account),
    Enricher("groups", _groups),
)
"""The enrichers of facts that Baton works out itself, in the order in which they run."""
