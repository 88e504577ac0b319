"""The agreement as marketing and sales read it: made from the policy, so always current.

`document_of` says the whole policy in words; `as_html` and `as_markdown` set it. The same policy
gives the same text, whenever it is made: today's date matters only for whether a review is overdue,
and is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from baton.policy import document_below, document_leads, document_routes, document_work
from baton.policy.document_frame import at_a_glance, promises, stages
from baton.policy.document_parts import Document
from baton.policy.document_rest import rest
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.policy.wording import date_in_words

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["Activated", "as_html", "as_markdown", "document_of", "markdown_text"]


_TITLE = "what marketing and sales agreed"


@dataclass(frozen=True, slots=True)
class Activated:
    """Since when a version is the current one, and who made it so."""

    at: datetime
    by: str


def document_of(
    policy: Policy,
    *,
    roster: Roster | None = None,
    today: date | None = None,
    activated: Activated | None = None,
) -> Document:
    """Return the agreement in words.

    `roster` names the people of the pools. With `today`, an overdue review is said. `activated`
    is known for the version that is current in the ledger.
    """
    sections = (
        at_a_glance(policy),
        promises(policy),
        stages(policy),
        document_leads.qualified(policy),
        document_below.below_the_line(policy),
        document_leads.required_data(policy),
        document_below.never(policy),
        document_routes.ladder(policy),
        document_routes.pools(policy, roster),
        document_routes.places(policy),
        document_work.response_times(policy),
        document_work.work(policy),
        document_work.reason_codes(policy),
        document_work.help_for_reps(policy),
        document_below.timers(policy),
        *rest(policy),
    )
    return Document(
        title=f"{policy.name}: {_TITLE}" if policy.name else _TITLE.capitalize(),
        lead="What marketing and sales have promised each other: which leads are passed on, to "
        "whom, how fast they are answered, and what comes back.",
        facts=tuple(_facts(policy, activated).items()),
        sections=tuple(section for section in sections if section.blocks),
        warning=_overdue(policy, today),
        notes=(_origin(policy, activated),),
    )


def _origin(policy: Policy, activated: Activated | None) -> str:
    version = f", version {policy.hash[:12]}" if activated else ""
    words = "It is that policy in words: to change it, change the policy."
    return f"Made from the policy{version}. {words}"


def _facts(policy: Policy, activated: Activated | None) -> Mapping[str, str]:
    agreed = policy.agreed
    found = {
        "Agreed on": date_in_words(agreed.on),
        "For marketing": agreed.marketing,
        "For sales": agreed.sales,
        "Keeper of the text": agreed.owner,
        "Reviewed every": str(agreed.review_every),
        "Next review by": date_in_words(_next_review(policy)),
    }
    if activated is not None:
        found["In force since"] = f"{date_in_words(activated.at)}, by {activated.by}"
    return {name: value for name, value in found.items() if value}


def _next_review(policy: Policy) -> date:
    return policy.agreed.on + timedelta(days=policy.agreed.review_every.days)


def _overdue(policy: Policy, today: date | None) -> str | None:
    due = _next_review(policy)
    if today is None or today <= due:
        return None
    late = (today - due).days
    return (
        f"The review of this agreement is overdue: it was due on {date_in_words(due)}, "
        f"{late} day{'' if late == 1 else 's'} ago."
    )


def as_html(document: Document) -> str:
    """Return one self-contained page."""
    return _environment().get_template("agreement.html.j2").render(
        document=document, style=_template("agreement.css")
    )  # fmt: skip


def as_markdown(document: Document) -> str:
    """Return the document as Markdown (GitHub's tables)."""
    text = _environment().get_template("agreement.md.j2").render(document=document)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape
    from markupsafe import Markup

    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["md"] = markdown_text
    # The style sheet is ours: escaped quotes would break it.
    made.filters["style"] = Markup
    return made


def _template(name: str) -> str:
    return (resources.files("baton.policy") / "templates" / name).read_text(encoding="utf-8")


_MARKUP = re.compile(r"([\\`*\[\]|~])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def markdown_text(text: str) -> str:
    """Return a text in which nothing is markup."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}", plain)
    return re.sub(r"^([-+]|#+|\d+[.)])(?=\s)", lambda m: m[0][:-1] + "\\" + m[0][-1], escaped)
