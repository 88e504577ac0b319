"""How well and how fast leads find their accounts.

    python benchmarks/account_matching.py [--companies FILE.csv …] [--leads 20000]

Accounts are made from company lists (columns name and, where known, website and country; a
semicolon or a comma between them), or invented when none is given. A part of the companies is
left out of the accounts: leads from there must find nothing. Leads are generated from their
companies in the ways in which people write them, so the figures compare versions of the matcher
with each other; they say nothing about anybody's real data. Seeded: the same every time.
"""

from __future__ import annotations

import argparse
import csv
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from baton.leads.accounts import Account, AccountIndex, AccountMatch, match_account
from baton.leads.contact_points import read_host, registrable_domain

FREE = frozenset({"gmail.com", "outlook.com", "web.de"})
FORMS = ("Inc.", "GmbH", "Ltd.", "LLC", "S.A.", "AG", "Corp.", "B.V.", "GmbH & Co. KG", "")
LEFT_OUT = 0.2
HOSTS = frozenset(
    {"linkedin.com", "facebook.com", "github.com", "google.com", "twitter.com", "x.com"}
)


@dataclass(frozen=True, slots=True)
class Company:
    """A company of the lists."""

    key: str
    name: str
    domain: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class Lead:
    """What a lead says, and which account is right (None: there is none)."""

    kind: str
    domain: str | None
    name: str | None
    mail_domain: str | None
    right: str | None


def companies(paths: list[Path], rng: Random, invented: int) -> list[Company]:
    """Read the lists, or invent companies; one a name and one a domain."""
    rows = [row for path in paths for row in _rows(path)] or list(_invented(rng, invented))
    found: dict[str, Company] = {}
    domains: set[str] = set()
    for name, website, country in rows:
        host = read_host(website) if website else None
        domain = registrable_domain(host) if host else None
        domain = None if domain in HOSTS else domain
        key = name.casefold().strip()
        if key and key not in found and domain not in domains:
            found[key] = Company(f"001{len(found):06}", name, domain, country)
            domains |= {domain} if domain else set()
    return list(found.values())


def _rows(path: Path) -> Iterator[tuple[str, str | None, str | None]]:
    text = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if ";" in text[0] and "," not in text[0]:
        yield from ((line.partition(";")[0], None, line.partition(";")[2]) for line in text)
        return
    for row in csv.DictReader(text):
        name = row.get("name") or row.get("Security") or ""
        yield name, row.get("website"), row.get("country")


def _invented(rng: Random, count: int) -> Iterator[tuple[str, str | None, str | None]]:
    heads = [a + b for a in ("Al", "Bor", "Cal", "Dun", "El", "Fen", "Gar", "Hol", "Is", "Jor",
             "Kal", "Lor", "Mer", "Nor", "Or", "Pel", "Quil", "Ros", "Sil", "Tor", "Ul", "Ver")
             for b in ("dan", "field", "gate", "holt", "mark", "mont", "stad", "ton", "vik", "wood")]  # fmt: skip
    tails = ("Steel", "Foods", "Systems", "Logistics", "Bank", "Energy", "Software", "Media", "Labs",
             "Pharma", "Textiles", "Motors", "Paper", "Insurance", "Robotics", "Travel")  # fmt: skip
    for number in range(count):
        head, tail = rng.choice(heads), rng.choice(tails)
        extra = rng.choice(("", f" {rng.choice(heads)}", f" {number % 97}"))
        site = f"{head}{extra.strip()}{tail}".lower().replace(" ", "") + ".com"
        yield f"{head}{extra} {tail} {rng.choice(FORMS)}".strip(), site, None


def leads(known: list[Company], strangers: list[Company], rng: Random, count: int) -> list[Lead]:
    """Generate leads, four of five from companies that have an account."""
    made = []
    for _ in range(count):
        stranger = rng.random() < LEFT_OUT
        company = rng.choice(strangers if stranger else known)
        kind = rng.choice(tuple(KINDS))
        lead = KINDS[kind](company, rng)
        if lead is not None:
            right = None if stranger else company.key
            kind = f"stranger: {kind}" if stranger else kind
            made.append(Lead(kind, lead[0], lead[1], lead[2], right))
    return made


Said = tuple[str | None, str | None, str | None]


def _own_mail(company: Company, rng: Random) -> Said | None:
    host = company.domain
    return (host, company.name, rng.choice((host, f"mail.{host}"))) if host else None


def _mail_only(company: Company, rng: Random) -> Said | None:
    return (company.domain, None, company.domain) if company.domain else None


def _free_mail_and_name(company: Company, rng: Random) -> Said | None:
    return None, _written(company.name, rng), rng.choice(sorted(FREE))


