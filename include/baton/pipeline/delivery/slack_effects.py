"""Carrying out the effects that write to Slack: the handoff's message, reminders, escalations.

A message carries its effect's key in its metadata. Before a message whose outcome is unknown is
sent again, the channel is searched for that key; a message is sent once or visibly ambiguous.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from baton.errors import BatonError, RejectedRecordError
from baton.ledger.effects.dossiers import HandoffDossier
from baton.ledger.effects.effects import by_keys as effects_by_key
from baton.ledger.effects.outbox import ClaimedEffect
from baton.notify.cards import render
from baton.notify.slack import Posted
from baton.pipeline.context import Context
from baton.pipeline.delivery.message_cards import handoff_card, reminder_text
from baton.pipeline.delivery.outcomes import Ambiguous, Done, Outcome, outcome_of

logger = logging.getLogger(__name__)

SEARCH_BACK = timedelta(hours=24)
"""How far back a message is searched for; an effect is settled or dead long before."""
_LOOKS, _LOOK_SECONDS = 20, 0.5
"""So often, and so far apart, a late worker looks whether the one after it has posted."""


def post_messages(
    ctx: Context, effects: Sequence[ClaimedEffect], dossiers: Mapping[int, HandoffDossier]
) -> dict[int, Outcome]:
    """Post each message; one that cannot be delivered to the owner goes to the fallback channel."""
    outcomes: dict[int, Outcome] = {}
    for effect in effects:
        try:
            dossier = dossiers[effect.handoff_id or 0]
            outcomes[effect.id] = _post(ctx, effect, dossier)
        except BatonError as error:
            outcomes[effect.id] = outcome_of(error, effect.attempts, repeatable=False)
    return outcomes


def take_back_doubled(ctx: Context, effect: ClaimedEffect, outcome: Done | Ambiguous) -> int:
    """Take back what a late worker posted after another had taken the effect over.

    Slack has no key that would refuse the second. What the other one recorded stands; while it is
    still at it, it is waited for. A late worker whose answer was lost searches for its message.
    Returns how many messages were taken back.

    Raises:
        BatonError: one stands there, and could not be taken back.
    """
    theirs = _recorded(ctx, effect)
    for _ in range(_LOOKS):
        if theirs is not None:
            break
        time.sleep(_LOOK_SECONDS)
        theirs = _recorded(ctx, effect)
    if theirs is None:
        return 0
    ours = [one for one in _posted_late(ctx, effect, outcome, theirs) if one != theirs]
    for one in ours:
        ctx.slack.take_back(one)
    return len(ours)


def _posted_late(
    ctx: Context, effect: ClaimedEffect, outcome: Done | Ambiguous, theirs: Posted
) -> list[Posted]:
    if isinstance(outcome, Done):
        ours = Posted(str(outcome.result["channel"]), str(outcome.result["ts"]))
        return [] if "found" in outcome.result else [ours]
    thread, since = _thread(ctx, effect), ctx.clock.now() - SEARCH_BACK
    return list(
        ctx.slack.all_by_key(
            theirs.channel, effect.key, since, thread_ts=thread.ts if thread else None
        )
    )


def _recorded(ctx: Context, effect: ClaimedEffect) -> Posted | None:
    with ctx.engine.connect() as conn:
        result = effects_by_key(conn, [effect.key])[effect.key].result or {}
    channel, ts = result.get("channel"), result.get("ts")
    return Posted(str(channel), str(ts)) if channel and ts else None


def _post(ctx: Context, effect: ClaimedEffect, dossier: HandoffDossier) -> Done:
    thread = _thread(ctx, effect)
    text, blocks = _rendered(ctx, effect, dossier, thread)
    if thread is not None:
        return _post_once(ctx, effect, thread.channel, text, blocks, thread_ts=thread.ts)
    try:
        target = _target(ctx, str(effect.params["target"]))
        return _post_once(ctx, effect, target, text, blocks)
    except RejectedRecordError as error:
        fallback = effect.params.get("fallback_channel")
        if not fallback:
            raise
        note = f"(could not reach {effect.params['target']}: {error.code})\n"
        target = ctx.slack.channel_id(str(fallback))
        posted = _post_once(ctx, effect, target, note + text, blocks)
        return Done({**posted.result, "fallback": str(fallback), "because": error.code})


def _target(ctx: Context, name: str) -> str:
    """Return the channel to post to: a person's direct channel, or a named channel."""
    if "@" in name:
        return ctx.slack.direct_channel(ctx.slack.user_id(name))
    return ctx.slack.channel_id(name)


