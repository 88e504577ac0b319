"""The words of the morning's message, for Slack and for a mail. No personal data of a lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from baton.ledger.leads.quarantine import Quarantine
from baton.pipeline.today.morning import TodayItem, Tone
from baton.policy.models import Policy

MOST_REASONS = 10
MOST_LINES = 12
_PAGES = {
    "": "Today",
    "handoffs": "Handoffs",
    "review": "Review",
    "team": "Team",
    "metrics": "Metrics",
    "policy": "Policy",
    "sync": "Sync health",
}


def morning_text(wanted: Sequence[TodayItem], pages: str = "") -> str:
    """Return the lines for Slack: how many, then each with its page, linked if `pages` is known."""
    lines = [f"*Today: {_want(wanted)}*"]
    for one in wanted[:MOST_LINES]:
        detail = f" {_escaped(one.detail)}" if one.detail else ""
        mark = ":red_circle:" if one.tone is Tone.BAD else ":large_orange_circle:"
        where = f"_Baton › {_page(one)}_"
        if pages:
            where = f"<{_escaped(_address(one, pages))}|{_escaped(one.action)}>"
        lines.append(f"{mark} {_escaped(one.title)}.{detail} {where}")
    more = len(wanted) - MOST_LINES
    if more > 0:
        lines.append(
            f"• and {more} more: see " + (f"<{pages}/|Today>" if pages else "Baton › Today")
        )
    return "\n".join(lines)


def digest_text(policy: Policy, found: Quarantine) -> str:
    """Return the lines on quarantine for Slack: how many wait, why, since when, what to do."""
    first, *rest = _quarantine(policy, found, _escaped)
    return "\n".join([f"*{first}*", *rest])


def subject(wanted: Sequence[TodayItem], found: Quarantine) -> str:
    """Return the subject of the mail."""
    said = [_want(wanted)] if wanted else []
    said += [f"{_leads(found.count)} in quarantine"] if found.count else []
    return f"Baton today: {', '.join(said)}"


def mail_text(
    policy: Policy, found: Quarantine, wanted: Sequence[TodayItem], *, pages: str = ""
) -> str:
    """Return the mail: what wants somebody, what waits in quarantine, each with its address."""
    parts: list[str] = []
    if wanted:
        parts.append(f"Today: {_want(wanted)}.")
        parts += [_in_mail(one, pages) for one in wanted]
    if found.count:
        parts.append("\n".join(_quarantine(policy, found, str)))
    footer = ["-- ", "Sent by Baton, once a day, because the policy says so under 'digest'."]
    if pages:
        footer.append(f"All of it: {pages}/")
    return "\n\n".join([*parts, "\n".join(footer)]) + "\n"


def _in_mail(one: TodayItem, pages: str) -> str:
    urgent = "NOW: " if one.tone is Tone.BAD else ""
    lines = [f"* {urgent}{one.title}."]
    lines += [f"  {one.detail}"] if one.detail else []
    lines.append(f"  {one.action}: {_address(one, pages)}" if pages else f"  Baton > {_page(one)}")
    return "\n".join(lines)


def _quarantine(policy: Policy, found: Quarantine, said: Callable[[str], str]) -> Iterator[str]:
    waits = "waits" if found.count == 1 else "wait"
    yield f"Quarantine: {_leads(found.count)} {waits} for better data"
    for words, number in found.reasons[:MOST_REASONS]:
        yield f"• {number} × {said(words)}"
    more = len(found.reasons) - MOST_REASONS
    if more > 0:
        yield f"• and {more} other reasons"
    if found.oldest:
        oldest = (f"contact {one.hubspot_id} since {_day(one.since)}" for one in found.oldest)
        yield f"Longest waiting: {', '.join(oldest)}."
    if found.newest is not None:
        yield f"Newest: contact {found.newest.hubspot_id} since {_day(found.newest.since)}."
    state = policy.write_back.properties.get("state")
    where = f" (filter contacts by {state} = quarantined)" if state else ""
    timer = policy.timers.quarantined
    yield (
        f"What to do: correct these values in HubSpot{where}. A corrected lead is judged again by "
        f"itself; one that nobody corrects goes to {timer.then.value.replace('_', ' ')} after "
        f"{timer.after}."
    )


def _want(wanted: Sequence[TodayItem]) -> str:
    if len(wanted) == 1:
        return "1 thing wants somebody"
    return f"{len(wanted)} things want somebody"


def _leads(number: int) -> str:
    return "1 lead" if number == 1 else f"{number} leads"


def _page(one: TodayItem) -> str:
    path = one.link.partition("?")[0].partition("#")[0]
    return _PAGES.get(path, path)


def _address(one: TodayItem, pages: str) -> str:
    return f"{pages}/{one.link}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
