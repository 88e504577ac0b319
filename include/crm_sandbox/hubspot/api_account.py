"""Owners, forms and their submissions, and the account itself."""

from __future__ import annotations

from typing import Any

from crm_sandbox.hubspot.call import Call, Reply
from crm_sandbox.hubspot.errors import fault, invalid
from crm_sandbox.hubspot.forms import Form
from crm_sandbox.hubspot.records import instant

_OWNERS_MAX, _FORMS_MAX, _SUBMISSIONS_MAX = 500, 500, 50


def list_owners(call: Call) -> Reply:
    """GET /crm/v3/owners, by id."""
    limit = call.whole("limit", default=100, most=_OWNERS_MAX)
    email, archived = call.query.get("email", "").lower(), call.flag("archived")
    start = call.after()
    chosen = sorted(
        (
            o
            for o in call.portal.owners.values()
            if o.archived == archived and int(o.id) > start and email in ("", o.email.lower())
        ),
        key=lambda owner: int(owner.id),
    )
    body: dict[str, Any] = {"results": [owner.to_json() for owner in chosen[:limit]]}
    if len(chosen) > limit:
        body["paging"] = call.next_page(chosen[limit - 1].id)
    return Reply(body)


def get_owner(call: Call) -> Reply:
    """GET /crm/v3/owners/{id}"""
    key, by_user = call.path["id"], call.query.get("idProperty") == "userId"
    archived = call.flag("archived")
    for owner in call.portal.owners.values():
        if key == (str(owner.user_id) if by_user else owner.id) and owner.archived == archived:
            return Reply(owner.to_json())
    raise fault(404, "resource not found")


def list_forms(call: Call) -> Reply:
    """GET /marketing/v3/forms"""
    limit = call.whole("limit", default=50, most=_FORMS_MAX)
    start = call.after()
    forms = list(call.portal.forms.values())
    body: dict[str, Any] = {"results": [f.to_json() for f in forms[start : start + limit]]}
    if start + limit < len(forms):
        body["paging"] = call.next_page(str(start + limit))
    return Reply(body)


def get_form(call: Call) -> Reply:
    """GET /marketing/v3/forms/{id}"""
    return Reply(_form(call).to_json())


def _form(call: Call) -> Form:
    found = call.portal.forms.get(call.path["id"])
    if found is None:
        raise fault(404, f"No form found with guid '{call.path['id']}'.", "OBJECT_NOT_FOUND")
    return found


def list_submissions(call: Call) -> Reply:
    """GET /form-integrations/v1/submissions/forms/{id}, newest first."""
    sent = _form(call).submissions
    limit = call.whole("limit", default=20, most=_SUBMISSIONS_MAX)
    # `after` counts from the oldest, so that new submissions do not shift the pages.
    end = min(call.after(len(sent)), len(sent))
    start = max(0, end - limit)
    body: dict[str, Any] = {"results": [item.to_json() for item in reversed(sent[start:end])]}
    if start > 0:
        body["paging"] = call.next_page(str(start))
    return Reply(body)


def submit_form(call: Call) -> Reply:
    """POST /submissions/v3/integration/submit/{portal}/{id}, without a token."""
    if call.path["portal"] != str(call.portal.portal_id):
        raise fault(404, f"No portal with id {call.path['portal']}.", "OBJECT_NOT_FOUND")
    raw = call.fields.get("fields")
    if not isinstance(raw, list):
        raise invalid("Invalid input JSON on line 1: fields must be a list")
    values = {str(item.get("name")): str(item.get("value", "")) for item in raw}
    page = (call.fields.get("context") or {}).get("pageUri", "")
    call.portal.submit_form(call.path["id"], values, page_url=str(page))
    return Reply({"inlineMessage": "Thanks for submitting the form."})


def details(call: Call) -> Reply:
    """GET /account-info/v3/details"""
    portal = call.portal
    offset = call.now().astimezone(portal.time_zone).utcoffset()
    seconds = int(offset.total_seconds()) if offset else 0
    sign, (hours, minutes) = "-" if seconds < 0 else "+", divmod(abs(seconds) // 60, 60)
    return Reply(
        {
            "portalId": portal.portal_id,
            "accountType": "STANDARD",
            "timeZone": portal.time_zone.key,
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": f"{sign}{hours:02d}:{minutes:02d}",
            "utcOffsetMilliseconds": seconds * 1000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }
    )


def usage(call: Call) -> Reply:
    """GET /account-info/v3/api-usage/daily/private-apps"""
    limits = call.limits
    return Reply(
        {
            "results": [
                {
                    "name": "private-apps-api-calls-daily",
                    "usageLimit": limits.plan.daily,
                    "currentUsage": limits.used_today,
                    "collectedAt": instant(call.now()),
                    "fetchStatus": "SUCCESS",
                    "resetsAt": instant(limits.resets_at()),
                }
            ]
        }
    )


def custom_objects(_call: Call) -> Reply:
    """GET /crm/v3/schemas: this portal has no objects of its own making."""
    return Reply({"results": []})


def token_info(call: Call) -> Reply:
    """POST /oauth/v2/private-apps/get/access-token-info"""
    scopes = call.portal.tokens.get(str(call.fields.get("tokenKey", "")))
    if scopes is None:
        raise fault(404, "resource not found")
    return Reply(
        {
            "userId": 9_586_504,
            "hubId": call.portal.portal_id,
            "appId": 2_930_857,
            "scopes": sorted(scopes),
        }
    )
