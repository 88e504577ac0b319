"""The lines of the morning in words, what is worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from baton.decision.decision import HoldReason
from baton.leads.states import EffectState
from baton.pipeline.today.morning import Morning, Step, TodayItem, Tone, hot_bands
from baton.pipeline.today.morning_asked import of_asked
from baton.pipeline.today.morning_people import of_people
from baton.pipeline.today.morning_words import and_more, kind_in_words, many, span
from baton.policy.parts import conditions

SOURCE_LATE: Final = timedelta(minutes=15)
CHECK_LATE: Final = timedelta(hours=1)
WRITES_LATE: Final = timedelta(minutes=15)
FAILED: Final = (EffectState.REJECTED, EffectState.INVALID, EffectState.DEAD)
ON_THE_WAY: Final = (EffectState.PENDING, EffectState.WAITING, EffectState.LEASED)
_ORDER: Final = tuple(Tone)


def items(morning: Morning) -> tuple[TodayItem, ...]:
    """Return what wants a person, what wants one most first; nothing if nothing does."""
    found = [
        *_of_the_chain(morning),
        *of_asked(morning),
        *_of_handoffs(morning),
        *_of_writes(morning),
        *_of_held(morning),
        *_of_data(morning),
        *_of_forms(morning),
        *of_people(morning),
    ]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.tone)))


def _of_the_chain(morning: Morning) -> Iterator[TodayItem]:
    """Whether the chain runs at all."""
    if morning.agreement is None:
        yield TodayItem(
            id="no-policy",
            step=Step.DEFINE,
            tone=Tone.BAD,
            title="There is no policy to decide by",
            detail=morning.trouble,
            action="See the policy",
            link="policy",
        )
    elif _review_due(morning) < morning.at.date():
        yield TodayItem(
            id="review-overdue",
            step=Step.DEFINE,
            tone=Tone.WARN,
            title="The review of the agreement is overdue",
            detail=f"Marketing and sales meant to look at it by {_review_due(morning)}.",
            action="Read the agreement",
            link="policy",
        )
    if morning.stopped is not None:
        yield TodayItem(
            id="stopped",
            step=Step.NOTIFY,
            tone=Tone.BAD,
            title="All writes are stopped",
            detail=f"{morning.stopped.by_whom} stopped them "
            f"{span(morning.at - morning.stopped.at)} ago: nothing goes to Salesforce, Slack or HubSpot.",
            action="See sync health",
            link="sync",
        )
    if morning.read_at is not None and morning.at - morning.read_at > SOURCE_LATE:
        yield TodayItem(
            id="not-read",
            step=Step.SCORE,
            tone=Tone.BAD,
            title=f"HubSpot has not been read for {span(morning.at - morning.read_at)}",
            detail="New leads wait there unseen.",
            action="See what is wrong",
            link="sync",
        )
    yield from _of_checks(morning)


def _review_due(morning: Morning) -> date:
    assert morning.agreement is not None
    agreed = morning.agreement.policy.agreed
    return agreed.on + timedelta(days=agreed.review_every.days)


def _of_checks(morning: Morning) -> Iterator[TodayItem]:
    check = morning.conservation
    if check is None:
        return
    if not check.ok:
        yield TodayItem(
            id="conservation",
            step=Step.LEARN,
            tone=Tone.BAD,
            title="A lead may be lost, stuck or doubled",
            detail="The check that every lead is in exactly one place found "
            f"{many(sum(check.findings.values()), 'breach', 'breaches')}.",
            action="See what it found",
            link="sync#conservation",
        )
    elif morning.at - check.at > CHECK_LATE:
        yield TodayItem(
            id="conservation-late",
            step=Step.LEARN,
            tone=Tone.WARN,
            title=f"Nobody has checked for lost leads for {span(morning.at - check.at)}",
            detail="The Dag ledger_upkeep does it every ten minutes; it seems to stand still.",
            action="See sync health",
            link="sync#conservation",
        )


def _of_handoffs(morning: Morning) -> Iterator[TodayItem]:
    waits, band = morning.waits, hot_bands(morning.agreement)[0]
    if waits.hot_late and waits.hot_due:
        yield TodayItem(
            id="hot",
            step=Step.WORK,
            tone=Tone.BAD,
            title=f"{many(waits.hot_late, 'hot lead is', 'hot leads are')} late: nobody has "
            "been in touch",
            detail=f"The longest for {span(morning.at - waits.hot_due)}. "
            f"{many(waits.hot, 'hot lead waits', 'hot leads wait')} in all.",
            action="Show the late ones",
            link="handoffs?" + urlencode({"late": "1", "band": band}),
        )
    elif waits.hot:
        yield TodayItem(
            id="hot",
            step=Step.WORK,
            tone=Tone.INFO,
            title=f"{many(waits.hot, 'hot lead waits', 'hot leads wait')} for a first touch",
            detail="All within the time that was promised.",
            action="Show them",
            link="handoffs?" + urlencode({"untouched": "1", "band": band}),
        )
    if waits.others_late and waits.others_due:
        yield TodayItem(
            id="late",
            step=Step.WORK,
            tone=Tone.WARN,
            title=f"{many(waits.others_late, 'other lead is', 'other leads are')} past the time "
            "of the first touch",
            detail=f"The longest for {span(morning.at - waits.others_due)}.",
            action="Show everything late",
            link="handoffs?late=1",
        )
    if waits.queued and waits.queued_since:
        yield TodayItem(
            id="queued",
            step=Step.ROUTE,
            tone=Tone.WARN,
            title=f"{many(waits.queued, 'handoff stands', 'handoffs stand')} in a queue: "
            "nobody owns them yet",
            detail=f"The oldest for {span(morning.at - waits.queued_since)}.",
            action="Show them",
            link="handoffs?untouched=1&queued=1",
        )


def _of_writes(morning: Morning) -> Iterator[TodayItem]:
    failed: Counter[str] = Counter()
    for one in morning.effects:
        failed[one.kind] += one.number if one.state in FAILED else 0
    failed = +failed
    if failed:
        yield TodayItem(
            id="failed",
            step=Step.NOTIFY,
            tone=Tone.BAD,
            title=f"{many(sum(failed.values()), 'write has', 'writes have')} failed for good",
            detail=_kinds(failed) + ". Nothing tries them again by itself.",
            action="Mend or dismiss them",
            link="review?tab=effects",
        )
    unknown = {
        one.kind: one.stuck
        for one in morning.effects
        if one.state == EffectState.AMBIGUOUS and one.stuck
    }
    if unknown:
        yield TodayItem(
            id="ambiguous",
            step=Step.NOTIFY,
            tone=Tone.BAD,
            title=f"Of {many(sum(unknown.values()), 'write', 'writes')} nobody knows the outcome",
            detail=_kinds(unknown) + ". Look at the other side and say what happened.",
            action="Settle them",
            link="review?tab=effects",
        )
    waiting = [one for one in morning.effects if one.state in ON_THE_WAY]
    oldest = min((one.oldest for one in waiting), default=morning.at)
    if morning.stopped is None and morning.at - oldest > WRITES_LATE:
        yield TodayItem(
            id="outbox",
            step=Step.NOTIFY,
            tone=Tone.WARN,
            title=f"{many(sum(one.number for one in waiting), 'write waits', 'writes wait')}, "
            f"the oldest for {span(morning.at - oldest)}",
            action="See sync health",
            link="sync",
        )
    edits = {one.name: one.number for one in morning.overrides}
    if edits:
        yield TodayItem(
            id="overrides",
            step=Step.DISPOSITION,
            tone=Tone.WARN,
            title=f"People changed {many(sum(edits.values()), 'value', 'values')} after us",
            detail=f"{and_more([f'{name} ({number})' for name, number in edits.items()])}. "
            "Theirs stand.",
            action="Look at them",
            link="review?tab=overrides",
        )


def _kinds(counts: Mapping[str, int]) -> str:
    return and_more([f"{kind_in_words(kind)} ({number})" for kind, number in counts.items()])


_HELD: Final = {
    HoldReason.BLAST_RADIUS: (
        Tone.BAD, "wait because a run became too large", "Release or dismiss them",
    ),
    HoldReason.AMBIGUOUS_ACCOUNT: (
        Tone.WARN, "fit several accounts: a person has to choose", "Choose the account",
    ),
    HoldReason.NOBODY_AVAILABLE: (Tone.WARN, "wait until somebody is there", "See who waits"),
    HoldReason.NO_RULE: (Tone.BAD, "meet no routing rule", "See who waits"),
    HoldReason.ENRICHMENT: (Tone.INFO, "wait for what a provider knows", "See who waits"),
    HoldReason.DRIP: (Tone.INFO, "of an imported list wait for their turn", "See who waits"),
}  # fmt: skip
_WHERE: Final = {HoldReason.AMBIGUOUS_ACCOUNT.value: {"tab": "accounts"}}


def _of_held(morning: Morning) -> Iterator[TodayItem]:
    for one in morning.held:
        known = one.name in {reason.value for reason in HoldReason}
        tone, words, action = (
            _HELD[HoldReason(one.name)]
            if known
            else (Tone.WARN, f"are held ({one.name.replace('_', ' ')})", "See who waits")
        )
        leads = "1 lead" if one.number == 1 else many(one.number, "lead", "leads")
        since = f"The oldest for {span(morning.at - one.oldest)}." if one.oldest else ""
        yield TodayItem(
            id=f"held-{one.name.replace('_', '-')}",
            step=Step.ROUTE,
            tone=tone,
            title=f"{leads} {_singular(words) if one.number == 1 else words}",
            detail=since,
            action=action,
            link="review?"
            + urlencode(_WHERE.get(one.name, {"tab": "unrouted", "reason": one.name})),
        )


def _singular(words: str) -> str:
    verb, _, rest = words.partition(" ")
    changed = {"wait": "waits", "fit": "fits", "meet": "meets", "are": "is"}
    return f"{changed.get(verb, verb)} {rest}".replace("list wait for their", "list waits for its")


def _of_data(morning: Morning) -> Iterator[TodayItem]:
    waiting = morning.quarantined
    if waiting.number:
        reasons = [f"{words} ({number})" for words, number in morning.quarantine_reasons]
        since = f" The oldest for {span(morning.at - waiting.oldest)}." if waiting.oldest else ""
        yield TodayItem(
            id="quarantine",
            step=Step.SCORE,
            tone=Tone.WARN,
            title=f"{many(waiting.number, 'lead waits', 'leads wait')} for better data",
            detail=(and_more(reasons) + "." if reasons else "") + since,
            action="Work through them",
            link="review?tab=quarantine",
        )
    for label in morning.unreadable:
        yield TodayItem(
            id=f"unreadable-{_slug(label.name)}",
            step=Step.DEFINE,
            tone=Tone.WARN,
            title=f"{label.name}: {many(label.leads, 'lead has', 'leads have')} a value that the "
            "policy does not know",
            detail="Since yesterday. Add it to the policy, or correct it in HubSpot.",
            action="See the policy",
            link="policy#required-data",
        )
    seen: set[tuple[str, str]] = set()
    for warning in morning.drift:
        if (warning.kind, warning.label) in seen:
            continue
        seen.add((warning.kind, warning.label))
        yield TodayItem(
            id=f"drift-{warning.kind}-{_slug(warning.label)}",
            step=Step.SCORE,
            tone=Tone.WARN,
            title="Not as usual: " + (warning.words[:1].lower() + warning.words[1:]).rstrip("."),
            detail=f"In the hour from {warning.hour:%H:%M} UTC, "
            f"{span(morning.at - warning.found_at)} ago.",
            action="See the trend",
            link="metrics",
        )


def _of_forms(morning: Morning) -> Iterator[TodayItem]:
    for one in morning.silent:
        what = "in a day" if one.span <= timedelta(days=1) else "in a week"
        yield TodayItem(
            id=f"silent-{one.kind}-{_slug(one.name)}",
            step=Step.SCORE,
            tone=Tone.WARN,
            title=f"{one.kind.capitalize()} “{one.name}” has fallen silent",
            detail=f"It usually brings {one.usual:.0f} leads {what}; the last came "
            f"{span(morning.at - one.last_hour)} ago.",
            action="See what it brought" if one.kind == "source" else "Is HubSpot read?",
            link="handoffs?" + urlencode({"source": one.name}) if one.kind == "source" else "sync",
        )
    for form in morning.forms:
        if form.stayed and not knows_form(morning, form.name):
            yield TodayItem(
                id=f"form-{_slug(form.name)}",
                step=Step.DEFINE,
                tone=Tone.WARN,
                title=f"Form “{form.name}” has no trigger: "
                f"{many(form.stayed, 'lead stays', 'leads stay')} with marketing",
                detail="No rule of the policy names this form. Counted over the last seven days.",
                action="See what hands off",
                link="policy#at-a-glance",
            )


def knows_form(morning: Morning, name: str) -> bool:
    """Tell whether any condition of the policy holds for a form of that name because of its name."""
    if morning.agreement is None:
        return True
    facts, at = {"Form": name, "Last conversion": name}, morning.at
    return any(
        test.evaluate(facts, at)
        for _, condition in conditions(morning.agreement.policy)
        for test in condition.tests()
        if test.label in facts and test.operator.value != "exists"
    )


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "x"
