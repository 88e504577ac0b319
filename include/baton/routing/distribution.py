"""Weighted round robin that is never a whole lead away from anyone's share.

The rule is R. Tijdeman's for the chairman assignment problem (Discrete Mathematics 32, 1980):
with k members and shares that add up to one, each turn every member's balance grows by the
share; among those whose balance has reached 1/(2k-2), the turn goes to whoever would soonest be
too far behind. The balance of every member then stays within 1 - 1/(2k-2) of zero, for any
weights and at any moment. A random choice has no such bound, the lowest count floods whoever
comes back.

What is added here is for pools that change:

* a balance is owed leads minus received ones, and balances of all members add up to zero;
* who cannot be picked (leave, cap, hours, excluded) neither gains nor loses: the balance waits;
* a newcomer starts at zero; a leaver's balance goes to those who stay, by weight;
* a weight of zero means: member, but not given leads; if no weight is left nobody is picked;
* ties go to the smaller key, so the result depends on the recorded inputs alone.

For stable weights and eligibility the bound holds exactly. When they change no rule that decides
lead by lead can promise it; `balance_of` measures it. Everything is integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm
from typing import Self

from baton.errors import InvariantError, PolicyError

DENOMINATOR_LIMIT = 10**12
"""Above this, balances are rounded to a billionth of a lead, so that stored integers stay small.

Only pools whose eligible weights keep changing between totals without common factors get there.
"""
_COARSE = 10**9


@dataclass(frozen=True, slots=True)
class PoolState:
    """What a pool remembers between leads. `balances` are integers over `denominator`.

    A positive balance means that leads are owed to the member. `given` counts what the pool
    handed out to each, for the receipt; it plays no part in the choice.
    """

    denominator: int = 1
    balances: Mapping[str, int] = field(default_factory=dict)
    given: Mapping[str, int] = field(default_factory=dict)

    def balance_of(self, member: str) -> Fraction:
        """Return leads owed to `member` (negative: received ahead of the share)."""
        return Fraction(self.balances.get(member, 0), self.denominator)

    def to_json(self) -> dict[str, object]:
        """Return the state as plain JSON values, with sorted members."""
        return {
            "balances": dict(sorted(self.balances.items())),
            "denominator": self.denominator,
            "given": dict(sorted(self.given.items())),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self:
        """Read what `to_json` gave; an empty mapping is a new pool. InvariantError if damaged."""
        denominator = value.get("denominator", 1)
        if not isinstance(denominator, int) or denominator < 1:
            raise InvariantError("a stored pool state has no valid denominator")
        return cls(denominator, _counts(value, "balances"), _counts(value, "given"))


def pick(
    weights: Mapping[str, int], eligible: Collection[str], state: PoolState
) -> tuple[str | None, PoolState]:
    """Choose who gets the next lead and return that member with the pool's new state.

    `weights` are all members of the pool with their whole-number weights, `eligible` those who may
    be chosen for this lead. Returns None and the unchanged state if nobody with a weight above
    zero is eligible. Raises PolicyError for a negative weight.
    """
    for member, weight in weights.items():
        if weight < 0:
            raise PolicyError(f"the weight of '{member}' is {weight}; it cannot be negative")
    running = {key: weights[key] for key in sorted(weights) if key in eligible and weights[key]}
    if not running:
        return None, state
    current = settled(weights, state)
    shares, total = _reduced(running)
    denominator = lcm(current.denominator, total)
    factor = denominator // current.denominator
    balances = {member: value * factor for member, value in current.balances.items()}
    chosen = _chairman(shares, total, balances, denominator)
    for member, share in shares.items():
        balances[member] += share * (denominator // total)
    balances[chosen] -= denominator
    given = dict(current.given)
    given[chosen] = given.get(chosen, 0) + 1
    return chosen, _kept_small(PoolState(denominator, balances, given))


def settled(weights: Mapping[str, int], state: PoolState) -> PoolState:
    """Return `state` with exactly the members of `weights`: newcomers at zero, leavers shared out."""
    if state.balances.keys() == weights.keys():
        return state
    balances = {member: state.balances.get(member, 0) for member in weights}
    given = state.given
    left_over = -sum(balances.values())
    if left_over == 0 or not balances:
        return PoolState(state.denominator if left_over == 0 else 1, balances, given)
    running = {member: weight for member, weight in weights.items() if weight > 0}
    shares, total = _reduced(running or dict.fromkeys(weights, 1))
    scaled = {member: value * total for member, value in balances.items()}
    for member, share in shares.items():
        scaled[member] += left_over * share
    return PoolState(state.denominator * total, scaled, given)


def _chairman(
    shares: Mapping[str, int], total: int, balances: Mapping[str, int], denominator: int
) -> str:
    """Apply Tijdeman's rule to the balances as they are before this turn's shares are added.

    Those who cannot be picked hold the rest of the balances, so the ones of `shares` are first
    centred: what they owe to the absent is spread by share and does not disturb the order.
    All values are multiplied by denominator * total, to stay integers.
    """
    count = len(shares)
    if count == 1:
        return next(iter(shares))
    limit = 2 * count - 2
    whole = denominator * total
    offset = denominator - sum(balances[member] for member in shares)
    spread = lcm(*shares.values())
    best: tuple[int, str] | None = None
    for member, share in shares.items():
        reached = (balances[member] * total + share * offset) * limit
        if reached < whole:
            continue
        urgency = ((limit - 1) * whole - reached) * (spread // share)
        if best is None or (urgency, member) < best:
            best = (urgency, member)
    if best is None:
        raise InvariantError("centred balances add up to one, so somebody has reached 1/(2k-2)")
    return best[1]


def _reduced(weights: Mapping[str, int]) -> tuple[dict[str, int], int]:
    common = gcd(*weights.values())
    shares = {member: weight // common for member, weight in weights.items()}
    return shares, sum(shares.values())


def _kept_small(state: PoolState) -> PoolState:
    common = gcd(state.denominator, *state.balances.values())
    denominator = state.denominator // common
    balances = {member: value // common for member, value in state.balances.items()}
    if denominator <= DENOMINATOR_LIMIT:
        return PoolState(denominator, balances, state.given)
    coarse = {member: value * _COARSE // denominator for member, value in balances.items()}
    # Rounding down loses less than one unit a member; the first keys get them back, so that the
    # balances still add up to zero.
    missing = -sum(coarse.values())
    for member in sorted(coarse)[:missing]:
        coarse[member] += 1
    return PoolState(_COARSE, coarse, state.given)


def _counts(value: Mapping[str, object], name: str) -> dict[str, int]:
    counts = value.get(name, {})
    if not isinstance(counts, Mapping) or not all(isinstance(n, int) for n in counts.values()):
        raise InvariantError(f"a stored pool state has no valid {name}")
    return {str(member): int(number) for member, number in counts.items()}
