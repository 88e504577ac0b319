"""In which mode a lead is decided: by its form, its region, or for all; and what follows from it.

The mode is chosen when a lead is decided and stays with its handoff: what was only observed never
goes out afterwards, and what was handed over live is followed to its end, whatever is switched
later. History is past time: no switch turns it into anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from baton.clock import Clock
from baton.leads.states import LeadState
from baton.ledger.effects import switches
from baton.ledger.handoffs.handoffs import HandoffRow
from baton.ledger.record import decisions
from baton.pipeline.context import Standing
from baton.settings import Mode

__all__ = ["Acting", "Modes", "acting_for", "acting_for_leads", "form_scope", "region_scope"]

_THEIRS = (
    LeadState.SEEN,
    LeadState.QUARANTINED,
    LeadState.SUPPRESSED,
    LeadState.HELD,
    LeadState.IN_HANDOFF,
)
"""States in which whoever handed leads over before us may have handed this one over, too."""


@dataclass(frozen=True, slots=True)
class Acting:
    """Clock and mode of what is planned for one lead; a `Standing`."""

    clock: Clock
    mode: Mode


def form_scope(form: str) -> str:
    """Return the scope of a form."""
    return f"form:{form}"


def region_scope(territory: str) -> str:
    """Return the scope of a territory of the policy."""
    return f"region:{territory}"


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes as they are set now. `starts_at`: leads captured before it are not ours."""

    default: Mode
    by_scope: Mapping[str, str]
    starts_at: datetime | None = None

    @classmethod
    def read(cls, conn: Connection, default: Mode) -> Modes:
        """Read the switches; `default` is the mode of the installation."""
        if default is Mode.HISTORY:
            return cls(default, {})
        return cls(default, switches.modes(conn), switches.starts_at(conn))

    def of_scope(self, form: str | None, territory: str | None) -> Mode:
        """Return the mode of leads of a form and a territory; the form is the more particular."""
        scopes = [form_scope(form)] if form else []
        scopes += [region_scope(territory)] if territory else []
        return switches.choose(self.by_scope, self.default, scopes)

    def of(
        self,
        form: str | None,
        territory: str | None,
        *,
        captured_at: datetime,
        state: LeadState,
    ) -> Mode:
        """Return the mode of one lead.

        Who was captured before we began is observed alone: whoever has them keeps them. Not so a
        lead that we have judged to be marketing's: what it does after that is news for us.
        """
        mode = self.of_scope(form, territory)
        before = self.starts_at is not None and captured_at < self.starts_at
        if mode is Mode.LIVE and before and state in _THEIRS:
            return Mode.OBSERVE
        return mode

    @property
    def anything_live(self) -> bool:
        """Whether anything at all goes out."""
        return Mode.LIVE in {self.default_of_all, *map(Mode, self.by_scope.values())}

    @property
    def default_of_all(self) -> Mode:
        """The mode of whatever has no scope of its own."""
        return switches.choose(self.by_scope, self.default)


def acting_for_leads(
    conn: Connection, standing: Standing, lead_ids: Sequence[int]
) -> dict[int, Acting]:
    """Return how to act for leads beside any handoff: in the mode of their form and region."""
    modes = Modes.read(conn, standing.mode)
    scopes = decisions.scopes(conn, lead_ids)
    return {
        one: Acting(standing.clock, modes.of_scope(*scopes.get(one, (None, None))))
        for one in lead_ids
    }


def acting_for(present: Mode, clock: Clock, handoff: HandoffRow) -> Acting:
    """Return how to act for a handoff: in the mode it was born in.

    One that was replayed is followed in the mode of today, an adopted one is live: sales works it.
    """
    born = Mode(handoff.mode)
    if handoff.adopted_at is not None:
        born = Mode.LIVE
    if born is Mode.HISTORY or (born is Mode.LIVE and present is Mode.HISTORY):
        return Acting(clock, present)
    return Acting(clock, born)
