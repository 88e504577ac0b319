"""What follows from decisions: states, handoffs and effects, written with the decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection

from baton.decision.decision import Decision, DecisionOutcome, HoldReason
from baton.errors import InvariantError
from baton.leads.states import EffectState, HandoffState, LeadState
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.handoffs import handoffs, touches
from baton.ledger.handoffs.handoffs import HandoffRow, NewHandoff, NewHop
from baton.ledger.handoffs.touches import NewTouch
from baton.ledger.leads import cold, leads
from baton.ledger.leads.leads import StateChange
from baton.pipeline.active_policy import Agreement
from baton.pipeline.context import Context, Standing
from baton.pipeline.intake.enrichment import wait_for
from baton.pipeline.judging.addressing import manager_address, owner_address
from baton.pipeline.judging.colleagues import account_and_domain, companies_of
from baton.pipeline.judging.judged import Judged
from baton.pipeline.judging.limits import hold_back, restrain, silenced
from baton.pipeline.judging.quiet_hours import quiet_until
from baton.pipeline.modes import Acting, acting_for
from baton.pipeline.report import StepReport
from baton.pipeline.timers import held, state_change
from baton.policy.models import Policy, TimerAction
from baton.policy.phrases import in_words
from baton.settings import Mode
from baton.sla.terms_json import terms_to_json
from baton.sla.touches import TouchKind, grade_of

HOT, SOON, NORMAL = 0, 50, 100
"""Which effects go first. HOT ones may also use the calls that are kept for hot leads; SOON ones go
before all that is left, when there are calls for it."""
"""Priorities in the outbox: what a trigger or the highest band brought goes first."""


def carry_into_ledger(
    conn: Connection,
    ctx: Context,
    agreement: Agreement,
    judged: Sequence[Judged],
    spent: StepReport | None = None,
    *,
    announced: bool = True,
) -> StepReport:
    """Write states, handoffs and effects of these decisions in the caller's transaction.

    `spent` are the counts of the run so far: what goes beyond the policy's limits is held. Not
    `announced`: messages are withheld for good.
    """
    report = StepReport(f"{one.decision.outcome.value}" for one in judged)
    handed = [one for one in judged if one.decision.outcome is DecisionOutcome.HANDOFF]
    effects = _hand_off(conn, ctx, agreement, handed)
    for one in judged:
        if one.decision.outcome is DecisionOutcome.UPDATE:
            effects += _news_for_owner(conn, ctx, agreement, one)
        elif one.decision.outcome is DecisionOutcome.SUPPRESS:
            _withdraw(conn, ctx, one)
    # Opening a handoff moves the lead; the net beneath the handoff's own clocks is set here.
    now, held = ctx.clock.now(), LeadState.IN_HANDOFF
    leads.set_states(
        conn,
        [
            state_change(agreement.policy, one.row.id, held, at=now, cause="handed_off")
            for one in handed
        ],
    )
    leads.set_states(
        conn, [change for one in judged if (change := _move(ctx, agreement.policy, one))]
    )
    leads.note_judgement(
        conn,
        [
            (one.row.id, one.decision.band, one.decision.score.total_milli)
            for one in judged
            if one.decision.score is not None
        ],
    )
    cold.warm(conn, [one.row.id for one in judged if not one.again])
    effects += [
        state_write_back(
            Acting(ctx.clock, one.mode),
            one.row.id,
            cause=f"decision-{one.decision_id}",
            soon=_is_hot(agreement, one.decision),
        )
        for one in judged
        if _is_news(one)
    ]
    if not announced:
        effects = silenced(effects)
    restrained = restrain(agreement.policy, judged, effects, spent or StepReport())
    outbox.add(conn, restrained.effects, at=ctx.clock.now())
    report["held back"] += hold_back(
        conn, ctx, agreement.policy, judged, restrained.held, run=ctx.run
    )
    report.update(restrained.counts)
    return report


def _move(ctx: Context, policy: Policy, one: Judged) -> StateChange | None:
    """Return the lead's move; None for a handoff (opening it moves the lead) and for no change."""
    after = one.decision.lead_state
    if one.decision.outcome is DecisionOutcome.HANDOFF:
        return None
    if after is None and one.row.state is LeadState.SEEN:
        # Judged, and nothing to do: a lead never stays unjudged.
        after = LeadState.NURTURE
    elif after is None and one.again:
        # Nothing came of it: the timer starts afresh, or it would be judged every minute.
        after = one.row.state
    if after is None:
        return None
    cause = f"{one.decision.outcome}:{one.decision.reason_code}"
    change = state_change(
        policy,
        one.row.id,
        after,
        at=one.inputs.decided_at,
        cause=cause,
        timer_from=ctx.clock.now(),
    )
    if one.decision.reason_code == HoldReason.ENRICHMENT:
        return _held_briefly(ctx, policy, one, change)
    if after is LeadState.HELD and one.decision.outcome is DecisionOutcome.HOLD:
        return held(
            policy,
            one.row,
            one.decision,
            change,
            now=ctx.clock.now(),
            again=one.again,
            released=one.inputs.released,
        )
    return change