def _other_country(company: Company, rng: Random) -> Said | None:
    if not company.domain or not company.domain.endswith(".com"):
        return None
    sibling = company.domain.removesuffix("com") + rng.choice(("de", "fr", "co.uk", "nl", "se"))
    return sibling, _written(company.name, rng), sibling


def _other_country_no_name(company: Company, rng: Random) -> Said | None:
    found = _other_country(company, rng)
    return (found[0], None, found[2]) if found else None


def _typed_wrong(company: Company, rng: Random) -> Said | None:
    name = company.name
    if len(name) < 6:
        return None
    at = rng.randrange(1, len(name) - 2)
    return None, name[:at] + name[at + 1] + name[at] + name[at + 2 :], None


def _written(name: str, rng: Random) -> str:
    """Write a company's name as somebody else would: case, legal form, signs, accents."""
    ways: tuple[Callable[[str], str], ...] = (
        str.upper,
        str.lower,
        lambda text: f"{text} {rng.choice(FORMS)}",
        lambda text: text.replace(" & ", " and ").replace(".", ""),
        lambda text: text.replace("-", " ").replace(",", ""),
        lambda text: text.replace("ö", "o").replace("ü", "u").replace("é", "e"),
        lambda text: f"  {text}  ",
    )
    return rng.choice(ways)(rng.choice(ways)(name))


KINDS: dict[str, Callable[[Company, Random], Said | None]] = {
    "own mail": _own_mail,
    "mail only": _mail_only,
    "free mail and name": _free_mail_and_name,
    "sibling domain and name": _other_country,
    "sibling domain alone": _other_country_no_name,
    "name typed wrong": _typed_wrong,
}


def main() -> None:
    """Build, match, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=Path, nargs="*", default=[])
    parser.add_argument("--leads", type=int, default=20_000)
    parser.add_argument("--invented", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    rng = Random(options.seed)
    everybody = companies(options.companies, rng, options.invented)
    rng.shuffle(everybody)
    cut = int(len(everybody) * (1 - LEFT_OUT))
    known, strangers = everybody[:cut], everybody[cut:]
    asked = leads(known, strangers, rng, options.leads)
    accounts = [Account(one.key, one.name, one.domain, country=None) for one in known]
    began = time.process_time()
    index = AccountIndex(accounts, FREE)
    built = time.process_time() - began
    for cycle in ("cold", "warm"):
        began = time.process_time()
        found = [
            match_account(one.domain, one.name, index, mail_domain=one.mail_domain) for one in asked
        ]
        spent = time.process_time() - began
        print(f"{cycle}: {len(asked) / spent:,.0f} leads a second (CPU time, one core)")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(accounts):,} accounts indexed in {built:.2f} s of CPU; peak {memory:,.0f} MB")
    report(asked, found)


def report(asked: list[Lead], found: list[AccountMatch]) -> None:
    """Print precision, recall and what went to review, by kind of lead and by confidence."""
    by_kind: dict[str, Counter[str]] = {}
    by_confidence: dict[int, Counter[str]] = {}
    for lead, match in zip(asked, found, strict=True):
        got = match.account.id if match.account else None
        right = "right" if got == lead.right else "wrong" if got else "none"
        verdict = "review" if match.matched_by == "ambiguous" else right
        for counts in (
            by_kind.setdefault(lead.kind, Counter()),
            by_kind.setdefault("all", Counter()),
        ):
            counts[verdict] += 1
            counts["has one"] += lead.right is not None
            counts["hit"] += got is not None
            counts["good hit"] += got is not None and got == lead.right
        if got:
            by_confidence.setdefault(match.confidence, Counter())[right] += 1
    print(f"\n{'kind':<36}{'leads':>8}{'precision':>11}{'recall':>8}{'review':>8}")
    for kind, counts in sorted(by_kind.items()):
        leads_of = counts["right"] + counts["wrong"] + counts["none"] + counts["review"]
        precision = f"{counts['good hit'] / counts['hit']:.3f}" if counts["hit"] else "-"
        recall = f"{counts['good hit'] / counts['has one']:.3f}" if counts["has one"] else "-"
        print(f"{kind:<36}{leads_of:>8}{precision:>11}{recall:>8}{counts['review']:>8}")
    print(f"\n{'confidence':<36}{'hits':>8}{'right':>11}")
    for confidence, counts in sorted(by_confidence.items(), reverse=True):
        hits = counts["right"] + counts["wrong"]
        print(f"{confidence:<36}{hits:>8}{counts['right'] / hits:>11.3f}")


if __name__ == "__main__":
    main()
