"""A handoff whose owner cannot own leads in Salesforce any more goes to the next one at once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from baton.decision.inputs import Handover
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import OpenTerms
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.judging.decided import open_book
from baton.pipeline.judging.reassignment import pass_on, read_passings

logger = logging.getLogger(__name__)

BECAUSE = "is not active in Salesforce"


def reroute(ctx: Context, ones: Sequence[tuple[int, int]]) -> Mapping[int, str]:
    """Give handoffs (handoff id, hop) to their next owners; return the owner by handoff id.

    What found nobody is left out, and so is what has gone to somebody else meanwhile. It is a hop
    like any other: decided, recorded, with a clock of its own; the policy's limit of hops does not
    count, because nobody may stay with somebody who cannot work the lead.
    """
    found: dict[int, str] = {}
    with transaction(ctx.engine) as conn:
        agreement = active_policy(conn)
        book = open_book(conn, ctx, agreement)
        present = handoffs.lock_present(conn, [handoff_id for handoff_id, _ in ones])
        still = [one for one in ones if present.get(one[0]) == one[1]]
        for terms in _terms(conn, still):
            because = Handover(f"{terms.hop.owner_key} {BECAUSE}")
            passings = read_passings(conn, [terms])
            for passed in pass_on(conn, ctx, agreement, passings, book, handover=because):
                if passed.hop is not None:
                    found[terms.handoff.id] = passed.hop.owner_key
                    logger.error(
                        "handoff %s: %s; it went to the next: mend the roster or the user",
                        terms.handoff.key,
                        because.because,
                    )
    return found


def _terms(conn: Connection, ones: Sequence[tuple[int, int]]) -> list[OpenTerms]:
    hops = handoffs.hops(conn, [handoff_id for handoff_id, _ in ones])
    terms = []
    for handoff_id, number in ones:
        row = handoffs.get(conn, handoff_id)
        hop = next((one for one in hops.get(handoff_id, ()) if one.number == number), None)
        if row is not None and hop is not None:
            terms.append(OpenTerms(handoff=row, hop=hop, recorded=frozenset()))
    return terms