def _held_briefly(ctx: Context, policy: Policy, one: Judged, change: StateChange) -> StateChange:
    """Hold a lead as long as the policy waits for a provider, counted from the first time."""
    due = ctx.clock.now() + wait_for(policy, one.inputs.awaiting)
    if one.row.state is LeadState.HELD and one.row.timer_at is not None:
        due = min(due, one.row.timer_at)
    return replace(
        change,
        timer_at=due,
        timer_action=TimerAction.ROUTE_TO_FALLBACK.value,
        # Named anew: what it waited for before must not have it tried again every minute.
        held_for=one.decision.reason_code,
    )


def _hand_off(
    conn: Connection, ctx: Context, agreement: Agreement, handed: Sequence[Judged]
) -> list[NewEffect]:
    if not handed:
        return []
    opened = handoffs.open_handoffs(conn, [_new_handoff(agreement.policy, one) for one in handed])
    effects: list[NewEffect] = []
    touches.record(conn, [met for pair in zip(handed, opened, strict=True) if (met := _met(*pair))])
    for one, row in zip(handed, opened, strict=True):
        acting = Acting(ctx.clock, one.mode)
        effects += hop_effects(acting, agreement, row, 1, decision=one.decision)
    return effects


def _met(one: Judged, row: HandoffRow) -> NewTouch | None:
    """Return the meeting that the buyer has booked with the owner, as the touch that it is."""
    terms, route = one.decision.terms, one.decision.route
    if terms is None or terms.kept_at is None or route is None or route.owner is None:
        return None
    return NewTouch(
        handoff_id=row.id,
        external_id=f"{row.key}.booked_meeting",
        at=terms.kept_at,
        kind=TouchKind.MEETING.value,
        grade=int(grade_of(TouchKind.MEETING)),
        by_whom=route.owner.key,
    )


def _new_handoff(policy: Policy, one: Judged) -> NewHandoff:
    decision, facts = one.decision, one.prepared.facts
    route = decision.route
    if route is None or route.owner is None:
        raise InvariantError(f"decision {one.decision_id} hands off to nobody")
    package: dict[str, Any] = asdict(decision.package) if decision.package else {}
    account_id, domain = account_and_domain(companies_of(one.prepared, policy))
    return NewHandoff(
        lead_id=one.row.id,
        origin=decision.origin.value,
        account_id=account_id,
        company_domain=domain,
        mode=one.mode.value,
        form=_word(facts, "Form"),
        captured_at=decision.met_at or one.inputs.captured_at,
        seen_at=one.prepared.snapshot.seen_at,
        decided_at=one.inputs.decided_at,
        decision_id=one.decision_id,
        band=decision.band,
        trigger=decision.trigger,
        score_milli=decision.score.total_milli if decision.score else None,
        source=_word(facts, "Source"),
        segment=_word(facts, "Segment"),
        territory=_word(facts, "Territory"),
        package=package | {"cause": _cause(decision)},
        hop=NewHop(
            owner_kind=route.owner.kind.value,
            owner_key=route.owner.key,
            assigned_at=one.inputs.decided_at,
            change_owner=route.change_owner,
            pool=route.pool,
            terms=terms_to_json(decision.terms) if decision.terms else {},
            first_touch_due=decision.terms.first_touch_due if decision.terms else None,
        ),
    )


def _cause(decision: Decision) -> str:
    """Return why the lead is handed over, without the part that names the owner."""
    return decision.words.partition("; goes to ")[0]


def _word(facts: Mapping[str, Any], label: str) -> str | None:
    value = facts.get(label)
    return None if value is None else in_words(value)


def hop_effects(
    ctx: Standing, agreement: Agreement, row: HandoffRow, number: int, *, decision: Decision
) -> list[NewEffect]:
    """Return the effects of one hop: record, then task, then message."""
    key = f"{row.key}.{number}"
    route = decision.route
    if route is None or route.owner is None:
        raise InvariantError(f"hop {key} has no owner")
    watcher = route.watched_by or manager_address(agreement, route.owner.key, route.owner.kind)
    target = route.channel or owner_address(agreement, route.owner.key, route.owner.kind)
    if route.owner.kind == "queue" and route.channel is None:
        target = watcher
    shared: dict[str, Any] = {
        "lead_id": row.lead_id,
        "handoff_id": row.id,
        "hop": number,
        "generation": number,
        "priority": HOT if _is_hot(agreement, decision) else NORMAL,
    }
    record, task = f"{key}.salesforce_record", f"{key}.salesforce_task"
    return [
        NewEffect(key=record, kind="salesforce_record", state=state_of(ctx), **shared),
        NewEffect(
            key=task,
            kind="salesforce_task",
            depends_on_key=record,
            params={"watcher": watcher},
            state=state_of(ctx),
            **shared,
        ),
        NewEffect(
            key=f"{key}.slack_message",
            kind="slack_message",
            depends_on_key=task,
            params={
                "target": target,
                "fallback_channel": next(iter(agreement.policy.channels), None),
                "owner": owner_address(agreement, route.owner.key, route.owner.kind),
            },
            state=announced(ctx),
            not_before=quiet_until(
                agreement,
                ctx.clock.now(),
                owner_key=route.owner.key,
                owner_kind=route.owner.kind,
                band=decision.band,
                trigger=decision.trigger,
            ),
            **shared,
        ),
    ]


