"""What buyers do reaches the portal here: forms, page views, calls, imports, merges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.hubspot.records import Record
from crm_sandbox.market.buyers import SOURCE_DETAIL, Buyer, Kind
from crm_sandbox.market.companies import Company
from crm_sandbox.market.events import Event
from crm_sandbox.market.forms import DEMO, NEWSLETTER
from crm_sandbox.market.journeys import Step, StepKind
from crm_sandbox.market.quiz import QUIZ_NAME


@dataclass(slots=True)
class Visitor:
    """What the web statistics know of one buyer, before and after the first form."""

    contact_id: str | None = None
    duplicate_id: str | None = None
    visits: int = 0
    pages: int = 0
    pricing: int = 0
    downloads: int = 0
    webinars: int = 0
    last_visit: datetime | None = None
    last_pricing: datetime | None = None
    last_content: datetime | None = None


class Website:
    """Applies the steps of buyers to the portal and remembers who is who."""

    def __init__(self, portal: Portal, forms: Mapping[str, str]) -> None:
        """`forms` maps form names to their ids in the portal."""
        self._portal = portal
        self._forms = forms
        self._visitors: dict[str, Visitor] = {}
        self._companies: dict[str, str] = {}
        self.buyers: dict[str, Buyer] = {}
        """The buyer behind each contact id: the truth, for those who play the reps."""

    def know_company(self, company: Company, *, at: datetime) -> str:
        """The portal's id of a company, made when it is not there yet."""
        known = self._companies.get(company.domain)
        if known is None:
            known = self._portal.create(
                "companies", company_properties(company), at=at, source="COMPANY_INSIGHTS"
            ).id
            self._companies[company.domain] = known
        return known

    def adopt(self, buyer: Buyer, contact_id: str) -> None:
        """Remember a contact that was in the portal before the buyer did anything."""
        self._visitors[buyer.key] = Visitor(contact_id=contact_id)
        self.buyers[contact_id] = buyer

    def buyer_of(self, contact_id: str | None, email: str | None) -> Buyer | None:
        """The truth behind a contact, found by its id, else by e-mail; None for strangers."""
        if contact_id and contact_id in self.buyers:
            return self.buyers[contact_id]
        found = self._portal.find("contacts", "email", email) if email else None
        return self.buyers.get(found.id) if found else None

    def apply(self, buyer: Buyer, step: Step) -> Event | None:
        """Let one step happen. Returns what can be told of it, None for what nobody notices."""
        visitor = self._visitors.setdefault(buyer.key, Visitor())
        self._forget_erased(visitor)
        match step.kind:
            case StepKind.FORM | StepKind.QUIZ:
                return self._form(buyer, visitor, step)
            case StepKind.CALL | StepKind.IMPORT:
                return self._by_hand(buyer, visitor, step)
            case StepKind.MERGE:
                return self._merge(buyer, visitor, step)
            case StepKind.OPT_OUT:
                return self._opt_out(buyer, visitor, step)
            case _:
                return self._traffic(buyer, visitor, step)

    def _forget_erased(self, visitor: Visitor) -> None:
        """A contact that somebody archived is unknown again; the next form makes a new one."""
        if visitor.contact_id is not None:
            record = self._portal.get("contacts", visitor.contact_id)
            if record is None or record.archived:
                visitor.contact_id = None

    def _traffic(self, buyer: Buyer, visitor: Visitor, step: Step) -> Event | None:
        visitor.pages += step.pages
        if step.kind is StepKind.VISIT:
            visitor.visits += 1
            visitor.last_visit = step.at
        elif step.kind is StepKind.DOWNLOAD:
            visitor.downloads += 1
            visitor.last_content = step.at
        else:
            visitor.webinars += 1
            visitor.last_content = step.at
        if step.pricing:
            visitor.pricing += step.pricing
            visitor.last_pricing = step.at
        if visitor.contact_id is None:
            return None
        self._portal.update(
            "contacts", visitor.contact_id, _counters(visitor), at=step.at, source="ANALYTICS"
        )
        return _event(buyer, step, step.form or f"{step.pages} pages")

    def _form(self, buyer: Buyer, visitor: Visitor, step: Step) -> Event:
        values = dict(step.values)
        if visitor.contact_id is None:
            values |= _first_source(buyer)
        if step.form == NEWSLETTER and visitor.contact_id is None:
            values["lifecyclestage"] = "subscriber"
        values |= _moments(step)
        if visitor.visits == 0:
            visitor.visits, visitor.pages, visitor.last_visit = 1, 2, step.at
        before = self._contact_id(values["email"])
        contact = self._portal.submit_form(
            self._forms[step.form], values, at=step.at, page_url=_page(step.form)
        )
        self._settle(buyer, visitor, contact, step, fresh=before is None)
        return _event(buyer, step, _told(step))

    def _contact_id(self, email: str) -> str | None:
        found = self._portal.find("contacts", "email", email)
        return found.id if found else None

    def _by_hand(self, buyer: Buyer, visitor: Visitor, step: Step) -> Event:
        """Somebody types it in, or imports it: no form, no conversion is counted."""
        values: dict[str, str | None] = {**step.values, **_moments(step)}
        email = values.get("email")
        known = visitor.contact_id or (self._contact_id(email) if email else None)
        if known is None:
            source = "IMPORT" if step.kind is StepKind.IMPORT else "CRM_UI"
            values |= {
                "hs_analytics_source": "OFFLINE",
                "hs_analytics_source_data_1": source,
                "lifecyclestage": "lead",
            }
            contact = self._portal.create("contacts", values, at=step.at, source=source)
        else:
            contact = self._portal.update("contacts", known, values, at=step.at, source="CRM_UI")
        self._settle(buyer, visitor, contact, step, fresh=known is None)
        return _event(buyer, step, "inbound call" if step.kind is StepKind.CALL else "list import")

    def _settle(
        self, buyer: Buyer, visitor: Visitor, contact: Record, step: Step, *, fresh: bool
    ) -> None:
        """After a contact appeared or changed: the statistics so far, and the company."""
        if visitor.contact_id not in (None, contact.id):
            visitor.duplicate_id = contact.id
        else:
            visitor.contact_id = contact.id
        self.buyers.setdefault(contact.id, buyer)
        if visitor.visits:
            self._portal.update(
                "contacts", contact.id, _counters(visitor), at=step.at, source="ANALYTICS"
            )
        company = buyer.company
        email = contact.properties.get("email") or ""
        if fresh and company and (email.endswith(f"@{company.domain}") or not email):
            company_id = self.know_company(company, at=step.at)
            self._portal.update(
                "contacts", contact.id, {"associatedcompanyid": company_id}, at=step.at
            )

    def _merge(self, buyer: Buyer, visitor: Visitor, step: Step) -> Event | None:
        if visitor.contact_id is None or visitor.duplicate_id is None:
            return None
        self._portal.merge(visitor.contact_id, visitor.duplicate_id, at=step.at)
        visitor.duplicate_id = None
        return _event(buyer, step, "two contacts merged")

    def _opt_out(self, buyer: Buyer, visitor: Visitor, step: Step) -> Event | None:
        if visitor.contact_id is None:
            return None
        self._portal.update(
            "contacts", visitor.contact_id, {"hs_email_optout": "true"}, at=step.at, source="EMAIL"
        )
        return _event(buyer, step, "unsubscribed")


