"""The admin port: look into the sandbox and steer it. JSON, on loopback, without a token."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crm_sandbox.faults import FaultRule, FaultRuleError
from crm_sandbox.hubspot.errors import PortalFault
from crm_sandbox.hubspot.webhooks import WebhookError, read_target
from crm_sandbox.salesforce.conversion import convert_lead
from crm_sandbox.salesforce.own_rules import OwnRuleError, read_own_rules
from crm_sandbox.world import World

_SALESFORCE_COUNTED = ("Lead", "Contact", "Account", "Opportunity", "Task", "Event", "User")

Handler = Callable[[World, Any, Request], Any]


class AdminError(Exception):
    """A request the admin port cannot do; the text says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        """`status` is the HTTP status."""
        super().__init__(message)
        self.status = status


def jsonable(value: Any) -> Any:
    """A value as JSON: its own form, a dataclass's fields, or ISO 8601 for moments."""
    own = getattr(value, "to_json", None) or getattr(value, "as_json", None)
    if callable(own):
        return own()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def read_moment(text: object, name: str) -> datetime:
    """An aware moment from ISO 8601 text. Raises AdminError."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise AdminError(f"{name} must be ISO 8601, such as 2026-11-20T09:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _since(request: Request) -> int:
    text = request.query_params.get("since", "0")
    if not text.isdecimal():
        raise AdminError("since must be a whole number")
    return int(text)


def _market(world: World) -> Any:
    if world.market is None:
        raise AdminError("this sandbox runs without a market (--no-market)", 409)
    return world.market


def _org(world: World) -> Any:
    if world.org is None:
        raise AdminError("this sandbox runs without Salesforce", 409)
    return world.org


# ---- what can be asked -----------------------------------------------------------------------


def state(world: World, body: Any, request: Request) -> Any:
    """GET /state: the time, and how much there is of everything."""
    portal, workspace = world.portal, world.workspace
    shown: dict[str, Any] = {
        "clock": _clock(world),
        "hubspot": {
            "contacts": portal.count("contacts"),
            "companies": portal.count("companies"),
            "owners": len(portal.owners),
            "forms": len(portal.forms),
            "submissions": sum(len(form.submissions) for form in portal.forms.values()),
        },
        "slack": {
            "users": len(workspace.users),
            "channels": len(workspace.channels),
            "messages": len(workspace.messages),
        },
        "requests": _request_counts(world),
        "faults": len(world.faults.listing()),
        "market": {"there": world.market is not None, "live": world.live},
    }
    if world.org is not None:
        shown["salesforce"] = {
            name: sum(1 for _ in world.org.rows(name)) for name in _SALESFORCE_COUNTED
        }
    return shown


def _request_counts(world: World) -> dict[str, dict[str, int]]:
    by_api: dict[str, Counter[str]] = {}
    for (api, status), count in world.traffic.counts.items():
        by_api.setdefault(api, Counter())[str(status)] += count
    return {api: dict(counts) for api, counts in by_api.items()}


def _clock(world: World) -> dict[str, Any]:
    return {"now": world.clock.now().isoformat(), "simulated": world.clock.simulated}


def set_clock(world: World, body: Any, request: Request) -> Any:
    """POST /clock {"at": ISO 8601 or null}"""
    if "at" not in body:
        raise AdminError('send {"at": "2026-11-20T09:00:00Z"}, or {"at": null} for real time')
    if body["at"] is None:
        world.clock.release()
    else:
        world.clock.set(read_moment(body["at"], "at"))
    return _clock(world)


def play(world: World, body: Any, request: Request) -> Any:
    """POST /market/play {"until": ISO 8601}: simulate up to that moment."""
    until = read_moment(body.get("until"), "until")
    if world.live:
        raise AdminError("the market is live; switch it off before playing simulated time", 409)
    try:
        played = _market(world).play(until)
    except ValueError as error:
        raise AdminError(str(error)) from error
    world.events.extend(getattr(played, "events", ()))
    return jsonable(played)


def live(world: World, body: Any, request: Request) -> Any:
    """POST /market/live {"on": true, "every_seconds": 4}"""
    market = _market(world)
    world.live = bool(body.get("on", True))
    if world.live and world.clock.simulated:
        world.clock.release()
    if "every_seconds" in body:
        market.every_seconds = float(body["every_seconds"])
    return {"live": world.live}


def events(world: World, body: Any, request: Request) -> Any:
    """GET /market/events?since=n"""
    start = _since(request)
    rows = world.events[start:]
    return {"next": start + len(rows), "events": [jsonable(row) for row in rows]}


def add_fault(world: World, body: Any, request: Request) -> Any:
    """POST /faults"""
    try:
        return {"number": world.faults.add(FaultRule.from_json(body))}
    except (FaultRuleError, TypeError) as error:
        raise AdminError(str(error)) from error


def list_faults(world: World, body: Any, request: Request) -> Any:
    """GET /faults"""
    return {"faults": world.faults.listing()}


def clear_faults(world: World, body: Any, request: Request) -> Any:
    """DELETE /faults"""
    return {"removed": world.faults.clear()}


def requests(world: World, body: Any, request: Request) -> Any:
    """GET /requests?since=n&api=hubspot"""
    rows = world.traffic.since(_since(request), request.query_params.get("api"))
    return {"requests": [jsonable(row) for row in rows]}


def slack_messages(world: World, body: Any, request: Request) -> Any:
    """GET /slack/messages?since=n"""
    start = _since(request)
    rows = world.workspace.messages[start:]
    channels = world.workspace.channels
    return {
        "next": start + len(rows),
        "messages": [
            {
                **row.to_json(),
                "channel": row.channel,
                "channel_name": channels[row.channel].name,
                "to": sorted(channels[row.channel].members),
                "at": row.at.isoformat(),
            }
            for row in rows
        ],
    }


def convert(world: World, body: Any, request: Request) -> Any:
    """POST /salesforce/convert {"lead_id", "by", "at", "opportunity_name", "amount"}"""
    org = _org(world)
    at = read_moment(body["at"], "at") if body.get("at") else None
    converted = convert_lead(
        org,
        str(body.get("lead_id", "")),
        by=body.get("by") or org.system_user_id,
        at=at,
        opportunity_name=body.get("opportunity_name"),
        amount=body.get("amount"),
    )
    return jsonable(converted)


def set_own_rules(world: World, body: Any, request: Request) -> Any:
    """POST /salesforce/rules {"duplicates": […], "validations": […], "late_commits": {…}}

    Replaces every rule that the org's own admin has set; {} removes them.
    """
    org = _org(world)
    try:
        org.own_rules = read_own_rules(body, org.schema)
    except OwnRuleError as error:
        raise AdminError(str(error)) from error
    return jsonable(org.own_rules)


def load_contacts(world: World, body: Any, request: Request) -> Any:
    """POST /hubspot/contacts/load {"contacts": [{property: value}], "at": ISO 8601}

    Puts contacts into the portal as they are, without the API's checks and limits. Contacts that
    are refused are listed by their place.
    """
    at = read_moment(body["at"], "at") if body.get("at") else None
    ids, refused = [], []
    for place, values in enumerate(body.get("contacts") or []):
        try:
            ids.append(world.portal.create("contacts", values, at=at, source="IMPORT").id)
        except PortalFault as fault:
            refused.append({"place": place, "message": fault.body["message"]})
    return {"created": len(ids), "ids": ids, "refused": refused}


def submit_form(world: World, body: Any, request: Request) -> Any:
    """POST /hubspot/forms/submit {"form": name or guid, "values": {…}, "at": ISO 8601}"""
    wanted = str(body.get("form", ""))
    guids = [g for g, form in world.portal.forms.items() if wanted in (g, form.name)]
    if not guids:
        names = ", ".join(form.name for form in world.portal.forms.values()) or "none"
        raise AdminError(f"there is no form {wanted!r}; there are: {names}", 404)
    at = read_moment(body["at"], "at") if body.get("at") else None
    record = world.portal.submit_form(guids[0], body.get("values") or {}, at=at)
    return {"contact_id": record.id}


def aim_webhooks(world: World, body: Any, request: Request) -> Any:
    """POST /hubspot/webhooks {"url", "subscriptions": [{"type", "property"}], "signature": "v3",
    "duplicates": 0.1, "shuffled": true, "pause_seconds": 1, "seed": 0}

    Answers with the client secret that the receiver needs.
    """
    try:
        target = read_target(body)
    except (WebhookError, TypeError, ValueError) as error:
        raise AdminError(str(error)) from error
    world.portal.webhooks.aim(target)
    return target.to_json()


def stop_webhooks(world: World, body: Any, request: Request) -> Any:
    """DELETE /hubspot/webhooks"""
    world.portal.webhooks.aim(None)
    return show_webhooks(world, body, request)


def show_webhooks(world: World, body: Any, request: Request) -> Any:
    """GET /hubspot/webhooks: the target, the latest deliveries, and how many events were given up."""
    webhooks = world.portal.webhooks
    return {
        "target": webhooks.target.to_json() if webhooks.target else None,
        "deliveries": [jsonable(one) for one in webhooks.deliveries],
        "given_up": webhooks.given_up,
    }


def trail_search(world: World, body: Any, request: Request) -> Any:
    """POST /hubspot/search {"lag_seconds": 5, "jitter_seconds": 20, "seed": 0}

    From now on search sees a change after the lag and a random part of the jitter.
    """
    parts = {name: body.get(name, 0) for name in ("lag_seconds", "jitter_seconds", "seed")}
    if set(body) - set(parts) or not all(isinstance(one, int | float) for one in parts.values()):
        raise AdminError("send lag_seconds, jitter_seconds and seed, each a number")
    if min(parts["lag_seconds"], parts["jitter_seconds"]) < 0:
        raise AdminError("lag_seconds and jitter_seconds cannot be negative")
    world.portal.trail_search(
        parts["lag_seconds"], jitter_seconds=parts["jitter_seconds"], seed=int(parts["seed"])
    )
    return parts


def steer_org(world: World, body: Any, request: Request) -> Any:
    """POST /salesforce/org {"expire_sessions": true, "refuse_sessions": false,
    "daily_calls": 100000, "assignment_rule": true, "users": {"who@relay.test": false}}

    Each part may be left out. `refuse_sessions`: log-ins work, every call answers 401.
    `users` makes people active or inactive.
    """
    org = _org(world)
    known = ("expire_sessions", "refuse_sessions", "daily_calls", "assignment_rule", "users")
    if unknown := sorted(set(body) - set(known)):
        raise AdminError(f"unknown key {unknown[0]!r}; allowed: {', '.join(known)}")
    users = {name: org.find("User", Username=name) for name in body.get("users") or {}}
    if missing := [name for name, found in users.items() if found is None]:
        raise AdminError(f"there is no user {missing[0]!r}", 404)
    allowed = body.get("daily_calls", org.quota.limit)
    if not isinstance(allowed, int) or allowed < 0:
        raise AdminError("daily_calls must be a whole number")
    expired = org.sessions.expire_all() if body.get("expire_sessions") else 0
    org.sessions.refused = bool(body.get("refuse_sessions", org.sessions.refused))
    org.quota.limit = allowed
    org.assignment_rule_active = bool(body.get("assignment_rule", org.assignment_rule_active))
    for name, active in (body.get("users") or {}).items():
        org.update("User", users[name]["Id"], {"IsActive": bool(active)}, by=org.system_user_id)
    return {
        "sessions_expired": expired,
        "sessions_refused": org.sessions.refused,
        "daily_calls": org.quota.limit,
        "calls_used": org.quota.used,
        "assignment_rule": org.assignment_rule_active,
    }


_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/state", state),
    ("POST", "/clock", set_clock),
    ("POST", "/market/play", play),
    ("POST", "/market/live", live),
    ("GET", "/market/events", events),
    ("POST", "/faults", add_fault),
    ("GET", "/faults", list_faults),
    ("DELETE", "/faults", clear_faults),
    ("GET", "/requests", requests),
    ("GET", "/slack/messages", slack_messages),
    ("POST", "/salesforce/convert", convert),
    ("POST", "/salesforce/rules", set_own_rules),
    ("POST", "/salesforce/org", steer_org),
    ("POST", "/hubspot/search", trail_search),
    ("POST", "/hubspot/webhooks", aim_webhooks),
    ("GET", "/hubspot/webhooks", show_webhooks),
    ("DELETE", "/hubspot/webhooks", stop_webhooks),
    ("POST", "/hubspot/contacts/load", load_contacts),
    ("POST", "/hubspot/forms/submit", submit_form),
)


def admin_app(world: World) -> Starlette:
    """The admin app of a world."""
    return Starlette(
        routes=[
            Route(path, _endpoint(world, handler), methods=[method])
            for method, path, handler in _ROUTES
        ]
    )


def _endpoint(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        # A page in a browser must not steer the sandbox: such requests carry an origin.
        if "origin" in request.headers:
            return JSONResponse({"error": "not for web pages"}, 403)
        try:
            body = await _body(request)
            return JSONResponse(handler(world, body, request))
        except AdminError as error:
            return JSONResponse({"error": str(error)}, error.status)
        except PortalFault as fault:
            return JSONResponse({"error": fault.body.get("message")}, fault.status)

    return endpoint


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if not raw:
        return {}
    try:
        sent = json.loads(raw)
    except ValueError:
        raise AdminError("the body is not JSON") from None
    if not isinstance(sent, dict):
        raise AdminError("the body must be a JSON object")
    return sent
