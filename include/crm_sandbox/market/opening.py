"""The ground on which the market opens: staff, queues, channels, definitions, accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.market import words
from crm_sandbox.market.buyers import Buyer, Kind, buyer_of_kind, known_buyer
from crm_sandbox.market.companies import Company, Standing
from crm_sandbox.market.forms import FORMS
from crm_sandbox.market.randomness import lognormal, stream, weighted
from crm_sandbox.market.staff import (
    CHANNELS,
    FORMER,
    QUEUES,
    STAFF,
    account_executive,
    reps_of_region,
)
from crm_sandbox.market.website import Website
from crm_sandbox.salesforce.org import Org
from crm_sandbox.slack.workspace import Workspace

LISTS = ("Nurture: later", "Nurture: education", "Recycled", "Do not market")
OPEN_STAGES = {
    "Prospecting": 1.0,
    "Qualification": 2.0,
    "Needs Analysis": 2.0,
    "Proposal/Price Quote": 2.0,
    "Negotiation/Review": 1.0,
}

_CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "budget_range": ("Budget range", ("under_10k", "10k_50k", "50k_200k", "over_200k")),
    "decision_timeline": (
        "Decision timeline",
        ("this_month", "this_quarter", "this_year", "just_looking"),
    ),
    "handoff_permission": ("May be handed to sales", ("true", "false")),
    "call_permission": ("May be called", ("true", "false")),
}
_NUMBERS = {
    "quiz_score": "Quiz score",
    "pricing_page_views": "Pricing page views",
    "content_downloads": "Content downloads",
    "webinars_attended": "Webinars attended",
    "site_revisits": "Site revisits",
}
_MOMENTS = {
    "quiz_taken_at": "Quiz taken at",
    "pricing_page_last_view_at": "Pricing page last viewed at",
    "last_content_at": "Last content at",
    "inbound_call_at": "Inbound call at",
    "demo_requested_at": "Demo requested at",
}
_TEXTS = {
    "quiz_name": "Quiz name",
    "current_solution": "Current solution",
    "primary_pain_point": "Primary pain point",
    "company_size": "Company size",
    "tech_stack": "Tech stack",
    "preferred_language": "Preferred language (form)",
}


@dataclass(slots=True)
class Ground:
    """The ids of everything that was there when the market opened."""

    opened: datetime
    users: dict[str, str] = field(default_factory=dict)
    """Salesforce user ids by staff key."""
    owners: dict[str, str] = field(default_factory=dict)
    """HubSpot owner ids by staff key; "former.rep" is archived."""
    queues: dict[str, str] = field(default_factory=dict)
    """Salesforce queue ids by name."""
    channels: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    """Salesforce account ids by company domain."""


def open_people(ground: Ground, *, org: Org, portal: Portal, workspace: Workspace) -> None:
    """Users, owners, Slack users, queues and channels."""
    for person in STAFF:
        ground.users[person.key] = org.add_user(
            person.name,
            person.email,
            zone=person.zone,
            manager_id=ground.users[person.manager] if person.manager else None,
        )
        ground.owners[person.key] = portal.add_owner(person.email, person.first, person.last)
        workspace.add_user(person.email, person.name)
    key, first, last = FORMER
    mail = f"{key}@relay.test"
    ground.users[key] = org.add_user(f"{first} {last}", mail, active=False)
    ground.owners[key] = portal.add_owner(mail, first, last, archived=True)
    for name, developer_name in QUEUES:
        ground.queues[name] = org.add_queue(name, developer_name)
    for channel in CHANNELS:
        ground.channels[channel] = workspace.add_channel(channel)


def open_portal(ground: Ground, portal: Portal) -> None:
    """Property definitions, forms and lists."""
    for definition in property_definitions():
        portal.define_property("contacts", definition)
    for form in FORMS:
        ground.forms[form] = portal.create_form(form)
    for name in LISTS:
        ground.lists[name] = portal.create_list(name)


def property_definitions() -> list[dict[str, Any]]:
    """The contact properties that the website and the forms of the market fill."""
    made: list[dict[str, Any]] = []
    for name, (label, values) in _CHOICES.items():
        options = [
            {"label": value.replace("_", " "), "value": value, "displayOrder": place}
            for place, value in enumerate(values)
        ]
        made.append({**_definition(name, label, "enumeration", "select"), "options": options})
    made += [_definition(name, label, "number", "number") for name, label in _NUMBERS.items()]
    made += [_definition(name, label, "datetime", "date") for name, label in _MOMENTS.items()]
    made += [_definition(name, label, "string", "text") for name, label in _TEXTS.items()]
    made.append(_definition("quiz_answers", "Quiz answers", "string", "textarea"))
    return made


def _definition(name: str, label: str, kind: str, field_type: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": kind,
        "fieldType": field_type,
        "groupName": "contactinformation",
    }


class Opening:
    """Fills org and portal with the accounts, deals and people that sales knew before."""

    def __init__(
        self, ground: Ground, *, seed: int, org: Org, portal: Portal, website: Website
    ) -> None:
        """Everything that is made carries a moment before `ground.opened`."""
        self._ground = ground
        self._seed = seed
        self._org = org
        self._portal = portal
        self._website = website

    def fill(self, companies: Sequence[Company]) -> None:
        """Accounts, opportunities, known contacts and old leads."""
        for company in companies:
            if company.standing is not Standing.UNKNOWN:
                self._account(company)
        strangers = [c for c in companies if c.standing is Standing.UNKNOWN]
        for number in range(24):
            self._old_lead(number, strangers)

    def _account(self, company: Company) -> None:
        rng = stream(self._seed, "account", company.key)
        at = self._ground.opened - timedelta(days=rng.randint(60, 900))
        owner = self._owner_of(company)
        fields = {
            "Name": company.name,
            "Website": _website(company, rng.randint(0, 2)),
            "OwnerId": owner,
            "Type": _ACCOUNT_TYPE[company.standing],
            "Industry": words.SALESFORCE_INDUSTRY[company.industry],
            "NumberOfEmployees": company.employees,
            "BillingCountry": company.country.name,
        }
        account = self._org.insert("Account", fields, by=owner, at=at)
        self._ground.accounts[company.domain] = account
        self._website.know_company(company, at=at)
        if company.standing is Standing.AMBIGUOUS:
            other = self._ground.users["marcus.bell"]
            twin = {**fields, "Name": f"{company.name} (Group)", "OwnerId": other}
            self._org.insert("Account", twin, by=other, at=at + timedelta(days=3))
        if company.standing is Standing.OPEN_OPPORTUNITY:
            self._open_deal(company, account, owner)
            self._known_contact(company, account, owner, 0)
        if company.standing is Standing.CUSTOMER:
            self._won_deal(company, account, at)
            for number in range(rng.randint(1, 2)):
                self._known_contact(company, account, owner, number)

    def _owner_of(self, company: Company) -> str:
        rng = stream(self._seed, "owner", company.key)
        executive = account_executive(company.region, company.employees).key
        key = company.owner or executive
        if company.standing in (Standing.CUSTOMER, Standing.PARTNER):
            key = "ines.moreau" if rng.random() < 0.85 else executive
        return self._ground.users[key]

    def _open_deal(self, company: Company, account: str, owner: str) -> None:
        rng = stream(self._seed, "deal", company.key)
        opened = self._ground.opened
        self._org.insert(
            "Opportunity",
            {
                "Name": f"{company.name} - first project",
                "AccountId": account,
                "OwnerId": owner,
                "StageName": weighted(rng, OPEN_STAGES),
                "Amount": deal_amount(self._seed, company),
                "CloseDate": (opened + timedelta(days=rng.randint(20, 120))).date(),
                "LeadSource": "Web",
            },
            by=owner,
            at=opened - timedelta(days=rng.randint(5, 55)),
        )

    def _won_deal(self, company: Company, account: str, at: datetime) -> None:
        owner = self._ground.users[account_executive(company.region, company.employees).key]
        self._org.insert(
            "Opportunity",
            {
                "Name": f"{company.name} - subscription",
                "AccountId": account,
                "OwnerId": owner,
                "StageName": "Closed Won",
                "Amount": deal_amount(self._seed, company),
                "CloseDate": at.date(),
                "LeadSource": "Web",
            },
            by=owner,
            at=at,
        )

    def _known_contact(self, company: Company, account: str, owner: str, number: int) -> None:
        """A person at an account, in both systems; not always linked by id."""
        buyer = known_buyer(self._seed, company, number)
        rng = stream(self._seed, "known", buyer.key)
        at = self._ground.opened - timedelta(days=rng.randint(10, 50))
        email = buyer.email or ""
        if self._portal.find("contacts", "email", email):
            return
        stage = "customer" if company.standing is Standing.CUSTOMER else "opportunity"
        keeper = "former.rep" if rng.random() < 0.1 else "ines.moreau"
        record = self._portal.create(
            "contacts",
            {
                "email": email,
                "firstname": buyer.first,
                "lastname": buyer.last,
                "jobtitle": buyer.title,
                "company": company.name,
                "country": company.country.name,
                "phone": buyer.phone,
                "lifecyclestage": stage,
                "hs_analytics_source": "OFFLINE",
                "hubspot_owner_id": self._ground.owners[keeper],
                "handoff_permission": "true",
                "associatedcompanyid": self._website.know_company(company, at=at),
            },
            at=at,
            source="CRM_UI",
        )
        self._website.adopt(buyer, record.id)
        fields = {
            "FirstName": buyer.first,
            "LastName": buyer.last,
            "Email": email,
            "Title": buyer.title,
            "Phone": buyer.phone,
            "AccountId": account,
            "OwnerId": owner,
            "LeadSource": "Web",
        }
        if rng.random() < 0.5:
            fields["HubSpot_Contact_Id__c"] = record.id
        self._org.insert("Contact", fields, by=owner, at=at)

    def _old_lead(self, number: int, companies: Sequence[Company]) -> None:
        """Somebody who stands in both systems from before, as a lead that went quiet."""
        key = f"old-{number:02d}"
        rng = stream(self._seed, "buyer", key)
        buyer = buyer_of_kind(rng, key, Kind.READER, companies)
        company = buyer.company
        email = buyer.email or ""
        if company is None or self._portal.find("contacts", "email", email):
            return
        at = self._ground.opened - timedelta(days=rng.randint(40, 300))
        record = self._portal.create(
            "contacts",
            {
                "email": email,
                "firstname": buyer.first,
                "lastname": buyer.last,
                "company": buyer.company_text,
                "country": buyer.country_text,
                "lifecyclestage": "lead",
                "hs_analytics_source": "OFFLINE",
                "handoff_permission": buyer.permission or None,
            },
            at=at,
            source="IMPORT",
        )
        self._website.adopt(buyer, record.id)
        reps = reps_of_region(company.region)
        owner = self._ground.users[reps[number % len(reps)].key]
        fields = _lead_fields(buyer, company, owner)
        by = self._ground.users["nadia.petrov"]
        self._org.insert("Lead", fields, by=by, at=at)
        if number in (5, 13):
            twin = {**fields, "OwnerId": self._ground.users["nadia.petrov"]}
            self._org.insert("Lead", twin, by=by, at=at + timedelta(days=11))


def _lead_fields(buyer: Buyer, company: Company, owner: str) -> dict[str, Any]:
    return {
        "FirstName": buyer.first,
        "LastName": buyer.last,
        "Company": company.name,
        "Email": buyer.email,
        "Phone": buyer.phone,
        "Title": buyer.title,
        "OwnerId": owner,
        "LeadSource": "Web",
        "Country": company.country.name,
    }


_ACCOUNT_TYPE = {
    Standing.CUSTOMER: "Customer - Direct",
    Standing.OPEN_OPPORTUNITY: "Prospect",
    Standing.NAMED: "Prospect",
    Standing.AMBIGUOUS: "Prospect",
    Standing.PARTNER: "Channel Partner / Reseller",
}


def _website(company: Company, style: int) -> str:
    """Free text, as people type it."""
    return (f"https://www.{company.domain}/", company.domain, f"www.{company.domain}")[style]


def deal_amount(seed: int, company: Company) -> float:
    """What a deal with that company is worth, in the org's currency, rounded to hundreds."""
    rng = stream(seed, "amount", company.key)
    base = 6_000 + 55 * min(company.employees, 4000)
    return float(max(4_000, round(lognormal(rng, base, 0.4), -2)))
