"""Whatever else the policy says: brakes, hours, sources of the data, lists, and sections without words.

Nothing of a policy is left out of its document: a section that has no words of its own is listed
with its names and values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from baton.policy.agreement_models import BackfillAnnounces, Guards, WhenUnanswered
from baton.policy.calendar_rules import DAYS, CalendarRule, TimeBlock
from baton.policy.document_parts import Block, Bullets, Grid, Heading, Section, Text
from baton.policy.document_special import special
from baton.policy.models import Policy
from baton.policy.parts import conditions
from baton.policy.plain_words import in_full, phrase
from baton.policy.wording import counted, date_in_words, joined, list_name, sentence, value_in_words

_ELSEWHERE = frozenset(
    [
        "hash",
        "name",
        "agreed",
        "fields",
        "hand_raise_times",
        "stages",
        "required",
        "recommended",
        "scoring",
        "bands",
        "triggers",
        "permission",
        "suppress",
        "customers",
        "route",
        "pools",
        "queues",
        "sla",
        "dispositions",
        "timers",
        "calendars",
        "channels",
        "territories",
        "segments",
        "product_lines",
        "deal_sizes",
        "named_accounts",
        "work",
        "commitments",
        "enablement",
        "mail",
        "guards",
        "write_back",
    ]
)
_MOST_ENTRIES = 60


def rest(policy: Policy) -> tuple[Section, ...]:
    """Return the sections that come last."""
    return (_brakes(policy), _hours(policy), _data(policy), _lists(policy))


def _limits(guards: Guards) -> Iterator[str]:
    """Yield what waits for a person, and what happens when nobody decides."""
    limits = [
        counted(most, one, several)
        for most, one, several in (
            (guards.handoffs_per_run, "handoff", "handoffs"),
            (guards.reassignments_per_run, "change of owner", "changes of owner"),
            (guards.messages_per_run, "message", "messages"),
            (guards.band_changes_per_run, "change of band", "changes of band"),
        )
        if most is not None
    ]
    yield f"More than {joined(limits, 'or')} in one run wait for a person; the highest band passes."
    if guards.share_of_a_book is not None:
        yield (
            f"One run takes at most {guards.share_of_a_book} % of their open leads from one person, and "
            f"passes at most as many on to them ({guards.always_so_many} in any case); more wait for "
            "a person, too."
        )
    ends = {WhenUnanswered.RELEASE: "it is released", WhenUnanswered.KEEP: "it stays as it was"}
    then = ends[guards.unanswered.then]
    yield f"When nobody has decided after {guards.unanswered.after}, {then}."
    told = guards.backfill_announces is BackfillAnnounces.ONE_DIGEST
    yield f"Of a backfill {'one digest tells' if told else 'nobody is told'}; single leads are silent."


def _brakes(policy: Policy) -> Section:
    blocks: list[Block] = [Bullets(tuple(_limits(policy.guards)))]
    told: set[str] = set()
    for title, name, items in special(policy):
        told.add(name)
        blocks += [Heading(title), Bullets(tuple(items))]
    if policy.channels:
        rows = tuple((f"#{one.name}", one.about) for one in policy.channels.values())
        blocks += [Heading("Channels"), Grid("Slack channels", ("Channel", "For"), rows)]
    for name, value in _unsaid(policy, told):
        blocks += [Heading(phrase(name).capitalize()), Bullets(tuple(_plainly(value)))]
    return Section("Further rules", tuple(blocks))


def _unsaid(policy: Policy, told: set[str]) -> Iterator[tuple[str, object]]:
    """Yield what the policy says beside everything that has words of its own."""
    for name, field in type(policy).model_fields.items():
        value = getattr(policy, name)
        default = field.get_default(call_default_factory=True)
        if name not in _ELSEWHERE and name not in told and value != default and value is not None:
            yield name, value


def _plainly(value: object) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            part = getattr(value, name)
            if part not in (None, (), {}):
                yield f"{phrase(name)}: {in_full(part, 50)}"
    elif isinstance(value, Mapping):
        yield from (f"{key}: {in_full(part, 50)}" for key, part in value.items())
    elif isinstance(value, tuple | list):
        yield from (in_full(part, 50) for part in value)
    else:
        yield in_full(value, 50)


def _hours(policy: Policy) -> Section:
    rows = tuple((one.name, _week(one), _closed(one)) for one in policy.calendars.values())
    intro = Text("Each person works by one of these, in their own time zone; leave is taken off.")
    grid = Grid("Hours by calendar", ("Calendar", "Hours", "Closed on"), rows)
    return Section("Working hours", (intro, grid) if rows else ())


def _week(calendar: CalendarRule) -> str:
    if calendar.always:
        return "round the clock, every day"
    spans: list[tuple[str, list[str]]] = []
    for day in range(7):
        hours = joined(_block(block) for block in calendar.week.get(day, ()))
        if hours and spans and spans[-1][0] == hours and _follows(spans[-1][1][-1], day):
            spans[-1][1].append(DAYS[day])
        elif hours:
            spans.append((hours, [DAYS[day]]))
    told = [
        f"{days[0].title()}{f' to {days[-1].title()}' if len(days) > 1 else ''} {hours}"
        for hours, days in spans
    ]
    zone = f", in {calendar.zone}" if calendar.zone else ""
    return "; ".join(told) + zone


def _follows(last: str, day: int) -> bool:
    return DAYS.index(last) == day - 1


def _block(block: TimeBlock) -> str:
    start, end = block.start_minute, block.end_minute
    return f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}"


def _closed(calendar: CalendarRule) -> str:
    parts = [f"public holidays of {calendar.holidays}"] if calendar.holidays else []
    parts += [date_in_words(day) for day in calendar.closed_on]
    return joined(parts) or ("never" if calendar.always else "no holidays")


def _data(policy: Policy) -> Section:
    rows = []
    for field in policy.fields.values():
        source = f"{field.object}.{field.hubspot}" if field.hubspot else "worked out by Baton"
        if field.else_from:
            source += f", else “{field.else_from}”"
        about = [field.about] if field.about else []
        about += ["personal"] if field.personal else []
        if field.values:
            about.append(f"one of {joined(field.values.values(), 'or')}")
        rows.append((field.label, source, field.salesforce or "", "; ".join(about)))
    head = ("Fact", "From HubSpot", "In Salesforce", "Note")
    blocks: list[Block] = [Grid("Every fact and where it comes from", head, tuple(rows))]
    if policy.hand_raise_times:
        times = joined(f"“{label}”" for label in policy.hand_raise_times)
        blocks.insert(0, Text(f"The buyer's clock begins with the latest of {times}."))
    written = policy.write_back.properties
    if written:
        items = tuple((phrase(what), name) for what, name in written.items())
        blocks.append(
            Grid("What marketing sees in HubSpot", ("What became of the lead", "Property"), items)
        )
    blocks += _shared_with_hubspot(policy)
    return Section("Where the data comes from", tuple(blocks))


def _shared_with_hubspot(policy: Policy) -> list[Block]:
    """Return which of HubSpot's own properties Baton keeps up to date; people's edits stay."""
    shared = policy.write_back
    said = []
    if shared.lifecycle:
        back = shared.recycled_lifecycle
        said.append(
            f"the life-cycle stage follows the stages{f'; recycled: “{back}”' if back else ''}"
        )
    if shared.lead_owner:
        said.append("the contact owner is the handoff's owner")
    for state, value in shared.lead_status.items():
        said.append(f"lead status “{value}” while {phrase(state)}")
    if not said:
        return []
    return [Heading("HubSpot's own properties"), Bullets(tuple(sentence(one) for one in said))]


def _lists(policy: Policy) -> Section:
    """Return every list by its entries; of a long one the number, and the first."""
    rows = tuple((sentence(name).rstrip("."), counted(len(entries), "entry", "entries"),
                  _entries(entries)) for name, entries in sorted(_named_lists(policy).items()))  # fmt: skip
    grid = Grid("Every list that a rule names", ("List", "Holds", "Entries"), rows)
    return Section("Lists", (grid,) if rows else ())


def _named_lists(policy: Policy) -> dict[str, list[str]]:
    found = {
        f"{name} mail": sorted(getattr(policy.mail, name))
        for name in ("free", "disposable", "roles")
    }
    found["role addresses"] = found.pop("roles mail")
    for _path, condition in conditions(policy):
        for test in condition.tests():
            if test.source is not None and isinstance(test.operand, tuple):
                found[list_name(test.source)] = [value_in_words(part) for part in test.operand]
    return {name: entries for name, entries in found.items() if entries}


def _entries(entries: list[str]) -> str:
    more = len(entries) - _MOST_ENTRIES
    return joined([*entries[:_MOST_ENTRIES], f"{more} more"] if more > 0 else entries)
