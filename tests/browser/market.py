"""A ledger filled by the simulated market: days of buyers and reps, through the pipeline itself."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from baton.clock import HistoryClock
from baton.demo.contexts import open_demo
from baton.demo.history import play_history
from baton.demo.market import MarketAdmin
from baton.demo.services import SandboxAddresses
from baton.ledger.database.engine import ledger_engine, transaction
from baton.pipeline.context import Context
from baton.pipeline.delivery.setup import hubspot_plan, setup_hubspot
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.loader import parse_policy, read_bundle, read_roster
from baton.settings import SHIPPED_POLICY_DIR, Mode
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.world import ServeOptions

ODD = {
    "first_name": "<script>alert(1)</script>",
    "last_name": "بنت عبد الله 🏃‍♀️ " + "Wolfeschlegelsteinhausenbergerdorff" * 2,
    "company_name": "=1+1 & “Søn & Daughter” שלום " + "x" * 90,
}
"""Names that must be shown as text and break nothing."""


def fill(ledger_url: str, until: datetime, days: int, *, odd: bool = True) -> None:
    """Play `days` of the market up to `until` into a migrated, empty ledger.

    `odd`: the newest handoff is of somebody with the names in ODD.
    """
    start = until - timedelta(days=days)
    engine = ledger_engine(ledger_url, pooled=True)
    bundle = read_bundle(SHIPPED_POLICY_DIR)
    with (
        tempfile.TemporaryDirectory() as state,
        SandboxThread(ServeOptions(state_dir=Path(state), at=start, seed=7)) as sandbox,
        MarketAdmin(sandbox.description["admin"]["url"]) as admin,
    ):
        variables = SandboxAddresses(sandbox.description).connections()

        def context(clock: HistoryClock) -> Context:
            return open_demo(engine, variables, clock, mode=Mode.HISTORY, limited=False)

        with transaction(engine) as conn:
            activate_policy(conn, bundle, by="ops", at=start, parent=None)
            roster = read_roster(SHIPPED_POLICY_DIR / "roster.yaml")
            adopt_roster(conn, roster, by="ops", at=start)
        setup_hubspot(context(HistoryClock(start)).hubspot, hubspot_plan(parse_policy(bundle)))
        play_history(context, admin, start, until)
    if odd:
        _rename(engine)
    engine.dispose()


def _rename(engine: Engine) -> None:
    with transaction(engine) as conn:
        newest = "SELECT lead_id FROM handoff ORDER BY id DESC LIMIT 1"
        conn.execute(
            text(
                "UPDATE person SET first_name = :first_name, last_name = :last_name,"
                f" company_name = :company_name WHERE lead_id = ({newest})"
            ),
            ODD,
        )
