"""What the page of one lead shows, read from the ledger."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from baton.decision.explanation import Passage
from baton.errors import ConfigurationError
from baton.leads.states import FINAL_LEAD_STATES, EffectState, LeadState
from baton.ledger.effects.dossiers import HandoffDossier, handoff_dossiers
from baton.ledger.effects.effects import EffectRow
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import HandoffRow, HopRow
from baton.ledger.leads import duplicates, leads, persons
from baton.ledger.leads.leads import LeadRow
from baton.ledger.pages.page_lead import (
    Attempt,
    attempts_of,
    effects_of,
    run_of_decision,
    timeline,
    told_apart,
)
from baton.ledger.record import decisions
from baton.pipeline.active_policy import active_policy
from baton.pipeline.by_hand.admin_effect_actions import version_of_effect
from baton.pipeline.by_hand.admin_lead_actions import OpenPassing, version_of_lead
from baton.pipeline.delivery.package_text import card_lines, filled, personal_values
from baton.pipeline.intake.lead_lookup import Found
from baton.pipeline.past.explain import Told, explain_lead, with_names
from baton.policy.targets import Target, TargetKind
from baton.web.pages.lead_words import KINDS, SENT, Line, error_in_words, line_of

EVENTS: Final = 40
_FAILED: Final = (
    EffectState.DEAD,
    EffectState.REJECTED,
    EffectState.INVALID,
    EffectState.AMBIGUOUS,
)


@dataclass(frozen=True, slots=True)
class PackageShown:
    """What travels, as the rep gets it, personal values filled in."""

    card: tuple[str, ...]
    opening: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    enablement: tuple[tuple[str, str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Points:
    """One reason of the score."""

    milli: int
    say: str
    rule: str
    kind: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the route."""

    name: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class WhyShown:
    """A decision explained. `trouble`: why it cannot be, where that is so."""

    told: Told | None
    headline: str
    outcome: Passage | None
    band: Passage | None
    owner: tuple[str, ...]
    others: Passage | None
    versions: Passage | None
    score: tuple[Points, ...]
    total: Mapping[str, int]
    steps: tuple[Step, ...]
    trouble: str = ""
    run: str | None = None


@dataclass(frozen=True, slots=True)
class EffectShown:
    """One effect: what was asked outside, what came back, what can be done with it."""

    row: EffectRow
    what: str
    sent: str
    request: tuple[tuple[str, str], ...]
    response: tuple[tuple[str, str], ...]
    error: str
    attempts: Sequence[Attempt]
    version: str
    failed: bool
    can_be_seen: bool


@dataclass(frozen=True, slots=True)
class DuplicateShown:
    """Another contact that may be the same person."""

    lead_id: int
    hubspot_id: str
    sign: str
    confidence: int
    owner: str | None
    open_key: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """Whom a lead may be reassigned to: people (key, name, note) and queues."""

    people: tuple[tuple[str, str, str], ...] = ()
    queues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadShown:
    """The whole page."""

    row: LeadRow
    gone: bool
    name: str
    company: str
    title: str
    passing: OpenPassing | None
    handoffs: tuple[tuple[HandoffRow, HopRow | None], ...]
    package: PackageShown | None
    why: WhyShown
    effects: tuple[EffectShown, ...]
    duplicates: tuple[DuplicateShown, ...]
    choices: Choices
    lines: tuple[Line, ...]
    more: str
    version: str

    @property
    def held(self) -> bool:
        """Tell whether it is held."""
        return self.row.state is LeadState.HELD

    @property
    def waits(self) -> bool:
        """Tell whether it waits for a person: it can be dismissed."""
        return self.row.state in (LeadState.HELD, LeadState.QUARANTINED)

    @property
    def holdable(self) -> bool:
        """Tell whether it can be held."""
        return self.row.state.value in ("seen", "quarantined", "nurture", "held", "recycled")


