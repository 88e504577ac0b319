"""Setting the mode of a form, a region or all, and the instant from which leads are ours."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from baton.errors import SettingsError
from baton.ledger.effects import switches
from baton.ledger.handoffs import observed
from baton.ledger.record import admin_actions
from baton.ledger.record.admin_actions import NewAdminAction
from baton.pipeline.modes import Modes, form_scope, region_scope
from baton.policy.models import Policy
from baton.policy.reading import did_you_mean
from baton.settings import Mode

__all__ = ["Chosen", "ModeSet", "chosen_scope", "put_mode", "put_start", "with_mode"]

SUBJECT = "mode"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scope as a person named it: its name in the ledger, and in words."""

    name: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSet:
    """Somebody (`by`) wants a scope in a mode; `mode` None: it has none of its own any more."""

    scope: Chosen
    mode: Mode | None
    by: str
    reason: str
    at: datetime


def chosen_scope(
    conn: Connection, policy: Policy, *, form: str | None, region: str | None, everything: bool
) -> Chosen:
    """Return the scope that was named. Raises SettingsError unless exactly one was, and is known.

    A form that no handoff came from yet is taken as it is: it may be new.
    """
    if sum((form is not None, region is not None, everything)) != 1:
        raise SettingsError("say for what: one of --form NAME, --region NAME, --all")
    if everything:
        return Chosen(switches.EVERYTHING, "everything without a mode of its own")
    if region is not None:
        known = {one.casefold(): one for one in policy.territories.names()}
        if region.casefold() not in known:
            hint = did_you_mean(region, list(known.values()))
            raise SettingsError(
                f"the policy has no territory '{region}'; "
                + (hint or f"it has {', '.join(sorted(known.values()))}")
            )
        name = known[region.casefold()]
        return Chosen(region_scope(name), f"region {name}")
    set_before = [
        name.removeprefix(form_scope("")) for name in switches.modes(conn)
        if name.startswith(form_scope(""))
    ]  # fmt: skip
    seen = {one.casefold(): one for one in [*observed.forms_seen(conn), *set_before]}
    name = seen.get(str(form).casefold(), str(form).strip())
    if not name:
        raise SettingsError("--form needs a name, as HubSpot shows it")
    return Chosen(form_scope(name), f"form {name}")


def with_mode(modes: Modes, scope: Chosen, mode: Mode | None, start: datetime | None) -> Modes:
    """Return the modes as they would be."""
    rest = {name: value for name, value in modes.by_scope.items() if name != scope.name}
    by_scope = rest if mode is None else {**rest, scope.name: mode.value}
    return Modes(modes.default, by_scope, start or modes.starts_at)


def put_mode(conn: Connection, wish: ModeSet) -> str:
    """Set or forget the mode of a scope, on the record; return what was done in words.

    Raises SettingsError for the mode of a replay, which is no way to run.
    """
    if wish.mode is Mode.HISTORY:
        raise SettingsError("history is how past time is replayed; set live or observe")
    if wish.mode is None:
        switches.clear_mode(conn, wish.scope.name)
        words = f"{wish.scope.words}: no mode of its own any more"
    else:
        switches.set_mode(conn, wish.scope.name, wish.mode, by=wish.by, at=wish.at)
        words = f"{wish.scope.words}: {wish.mode.value}"
    _record(conn, "set_mode", words, by=wish.by, reason=wish.reason, at=wish.at)
    return words


def put_start(conn: Connection, start: datetime, *, by: str, reason: str, at: datetime) -> str:
    """Set the instant from which captured leads are ours, on the record; return it in words."""
    switches.put(conn, switches.STARTS_AT, start.isoformat(), by=by, at=at)
    words = f"leads captured before {start:%Y-%m-%d %H:%M} UTC are not handed over by us"
    _record(conn, "set_start", words, by=by, reason=reason, at=at)
    return words


def _record(
    conn: Connection, action: str, words: str, *, by: str, reason: str, at: datetime
) -> None:
    admin_actions.record(
        conn,
        NewAdminAction(
            at=at,
            by_whom=by,
            action=action,
            subject=SUBJECT,
            reason=reason,
            form=uuid.uuid4().hex,
            seen="",
            result="done",
            words=words,
        ),
    )
