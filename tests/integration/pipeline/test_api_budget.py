"""When the day's calls run short: hot leads go, the others wait, everybody can see until when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from tests.integration.pipeline.relay import Relay

from baton.errors import BudgetShortError
from baton.ledger.budget import rate_limits
from baton.ledger.budget.rate_limits import LedgerRateLimiter
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.pipeline import api_budget
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.response.sales_activity import read_outcomes
from baton.pipeline.today import sync_health
from baton.transport import Lane, in_lane


def limited(relay: Relay) -> None:
    """Give the gateways of the relay the ledger's limiter, on the sandbox's clock."""
    limiter = LedgerRateLimiter(relay.engine, sleep=lambda _seconds: None, now=relay.now)
    relay.ctx.hubspot._client.pool._limiter = limiter
    relay.ctx.salesforce._session._limiter = limiter


def in_salesforce(relay: Relay) -> set[str]:
    return {row["HubSpot_Contact_Id__c"] for row in relay.org.rows("Lead")}


def test_short_of_calls_hot_leads_go_and_the_others_when_there_are_calls_again(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    quota = relay.org.quota
    quota.limit, used = 10_000, 9_200
    quota.count(used)
    warm, hot = relay.hot_contact(), relay.hot_contact()
    limited(relay)
    qualify_and_route(relay.ctx)
    with transaction(relay.engine) as conn:  # as if of a band below the highest
        lower = text("UPDATE effect SET priority = 100 WHERE lead_id = :lead")
        conn.execute(lower, {"lead": relay.lead(warm)["id"]})
    deliver_and_notify(relay.ctx)
    assert in_salesforce(relay) == {hot}
    assert "all but hot leads wait until" in caplog.text
    with relay.engine.connect() as conn:
        shown = dict(
            api_budget.shown(rate_limits.daily_budgets(conn, relay.now()), relay.ctx.budget)
        )
        health = sync_health.read(conn, relay.now(), relay.ctx.budget)
    assert "calls (8 %) are left of any 24 hours" in shown["Salesforce calls"]
    salesforce = next(one for one in health.connections if one.name == "Salesforce")
    assert any("all but hot leads wait" in what for what, _ in salesforce.troubles)
    quota.limit = 100_000
    relay.wait(minutes=6)
    limited(relay)
    read_outcomes(relay.ctx)  # one call in five minutes looks how it is now
    deliver_and_notify(relay.ctx)
    assert in_salesforce(relay) == {hot, warm}


def test_the_lane_reaches_the_gateway_and_the_portal_tells_its_zone(relay: Relay) -> None:
    relay.contact()
    limited(relay)
    relay.world.limits.plan = replace(relay.world.limits.plan, daily=1000)
    relay.ctx.hubspot.owners()
    with transaction(relay.engine) as conn:
        conn.execute(text("UPDATE rate_bucket SET remaining = 150 WHERE name = 'hubspot.daily'"))
    with in_lane(Lane.BACKGROUND), pytest.raises(BudgetShortError):
        relay.ctx.hubspot.owners()
    api_budget.learn_zone(relay.ctx)
    with relay.engine.connect() as conn:
        (found,) = rate_limits.daily_budgets(conn, relay.now())
    assert found.zone == relay.world.portal.time_zone.key
    assert found.resets_at == relay.world.limits.resets_at()


def test_hot_leads_are_written_back_first(relay: Relay) -> None:
    others = [relay.contact() for _ in range(3)]
    hot = relay.hot_contact()
    raised = relay.contact()
    relay.submit(raised, "Demo request")
    qualify_and_route(relay.ctx)
    planned = relay.effects(kind="hubspot_state")
    assert len(planned) == 5
    leads = {one: relay.lead(one)["id"] for one in (hot, raised, *others)}

    with transaction(relay.engine) as conn:
        claimed = outbox.claim(
            conn,
            worker="one",
            kinds=["hubspot_state"],
            limit=2,
            now=relay.now(),
            lease_seconds=20,
        )

    assert {one.lead_id for one in claimed} == {leads[hot], leads[raised]}, "whatever their turn"
    assert all(one.priority > 0 for one in claimed), "they leave what is kept for handing over"


def test_write_backs_wait_for_midnight(relay: Relay) -> None:
    relay.hot_contact()
    relay.run()
    limited(relay)
    relay.ctx.hubspot.owners()
    with transaction(relay.engine) as conn:
        conn.execute(
            text("UPDATE rate_bucket SET remaining = allowed / 20 WHERE name = 'hubspot.daily'")
        )
    relay.hot_contact()
    qualify_and_route(relay.ctx)
    assert not write_back(relay.ctx).counts()
