"""What decisions on many leads are made of, as columns; and which of these leads are plain.

A plain lead is one of the many with whom nothing special is going on: no handoff before, nothing
that a person has released, no relation of its own in Salesforce. Plain leads are judged by columns.
All others go through `decide`, each at its place in the order, so whatever `decide` learns is right
here too: a field of the inputs that this module does not name makes a lead special.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Self, TypeAlias, TypeVar

import numpy as np

from baton.decision.decision import HoldReason
from baton.decision.inputs import DecisionInputs, gather
from baton.leads.accounts import AccountIndex, match_account
from baton.leads.facts import Problem
from baton.leads.history import NEW_LEAD
from baton.leads.permission import Permissions
from baton.leads.relations import (
    NO_MATCH,
    CrmRelations,
    MatchedBy,
    relation_facts,
    relations_from,
)
from baton.leads.states import LeadState
from baton.leads.verdict import GOOD, Failure, Verdict
from baton.policy.facts import FactValue
from baton.policy.models import Policy
from baton.scoring.column_conditions import Judge
from baton.scoring.columns import (
    Bools,
    Coded,
    Codes,
    Column,
    LeadFrame,
    frame_of,
    merged,
)

Value = TypeVar("Value", bound=Hashable)

Matcher: TypeAlias = Callable[[str | None, str | None, str | None, str | None], CrmRelations]
"""From company domain, company name, e-mail domain and country to what Salesforce holds."""

PLAIN_STATES = frozenset(
    {
        LeadState.SEEN,
        LeadState.NURTURE,
        LeadState.QUARANTINED,
        LeadState.SUPPRESSED,
        LeadState.CUSTOMER,
        LeadState.HELD,
    }
)
_PAST_LIMIT = frozenset((HoldReason.BLAST_RADIUS.value,))
"""All that a plain lead may be released from."""
_KNOWN_TO_COLUMNS = frozenset(
    {
        "lead_key", "facts", "verdict", "relations", "history", "captured_at", "decided_at",
        "position", "problems", "permissions", "personal_known", "observed", "told", "released",
    }
)  # fmt: skip
"""The inputs that the columnar steps look at, or that play no part in what they find."""


@dataclass(frozen=True, slots=True, eq=False)
class DecisionFrame:
    """The inputs of many decisions. Make it with `of_inputs` or `of_facts`.

    `facts` holds what conditions read. `whole`: personal facts stand among them; otherwise
    `observed` and `personal_known` tell of these what recorded inputs tell. A code points into the
    tuple beside it: `failing` is what validation refused, `relations` what Salesforce holds.
    `permitted` None: permissions are to be worked out from the facts. `past_limit`: the limit on
    handoffs a run does not hold the lead.
    """

    facts: LeadFrame
    decided_at: Sequence[datetime]
    plain: Bools
    whole: bool
    bands_before: Sequence[str | None] | None
    relation_codes: Codes
    relations: tuple[CrmRelations, ...]
    failing_codes: Codes
    failing: tuple[tuple[Failure, ...], ...]
    permission_codes: Codes | None
    permitted: tuple[Permissions, ...] | None
    observed: Mapping[str, Bools]
    personal_known: Mapping[str, Bools]
    past_limit: Bools
    inputs_at: Callable[[int], DecisionInputs]

    def __len__(self) -> int:
        """Return how many leads it holds."""
        return self.facts.count

    @classmethod
    def of_inputs(cls, inputs: Sequence[DecisionInputs]) -> Self:
        """Make a frame of recorded inputs; it can be decided on under any policy."""
        relation_codes, relations = _distinct([one.relations for one in inputs])
        failing_codes, failing = _distinct([one.verdict.failures for one in inputs])
        nobody = Permissions(False, False, False)
        permission_codes, permitted = _distinct([one.permissions or nobody for one in inputs])
        return cls(
            facts=frame_of([one.facts for one in inputs]),
            decided_at=[one.decided_at for one in inputs],
            plain=np.array([is_plain(one) for one in inputs], dtype=np.bool_),
            whole=False,
            bands_before=[one.history.band_before for one in inputs],
            relation_codes=relation_codes,
            relations=relations,
            failing_codes=failing_codes,
            failing=failing,
            permission_codes=permission_codes,
            permitted=permitted,
            observed=_flags([one.observed for one in inputs]),
            personal_known=_flags([dict.fromkeys(one.personal_known, True) for one in inputs]),
            past_limit=np.array(
                [HoldReason.BLAST_RADIUS in one.released for one in inputs], dtype=np.bool_
            ),
            inputs_at=inputs.__getitem__,
        )

    @classmethod
    def of_facts(
        cls,
        facts: LeadFrame,
        policy: Policy,
        match: Matcher,
        *,
        lead_keys: Sequence[str],
        captured_at: Sequence[datetime],
        decided_at: datetime,
        verdicts: Sequence[Verdict] | None = None,
        problems: Sequence[tuple[Problem, ...]] | None = None,
        positions: Sequence[int] | None = None,
        released: tuple[str, ...] = (),
    ) -> Self:
        """Make a frame of new leads with all their facts, personal ones too.

        Every lead gets its account from `match` (see `matcher`) and the inputs that `gather` makes.
        `released` holds for all of them; what it lets pass is the limit on handoffs a run.
        """
        if not _PAST_LIMIT.issuperset(released):
            raise ValueError(f"new leads are not released from {', '.join(released)}")
        codes, relations = _matched(facts, match)
        held = facts.with_columns(_relation_columns(facts, codes, relations))
        count = facts.count
        judged = [GOOD] * count if verdicts is None else verdicts
        failing_codes, failing = _distinct([one.failures for one in judged])

        def inputs_at(place: int) -> DecisionInputs:
            return gather(
                policy,
                lead_key=lead_keys[place],
                facts=facts.facts(place),
                captured_at=captured_at[place],
                decided_at=decided_at,
                verdict=judged[place],
                relations=relations[codes[place]],
                position=place if positions is None else positions[place],
                problems=() if problems is None else problems[place],
                released=released,
            )

        ambiguous = [one.matched_by is MatchedBy.AMBIGUOUS for one in relations]
        plain = ~np.array(ambiguous, dtype=np.bool_)[codes]
        judge = Judge(held, decided_at)
        for tester in policy.testers:
            plain &= ~judge.holds(tester.when)
        if policy.meetings is not None:
            # Who has booked nothing has not booked: the others are gathered one by one.
            booked = held.coded(policy.meetings.booked_at).codes > 0
            plain &= ~booked
            nothing = Coded(np.ones(count, dtype=np.int32), (None, False))
            held = held.with_columns({"Meeting booked": nothing})
        return cls(
            facts=held,
            decided_at=[decided_at],
            plain=plain,
            whole=True,
            bands_before=None,
            relation_codes=codes,
            relations=relations,
            failing_codes=failing_codes,
            failing=failing,
            permission_codes=None,
            permitted=None,
            observed={},
            personal_known={},
            past_limit=np.full(count, HoldReason.BLAST_RADIUS in released),
            inputs_at=inputs_at,
        )


def is_plain(inputs: DecisionInputs) -> bool:
    """Tell whether the columnar steps can decide on a lead."""
    history, relations = inputs.history, inputs.relations
    return (
        history.state in PLAIN_STATES
        and history == replace(NEW_LEAD, state=history.state, band_before=history.band_before)
        and inputs.permissions is not None
        and relations.salesforce_lead_owner is None
        and relations.matched_by is not MatchedBy.AMBIGUOUS
        and _PAST_LIMIT.issuperset(inputs.released)
        and all(getattr(inputs, name) == usual for name, usual in _SPECIAL.items())
    )


_SPECIAL = {
    part.name: part.default if part.default_factory is MISSING else part.default_factory()
    for part in fields(DecisionInputs)
    if part.name not in _KNOWN_TO_COLUMNS
}
"""All other inputs, with the value that says that there is nothing special."""


def _distinct(values: Sequence[Value]) -> tuple[Codes, tuple[Value, ...]]:
    order: dict[Value, int] = {}
    codes = np.array([order.setdefault(value, len(order)) for value in values], dtype=np.int32)
    return codes, tuple(order)


def _flags(rows: Sequence[Mapping[str, bool]]) -> dict[str, Bools]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        name: np.array([row.get(name, False) for row in rows], dtype=np.bool_) for name in names
    }


_UNRELATED = CrmRelations()


def matcher(accounts: AccountIndex, *, remembered: int = 200_000) -> Matcher:
    """Return what finds the account of a company; it remembers so many that were asked for."""

    @lru_cache(maxsize=remembered)
    def match(
        domain: str | None, name: str | None, mail_domain: str | None, country: str | None
    ) -> CrmRelations:
        found = match_account(domain, name, accounts, mail_domain=mail_domain, country=country)
        return _UNRELATED if found is NO_MATCH else relations_from(found)

    return match


def _matched(facts: LeadFrame, match: Matcher) -> tuple[Codes, tuple[CrmRelations, ...]]:
    """Match every distinct company that the leads name, once."""
    labels = ("Company domain", "Company name", "E-mail domain", "Country")
    columns = [facts.coded(label) for label in labels]
    codes: Codes = np.zeros(facts.count, dtype=np.int32)
    firsts = np.zeros(0, dtype=np.intp)
    for column in columns:
        pairs = codes.astype(np.int64) * len(column.values) + column.codes
        _, firsts, places = np.unique(pairs, return_index=True, return_inverse=True)
        codes = places.astype(np.int32)
    asked = [
        [_text(column.values[code]) for code in column.codes[firsts].tolist()] for column in columns
    ]
    shared, relations = _distinct(list(map(match, *asked)))
    return shared[codes], relations


def _relation_columns(
    facts: LeadFrame, codes: Codes, relations: Sequence[CrmRelations]
) -> dict[str, Column]:
    """Return what `gather` adds to a lead's facts about its account."""
    told = [relation_facts(one) for one in relations]
    columns: dict[str, Column] = {
        label: merged(codes, [facts_of[label] for facts_of in told])
        for label in (told[0] if told else ())
    }
    names = facts.coded("Company name")
    of_account = merged(codes, [one.account_name for one in relations])
    stands_in = np.where(of_account.codes > 0, of_account.codes + len(names.values) - 1, 0)
    columns["Company name"] = Coded(
        np.where(names.codes > 0, names.codes, stands_in).astype(np.int32),
        (*names.values, *of_account.values[1:]),
    )
    return columns


def _text(value: FactValue) -> str | None:
    return value if isinstance(value, str) and value else None
