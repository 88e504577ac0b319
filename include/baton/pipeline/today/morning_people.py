"""The lines of the morning about people: who is away, who has enough, whose leads nobody has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlencode

from baton.pipeline.today.morning import Morning, Step, TodayItem, Tone
from baton.pipeline.today.morning_words import and_more, many
from baton.policy.roster import Rep, Roster


def of_people(morning: Morning) -> Iterator[TodayItem]:
    """Yield what is to be said of the roster."""
    if morning.agreement is None:
        return
    roster = morning.agreement.roster
    loads = {one.owner: one.handoffs for one in morning.owners if one.kind == "user"}
    away = [rep for rep in roster.people if _why_away(rep, morning.at)]
    full = [rep for rep in roster.people if rep not in away and _is_full(rep, loads, morning)]
    yield from _empty_pools(roster, {rep.key for rep in (*away, *full)})
    yield from _strangers(morning, roster)
    if away or full:
        told = [
            f"{many(len(away), 'person is', 'people are')} away"
            if away
            else f"{many(len(full), 'person has', 'people have')} enough"
        ]
        if away and full:
            told.append(f"{len(full)} at their cap")
        names = [f"{rep.name} ({_why_away(rep, morning.at)})" for rep in away]
        names += [f"{rep.name} (at the cap)" for rep in full]
        yield TodayItem(
            id="team",
            step=Step.ROUTE,
            tone=Tone.INFO,
            title=", ".join(told),
            detail=f"{and_more(names, 4)}.",
            action="See the team",
            link="team",
        )


def _why_away(rep: Rep, at: datetime) -> str:
    if gone := rep.why_gone(at):
        return gone
    end = max((leave.end for leave in rep.leave if leave.covers(at)), default=None)
    return f"until {end:%a %d %b}" if end else ""


def _is_full(rep: Rep, loads: dict[str, int], morning: Morning) -> bool:
    given = morning.given
    pairs = (
        (rep.cap_open, loads.get(rep.key, 0)),
        (rep.cap_hour, given.hour.get(rep.key, 0)),
        (rep.cap_day, given.day.get(rep.key, 0)),
        (rep.cap_week, given.week.get(rep.key, 0)),
    )
    return any(most is not None and number >= most for most, number in pairs)


def _empty_pools(roster: Roster, out: set[str]) -> Iterator[TodayItem]:
    for pool in roster.pools:
        members = [one.rep for one in pool.members if one.weight]
        if members and all(rep in out for rep in members):
            yield TodayItem(
                id=f"pool-{'-'.join(pool.name.lower().split())}",
                step=Step.ROUTE,
                tone=Tone.WARN,
                title=f"Nobody in {pool.name} can take a lead",
                detail=f"Away or at the cap: all {len(members)}."
                if len(members) > 1
                else "Its one member is away or at the cap.",
                action="See the team",
                link="team",
            )


def _strangers(morning: Morning, roster: Roster) -> Iterator[TodayItem]:
    """Owners of open handoffs whom the roster does not know, or who have left: one line for all."""
    found: dict[str, tuple[int, str]] = {}
    for one in morning.owners:
        rep = roster.rep(one.owner)
        gone = rep.why_gone(morning.at) if rep else "is not on the roster"
        if one.kind == "user" and gone:
            found[one.owner] = (one.handoffs, gone)
    if not found:
        return
    handoffs = many(
        sum(number for number, _ in found.values()), "open handoff belongs", "open handoffs belong"
    )
    alone, (_, why) = next(iter(found.items()))
    several = len(found) > 1
    yield TodayItem(
        id="strangers",
        step=Step.ROUTE,
        tone=Tone.WARN,
        title=f"{handoffs} to {f'{len(found)} people who are not on the roster' if several else alone}",
        detail=and_more([f"{owner} ({number})" for owner, (number, _) in found.items()]) + "."
        if several
        else f"Who {why}.",
        action="See the team" if several else "Show them",
        link="team" if several else "handoffs?" + urlencode({"state": "open", "owner": alone}),
    )
