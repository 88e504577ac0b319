"""The thirty rules for leads that come one by one: plain Python, and two rule engines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from lead_columns import DAY, NOW_MICROS

Lead = dict[str, Any]

_DECIDES = re.compile(r"\b(chief|founder|vp|head|director)\b", re.IGNORECASE)
_LEADS = re.compile(r"\b(manager|lead)\b", re.IGNORECASE)


def plain_python(lead: Lead) -> int:  # noqa: C901 (thirty rules, written as one writes them)
    """Return the points of one lead: if after if, no reasons."""
    points = 0
    size = lead["company_size"]
    if size is not None:
        points += 1
        if 50 <= size <= 1000:
            points += 20
        if 20 <= size <= 49 or 1001 <= size <= 5000:
            points += 10
        if size < 10:
            points -= 10
    industry = lead["industry"]
    if industry in ("COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "INSURANCE", "BANKING"):
        points += 10
    if industry in ("GAMBLING_CASINOS", "TOBACCO"):
        points -= 25
    if industry == "COMPUTER_SOFTWARE" and size is not None and 100 <= size <= 999:
        points += 4
    title = lead["job_title"]
    if title is not None:
        if _DECIDES.search(title):
            points += 10
        if _LEADS.search(title):
            points += 5
        if "trainee" in title.lower():
            points -= 15
    if lead["country"] in ("DE", "AT", "CH"):
        points += 5
    if lead["country"] in ("GB", "SE", "US"):
        points += 3
    if lead["free_mail"]:
        points -= 10
    if lead["source"] in ("PAID_SEARCH", "PAID_SOCIAL"):
        points += 2
    if lead["source"] == "REFERRALS":
        points += 8
    return points + _intent(lead)


def _intent(lead: Lead) -> int:  # noqa: C901 (see above)
    points = 0
    form = lead["form"]
    if form == "Demo request":
        points += 30
    if form == "Contact sales":
        points += 25
    if form == "Buyer's guide":
        points += 8
    demo_at, visit_at = lead["demo_at"], lead["last_visit_at"]
    if demo_at is not None and demo_at >= NOW_MICROS - 14 * DAY:
        points += 10
    quiz = lead["quiz_score"]
    if quiz is not None:
        if quiz > 75:
            points += 20
        if 50 <= quiz <= 75:
            points += 10
    if lead["timeline"] in ("This month", "This quarter"):
        points += 15
    if lead["timeline"] == "Just looking":
        points -= 5
    if lead["budget"] in ("10k to 50k", "50k to 200k", "Over 200k"):
        points += 10
    if lead["pricing_views"] >= 1:
        points += 15
    if lead["pricing_views"] >= 3:
        points += 5
    if lead["downloads"] >= 2:
        points += 6
    if lead["webinars"] >= 1:
        points += 8
    if visit_at is not None and visit_at >= NOW_MICROS - 7 * DAY:
        points += 5
    since = NOW_MICROS - 60 * DAY
    if not (visit_at is not None and visit_at >= since) and not (
        demo_at is not None and demo_at >= since
    ):
        points -= 8
    return points


def _quoted(values: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def conditions(matches: Callable[[str, str], str], contains: str) -> list[tuple[int, str]]:
    """Return points and conditions in the words that both rule engines understand.

    `matches` writes a search for a pattern, `contains` is the test for a trainee.
    """
    fourteen, seven, sixty = (NOW_MICROS - days * DAY for days in (14, 7, 60))
    no_visit = f"(last_visit_at == null or last_visit_at < {sixty})"
    no_demo = f"(demo_at == null or demo_at < {sixty})"
    size = "company_size != null and company_size"
    return [
        (20, f"{size} >= 50 and company_size <= 1000"),
        (10, f"({size} >= 20 and company_size <= 49) or ({size} >= 1001 and company_size <= 5000)"),
        (-10, f"{size} < 10"),
        (1, "company_size != null"),
        (
            10,
            "industry in "
            + _quoted(("COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "INSURANCE", "BANKING")),
        ),
        (-25, "industry in " + _quoted(("GAMBLING_CASINOS", "TOBACCO"))),
        (10, "job_title != null and " + matches("job_title", "chief|founder|vp|head|director")),
        (5, "job_title != null and " + matches("job_title", "manager|lead")),
        (-15, f"job_title != null and {contains}"),
        (5, "country in " + _quoted(("DE", "AT", "CH"))),
        (3, "country in " + _quoted(("GB", "SE", "US"))),
        (-10, "free_mail == true"),
        (2, "source in " + _quoted(("PAID_SEARCH", "PAID_SOCIAL"))),
        (8, 'source == "REFERRALS"'),
        (4, f'industry == "COMPUTER_SOFTWARE" and {size} >= 100 and company_size <= 999'),
        (30, 'form == "Demo request"'),
        (10, f"demo_at != null and demo_at >= {fourteen}"),
        (25, 'form == "Contact sales"'),
        (8, 'form == "Buyer\'s guide"'),
        (20, "quiz_score != null and quiz_score > 75"),
        (10, "quiz_score != null and quiz_score >= 50 and quiz_score <= 75"),
        (15, "timeline in " + _quoted(("This month", "This quarter"))),
        (-5, 'timeline == "Just looking"'),
        (10, "budget in " + _quoted(("10k to 50k", "50k to 200k", "Over 200k"))),
        (15, "pricing_views >= 1"),
        (5, "pricing_views >= 3"),
        (6, "downloads >= 2"),
        (8, "webinars >= 1"),
        (5, f"last_visit_at != null and last_visit_at >= {seven}"),
        (-8, f"{no_visit} and {no_demo}"),
    ]


def rule_engine_rules() -> Callable[[Lead], int]:
    """Return thirty Rule objects of rule-engine, asked one after the other."""
    import rule_engine

    context = rule_engine.Context(resolver=rule_engine.resolve_item)
    told = conditions(
        lambda label, words: f'{label} =~~ "(?i)\\\\b({words})\\\\b"',
        'job_title.as_lower =~~ "trainee"',
    )
    rules = [(points, rule_engine.Rule(text, context=context)) for points, text in told]
    return lambda lead: sum(points for points, rule in rules if rule.matches(lead))


def _zen_conditions() -> list[tuple[int, str]]:
    """Return the conditions for zen-engine, with words looked for as " word ".

    It compiles a pattern each time it is asked, which would cost it all that it is fast at.
    """

    def words(label: str, listed: str) -> str:
        padded = f'" " + lower({label}) + " "'
        return "(" + " or ".join(f'contains({padded}, " {w} ")' for w in listed.split("|")) + ")"

    return conditions(words, 'contains(lower(job_title), "trainee")')


def zen_expression() -> Callable[[Lead], int]:
    """Return one compiled expression of zen-engine: the sum of thirty ternaries."""
    import zen

    terms = (f"({condition} ? {points} : 0)" for points, condition in _zen_conditions())
    compiled = zen.compile_expression(" + ".join(terms))
    return lambda lead: int(compiled.evaluate(lead))


def zen_decision() -> Callable[[Lead], int]:
    """Return a decision of zen-engine as its editor makes it: one expression node, a line a rule."""
    import zen

    lines = [
        {"id": f"r{place}", "key": f"r{place}", "value": f"{condition} ? {points} : 0"}
        for place, (points, condition) in enumerate(_zen_conditions())
    ]
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {
            "id": "score",
            "name": "score",
            "type": "expressionNode",
            "content": {"expressions": lines},
        },
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [
        {"id": "a", "type": "edge", "sourceId": "in", "targetId": "score"},
        {"id": "b", "type": "edge", "sourceId": "score", "targetId": "out"},
    ]
    decision = zen.ZenEngine().create_decision({"nodes": nodes, "edges": edges})
    return lambda lead: int(sum(decision.evaluate(lead)["result"].values()))
