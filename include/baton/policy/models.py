"""The policy as a typed, frozen value. Names are those of the YAML; properties give engine units.

Everything here is checked for its own shape only; what one part says about another (a pool that
does not exist, a threshold out of order) is checked by `baton.policy.lint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf
from pydantic import Field as Setting

from baton.policy.actions import PolicyModel
from baton.policy.agreement_models import (
    Agreed,
    Commitment,
    Commitments,
    Content,
    Enablement,
    Guards,
    Opening,
    Stage,
    StageBegins,
    WorkStandard,
)
from baton.policy.calendar_rules import CalendarRule
from baton.policy.conditions import Condition, Test
from baton.policy.crm_models import SalesforceRules, WriteBack
from baton.policy.fields import Field, FieldReading, FieldType
from baton.policy.kinds import milli
from baton.policy.lead_models import (
    Digest,
    Drift,
    EnrichmentStep,
    Profile,
    read_aliases,
)
from baton.policy.references import (
    NamedAccount,
    read_named,
    read_named_accounts,
    read_numbered,
)
from baton.policy.route_models import (
    Caps,
    Channel,
    Customers,
    Distribution,
    Imports,
    KeepTogether,
    Lapse,
    MailLists,
    Meetings,
    Permission,
    PoolRule,
    RoleAddresses,
    RouteRule,
    Segment,
    Suppression,
    Tester,
)
from baton.policy.score_models import (
    Band,
    ScoreGroup,
    ScoreKind,
    ScoreRule,
    Scoring,
    Trigger,
    read_bands,
)
from baton.policy.terms_models import (
    Disposition,
    Outcome,
    QuietHours,
    SlaTerms,
    Timer,
    TimerAction,
    Timers,
)
from baton.policy.territories import Territories, read_territories

__all__ = [
    "Agreed",
    "Band",
    "Caps",
    "Channel",
    "Commitment",
    "Commitments",
    "Content",
    "Customers",
    "Disposition",
    "Distribution",
    "Enablement",
    "Guards",
    "Imports",
    "KeepTogether",
    "Lapse",
    "MailLists",
    "Meetings",
    "Opening",
    "Outcome",
    "Permission",
    "Policy",
    "PoolRule",
    "QuietHours",
    "RoleAddresses",
    "RouteRule",
    "ScoreGroup",
    "ScoreKind",
    "ScoreRule",
    "Scoring",
    "Segment",
    "SlaTerms",
    "Stage",
    "StageBegins",
    "Suppression",
    "Territories",
    "Tester",
    "Timer",
    "TimerAction",
    "Timers",
    "Trigger",
    "WorkStandard",
    "WriteBack",
    "milli",
]


class Policy(PolicyModel):
    """The whole agreement. `hash` names the version: it covers every file, include and list."""

    hash: str = ""
    name: str = ""
    agreed: Agreed
    fields: Annotated[Mapping[str, Field], BeforeValidator(read_named("label"))]
    hand_raise_times: tuple[str, ...] = ()
    stages: Annotated[Mapping[str, Stage], BeforeValidator(read_named("name"))]
    required: Mapping[str, tuple[str, ...]] = {}
    recommended: tuple[str, ...] = ()
    scoring: Scoring = Setting(alias="score")
    bands: Annotated[
        Mapping[str, Band], BeforeValidator(read_named("name")), BeforeValidator(read_bands)
    ]
    triggers: Annotated[Mapping[str, Trigger], BeforeValidator(read_named("id"))] = {}
    permission: Permission = Permission()
    suppress: tuple[Suppression, ...] = ()
    customers: Customers | None = None
    route: Annotated[tuple[RouteRule, ...], BeforeValidator(read_numbered("route"))]
    pools: Annotated[Mapping[str, PoolRule], BeforeValidator(read_named("name"))] = {}
    queues: tuple[str, ...] = ()
    testers: tuple[Tester, ...] = ()
    imports: Imports | None = None
    meetings: Meetings | None = None
    keep_together: KeepTogether | None = None
    sla: Mapping[str, SlaTerms]
    dispositions: Annotated[Mapping[str, Disposition], BeforeValidator(read_named("code"))]
    timers: Timers
    calendars: Annotated[Mapping[str, CalendarRule], BeforeValidator(read_named("name"))]
    channels: Annotated[Mapping[str, Channel], BeforeValidator(read_named("name"))] = {}
    quiet_hours: QuietHours | None = None
    territories: Annotated[InstanceOf[Territories], BeforeValidator(read_territories)] = (
        Territories()
    )
    segments: tuple[Segment, ...] = ()
    product_lines: tuple[Segment, ...] = ()
    deal_sizes: tuple[Segment, ...] = ()
    named_accounts: Annotated[tuple[NamedAccount, ...], BeforeValidator(read_named_accounts)] = ()
    company_aliases: Annotated[Mapping[str, str], BeforeValidator(read_aliases)] = {}
    profile: Profile = Profile()
    enrichment: tuple[EnrichmentStep, ...] = ()
    drift: Drift | None = None
    digest: Digest | None = None
    work: WorkStandard
    commitments: Commitments
    enablement: Enablement = Enablement()
    mail: MailLists = MailLists()
    guards: Guards = Guards()
    write_back: WriteBack = WriteBack()
    salesforce: SalesforceRules = SalesforceRules()

    @cached_property
    def score(self) -> tuple[ScoreRule, ...]:
        """Return every score rule, fit first, in the order in which they are written."""
        return (*self.scoring.fit, *self.scoring.intent)

    @cached_property
    def company_rules(self) -> tuple[ScoreRule, ...]:
        """Return the rules of the fit that read only facts of the company.

        `score` for a mailbox that is no person's (info@ and the like).
        """
        company = {label for label, field in self.fields.items() if field.about_company}
        return tuple(rule for rule in self.scoring.fit if rule.when.labels() <= company)

    @cached_property
    def personal(self) -> frozenset[str]:
        """Return the labels of the personal fields."""
        return frozenset(label for label, field in self.fields.items() if field.personal)

    @cached_property
    def personal_tests(self) -> Mapping[str, Test]:
        """Return by their words the tests on personal facts that a decision judges by outcome."""
        conditions: list[Condition] = [rule.when for rule in self.score]
        conditions += [rule.when for rule in self.route]
        conditions += [trigger.when for trigger in self.triggers_strongest_first]
        conditions += [opening.when for opening in self.enablement.openings]
        conditions += [content.when for content in self.enablement.content]
        conditions += [self.customers.when] if self.customers else []
        conditions += [self.imports.when] if self.imports else []
        tests = (test for condition in conditions for test in condition.tests())
        return {test.describe(): test for test in tests if test.label in self.personal}

    @cached_property
    def readings(self) -> tuple[FieldReading, ...]:
        """Return how each field is read from HubSpot, telephone numbers last.

        A number is read by the rules of the lead's country, so the country must be known before.
        """
        found = []
        for field in self.fields.values():
            other = self.fields.get(field.else_from) if field.else_from else None
            places = tuple(
                (part.object, part.hubspot) for part in (field, other) if part and part.hubspot
            )
            if places:
                found.append(FieldReading(field, places))
        return tuple(sorted(found, key=lambda reading: reading.field.type is FieldType.PHONE))

    @property
    def groups(self) -> Mapping[str, ScoreGroup]:
        """Return the ceilings over groups of score rules."""
        return self.scoring.groups

    @cached_property
    def bands_high_to_low(self) -> tuple[Band, ...]:
        """Return the bands in the order in which they are written: highest first."""
        return tuple(self.bands.values())

    @cached_property
    def triggers_strongest_first(self) -> tuple[Trigger, ...]:
        """Return the triggers in the order in which they are written."""
        return tuple(self.triggers.values())

    def sla_for(self, *, trigger: Trigger | None, band: str | None) -> tuple[str, SlaTerms] | None:
        """Return (key, terms): those the trigger names, else of the trigger's id, else of the band."""
        keys = [trigger.sla, trigger.id] if trigger else []
        for key in (*keys, band):
            if key is not None and key in self.sla:
                return key, self.sla[key]
        return None
