"""The agreement's frame in words: at a glance, what each side promises, the stages."""

from __future__ import annotations

from baton.policy.document_parts import Block, Bullets, Grid, Section, Text
from baton.policy.models import Band, Commitment, Policy, StageBegins, Trigger
from baton.policy.terms_models import SlaTerms
from baton.policy.wording import edge_in_words, joined, length_in_words, points_in_words

_BEGINS = {
    StageBegins.HANDED_OFF: "with the handoff",
    StageBegins.ACCEPTED: "when sales accepts it or begins to work it",
    StageBegins.QUALIFIED: "when sales opens an opportunity",
}
ROLE = {"AE": "an AE", "SDR": "an SDR"}


def at_a_glance(policy: Policy) -> Section:
    """Return everything that passes a lead to sales, with its clock, in one table."""
    rows = [_trigger_row(policy, one) for one in policy.triggers_strongest_first if one.hands_off]
    rows += [_band_row(policy, band) for band in policy.bands_high_to_low if band.hands_off]
    blocks: list[Block] = [
        Text("A lead goes to sales when one of these happens. Everything else stays with marketing."),
        Grid(
            "What passes a lead to sales, and how fast sales answers",
            ("What happens", "Goes to", "A person answers within", "Owner reminded after",
             "Manager told after", "Somebody else gets it after"),
            tuple(rows),
        ),
        Text(_clock_words(policy), "quiet"),
    ]  # fmt: skip
    return Section("At a glance", tuple(blocks))


def _clock_words(policy: Policy) -> str:
    words = "Clocks run from the moment the lead has its owner."
    if any(terms.clock.value == "working" for terms in policy.sla.values()):
        words += " Working minutes and hours count only while that person works."
    return words


def _trigger_row(policy: Policy, trigger: Trigger) -> tuple[str, ...]:
    found = policy.sla_for(trigger=trigger, band=trigger.band)
    what = trigger.label
    if trigger.min_score is not None:
        what += f", with a score of at least {points_in_words(trigger.min_score)}"
    terms = clocks(found[1]) if found else (_by_band(policy), *("as its band",) * 3)
    return (what, recipient(trigger.recipient, trigger.channel), *terms)


def _by_band(policy: Policy) -> str:
    told = [
        f"{length_in_words(policy.sla[name].first_touch)} ({name})"
        for name in policy.bands
        if name in policy.sla
    ]
    return f"by its band: {joined(told, 'or')}" if told else "no time agreed"


def _band_row(policy: Policy, band: Band) -> tuple[str, ...]:
    found = policy.sla_for(trigger=None, band=band.name)
    terms = clocks(found[1]) if found else ("no time agreed", "", "", "")
    what = f"A score {edge_in_words(band)} ({band.name})"
    return (what, recipient(band.recipient, band.channel), *terms)


def clocks(terms: SlaTerms) -> tuple[str, str, str, str]:
    """Return the four steps of a response clock in words."""
    return (
        length_in_words(terms.first_touch),
        length_in_words(terms.remind_at),
        length_in_words(terms.tell_manager_at),
        length_in_words(terms.reassign_at),
    )


def recipient(role: str | None, channel: str | None) -> str:
    """Return who is meant to get it, and in which channel it is told."""
    who = ROLE.get(role, role) if role else "the owner found by the rules below"
    return f"{who}, told in #{channel}" if channel else str(who)


def promises(policy: Policy) -> Section:
    """Return what each side has promised the other."""
    both = policy.commitments
    blocks: list[Block] = []
    for title, side in (("Marketing", both.marketing), ("Sales", both.sales)):
        if side:
            rows = tuple((one.say, _measure(one), _target(one)) for one in side)
            blocks.append(
                Grid(f"What {title.lower()} promises", (f"{title} promises", "Measured by", "Target"), rows)
            )  # fmt: skip
    return Section("What each side promises", tuple(blocks))


def phrase_of(name: str) -> str:
    """Return the name of a metric as words."""
    return name.replace("_", " ").replace("sla ", "SLA ")


def _measure(one: Commitment) -> str:
    of = f", of the band {one.band}" if one.band else ""
    return phrase_of(one.metric) + of


def _target(one: Commitment) -> str:
    unit = f" {one.unit}" if one.unit else ""
    parts = []
    if one.at_least is not None:
        parts.append(f"at least {points_in_words(one.at_least)}{unit}")
    if one.at_most is not None:
        parts.append(f"at most {points_in_words(one.at_most)}{unit}")
    return joined(parts)


def stages(policy: Policy) -> Section:
    """Return the stages of the journey."""
    rows = tuple(
        (one.name, one.entry, one.exit, one.owner, _BEGINS[one.begins], joined(one.needs))
        for one in policy.stages.values()
    )
    grid = Grid(
        "Stages, in order",
        ("Stage", "A lead is in it when", "It leaves it when", "Owner", "Begins", "Known by then"),
        rows,
    )
    lifecycles = tuple(
        f"{one.name} is “{one.hubspot_lifecycle}” in HubSpot"
        for one in policy.stages.values()
        if one.hubspot_lifecycle
    )
    more: tuple[Block, ...] = (Bullets(lifecycles),) if lifecycles else ()
    return Section("Stages", (grid, *more) if rows else ())
