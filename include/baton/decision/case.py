"""One lead on its way through the decision: everything worked out that the steps look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from baton.calendars.build import Calendars
from baton.decision import package
from baton.decision.decision import Decision, DecisionOutcome, Origin
from baton.decision.inputs import DecisionInputs, Observed, personal_labels
from baton.decision.package import Occasion, Package, Words
from baton.decision.sentences import SCORE_REACHED_BAND
from baton.leads.companies import company_keys
from baton.leads.identity import best_duplicate
from baton.leads.meetings import meeting_host
from baton.leads.permission import Permissions, permissions
from baton.leads.states import LeadState
from baton.policy.actions import ReturnTo
from baton.policy.facts import Facts
from baton.policy.models import Band, Disposition, Lapse, Policy, RouteRule
from baton.policy.roster import Roster
from baton.routing.book import PoolBook
from baton.routing.ladder import OwnerKind, Route, RouteReason
from baton.scoring.bands import band_of, higher
from baton.scoring.points import Score, score
from baton.scoring.triggers import Fired, fired
from baton.sla.terms import Terms, born, kept_by, of_import, of_test, staying, with_alarm


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a lead is to be handed off."""

    code: str
    words: str
    fired: Fired | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One lead with everything worked out that the steps look at."""

    inputs: DecisionInputs
    policy: Policy
    roster: Roster
    book: PoolBook
    calendars: Calendars
    judge: Observed
    words: Words
    permitted: Permissions
    score: Score
    scored_band: Band
    fired: tuple[Fired, ...]

    @classmethod
    def of(cls, inputs: DecisionInputs, policy: Policy, roster: Roster, book: PoolBook) -> Case:
        """Score the lead and see what fires."""
        personal, moment = personal_labels(policy), inputs.decided_at
        judge = Observed(personal, inputs.observed)
        words = Words(personal, frozenset(inputs.personal_known))
        points = scored(inputs, policy)
        return cls(
            inputs,
            policy,
            roster,
            book,
            Calendars(policy, roster),
            judge,
            words,
            inputs.permissions or permissions(inputs.facts, policy, moment),
            points,
            band_of(points.total_milli, policy, inputs.history.band_before),
            fired(
                inputs.facts,
                policy,
                moment,
                captured_at=inputs.captured_at,
                since=inputs.history.last_trigger_at,
                total_milli=points.total_milli,
                holds=judge.holds,
            ),
        )

    @property
    def state(self) -> LeadState:
        """Return the lead's state before this decision."""
        return self.inputs.history.state

    @property
    def moment(self) -> datetime:
        """Return the instant of the decision."""
        return self.inputs.decided_at

    @property
    def trigger(self) -> Fired | None:
        """Return the strongest trigger that hands off on its own."""
        return next((found for found in self.fired if found.trigger.hands_off), None)

    @property
    def tester(self) -> str | None:
        """Return whose test this is: somebody of the roster, or one whom the policy names."""
        key = self.inputs.tester
        named = {tester.to for tester in self.policy.testers}
        return key if key and (key in named or self.roster.rep(key) is not None) else None

    @property
    def origin(self) -> Origin:
        """Return who began it; a trigger lifts a lead of an import out of it."""
        if self.tester is not None:
            return Origin.TEST
        imports = self.policy.imports
        if imports is None or self.trigger is not None:
            return Origin.BUYER
        held = self.judge.holds(imports.when, self.inputs.facts, self.moment)
        return Origin.IMPORT if held else Origin.BUYER

    @property
    def companies(self) -> tuple[str, ...]:
        """Return the keys of the lead's company, where people of one company are kept together."""
        if self.policy.keep_together is None or self.tester is not None:
            return ()
        return company_keys(self.inputs.facts, self.inputs.relations, self.policy.mail.free)

    @property
    def newest_event(self) -> datetime | None:
        """Return the latest instant of all events that fired: after this decision all are used up."""
        return max((found.at for found in self.fired), default=None)

    @property
    def band(self) -> Band:
        """Return the band the lead counts as: a trigger's, if that is higher than the score's."""
        named = next((found.trigger.band for found in self.fired if found.trigger.band), None)
        if named is not None and higher(named, self.scored_band.name, self.policy):
            return self.policy.bands[named]
        return self.scored_band

    @property
    def last_disposition(self) -> Disposition | None:
        """Return the reason code with which sales last gave the lead back."""
        return self.policy.dispositions.get(self.inputs.history.last_disposition or "")

    @property
    def due_back(self) -> bool:
        """Tell whether a recycled lead has reached the date of its return."""
        at = self.inputs.history.return_at
        # A lead that has come back and found nobody is held; it is due still.
        returns = self.state in (LeadState.RECYCLED, LeadState.HELD)
        return returns and at is not None and at <= self.moment

    @property
    def cause(self) -> Cause | None:
        """Return why the lead is to be handed off, or None."""
        trigger = self.trigger
        if trigger is not None:
            return Cause(trigger.trigger.id, trigger.trigger.label, trigger)
        last = self.last_disposition
        if self.due_back and last is not None and last.to is not None:
            return Cause("return", f"back as agreed after '{last.rep_sees}'")
        if self.band.hands_off and not self.sent_back_with_this_band:
            return Cause("band", SCORE_REACHED_BAND)
        return None

    @property
    def sent_back_with_this_band(self) -> bool:
        """Tell whether sales has had this lead, and its score has not dropped and risen since.

        Without this a lead that sales sent to nurture would come back the next minute.
        """
        history = self.inputs.history
        before = self.policy.bands.get(history.band_before or "")
        waits = history.state in (
            LeadState.NURTURE,
            LeadState.CUSTOMER,
            LeadState.SUPPRESSED,
            LeadState.QUARANTINED,
        )
        return waits and history.cycle > 0 and (before is None or before.hands_off)

    @property
    def met_at(self) -> datetime:
        """Return when the criteria were met: with the newest event that fired, else now."""
        newest = self.newest_event
        return min(newest, self.moment) if newest and self.trigger else self.moment

    @property
    def recipient(self) -> str | None:
        """Return the role that the trigger or the band asks for."""
        asked = self.trigger.trigger.recipient if self.trigger else None
        return asked or (self.band.recipient if self.band.hands_off else None)

    @property
    def channel(self) -> str | None:
        """Return the Slack channel to tell; None: the owner directly."""
        return self.trigger.trigger.channel if self.trigger else self.band.channel

    def facts(self) -> Facts:
        """Return the facts with what the decision itself found out."""
        found = self.trigger or (self.fired[0] if self.fired else None)
        return {
            **self.inputs.facts,
            "Score": Decimal(self.score.total_milli) / 1000,
            "Band": self.band.name,
            "Trigger": found.trigger.id if found else None,
            "Recipient": self.recipient,
        }

    def decision(
        self,
        outcome: DecisionOutcome,
        reason_code: str,
        words: str,
        state: LeadState | None = None,
    ) -> Decision:
        """Return a decision without route or package."""
        found = self.trigger or (self.fired[0] if self.fired else None)
        return Decision(
            self.inputs.lead_key,
            outcome,
            reason_code,
            words,
            lead_state=state,
            score=self.score,
            band=self.band.name,
            trigger=found.trigger.id if found else None,
            trigger_at=self.newest_event,
            may_email=self.permitted.email,
            may_call=self.permitted.call,
            origin=self.origin,
        )


