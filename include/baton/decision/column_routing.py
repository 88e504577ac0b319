"""The ladder for many leads: one after another, in their order, on one book.

Which rules hold is known by columns; who of a rule gets the lead is the ladder's own answer. Whether
somebody is there is asked once for each moment, whether a cap is reached every time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from baton.calendars.build import Calendars
from baton.decision.column_inputs import DecisionFrame
from baton.decision.column_judgement import Judgement
from baton.decision.column_words import FrameFacts
from baton.decision.inputs import personal_labels
from baton.leads.companies import company_keys
from baton.leads.meetings import meeting_host
from baton.leads.relations import CrmRelations
from baton.policy.facts import Facts
from baton.policy.models import Policy, RouteRule
from baton.policy.roster import Rep, Roster
from baton.routing.book import PoolBook
from baton.routing.eligibility import Staffing
from baton.routing.ladder import OwnerKind, Route, RouteReason, RouteRequest, route
from baton.scoring.column_conditions import Judge


@dataclass(frozen=True, slots=True)
class KeptStaffing(Staffing):
    """Staffing that asks once whether somebody is there: at one moment the answer stays the same.

    Not so for caps, which every handoff brings nearer.
    """

    _there: dict[str, str | None] = field(default_factory=dict, repr=False)
    _hours: dict[str, str | None] = field(default_factory=dict, repr=False)

    def why_not_there(self, rep_key: str) -> str | None:
        """Say why somebody cannot be given anything (not active, away), or None."""
        if rep_key not in self._there:
            self._there[rep_key] = Staffing.why_not_there(self, rep_key)
        return self._there[rep_key]

    def why_closed(self, rep: Rep) -> str | None:
        """Say that somebody is not working at the moment and from when on, or None."""
        if rep.key not in self._hours:
            self._hours[rep.key] = Staffing.why_closed(self, rep)
        return self._hours[rep.key]


class Router:
    """Finds owners for the plain leads of a frame, as `decide` would, and counts them in the book."""

    def __init__(
        self, frame: DecisionFrame, judgement: Judgement, roster: Roster, book: PoolBook
    ) -> None:
        self._frame, self._judgement = frame, judgement
        self._policy: Policy = judgement.policy
        self._roster, self._book = roster, book
        self._calendars = Calendars(self._policy, roster)
        self._staffing: KeptStaffing | None = None
        self._hidden = personal_labels(self._policy)
        judge = judgement.routing_judge()
        self._facts = judge.frame
        self._rules = _applicable(judge, self._policy, np.flatnonzero(judgement.to_route))

    def held_back(self, place: int) -> bool:
        """Tell whether this run has made as many handoffs as it may (see `decide`)."""
        hottest = self._judgement.band_codes[place] == 0
        full = self._book.handed_off >= self._policy.guards.handoffs_per_run
        return full and not hottest and not self._frame.past_limit[place]

    def skip(self) -> None:
        """Pass over the next lead: no route is to be found for it."""
        next(self._rules)

    def route(self, place: int) -> Route:
        """Find the owner of the next lead, which is the one at `place`; count the handoff."""
        rules = [self._policy.route[number] for number in next(self._rules)]
        facts = FrameFacts(self._facts, place, self._hidden)
        relations = self._frame.relations[self._frame.relation_codes[place]]
        companies = self._companies(facts, relations)
        owner = next(filter(None, map(self._book.colleague, companies)), None)
        known_to = ((owner.lower(), RouteReason.COLLEAGUE, ""),) if owner else ()
        moment = self._judgement.judge.moment(place)
        request = RouteRequest(
            facts,
            relations,
            moment,
            known_to=known_to,
            host=meeting_host(self._policy.meetings, facts),
        )
        found = self._climb(request, rules)
        if found.owner is not None:
            self._book.count_handoff(found.owner.key)
            if found.owner.kind is OwnerKind.USER:
                self._book.tie(companies, found.owner.key)
        return found

    def _climb(self, request: RouteRequest, rules: Sequence[RouteRule]) -> Route:
        staffing = self._staffing
        if staffing is None or staffing.moment != request.moment:
            staffing = KeptStaffing(self._roster, self._calendars, self._book, request.moment)
            self._staffing = staffing
        if not request.known_to:
            return route(request, self._policy, staffing, holds=_always, rules=rules)
        # Where colleagues are asked depends on rules that do not hold, too.
        applies = {id(rule.when) for rule in rules}
        return route(
            request, self._policy, staffing, holds=lambda when, _facts, _at: id(when) in applies
        )

    def _companies(self, facts: Facts, relations: CrmRelations) -> tuple[str, ...]:
        if self._policy.keep_together is None:
            return ()
        return company_keys(facts, relations, self._policy.mail.free)


def _applicable(judge: Judge, policy: Policy, leads: NDArray[np.intp]) -> Iterator[list[int]]:
    """Yield for each of `leads` the places of the rules that hold for it."""
    holds = np.zeros((len(leads), len(policy.route)), dtype=np.bool_)
    for place, rule in enumerate(policy.route):
        holds[:, place] = judge.holds(rule.when)[leads]
    found, rules = np.nonzero(holds)
    ends = np.searchsorted(found, np.arange(1, len(leads) + 1))
    places, begin = rules.tolist(), 0
    for end in ends.tolist():
        yield places[begin:end]
        begin = end


def _always(_condition: object, _facts: Facts, _moment: datetime) -> bool:
    return True
