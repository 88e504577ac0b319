"""Asking outside providers about companies: cached, within a day's budget, never in the way.

A provider that fails, is too slow or too dear leaves the lead as it is; where the policy says so, a
lead that would be handed off waits a little first. No transaction is open while a call is out.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from baton.crm.enrichment import MOST_A_REQUEST, EnrichmentProvider, provider_of
from baton.crm.results import batches
from baton.errors import ConfigurationError, GatewayError
from baton.leads.enrichment import Provenance
from baton.leads.facts import Problem, read_told
from baton.leads.model import LeadSnapshot
from baton.ledger.database.engine import transaction
from baton.ledger.leads import enrichment as kept
from baton.ledger.leads.enrichment import Values
from baton.pipeline.context import Context
from baton.policy.facts import Facts, FactValue, known
from baton.policy.lead_models import EnrichmentStep
from baton.policy.models import Policy

logger = logging.getLogger(__name__)


def connection_of(step: EnrichmentStep) -> str:
    """Return the id of the Airflow connection of a step's provider."""
    return f"enrichment_{step.provider}"


@dataclass(slots=True)
class Filled:
    """What providers added to one lead: facts, where each is from, nonsense, who is waited for."""

    facts: dict[str, FactValue] = field(default_factory=dict)
    provenance: dict[str, Provenance] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    awaiting: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wanting:
    snapshot: LeadSnapshot
    facts: Facts
    domain: str


class OutsideEnrichment:
    """The providers of one policy. One that failed is not asked again by the same run."""

    def __init__(self, ctx: Context, policy: Policy) -> None:
        self._ctx, self._policy = ctx, policy
        self._failed: set[str] = set()
        self._providers: dict[str, EnrichmentProvider] = {}
        self.counts: Counter[str] = Counter()

    def take_counts(self) -> Counter[str]:
        """Return what happened since it was asked last, for a report."""
        counts, self.counts = self.counts, Counter()
        return counts

    def fill(self, leads: Sequence[tuple[LeadSnapshot, Facts]]) -> dict[str, Filled]:
        """Return by HubSpot id what the providers add; what is known is never overwritten."""
        filled = {snapshot.hubspot_id: Filled() for snapshot, _ in leads}
        for step in self._policy.enrichment:
            wanting = [
                _Wanting(snapshot, facts, domain)
                for snapshot, facts in leads
                if (domain := _asked_by(facts, filled[snapshot.hubspot_id], step))
            ]
            if wanting:
                self._fill_step(step, wanting, filled)
        return {
            key: one for key, one in filled.items() if one.facts or one.awaiting or one.problems
        }

    def _fill_step(
        self, step: EnrichmentStep, wanting: Sequence[_Wanting], filled: Mapping[str, Filled]
    ) -> None:
        said, failed = self._said(step, sorted({one.domain for one in wanting}))
        for one in wanting:
            into = filled[one.snapshot.hubspot_id]
            if one.domain in said:
                values, provenance = said[one.domain]
                self._take(step, one, into, values, provenance)
            elif one.domain in failed and step.wait is not None:
                into.awaiting.append(step.provider)

    def _take(
        self,
        step: EnrichmentStep,
        one: _Wanting,
        into: Filled,
        values: Values,
        provenance: Provenance,
    ) -> None:
        told = {
            label: values[name]
            for label, name in step.fills.items()
            if name in values and not known(one.facts.get(label)) and label not in into.facts
        }
        read = read_told(told, one.snapshot, self._policy, one.facts, provenance.source)
        into.facts |= read.facts
        into.provenance |= dict.fromkeys(read.facts, provenance)
        into.problems += read.problems
        self.counts[f"{step.provider} filled"] += bool(read.facts)

    def _said(
        self, step: EnrichmentStep, domains: Sequence[str]
    ) -> tuple[dict[str, tuple[Values, Provenance]], frozenset[str]]:
        """Return what is known of these domains, and those that could not be asked about now."""
        now = self._ctx.clock.now()
        failed: set[str] = set()
        with transaction(self._ctx.engine) as conn:
            held = kept.cached(conn, step.provider, domains, now)
        missing = [domain for domain in domains if domain not in held]
        for part in batches(missing, MOST_A_REQUEST):
            answer = self._ask(step, part)
            if answer is None:
                failed.update(part)
            else:
                held |= {domain: (values, now) for domain, values in answer.items()}
        found = {
            domain: (values, Provenance(step.provider, step.provider, at, step.confidence))
            for domain, (values, at) in held.items()
        }
        return found, frozenset(failed)

    def _ask(self, step: EnrichmentStep, domains: Sequence[str]) -> dict[str, Values] | None:
        """Ask about what the budget allows; None when the provider failed."""
        if step.provider in self._failed:
            return None
        now = self._ctx.clock.now()
        with transaction(self._ctx.engine) as conn:
            granted = kept.reserve(
                conn,
                step.provider,
                now.date(),
                wanted=len(domains),
                budget=step.budget_a_day,
            )
        if granted < len(domains):
            self.counts[f"{step.provider} over budget"] += len(domains) - granted
        if granted == 0:
            return {}
        asked = domains[:granted]
        try:
            answer = self._provider(step).look_up(asked, timeout_seconds=step.timeout.seconds)
        except (GatewayError, ConfigurationError) as error:
            self._failed.add(step.provider)
            self.counts[f"{step.provider} failed"] += 1
            logger.warning("enrichment goes on without %s: %s", step.provider, error)
            return None
        # What the provider does not know is remembered too, or it would be asked for every day.
        found: dict[str, Values] = {domain: answer.get(domain, {}) for domain in asked}
        until = now + timedelta(seconds=step.cache_for.seconds)
        with transaction(self._ctx.engine) as conn:
            kept.remember(conn, step.provider, found, at=now, until=until)
        return found

    def _provider(self, step: EnrichmentStep) -> EnrichmentProvider:
        if step.provider not in self._providers:
            raw = self._ctx.raw_connection(connection_of(step))
            self._providers[step.provider] = provider_of(raw)
        return self._providers[step.provider]


def wait_for(policy: Policy, awaiting: Sequence[str]) -> timedelta:
    """Return how long a lead is held for these providers."""
    waits = (
        step.wait.seconds for step in policy.enrichment if step.wait and step.provider in awaiting
    )
    return timedelta(seconds=max(waits, default=0))


def _asked_by(facts: Facts, filled: Filled, step: EnrichmentStep) -> str | None:
    """Return the domain to ask about, if the step could add anything to this lead."""
    domain = facts.get("Company domain")
    lacks = any(not known(facts.get(label)) and label not in filled.facts for label in step.fills)
    return domain if lacks and isinstance(domain, str) and domain else None
