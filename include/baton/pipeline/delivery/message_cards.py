"""What the messages to owners and managers say."""

from __future__ import annotations

from baton.ledger.effects.dossiers import HandoffDossier, HopTerms
from baton.notify.cards import Card, escape
from baton.pipeline.delivery.package_text import card_lines, personal_values

WHO_AND_COMPANY = 2
"""The first two lines of a package's card name person and company; a message has them on top."""


def person_name(dossier: HandoffDossier) -> str:
    """Return the lead's name as a person would say it."""
    values = personal_values(dossier)
    names = [values[label] for label in ("First name", "Last name") if values.get(label)]
    return " ".join(names) or "A lead without a name"


def handoff_card(dossier: HandoffDossier, hop: HopTerms, *, mention: str | None = None) -> Card:
    """Return the card that tells an owner of a new lead: who, why, how to open, until when."""
    again = f", pass {hop.number}" if hop.number > 1 else ""
    trigger = str(dossier.package.get("cause") or dossier.trigger or "score")
    band = (dossier.band or "new").capitalize()
    return Card(
        headline=f"{band} lead: {trigger.replace('_', ' ')}{again}",
        lead_name=person_name(dossier),
        company=dossier.person.company_name or "",
        lines=card_lines(dossier, hop)[WHO_AND_COMPANY:],
        owner_mention=mention,
    )


_WHY = {
    "remind": "Reminder: the first touch is nearly due",
    "tell_manager": "Nobody has touched this lead in time",
    "update": "The lead raised a hand again",
}


def reminder_text(dossier: HandoffDossier, hop: HopTerms, why: str) -> str:
    """Return the short text of a reminder, an escalation or a piece of news."""
    due = f", due {hop.first_touch_due:%Y-%m-%d %H:%M} UTC" if hop.first_touch_due else ""
    company = dossier.person.company_name
    who = escape(f"{person_name(dossier)}{f' ({company})' if company else ''}")
    return f"*{_WHY.get(why, why)}*: {who}, owner {escape(hop.owner_key)}{due}"