def scored(inputs: DecisionInputs, policy: Policy) -> Score:
    """Return the score of a lead; its reasons leave the slots of personal values open."""
    personal = personal_labels(policy)
    judge = Observed(personal, inputs.observed)
    words = Words(personal, frozenset(inputs.personal_known))
    return score(inputs.facts, policy, inputs.decided_at, holds=judge.holds, say=words.say)


def avoided(case: Case) -> frozenset[str]:
    """Return earlier owners, where the lead is to go to somebody fresh."""
    last = case.last_disposition
    if last is None or last.to is not ReturnTo.FRESH:
        return frozenset()
    return frozenset(owner.lower() for owner in case.inputs.history.earlier_owners)


def known_to(case: Case) -> tuple[tuple[str, RouteReason, str], ...]:
    """Return who knows the lead already and may get it: its earlier owner, its Salesforce owner."""
    fresh_wanted = avoided(case)
    found: list[tuple[str, RouteReason, str]] = []
    earlier = case.inputs.history.earlier_owners
    if earlier and not fresh_wanted:
        found.append((earlier[-1].lower(), RouteReason.EARLIER_OWNER, "had this lead before"))
    twin = best_duplicate(case.inputs.history.duplicates)
    if twin is not None and twin.owner and twin.owner.lower() not in fresh_wanted:
        words = f"has what may be the same person, HubSpot contact {twin.lead_key}"
        if twin.owner.lower() not in [key for key, _, _ in found]:
            found.append((twin.owner.lower(), RouteReason.SAME_PERSON, words))
    owner = (case.inputs.relations.salesforce_lead_owner or "").lower()
    sells = any(member.rep == owner for pool in case.roster.pools for member in pool.members)
    if sells and owner not in fresh_wanted and owner not in [key for key, _, _ in found]:
        found.append((owner, RouteReason.LEAD_OWNER, "owns the lead in Salesforce"))
    together = colleagues_owner(case)
    if together and together not in fresh_wanted and together not in [key for key, _, _ in found]:
        found.append((together, RouteReason.COLLEAGUE, "has somebody of the same company"))
    return tuple(found)