def _thread(ctx: Context, effect: ClaimedEffect) -> Posted | None:
    """Return the message that this one answers, if it was sent: news of a lead go beneath it."""
    first = effect.params.get("answers")
    if not first:
        return None
    with ctx.engine.connect() as conn:
        sent = effects_by_key(conn, [str(first)]).get(str(first))
    result = sent.result if sent is not None and sent.result is not None else {}
    channel, ts = result.get("channel"), result.get("ts")
    return Posted(str(channel), str(ts)) if channel and ts else None


def _post_once(
    ctx: Context,
    effect: ClaimedEffect,
    channel: str,
    text: str,
    blocks: list[dict[str, object]],
    *,
    thread_ts: str | None = None,
) -> Done:
    if effect.maybe_sent:
        since = ctx.clock.now() - SEARCH_BACK
        found = ctx.slack.all_by_key(channel, effect.key, since, thread_ts=thread_ts)
        sent = sorted(found, key=lambda one: float(one.ts))
        # Two may stand there: another worker's late one, and one whose answer was lost.
        left = [doubled.ts for doubled in sent[1:] if not _taken_back(ctx, effect, doubled)]
        if sent:
            done = _done(sent[0], found_before=True)
            return Done({**done.result, "stands_twice": ", ".join(left)}) if left else done
    return _done(ctx.slack.post(channel, text, blocks, key=effect.key, thread_ts=thread_ts))


def _taken_back(ctx: Context, effect: ClaimedEffect, doubled: Posted) -> bool:
    """Take a doubled message back; the owner has been told, whether this succeeds or not."""
    try:
        ctx.slack.take_back(doubled)
    except BatonError as error:
        logger.exception(
            "effect %s: its message stands twice (%s)", effect.key, type(error).__name__
        )
        return False
    return True


def _done(posted: Posted, *, found_before: bool = False) -> Done:
    result = {"channel": posted.channel, "ts": posted.ts}
    return Done(result | ({"found": "true"} if found_before else {}))


def _rendered(
    ctx: Context, effect: ClaimedEffect, dossier: HandoffDossier, thread: Posted | None
) -> tuple[str, list[dict[str, object]]]:
    if effect.kind == "slack_reminder":
        text = reminder_text(dossier, dossier.hop(effect.hop or 1), str(effect.params["why"]))
        # In a channel's thread nobody is told without being mentioned.
        in_channel = thread is not None and not thread.channel.startswith("D")
        mention = _slack_id(ctx, str(effect.params.get("owner") or "")) if in_channel else None
        text = f"<@{mention}> {text}" if mention else text
        return text, [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
    hop = dossier.hop(effect.hop or 1)
    card = render(handoff_card(dossier, hop, mention=_mention(ctx, effect)))
    return card.text, card.blocks


def _mention(ctx: Context, effect: ClaimedEffect) -> str | None:
    """Return the owner's Slack id, so that an alert in a channel calls its owner by name."""
    in_channel = "@" not in str(effect.params["target"])
    return _slack_id(ctx, str(effect.params.get("owner") or "")) if in_channel else None


def _slack_id(ctx: Context, owner: str) -> str | None:
    if "@" not in owner:
        return None
    try:
        return ctx.slack.user_id(owner)
    except RejectedRecordError:
        # Not knowing the owner in Slack is no reason to keep the news from the channel.
        return None
