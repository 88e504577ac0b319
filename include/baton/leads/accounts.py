"""Which account a lead belongs to: by domain, alias, sibling domain or name; never by a guess.

Evidence on the lead comes first. A domain of theirs, or one that the policy lists as an alias or
subsidiary, is stronger than a name; a name agrees without legal form, case and accents. The same
name under another country's domain (acme.de, acme.com) only supports: alone it is weak. Domains of
free mail are no evidence. Where several accounts fit, the lead's own words decide (company name,
country), then the state of the business (an open opportunity, a customer); if two are left still, a
person has to look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from baton.leads.company_names import normalised_company_name
from baton.leads.contact_points import ascii_host, registrable_domain


class MatchedBy(StrEnum):
    """How a lead found its account."""

    DOMAIN = "domain"
    ALIAS = "alias"
    SIBLING = "sibling"
    NAME = "name"
    CONTACT = "contact"
    AMBIGUOUS = "ambiguous"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of Salesforce, as far as matching and ownership need it.

    `name_key` is the name as it is compared, where somebody has worked it out already; empty for a
    name that is none.
    """

    id: str
    name: str
    domain: str | None = None
    owner: str | None = None
    type: str | None = None
    open_opportunity_id: str | None = None
    open_opportunity_owner: str | None = None
    country: str | None = None
    lost_opportunity_owner: str | None = None
    name_key: str | None = None

    @property
    def compared_name(self) -> str | None:
        """Return the name in the form in which it is compared, None for a name that is none."""
        return (
            normalised_company_name(self.name) if self.name_key is None else self.name_key or None
        )

    @property
    def is_customer(self) -> bool:
        """Tell whether it is a customer's account, by its type."""
        return (self.type or "").casefold().startswith("customer")


@dataclass(frozen=True, slots=True)
class AccountMatch:
    """The account of a lead, or why there is none. `confidence` is 0 to 100."""

    account: Account | None
    matched_by: MatchedBy
    confidence: int
    reasons: tuple[str, ...]


NO_MATCH = AccountMatch(None, MatchedBy.NOTHING, 0, ())

SAME_DOMAIN, SUBDOMAIN, ALIAS = 100, 90, 95
SAME_NAME, NAME_ELSEWHERE, NAME_AND_SIBLING, SIBLING_ALONE = 80, 60, 90, 50
_TIE_COSTS = {"name": 0, "country": 10, "open opportunity": 20, "customer": 25}

_GENERIC_SUFFIXES = frozenset({"com", "net", "org", "eu", "biz", "info"})
_NOT_OF_A_COUNTRY = frozenset({"io", "ai", "co", "me", "tv", "cc", "ly", "gg", "sh", "fm", "so"})
"""Two letters, but used like .com all over the world: acme.io and acme.com are two companies."""
_HOSTED_AT = frozenset(
    {
        "blogspot.com", "facebook.com", "github.io", "google.com", "herokuapp.com",
        "instagram.com", "linkedin.com", "medium.com", "myshopify.com", "netlify.app",
        "notion.site", "squarespace.com", "vercel.app", "weebly.com", "wixsite.com",
        "wordpress.com",
    }
)  # fmt: skip
"""Where companies have pages: what stands under one of these says nothing about the domain above."""


def plain_host(domain: str | None) -> str:
    """Return a domain in the form in which it is compared: lower case, as DNS, without "www."."""
    return ascii_host((domain or "").strip().lower().rstrip(".").removeprefix("www."))


def sibling_label(domain: str) -> str | None:
    """Return what acme.de, acme.co.uk and acme.com share, "acme"; None where it says nothing."""
    top = registrable_domain(domain)
    if top is None or "." not in top:
        return None
    label, _, suffix = top.partition(".")
    last = suffix.rpartition(".")[2]
    of_country = len(last) == 2 and last not in _NOT_OF_A_COUNTRY
    return label if len(label) > 2 and (of_country or suffix in _GENERIC_SUFFIXES) else None