def colleagues_owner(case: Case) -> str | None:
    """Return who was given somebody of the same company: in this batch, else before it."""
    batch = (case.book.colleague(company) for company in case.companies)
    owner = next((found for found in batch if found is not None), None)
    owner = owner or (case.inputs.colleagues if case.companies else None)
    return owner.lower() if owner else None


def terms_of(case: Case, found: Route, captured_at: datetime) -> Terms | None:
    """Return the terms of a hop on `found`, with the alarm of a queue."""
    assert found.owner is not None
    queued = found.owner.kind is OwnerKind.QUEUE
    calendar = case.calendars.of(None if queued else found.owner.key)
    imported = case.policy.imports if case.origin is Origin.IMPORT else None
    terms = born(
        case.policy,
        case.band.name,
        trigger=case.trigger.trigger if case.trigger else None,
        captured_at=captured_at,
        assigned_at=case.moment,
        calendar=calendar,
        source=(imported.sla,) if imported else None,
    )
    if terms is not None and imported is not None:
        terms = of_import(terms)
    if terms is not None and case.origin is Origin.TEST:
        terms = of_test(terms)
    rule = next((rule for rule in case.policy.route if rule.id == found.rule_id), None)
    if terms is not None and _stays(found, rule):
        terms = staying(terms)
    if terms is None or not queued:
        return kept_by(terms, case.moment) if terms and hosts_meeting(case, found) else terms
    return with_alarm(terms, rule.alarm_after if rule else None, calendar)


def _stays(found: Route, rule: RouteRule | None) -> bool:
    """Tell whether the lead stays with its owner though the clock runs out.

    Who has the account or the opportunity keeps it, and so does whom the policy says so of.
    """
    return not found.change_owner or (rule is not None and rule.reassign is Lapse.NEVER)


def hosts_meeting(case: Case, found: Route) -> bool:
    """Tell whether the owner is the host of a meeting that the lead has booked already."""
    booked = case.inputs.facts.get("Meeting booked") is True
    host = meeting_host(case.policy.meetings, case.inputs.facts)
    return booked and found.owner is not None and found.owner.key == host


def package_of(case: Case, cause: str, found: Route, terms: Terms | None) -> Package:
    """Put together what travels to the owner."""
    rep = case.roster.rep(found.owner.key) if found.owner else None
    occasion = Occasion(
        case.score,
        case.band.name,
        case.trigger.trigger.id if case.trigger else None,
        cause,
        due=terms.first_touch_due if terms else None,
        zone=rep.zone if rep else "UTC",
        may_email=case.permitted.email,
        may_call=case.permitted.call,
        told=case.inputs.told,
        duplicates=tuple(one.words() for one in case.inputs.history.duplicates),
    )
    return package.build(
        case.policy, case.facts(), occasion, case.judge, case.words, moment=case.moment
    )
