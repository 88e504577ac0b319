"""The forms of the website, and what somebody writes into them."""

from __future__ import annotations

from random import Random

from crm_sandbox.market.buyers import Buyer

DEMO = "Demo request"
QUIZ = "Demo-readiness quiz"
GUIDE = "Buyer's guide"
WEBINAR = "Webinar registration"
NEWSLETTER = "Newsletter"
SUPPORT = "Support request"
JOB = "Job application"
CONTACT_SALES = "Contact sales"
FORMS: tuple[str, ...] = (DEMO, QUIZ, GUIDE, WEBINAR, NEWSLETTER, SUPPORT, JOB, CONTACT_SALES)


def profile(rng: Random, buyer: Buyer, *, depth: int) -> dict[str, str]:
    """What somebody has told: 1 = who, 2 = role and size too, 3 = budget and plans too."""
    values: dict[str, str] = {"firstname": buyer.first, "lastname": buyer.last}
    if buyer.email:
        values["email"] = buyer.email
    if buyer.company_text:
        values["company"] = buyer.company_text
    if rng.random() < 0.85 or depth > 1:
        values["country"] = buyer.country_text
    if buyer.state:
        values["state"] = buyer.state
    if depth > 1:
        values |= _role(rng, buyer)
    if depth > 2:
        values |= _plans(rng, buyer)
    if buyer.permission:
        values["handoff_permission"] = buyer.permission
    values["preferred_language"] = buyer.language if rng.random() < 0.7 else "en"
    return values


def _role(rng: Random, buyer: Buyer) -> dict[str, str]:
    """Role, telephone and size, as told on the second occasion."""
    values = {"jobtitle": buyer.title, "phone": buyer.phone}
    if rng.random() < 0.04:
        values["call_permission"] = "false"
    if buyer.size_text:
        values["company_size"] = buyer.size_text
    if buyer.company and rng.random() < 0.35:
        values["industry"] = buyer.company.industry
    return values


def _plans(rng: Random, buyer: Buyer) -> dict[str, str]:
    """The four qualification answers, of which some are left out (branching forms)."""
    asked = {
        "budget_range": (buyer.budget, 0.8),
        "decision_timeline": (buyer.timeline, 0.85),
        "current_solution": (buyer.solution, 0.7),
        "primary_pain_point": (buyer.pain, 0.65),
    }
    told = {name: answer for name, (answer, share) in asked.items() if rng.random() < share}
    if buyer.company and rng.random() < 0.6:
        told["tech_stack"] = ";".join(buyer.company.tech)
    return told


_DEPTH = {NEWSLETTER: 0, GUIDE: 1, WEBINAR: 1, QUIZ: 2, SUPPORT: 1, JOB: 1, CONTACT_SALES: 2}


def form_values(rng: Random, buyer: Buyer, form: str, *, nth: int) -> dict[str, str]:
    """The fields of a form; later forms of the same person ask for more."""
    if form == NEWSLETTER and nth == 0:
        return {"email": buyer.email or ""}
    depth = 3 if form == DEMO else _DEPTH[form] + min(nth, 2)
    values = profile(rng, buyer, depth=min(depth, 3))
    if form == DEMO and nth == 0 and rng.random() < 0.12:
        values.pop("phone", None)
    return values
