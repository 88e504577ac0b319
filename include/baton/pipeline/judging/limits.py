"""The policy's limits on one run: what goes beyond them is held, and a person is asked.

Only what would go out is limited; leads of the highest band always pass. What is held joins one
batch until somebody was asked about it, so that there is one question and not a hundred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Connection

from baton.decision.decision import HoldReason
from baton.leads.states import EffectState, LeadState
from baton.ledger.effects import holds, outbox
from baton.ledger.effects.holds import HeldBatch, NewHeldItem
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import HandoffRow, HopRow, OpenTerms
from baton.ledger.leads import leads
from baton.ledger.leads.judgement_queue import RELEASE_BATCH
from baton.ledger.leads.leads import StateChange
from baton.pipeline.context import Standing
from baton.pipeline.judging.judged import Judged
from baton.pipeline.report import StepReport
from baton.policy.agreement_models import Guards, WhenUnanswered
from baton.policy.models import Policy, TimerAction
from baton.settings import Mode

__all__ = [
    "Receiving",
    "Restrained",
    "hold_back",
    "hold_reassignments",
    "restrain",
    "restrain_reassignments",
    "silenced",
]

MESSAGES, BAND_CHANGES = "messages", "band changes"
_MESSAGE_KINDS = ("slack_message", "slack_reminder")
_ANSWERS = {WhenUnanswered.RELEASE: "release", WhenUnanswered.KEEP: "keep"}


class TooMany(Protocol):
    """An open handoff with its present hop, which a run has no room to pass on."""

    @property
    def handoff(self) -> HandoffRow:
        """Return the handoff."""
        ...

    @property
    def hop(self) -> HopRow:
        """Return its present hop."""
        ...


@dataclass(frozen=True, slots=True)
class Restrained:
    """Effects as they may be planned. `held`: keys of those held back, with their kind."""

    effects: list[NewEffect]
    held: Mapping[str, str]
    counts: StepReport = field(default_factory=StepReport)


def restrain(
    policy: Policy, judged: Sequence[Judged], effects: Sequence[NewEffect], spent: StepReport
) -> Restrained:
    """Hold messages and band changes back that go beyond what one run may send.

    `spent` are the counts of the run so far.
    """
    guards, hot = policy.guards, _hot(policy, judged)
    changed = {one.row.id for one in judged if _band_changed(one)}
    counts, held, kept = StepReport(), dict[str, str](), []
    for one in effects:
        name, kind, most = _limit_of(one, guards, changed)
        if name is None or one.lead_id in hot or one.state is not EffectState.PENDING:
            kept.append(one)
            continue
        counts[name] += 1
        if most is not None and spent[name] + counts[name] > most:
            held[one.key] = kind
            kept.append(replace(one, state=EffectState.WITHHELD))
        else:
            kept.append(one)
    return Restrained(kept, held, counts)


def silenced(effects: Sequence[NewEffect]) -> list[NewEffect]:
    """Return effects with their messages withheld: what a backfill finds is not announced."""
    return [
        replace(one, state=EffectState.WITHHELD) if one.kind in _MESSAGE_KINDS else one
        for one in effects
    ]


def _hot(policy: Policy, judged: Sequence[Judged]) -> frozenset[int]:
    highest = policy.bands_high_to_low[0].name
    return frozenset(one.row.id for one in judged if one.decision.band == highest)


def _band_changed(one: Judged) -> bool:
    before, after = one.row.band, one.decision.band
    return before is not None and after is not None and before != after


def _limit_of(
    one: NewEffect, guards: Guards, changed: set[int]
) -> tuple[str | None, str, int | None]:
    if one.kind in _MESSAGE_KINDS:
        return MESSAGES, "message", guards.messages_per_run
    if one.kind == "hubspot_state" and one.lead_id in changed:
        return BAND_CHANGES, "write_back", guards.band_changes_per_run
    return None, "", None


def hold_back(
    conn: Connection,
    ctx: Standing,
    policy: Policy,
    judged: Sequence[Judged],
    held: Mapping[str, str],
    *,
    run: str | None,
) -> int:
    """Put what is held into the batch that waits for a person; return how much is new there.

    Leads that the run has no room for get the batch's deadline, with what happens then.
    """
    full = [
        one
        for one in judged
        if one.decision.reason_code == HoldReason.BLAST_RADIUS and one.mode is not Mode.OBSERVE
    ]
    if not full and not held:
        return 0
    batch = _batch(conn, ctx, policy, run)
    planned = outbox.by_keys(conn, held)
    items = [NewHeldItem(kind="handoff", lead_id=one.row.id) for one in full]
    items += [
        NewHeldItem(
            kind=held[key],
            lead_id=row.lead_id,
            handoff_id=row.handoff_id,
            hop=row.hop,
            effect_id=row.id,
        )
        for key, row in sorted(planned.items())
    ]
    leads.set_states(conn, [_until(one, batch, ctx) for one in full])
    return holds.put(conn, batch.id, items, at=ctx.clock.now())


def _batch(conn: Connection, ctx: Standing, policy: Policy, run: str | None) -> HeldBatch:
    now, terms = ctx.clock.now(), policy.guards.unanswered
    return holds.open_batch(
        conn,
        at=now,
        deadline=now + timedelta(seconds=terms.after.seconds),
        unanswered=_ANSWERS[terms.then],
        run=run,
    )


def _until(one: Judged, batch: HeldBatch, ctx: Standing) -> StateChange:
    """Hold a lead until the batch's deadline; one that stands already is never pushed back."""
    deadline, row = batch.deadline, one.row
    if row.held_for == HoldReason.BLAST_RADIUS and row.timer_at is not None:
        deadline = min(deadline, max(row.timer_at, ctx.clock.now()))
    release = batch.unanswered == _ANSWERS[WhenUnanswered.RELEASE]
    return StateChange(
        lead_id=row.id,
        after=LeadState.HELD,
        at=ctx.clock.now(),
        cause="limit",
        by="baton",
        timer_at=deadline,
        timer_action=RELEASE_BATCH if release else TimerAction.NURTURE.value,
    )