class AccountIndex:
    """Accounts by domain, by sibling label and by normalised name. Built once, used for many."""

    def __init__(
        self,
        accounts: Iterable[Account],
        free_domains: frozenset[str] = frozenset(),
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        by_domain: defaultdict[str, list[Account]] = defaultdict(list)
        by_parent: defaultdict[str, list[Account]] = defaultdict(list)
        by_label: defaultdict[str, list[Account]] = defaultdict(list)
        by_name: defaultdict[str, list[Account]] = defaultdict(list)
        # yahoo.de is free mail although only yahoo.com is listed: siblings of free mail say nothing.
        free_labels = {sibling_label(domain) for domain in free_domains}
        for account in sorted(accounts, key=lambda found: found.id):
            domain = plain_host(account.domain)
            if domain and domain not in free_domains:
                by_domain[domain].append(account)
                parent = registrable_domain(domain)
                if parent and parent != domain and parent not in _HOSTED_AT | free_domains:
                    by_parent[parent].append(account)
                label = sibling_label(domain)
                if label and label not in free_labels:
                    by_label[label].append(account)
            name = account.compared_name
            if name:
                by_name[name].append(account)
        self.by_domain: Mapping[str, tuple[Account, ...]] = _frozen(by_domain)
        self.by_parent: Mapping[str, tuple[Account, ...]] = _frozen(by_parent)
        self.by_label: Mapping[str, tuple[Account, ...]] = _frozen(by_label)
        self.by_name: Mapping[str, tuple[Account, ...]] = _frozen(by_name)
        self.aliases = {plain_host(key): plain_host(to) for key, to in (aliases or {}).items()}
        self.free_domains = free_domains


@dataclass(frozen=True, slots=True)
class _Hit:
    """An account that fits, how, how surely, and why in words."""

    account: Account
    by: MatchedBy
    confidence: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the lead says of its company, ready to be compared."""

    hosts: tuple[str, ...]
    said_name: str | None
    country: str | None
    index: AccountIndex = field(repr=False)

    @property
    def name(self) -> str | None:
        """Return the name as names are compared. It costs more than all else: ask when needed."""
        return normalised_company_name(self.said_name)


def match_account(
    domain: str | None,
    name: str | None,
    index: AccountIndex,
    *,
    mail_domain: str | None = None,
    country: str | None = None,
) -> AccountMatch:
    """Find the account of a lead, or say that several fit.

    `domain` is the company's, `mail_domain` that of the lead's e-mail; `country` is the ISO code.
    """
    hosts = tuple(dict.fromkeys(host for one in (domain, mail_domain) if (host := plain_host(one))))
    own = tuple(host for host in hosts if not _is_free(host, index))
    asked = _Asked(own, name, country, index)
    hits = _by_domain(asked) or _by_name(asked)
    return _settled(hits, asked) if hits else NO_MATCH


def _is_free(host: str, index: AccountIndex) -> bool:
    top = registrable_domain(host)
    return host in index.free_domains or top in index.free_domains


def _by_domain(asked: _Asked) -> list[_Hit]:
    """Return the accounts of each of the lead's domains, the best reason for each account."""
    hits: dict[str, _Hit] = {}
    for host in asked.hosts:
        found = _of_host(host, asked.index)
        top = None if found else registrable_domain(host)
        if top and top != host:
            found = _of_host(top, asked.index, below=host)
        for hit in found:
            hits.setdefault(hit.account.id, hit)
    return list(hits.values())


def _of_host(host: str, index: AccountIndex, below: str | None = None) -> list[_Hit]:
    alias = index.aliases.get(host)
    confidence = SUBDOMAIN if below not in (None, host) else SAME_DOMAIN
    told = below or host
    if host in index.by_domain:
        reason = f"same domain {told}"
        return [_Hit(a, MatchedBy.DOMAIN, confidence, reason) for a in index.by_domain[host]]
    if alias is not None and alias in index.by_domain:
        reason = f"{told} is listed as a domain of {alias}"
        return [_Hit(a, MatchedBy.ALIAS, ALIAS, reason) for a in index.by_domain[alias]]
    reason = f"the account's website lies below {host}"
    return [_Hit(a, MatchedBy.DOMAIN, SUBDOMAIN, reason) for a in index.by_parent.get(host, ())]


def _by_name(asked: _Asked) -> list[_Hit]:
    """Return accounts of the same name; else, for a lead that names no company, of a sibling domain.

    The same name at another domain may be another company: it lowers the confidence. A sibling
    domain with another name is another company as often as not: it is no match.
    """
    name = asked.name
    named = asked.index.by_name.get(name, ()) if name else ()
    if name and not named:
        return []
    siblings = {account.id: account for account in _siblings(asked)}
    if not named:
        reason = "the same name under another country's domain"
        return [_Hit(a, MatchedBy.SIBLING, SIBLING_ALONE, reason) for a in siblings.values()]
    both = [account for account in named if account.id in siblings]
    if both:
        reason = "same company name, and the same name under another country's domain"
        return [_Hit(a, MatchedBy.NAME, NAME_AND_SIBLING, reason) for a in both]
    return [
        _Hit(a, MatchedBy.NAME, NAME_ELSEWHERE, "same company name, but at another domain")
        if asked.hosts and a.domain
        else _Hit(a, MatchedBy.NAME, SAME_NAME, "same company name")
        for a in named
    ]


def _siblings(asked: _Asked) -> list[Account]:
    labels = {label for host in asked.hosts if (label := sibling_label(host))}
    return [account for label in labels for account in asked.index.by_label.get(label, ())]


def _settled(hits: Sequence[_Hit], asked: _Asked) -> AccountMatch:
    """Return the one account that fits, or the one that the tie-breaks leave, or ambiguous."""
    if len(hits) == 1:
        return _matched(hits[0])
    ties: tuple[tuple[str, Callable[[Account], bool]], ...] = (
        ("name", lambda a: a.compared_name == asked.name is not None),
        ("country", lambda a: a.country == asked.country is not None),
        ("open opportunity", lambda a: a.open_opportunity_id is not None),
        ("customer", lambda a: a.is_customer),
    )
    left, used, cost = list(hits), [], 0
    for what, holds in ties:
        narrower = [hit for hit in left if holds(hit.account)]
        if not narrower or len(narrower) == len(left):
            continue
        left, cost = narrower, max(cost, _TIE_COSTS[what])
        used.append(f"of {len(hits)} that fit, chosen by {what}")
        if len(left) == 1:
            return _matched(left[0], further=(used[-1],), cost=cost)
    listed = ", ".join(sorted(hit.account.id for hit in left))
    reasons = " and ".join(dict.fromkeys(hit.reason for hit in left))
    return AccountMatch(
        None, MatchedBy.AMBIGUOUS, 0, (f"{reasons} fits several accounts: {listed}",)
    )


def _matched(hit: _Hit, *, further: tuple[str, ...] = (), cost: int = 0) -> AccountMatch:
    confidence = max(1, hit.confidence - cost)
    return AccountMatch(hit.account, hit.by, confidence, (hit.reason, *further))


def _frozen(found: Mapping[str, list[Account]]) -> Mapping[str, tuple[Account, ...]]:
    return {key: tuple(accounts) for key, accounts in found.items()}