def look(
    conn: Connection, lead_id: int, now: datetime, *, decision_id: int | None = None
) -> LeadShown | None:
    """Read the page from the ledger; None where there is no such lead."""
    row = leads.get(conn, lead_id)
    if row is None:
        return None
    gone = row.state in FINAL_LEAD_STATES
    person = persons.people(conn, [lead_id]).get(lead_id)
    passes = _passes(conn, lead_id)
    passing = next((OpenPassing(one, hop) for one, hop in passes if one.is_open and hop), None)
    lines, more = timeline_page(conn, lead_id)
    return LeadShown(
        row=row,
        gone=gone,
        name=" ".join(filter(None, (person.first_name, person.last_name))) if person else "",
        company=(person.company_name or "") if person else "",
        title=(person.title or "") if person else "",
        passing=passing,
        handoffs=passes,
        package=_package(conn, passes),
        why=why(conn, row, decision_id=decision_id),
        effects=_effects(conn, lead_id),
        duplicates=_duplicates(conn, lead_id),
        choices=_choices(conn, passing, now) if passing else Choices(),
        lines=lines,
        more=more,
        version=version_of_lead(row, passing),
    )


def timeline_page(
    conn: Connection, lead_id: int, *, before: str = ""
) -> tuple[tuple[Line, ...], str]:
    """Return a page of the timeline, and where it goes on (empty at its end)."""
    found = timeline(conn, lead_id, limit=EVENTS + 1, before=before)
    more = found[EVENTS - 1].key if len(found) > EVENTS else ""
    return tuple(line_of(one) for one in found[:EVENTS]), more


def _passes(conn: Connection, lead_id: int) -> tuple[tuple[HandoffRow, HopRow | None], ...]:
    rows = handoffs.of_leads(conn, [lead_id]).get(lead_id, [])
    hops = handoffs.hops(conn, [one.id for one in rows])
    return tuple((one, hops[one.id][-1] if hops.get(one.id) else None) for one in reversed(rows))


def _package(
    conn: Connection, passes: Sequence[tuple[HandoffRow, HopRow | None]]
) -> PackageShown | None:
    if not passes:
        return None
    newest = passes[0][0].id
    dossier = handoff_dossiers(conn, [newest]).get(newest)
    if dossier is None or not dossier.hops or not dossier.package:
        return None
    return _as_shown(dossier)


def _as_shown(dossier: HandoffDossier) -> PackageShown:
    values, package = personal_values(dossier), dossier.package
    return PackageShown(
        card=card_lines(dossier, dossier.hops[-1]),
        opening=filled(str(package.get("opening") or ""), values),
        sections=tuple(
            (str(one["title"]), tuple(filled(str(line), values) for line in one["lines"]))
            for one in package.get("sections", ())
        ),
        enablement=tuple(
            (str(one["purpose"]), filled(str(one["title"]), values), _safe(one.get("link")))
            for one in package.get("enablement", ())
        ),
    )


def _safe(link: object) -> str | None:
    """Return an address that may be followed; nothing that would run as a script."""
    text = str(link or "")
    return text if text.startswith(("https://", "http://")) else None


def why(conn: Connection, row: LeadRow, *, decision_id: int | None = None) -> WhyShown:
    """Explain a decision on a lead: the one given, else the newest with an outcome."""
    found = Found(row.id, row.hubspot_id)
    try:
        told = with_names(conn, explain_lead(conn, found, decision_id=decision_id, search=False))
    except ConfigurationError as error:
        return WhyShown(None, "", None, None, (), None, None, (), {}, (), str(error))
    stored = decisions.get(conn, told.decision_id)
    result: Mapping[str, Any] = stored.result if stored else {}
    score, route = result.get("score") or {}, result.get("route") or {}
    values = _values(conn, row.id)
    explained = told.explanation
    owner = explained.passage("owner")
    sentences = owner.sentences if owner else ()
    cut = sentences.index("Step by step:") if "Step by step:" in sentences else len(sentences)
    return WhyShown(
        told=told,
        headline=explained.headline,
        outcome=explained.passage("outcome"),
        band=explained.passage("band"),
        owner=tuple(_CODE.sub(".", one) for one in sentences[:cut]),
        others=explained.passage("others"),
        versions=explained.passage("versions"),
        score=tuple(
            Points(int(one["points_milli"]), filled(one["say"], values), one["rule"], one["kind"])
            for one in sorted(score.get("reasons", ()), key=lambda one: -int(one["points_milli"]))
        ),
        total={name: int(score[f"{name}_milli"]) for name in ("total", "fit", "intent")}
        if score
        else {},
        steps=tuple(
            Step(str(one["step"]), filled(str(one["text"]), values), bool(one.get("chosen")))
            for one in route.get("trace", ())
        ),
        run=run_of_decision(conn, told.decision_id),
    )


