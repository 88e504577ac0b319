"""Bands: which range of the score a lead is in."""

from __future__ import annotations

from baton.errors import PolicyError
from baton.policy.models import Band, Policy


def band_of(total_milli: int, policy: Policy, before: str | None = None) -> Band:
    """Return the highest band whose lower edge the score reaches, or that the lead has not left.

    "above 75" leaves 75 itself out, "from 50" takes 50 in. `before` is the band of the last
    decision: a lead keeps it while its score is above the band's `stays_above`. Raises PolicyError
    where no band is left for low scores.
    """
    for band in policy.bands_high_to_low:
        if band.holds(total_milli) or (band.name == before and band.keeps(total_milli)):
            return band
    raise PolicyError("no band is left for the lowest scores", hint="let the last band be 'rest'")


def higher(band: str | None, other: str | None, policy: Policy) -> bool:
    """Tell whether `band` lies above `other`; nothing known lies below every band."""
    order = {name: place for place, name in enumerate(policy.bands)}
    return order.get(band or "", len(order)) < order.get(other or "", len(order))