def _is_hot(agreement: Agreement, decision: Decision) -> bool:
    return bool(decision.trigger) or decision.band == _highest(agreement)


def _highest(agreement: Agreement) -> str:
    return agreement.policy.bands_high_to_low[0].name


def state_of(ctx: Standing) -> EffectState:
    """Return the state of a new effect: what is only observed never goes out."""
    return EffectState.WITHHELD if ctx.mode is Mode.OBSERVE else EffectState.PENDING


def announced(ctx: Standing) -> EffectState:
    """Return the state of a new message: only what happens now is announced."""
    return EffectState.PENDING if ctx.mode is Mode.LIVE else EffectState.WITHHELD


def _news_for_owner(
    conn: Connection, ctx: Context, agreement: Agreement, one: Judged
) -> list[NewEffect]:
    """Return the effects of a second hand raise: record and task renewed, the thread continued."""
    open_one = one.inputs.history.open_handoff
    if open_one is None or one.decision.package is None:
        return []
    score = one.decision.score
    package = asdict(one.decision.package) | {
        "cause": _cause(one.decision),
        "score": asdict(score) if score else None,
    }
    handoffs.update_package(
        conn, open_one.id, package, score_milli=score.total_milli if score else None
    )
    row = handoffs.get(conn, open_one.id)
    if row is None:
        raise InvariantError(f"the open handoff of lead {one.row.id} is gone")
    acting = acting_for(ctx.mode, ctx.clock, row)
    shared: dict[str, Any] = {
        "lead_id": one.row.id,
        "handoff_id": open_one.id,
        "hop": open_one.hop,
        "generation": open_one.hop,
        "priority": HOT,
    }
    hop_key = f"{row.key}.{open_one.hop}"
    first, task = f"{hop_key}.salesforce_record", f"{hop_key}.salesforce_task"
    again, task_again = f"{first}.{one.decision_id}", f"{task}.{one.decision_id}"
    owner = open_one.owner or ""
    news = f"Update {ctx.clock.now():%Y-%m-%d %H:%M} UTC: {_cause(one.decision)}"
    return [
        NewEffect(
            key=again,
            kind="salesforce_record",
            depends_on_key=first,
            params={"refresh": True},
            state=state_of(acting),
            **shared,
        ),
        NewEffect(
            key=task_again,
            kind="salesforce_task",
            depends_on_key=again,
            params={"refresh": True, "news": news},
            state=state_of(acting),
            **shared,
        ),
        NewEffect(
            key=f"{hop_key}.slack_reminder.{one.decision_id}",
            kind="slack_reminder",
            depends_on_key=task_again,
            params={
                "target": owner_address(agreement, owner, "user" if owner else "queue"),
                "fallback_channel": next(iter(agreement.policy.channels), None),
                "why": "update",
                "owner": owner_address(agreement, owner, "user" if owner else "queue"),
                "answers": f"{hop_key}.slack_message",
            },
            state=announced(acting),
            not_before=quiet_until(
                agreement,
                ctx.clock.now(),
                owner_key=owner,
                owner_kind="user" if owner else "queue",
                band=one.decision.band,
                trigger=one.decision.trigger,
            ),
            **shared,
        ),
    ]


def _withdraw(conn: Connection, ctx: Context, one: Judged) -> None:
    """End the open handoff of somebody who took their permission back."""
    open_one = one.inputs.history.open_handoff
    if open_one is not None:
        handoffs.advance(
            conn,
            open_one.id,
            HandoffState.CANCELLED,
            at=ctx.clock.now(),
            cause=one.decision.reason_code,
        )


def _is_news(one: Judged) -> bool:
    """Tell whether HubSpot's copy of the lead's state is out of date after this decision."""
    before, after = one.row, one.decision
    if before.cold_since is not None and not one.again:
        return True
    if after.score is None:
        return after.lead_state is not None and after.lead_state is not before.state
    return (
        before.created
        or before.score_milli is None
        or before.score_milli != after.score.total_milli
        or before.band != after.band
        or (after.lead_state is not None and after.lead_state is not before.state)
    )


def state_write_back(ctx: Standing, lead_id: int, *, cause: str, soon: bool = False) -> NewEffect:
    """Return the effect that brings HubSpot's copy of a lead's state up to date.

    It names no values: they are read from the ledger when it is sent, so that a newer one may
    replace it without losing anything. `cause` keeps two of the same instant apart. `soon`: before those of other leads.
    """
    return NewEffect(
        key=f"L{lead_id}.{cause}.hubspot_state",
        kind="hubspot_state",
        lead_id=lead_id,
        priority=SOON if soon else NORMAL,
        state=state_of(ctx),
    )
