"""How well a person fits a lead: what they are good at, against what the lead is."""

from __future__ import annotations

from baton.policy.facts import Facts
from baton.policy.phrases import in_words
from baton.policy.roster import Rep


def fit(rep: Rep | None, labels: tuple[str, ...], facts: Facts) -> tuple[bool, ...]:
    """Tell for each label whether the person is good at one of the lead's values.

    Compare the answers as they are: the first label counts more than all that follow. Values are
    compared without regard to case; what is not known of the lead fits nobody.
    """
    return tuple(_is_good(rep, label, facts) for label in labels)


def _is_good(rep: Rep | None, label: str, facts: Facts) -> bool:
    value = facts.get(label)
    if rep is None or value is None:
        return False
    known = value if isinstance(value, tuple | list) else (value,)
    good = {one.casefold() for one in rep.good_at.get(label, ())}
    return any(in_words(one).casefold() in good for one in known)