def restrain_reassignments(
    conn: Connection, policy: Policy, lapsed: Sequence[OpenTerms]
) -> tuple[list[OpenTerms], list[OpenTerms]]:
    """Return which handoffs may change their owner in this run, and which are too many.

    Too many in all, or too large a part of what one person has.
    """
    guards, highest = policy.guards, policy.bands_high_to_low[0].name
    open_now = handoffs.open_loads(conn, observed=False)
    taken: Counter[str] = Counter()
    allowed: list[OpenTerms] = []
    excess: list[OpenTerms] = []
    for one in lapsed:
        owner = one.hop.owner_key
        many = guards.reassignments_per_run
        full = many is not None and len(allowed) >= many
        if one.handoff.band != highest and (
            full or taken[owner] >= _share(guards, open_now.get(owner, 0))
        ):
            excess.append(one)
            continue
        taken[owner] += 1
        allowed.append(one)
    return allowed, excess


@dataclass(slots=True)
class Receiving:
    """How much one run gives to single people, beside what it takes away from them.

    A book that is suddenly twice as long is no better than one that is suddenly empty. New leads
    do not count: the roster's own limits (a day, an hour) and `handoffs_per_run` are for them.
    """

    guards: Guards
    highest: str
    open_now: Mapping[str, int]
    given: Counter[str] = field(default_factory=Counter)
    sated: set[str] = field(default_factory=set)

    @classmethod
    def of_run(cls, conn: Connection, policy: Policy) -> Receiving:
        """Begin to count."""
        highest = policy.bands_high_to_low[0].name
        return cls(policy.guards, highest, handoffs.open_loads(conn, observed=False))

    def may_not_get(self, band: str | None) -> tuple[str, ...]:
        """Return who gets no lead of this band any more: what is most urgent goes to everybody."""
        return () if band == self.highest else tuple(sorted(self.sated))

    def give(self, owner: str) -> None:
        """Count one that a person gets."""
        self.given[owner] += 1
        if self.given[owner] >= _share(self.guards, self.open_now.get(owner, 0)):
            self.sated.add(owner)


def _share(guards: Guards, has: int) -> int:
    if guards.share_of_a_book is None:
        return has + 1
    return max(guards.always_so_many, has * guards.share_of_a_book // 100)


def hold_reassignments(
    conn: Connection, ctx: Standing, policy: Policy, excess: Sequence[TooMany]
) -> int:
    """Keep the present owners until a person has decided; return how many are newly held."""
    if not excess:
        return 0
    batch = _batch(conn, ctx, policy, None)
    items = [
        NewHeldItem(
            kind="reassignment",
            lead_id=one.handoff.lead_id,
            handoff_id=one.handoff.id,
            hop=one.hop.number,
        )
        for one in excess
    ]
    return holds.put(conn, batch.id, items, at=ctx.clock.now())
