"""HubSpot's webhooks: who wants to know what, and the batches that are sent to them, signed.

One app with one target, as HubSpot has it. Order is not kept and events may come twice, both when
asked for and by seed, because a receiver must bear both. A delivery that is not answered with 2xx
in time is tried again, with a growing pause.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from crm_sandbox.hubspot.changes import NEVER_TOLD, Change, ChangeKind
from crm_sandbox.hubspot.records import milliseconds

MOST_EVENTS = 99
"""Events a request: HubSpot promises fewer than 100."""
ANSWER_SECONDS = 5.0
MOST_ATTEMPTS = 11
"""One delivery and ten retries."""
CONCURRENT = 10
KEPT_DELIVERIES = 1000

_NOUNS = ("contact", "company")
_ENCODED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
_SIGNATURES = ("v1", "v3")


class WebhookError(ValueError):
    """Settings that cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One kind of change that the app wants to be told; `prop` names the property of a change."""

    id: int
    type: str
    prop: str | None = None

    def wants(self, change: Change) -> bool:
        """Tell whether the app is told of this change."""
        if self.type != change.subscription_type:
            return False
        return self.prop is None or self.prop == change.more.get("propertyName")

    def to_json(self) -> dict[str, Any]:
        """As the admin port shows it."""
        named = {} if self.prop is None else {"property": self.prop}
        return {"id": self.id, "type": self.type, **named}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where events go and how.

    `signature`: v1 or v3, as the app's kind has it. `duplicates`: the share of events that are
    sent twice. `shuffled`: batches are mixed. `pause_seconds`: before the first retry; each later
    one waits twice as long (HubSpot spreads them over a day).
    """

    url: str
    secret: str
    app_id: int
    subscriptions: tuple[Subscription, ...]
    signature: str = "v3"
    duplicates: float = 0.0
    shuffled: bool = False
    pause_seconds: float = 1.0
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """As the admin port shows it, with the secret that a receiver needs."""
        return {
            "url": self.url,
            "client_secret": self.secret,
            "app_id": self.app_id,
            "subscriptions": [one.to_json() for one in self.subscriptions],
            "signature": self.signature,
            "duplicates": self.duplicates,
            "shuffled": self.shuffled,
            "pause_seconds": self.pause_seconds,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to the target: what it held, which attempt it was, what came back.

    `status` is None where no answer came in time.
    """

    events: int
    attempt: int
    status: int | None


@dataclass(slots=True)
class Webhooks:
    """The webhooks of one portal. Without a target nothing is noted and nothing is sent."""

    portal_id: int
    target: Target | None = None
    deliveries: deque[Delivery] = field(default_factory=lambda: deque(maxlen=KEPT_DELIVERIES))
    given_up: int = 0
    _waiting: list[dict[str, Any]] = field(default_factory=list)
    _random: random.Random = field(default_factory=lambda: random.Random(0))
    _events: int = 0

    def aim(self, target: Target | None) -> None:
        """Send to this target from now on; None stops it. What waits is forgotten."""
        self.target = target
        self._waiting.clear()
        self.deliveries.clear()
        self.given_up = 0
        self._random = random.Random(target.seed if target else 0)

    def note(self, change: Change) -> None:
        """A record has changed: keep the events that the target wants."""
        if self.target is None:
            return
        for subscription in self.target.subscriptions:
            if subscription.wants(change):
                event = self._event(self.target, subscription, change)
                twice = self._random.random() < self.target.duplicates
                self._waiting += [event, dict(event)] if twice else [event]

    def _event(self, target: Target, subscription: Subscription, change: Change) -> dict[str, Any]:
        self._events += 1
        return {
            "eventId": 100_000_000 + self._events,
            "subscriptionId": subscription.id,
            "portalId": self.portal_id,
            "appId": target.app_id,
            "occurredAt": milliseconds(change.at),
            "subscriptionType": change.subscription_type,
            "attemptNumber": 0,
            "objectId": change.object_id,
            "changeSource": change.source,
            **change.more,
        }

    def batches(self) -> list[list[dict[str, Any]]]:
        """Take what waits, in requests of fewer than 100 events."""
        waiting, self._waiting = self._waiting, []
        if self.target is not None and self.target.shuffled:
            self._random.shuffle(waiting)
        return [waiting[at : at + MOST_EVENTS] for at in range(0, len(waiting), MOST_EVENTS)]


class WebhookSender:
    """Sends what waits, in the event loop of the servers."""

    def __init__(
        self, webhooks: Webhooks, *, now: Callable[[], float] = time.time, every: float = 0.1
    ) -> None:
        """`now` stamps the requests: receivers compare it with their own clock."""
        self._webhooks = webhooks
        self._now = now
        self._every = every
        self._room = asyncio.Semaphore(CONCURRENT)
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send until cancelled."""
        # A client takes a while to make: most sandboxes never tell anybody anything.
        while self._webhooks.target is None:
            await asyncio.sleep(self._every)
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
            try:
                while True:
                    self._send_what_waits(http)
                    await asyncio.sleep(self._every)
            finally:
                for task in self._under_way:
                    task.cancel()
                await asyncio.gather(*self._under_way, return_exceptions=True)

    def _send_what_waits(self, http: httpx.AsyncClient) -> None:
        if (target := self._webhooks.target) is None:
            return
        for batch in self._webhooks.batches():
            task = asyncio.create_task(self._deliver(http, target, batch))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _deliver(
        self, http: httpx.AsyncClient, target: Target, batch: Sequence[Mapping[str, Any]]
    ) -> None:
        for attempt in range(MOST_ATTEMPTS):
            if self._webhooks.target is not target:
                return
            async with self._room:
                status = await self._post(http, target, batch, attempt)
            self._webhooks.deliveries.append(Delivery(len(batch), attempt, status))
            if status is not None and 200 <= status < 300:
                return
            await asyncio.sleep(target.pause_seconds * 2**attempt)
        self._webhooks.given_up += len(batch)

    async def _post(
        self,
        http: httpx.AsyncClient,
        target: Target,
        batch: Sequence[Mapping[str, Any]],
        attempt: int,
    ) -> int | None:
        body = json.dumps([{**event, "attemptNumber": attempt} for event in batch]).encode()
        headers = {"content-type": "application/json", **self._signed(target, body)}
        try:
            answer = await http.post(target.url, content=body, headers=headers)
        except httpx.HTTPError:
            return None
        return answer.status_code

    def _signed(self, target: Target, body: bytes) -> dict[str, str]:
        if target.signature == "v1":
            digest = hashlib.sha256(target.secret.encode() + body).hexdigest()
            return {"X-HubSpot-Signature": digest, "X-HubSpot-Signature-Version": "v1"}
        stamp = str(int(self._now() * 1000))
        return {
            "X-HubSpot-Signature-v3": signature_v3(target.secret, target.url, body, stamp),
            "X-HubSpot-Request-Timestamp": stamp,
        }


def signature_v3(secret: str, url: str, body: bytes, stamp: str) -> str:
    """The signature of a POST; some characters of the address are decoded first, as HubSpot does."""
    plain = _ENCODED.sub(lambda found: chr(int(found.group(1), 16)), url)
    signed = b"POST" + plain.encode() + body + stamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def read_target(raw: Mapping[str, Any]) -> Target:
    """Read a target from JSON. Raises WebhookError."""
    allowed = (
        "url",
        "subscriptions",
        "signature",
        "duplicates",
        "shuffled",
        "pause_seconds",
        "seed",
    )
    if unknown := sorted(set(raw) - set(allowed)):
        raise WebhookError(f"unknown key {unknown[0]!r}; allowed: {', '.join(allowed)}")
    url = str(raw.get("url", ""))
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise WebhookError("url must be the http or https address of the receiver")
    signature = str(raw.get("signature", "v3"))
    if signature not in _SIGNATURES:
        raise WebhookError(f"signature must be one of {', '.join(_SIGNATURES)}")
    subscriptions = raw.get("subscriptions")
    if not isinstance(subscriptions, list) or not subscriptions:
        raise WebhookError('subscriptions must list what to tell: [{"type": "contact.creation"}]')
    seed = int(raw.get("seed", 0))
    source = random.Random(f"webhooks-{seed}")
    return Target(
        url=url,
        secret=f"{source.getrandbits(128):032x}",
        app_id=source.randrange(1_000_000, 9_999_999),
        subscriptions=tuple(
            _subscription(1_000_001 + place, one) for place, one in enumerate(subscriptions)
        ),
        signature=signature,
        duplicates=_share(raw.get("duplicates", 0.0)),
        shuffled=bool(raw.get("shuffled", False)),
        pause_seconds=float(raw.get("pause_seconds", 1.0)),
        seed=seed,
    )


def _subscription(number: int, raw: Any) -> Subscription:
    given = raw if isinstance(raw, dict) else {"type": raw}
    noun, _, kind = str(given.get("type", "")).partition(".")
    if noun not in _NOUNS or kind not in tuple(ChangeKind):
        kinds = ", ".join(ChangeKind)
        raise WebhookError(
            f"a subscription's type is contact or company, a dot, and one of {kinds}"
        )
    prop = given.get("property")
    if (kind == ChangeKind.PROPERTY) != isinstance(prop, str):
        raise WebhookError("propertyChange, and nothing else, names a property")
    if prop in NEVER_TOLD:
        raise WebhookError(f"HubSpot has no webhook for changes of {prop}")
    return Subscription(number, f"{noun}.{kind}", prop)


def _share(value: Any) -> float:
    share = float(value)
    if not 0.0 <= share <= 1.0:
        raise WebhookError(f"duplicates must lie between 0 and 1, not {share}")
    return share
