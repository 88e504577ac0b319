"""Rules for special cases, in words: testers, imports, meetings, quiet hours, answers that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from baton.policy.models import Policy
from baton.policy.wording import condition_in_words, counted, joined, sentence

Told = tuple[str, str, list[str]]


def special(policy: Policy) -> Iterator[Told]:
    """Yield (title, name of the policy's section, sentences) of each special rule that is agreed."""
    for title, name, tell in _SPECIAL:
        items = [sentence(item) for item in tell(policy)]
        if items:
            yield title, name, items


def _meetings(policy: Policy) -> Iterator[str]:
    found = policy.meetings
    if found is not None:
        yield (
            f"Who has booked a meeting (“{found.booked_at}”) belongs to its host "
            f"(“{found.host}”), and counts as answered."
        )


def _together(policy: Policy) -> Iterator[str]:
    if policy.keep_together is not None:
        yield (
            "Further people of the same company go to the same owner, while a handoff of the "
            f"company is open and for {policy.keep_together.for_} after one."
        )


def _imports(policy: Policy) -> Iterator[str]:
    found = policy.imports
    if found is None:
        return
    yield f"A lead counts as imported when {condition_in_words(found.when)}: nobody waits for an answer."
    yield f"At most {counted(found.a_day, 'imported lead')} a day go to sales, the best first."
    yield f"One that has waited {found.give_up_after} goes to marketing."
    yield "A trigger lifts a lead out of this: who asks is answered at once."
    if found.sla:
        yield f"Their owner has the response time of “{found.sla}”."


def _testers(policy: Policy) -> Iterator[str]:
    for one in policy.testers:
        to = one.to or "the tester's own mailbox"
        yield f"When {condition_in_words(one.when)}, the lead is a test and goes to {to}."
    if policy.testers:
        yield "Tests run through the whole chain; no pool, limit or figure counts them."


def _quiet(policy: Policy) -> Iterator[str]:
    quiet = policy.quiet_hours
    if quiet is None:
        return
    zone = f"in {quiet.zone}" if quiet.zone else "in the zone of the lead's owner"
    weekends = ", and on Saturdays and Sundays all day" if quiet.weekends else ""
    yield (
        f"From {_time(quiet.from_)} to {_time(quiet.to)} {zone}{weekends}, nobody is written to: "
        "messages and reminders go out at the end. The task in Salesforce is made at once."
    )
    spared = [f"the band {name}" for name in quiet.except_bands]
    spared += [f"the trigger “{_label(policy, name)}”" for name in quiet.except_triggers]
    if spared:
        yield f"Leads of {joined(spared)} are announced at any hour."


def _label(policy: Policy, name: str) -> str:
    found = policy.triggers.get(name)
    return found.label if found else name


def _profile(policy: Policy) -> Iterator[str]:
    found = policy.profile
    if found.keep:
        yield (
            f"Answers to {joined(found.keep)} are kept for {found.for_}, also when a later form "
            "does not ask again."
        )
        if found.vague:
            yield f"{joined(f'“{one}”' for one in found.vague)} never stand in for a better answer."


def _enrichment(policy: Policy) -> Iterator[str]:
    for one in policy.enrichment:
        wait = f" If it fails, a lead that could go to sales waits {one.wait}." if one.wait else ""
        yield (
            f"{one.provider} fills {joined(one.fills)} where nothing is known: at most "
            f"{counted(one.budget_a_day, 'question')} a day, {one.timeout} each, answers kept "
            f"for {one.cache_for}; taken as {one.confidence} % sure.{wait}"
        )


def _drift(policy: Policy) -> Iterator[str]:
    found = policy.drift
    if found is None:
        return
    yield "The leads of each hour are compared with the past; it warns and stops nothing."
    if found.volume is not None:
        volume = found.volume
        yield (
            f"Fewer than {volume.at_least} % or more than {volume.at_most} % of the leads that the "
            f"same hour of the week had over {counted(volume.weeks, 'week')}, where it had at least "
            f"{volume.least}."
        )
    if found.nulls is not None:
        names = joined(found.nulls.fields) or "any field"
        yield (
            f"{names} empty in {found.nulls.rise_by} percentage points more than over the last "
            f"{found.nulls.over}, with at least {counted(found.nulls.least, 'lead')}."
        )
    if found.new_values is not None:
        names = joined(found.new_values.fields, "or")
        yield f"A value of {names} that nobody has had within {found.new_values.over}."


def _digest(policy: Policy) -> Iterator[str]:
    found = policy.digest
    if found is not None:
        told = [f"#{found.channel}"] if found.channel else []
        whom = joined([*told, *found.mail], "and")
        verb = "is" if len(told) + len(found.mail) == 1 else "are"
        yield (
            f"Every day at {found.at:%H:%M} ({found.zone}), {whom} {verb} told which leads are "
            "set aside and why; no message when none are."
        )


def _aliases(policy: Policy) -> Iterator[str]:
    for alias, domain in policy.company_aliases.items():
        yield f"{alias} is the company of {domain}"


def _roles(policy: Policy) -> Iterator[str]:
    if policy.mail.roles:
        whole = policy.mail.role_addresses.value == "person"
        yield (
            "Of a mailbox that is no person's (info@ and the like), "
            + ("everything is scored, as of anybody's." if whole else "only the company is scored.")
        )


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


_SPECIAL: tuple[tuple[str, str, Callable[[Policy], Iterator[str]]], ...] = (
    ("Meetings that are booked already", "meetings", _meetings),
    ("One company, one owner", "keep_together", _together),
    ("Imported lists", "imports", _imports),
    ("Tests of colleagues", "testers", _testers),
    ("Quiet hours", "quiet_hours", _quiet),
    ("Mailboxes that are no person's", "mail", _roles),
    ("Answers of several forms", "profile", _profile),
    ("What others tell about a company", "enrichment", _enrichment),
    ("Warnings when leads change", "drift", _drift),
    ("The daily list of what is set aside", "digest", _digest),
    ("Companies with several domains", "company_aliases", _aliases),
)