def company_properties(company: Company) -> dict[str, str | None]:
    """What the portal knows of a company."""
    return {
        "name": company.name,
        "domain": company.domain,
        "industry": company.industry,
        "numberofemployees": str(company.employees) if company.size_published else None,
        "country": company.country.name,
        "state": company.state or None,
    }


def stamp(at: datetime | None) -> str | None:
    """A moment as a portal value."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z") if at else None


def _counters(visitor: Visitor) -> dict[str, str | None]:
    return {
        "hs_analytics_num_visits": str(visitor.visits),
        "hs_analytics_num_page_views": str(visitor.pages),
        "hs_analytics_last_visit_timestamp": stamp(visitor.last_visit),
        "pricing_page_views": str(visitor.pricing),
        "pricing_page_last_view_at": stamp(visitor.last_pricing),
        "content_downloads": str(visitor.downloads),
        "webinars_attended": str(visitor.webinars),
        "site_revisits": str(max(0, visitor.visits - 1)),
        "last_content_at": stamp(visitor.last_content),
    }


def _first_source(buyer: Buyer) -> dict[str, str]:
    return {
        "hs_analytics_source": buyer.source,
        "hs_analytics_source_data_1": SOURCE_DETAIL[buyer.source],
    }


def _moments(step: Step) -> dict[str, str]:
    """The properties that a hand raise itself sets."""
    at = stamp(step.at) or ""
    if step.kind is StepKind.CALL:
        return {"inbound_call_at": at}
    if step.kind is StepKind.IMPORT:
        return {"last_content_at": stamp(step.at + timedelta(days=4000)) or ""}
    values: dict[str, str] = {}
    if step.form == DEMO:
        values["demo_requested_at"] = at
    if step.quiz is not None:
        values |= {
            "quiz_name": QUIZ_NAME,
            "quiz_score": str(step.quiz.score),
            "quiz_answers": step.quiz.as_text(),
            "quiz_taken_at": at,
        }
    return values


def _told(step: Step) -> str:
    return f"{step.form}: {step.quiz.score}" if step.quiz else step.form


def _page(form: str) -> str:
    slug = form.lower().replace("'", "").replace(" ", "-")
    return f"https://relay.test/{slug}"


def _event(buyer: Buyer, step: Step, what: str) -> Event:
    company = buyer.company.name if buyer.company else buyer.company_text
    if buyer.kind is Kind.NONSENSE:
        company = ""
    return Event(at=step.at, kind=step.kind.value, who=buyer.key, what=what, company=company)
