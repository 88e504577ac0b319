"""How many leads one core reads, decides on and judges, and how many deadlines it works out."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from figures import Figure, best_of
from generated import NOW, contacts

from baton.calendars.build import calendar_for
from baton.decision.decide import decide
from baton.decision.inputs import gather
from baton.leads.enrichment import enrich
from baton.leads.facts import read_facts
from baton.leads.model import LeadSnapshot
from baton.policy.loader import parse_policy, read_bundle, roster_from_yaml
from baton.routing.book import PoolBook
from baton.scoring.points import score

SHIPPED = Path(__file__).resolve().parents[1] / "include" / "policy"
POLICY = parse_policy(read_bundle(SHIPPED))
ROSTER = roster_from_yaml((SHIPPED / "roster.yaml").read_text(encoding="utf-8"))
CAPTURED = NOW - timedelta(seconds=5)


def snapshots(count: int) -> list[LeadSnapshot]:
    """Return `count` generated leads as pulled."""
    return [
        LeadSnapshot(str(number), NOW, NOW, CAPTURED, one)
        for number, one in enumerate(contacts(count))
    ]


def decisions(quick: bool) -> list[Figure]:
    """Time the parts of a decision and the whole, on one core, without database and network."""
    count = 300 if quick else 3000
    pulled = snapshots(count)
    facts = [enrich(read_facts(one, POLICY).facts, one, POLICY).facts for one in pulled]
    inputs = [
        gather(POLICY, lead_key=f"L{n}", facts=one, captured_at=CAPTURED, decided_at=NOW)
        for n, one in enumerate(facts)
    ]
    results = [decide(one, POLICY, ROSTER, PoolBook()) for one in inputs]
    shares = Counter(str(one.outcome) for one in results)
    mix = ", ".join(f"{outcome} {number / count:.0%}" for outcome, number in shares.most_common())

    def whole() -> None:
        book = PoolBook()
        for one in facts:
            made = gather(POLICY, lead_key="L", facts=one, captured_at=CAPTURED, decided_at=NOW)
            decision = decide(made, POLICY, ROSTER, book)
            made.canonical()
            decision.canonical()

    def read() -> None:
        for one in pulled:
            enrich(read_facts(one, POLICY).facts, one, POLICY)

    def points() -> None:
        for one in facts:
            score(one, POLICY, NOW)

    def only_decide() -> None:
        book = PoolBook()
        for one in inputs:
            decide(one, POLICY, ROSTER, book)

    return [
        Figure(what, terms, count / best_of(3, work), "leads/s")
        for what, terms, work in (
            ("read and enrich", "properties to facts", read),
            ("score with reasons", f"{len(POLICY.score)} rules", points),
            ("decide", mix, only_decide),
            ("whole decision", "inputs gathered, decided, both serialised", whole),
        )
    ]


def deadlines(quick: bool) -> list[Figure]:
    """Time deadlines over the roster's calendars: a new calendar each, and one that is kept."""
    count = 1000 if quick else 20_000
    made = [calendar_for(rep, POLICY, ROSTER) for rep in ROSTER.people]
    starts = [NOW + timedelta(minutes=37 * number) for number in range(count)]

    def kept() -> None:
        for number, start in enumerate(starts):
            made[number % len(made)].deadline(start, 300)

    def elapsed() -> None:
        for number, start in enumerate(starts):
            made[number % len(made)].elapsed(start, start + timedelta(days=3))

    kept()
    return [
        Figure("deadline", "5 working minutes", count / best_of(3, kept), "deadlines/s"),
        Figure("elapsed", "over three days", count / best_of(3, elapsed), "intervals/s"),
    ]


def verdicts(quick: bool) -> list[Figure]:
    """Time Great Expectations over batches in which every rule of the policy binds somebody."""
    from baton.validation.rules import field_rules
    from baton.validation.verdicts import LeadToJudge, LeadValidator, preload

    began = time.process_time()
    preload()
    figures = [Figure("import", "once a process", time.process_time() - began, "s")]
    validator = LeadValidator(POLICY)
    scopes = [frozenset({scope}) for scope in POLICY.required]
    rules = len(field_rules(POLICY))
    for size in (100, 1000) if quick else (100, 1000, 10_000):
        leads = []
        for place, one in enumerate(snapshots(size)):
            found = read_facts(one, POLICY)
            facts = enrich(found.facts, one, POLICY).facts
            bound_by = scopes[place % len(scopes)]
            leads.append(LeadToJudge(one.hubspot_id, facts, bound_by, found.problems))
        validator.verdicts(leads)
        seconds = best_of(3, lambda batch=leads: validator.verdicts(batch))
        figures.append(Figure("verdicts", f"{size:,} leads, {rules} rules", seconds, "s"))
    return figures