def _values(conn: Connection, lead_id: int) -> dict[str, str]:
    person = persons.people(conn, [lead_id]).get(lead_id)
    return {label: str(value) for label, value in person.answers.items()} if person else {}


_ASKED: Final = {
    "target": "to",
    "owner": "owner",
    "watcher": "watched by",
    "why": "why",
    "news": "news",
    "list": "list",
    "refresh": "brings up to date",
    "answers": "in the thread of",
    "fallback_channel": "if nobody is found, to",
}
_ANSWERED: Final = {
    "id": "record",
    "sobject": "object",
    "ts": "message",
    "channel": "channel",
}


def _effects(conn: Connection, lead_id: int) -> tuple[EffectShown, ...]:
    rows = effects_of(conn, lead_id)
    tried = attempts_of(conn, [one.id for one in rows])
    return tuple(
        EffectShown(
            row=one,
            what=KINDS.get(one.kind, one.kind),
            sent=SENT.get(one.kind, ""),
            request=_told(one.params, _ASKED),
            response=_told(one.result or {}, _ANSWERED),
            error=error_in_words(one.last_error_code),
            attempts=tried.get(one.id, ()),
            version=version_of_effect(one),
            failed=one.state in _FAILED,
            can_be_seen=one.state is EffectState.AMBIGUOUS and one.kind.startswith("slack_"),
        )
        for one in rows
    )


_CODE: Final = re.compile(r" \[[a-z_:-]+\]\.$")
"""The reason code behind a sentence: for machines; the words before it say the same."""


def _told(values: Mapping[str, Any], labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    shown = {key: value for key, value in values.items() if value not in (None, "", False)}
    return tuple(
        (labels.get(key, key.replace("_", " ")), "yes" if value is True else str(value))
        for key, value in sorted(shown.items())
    )


def _duplicates(conn: Connection, lead_id: int) -> tuple[DuplicateShown, ...]:
    settled = told_apart(conn, lead_id)
    return tuple(
        DuplicateShown(other, one.lead_key, one.reason, one.confidence, one.owner, one.handoff)
        for other, one in duplicates.of_leads(conn, [lead_id]).get(lead_id, ())
        if other not in settled
    )


def _choices(conn: Connection, passing: OpenPassing, now: datetime) -> Choices:
    try:
        agreement = active_policy(conn)
    except ConfigurationError:
        return Choices()
    present = passing.hop.owner_key
    people = [
        (rep.key, rep.name, rep.why_gone(now) or ("away" if rep.on_leave(now) else ""))
        for rep in agreement.roster.people
        if rep.key != present
    ]
    queues = {
        str(target.name)
        for rule in agreement.policy.route
        for target in (rule.to, rule.if_nobody)
        if isinstance(target, Target) and target.kind is TargetKind.QUEUE
    }
    here = [one for one in people if not one[2]]
    gone = [one for one in people if one[2]]
    return Choices(
        tuple(sorted(here, key=_by_name) + sorted(gone, key=_by_name)),
        tuple(sorted(queues - {present})),
    )


def _by_name(one: tuple[str, str, str]) -> str:
    return one[1].lower()
