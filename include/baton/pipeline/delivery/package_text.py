"""The package in full, as it reads on a Salesforce record: personal values put in on the way out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from baton.ledger.effects.dossiers import HandoffDossier, HopTerms
from baton.policy.phrases import UNKNOWN

_SLOT = re.compile(r"\{([^{}\n]+)\}")


def filled(template: str, personal: Mapping[str, Any]) -> str:
    """Put personal values into a stored sentence; what has been forgotten reads "unknown"."""
    if "{" not in template:
        return template
    return _SLOT.sub(lambda match: str(personal.get(match[1].strip()) or UNKNOWN), template)


def personal_values(dossier: HandoffDossier) -> dict[str, str]:
    """Return the personal values by label, as they stand in the person table."""
    return {label: str(value) for label, value in dossier.person.answers.items()}


def card_lines(dossier: HandoffDossier, hop: HopTerms) -> tuple[str, ...]:
    """Return the card, at most ten lines, for this hop's owner."""
    values = personal_values(dossier)
    return tuple(filled(str(line), values) for line in dossier.package.get("card", ()))


def score_of(dossier: HandoffDossier) -> Mapping[str, Any]:
    """Return the score as last told to sales: that of a later hand raise, else the handoff's."""
    found: Mapping[str, Any] = dossier.package.get("score") or dossier.score
    return found


def reasons_text(dossier: HandoffDossier) -> str:
    """Return the score's reasons, a line each, strongest first."""
    score = score_of(dossier)
    reasons = sorted(score.get("reasons", ()), key=lambda reason: -int(reason["points_milli"]))
    values = personal_values(dossier)
    lines = (f"{int(one['points_milli']) / 1000:+g} {one['say']}" for one in reasons)
    return filled("\n".join(lines), values)


def package_text(dossier: HandoffDossier) -> str:
    """Return everything that travels, section by section."""
    values = personal_values(dossier)
    parts = []
    opening = str(dossier.package.get("opening") or "")
    if opening:
        parts.append(f"Suggested opening\n{filled(opening, values)}")
    for section in dossier.package.get("sections", ()):
        lines = filled("\n".join(map(str, section["lines"])), values)
        parts.append(f"{section['title']}\n{lines}")
    enablement = dossier.package.get("enablement", ())
    if enablement:
        lines = "\n".join(_enabler(one, values) for one in enablement)
        parts.append(f"To use\n{lines}")
    return "\n\n".join(parts)


def _enabler(one: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    link = f" ({one['link']})" if one.get("link") else ""
    return f"{one['purpose']}: {filled(str(one['title']), values)}{link}"
