"""The assets that join the Dags: what wakes them and what they bring about."""

from __future__ import annotations

from airflow.sdk import Asset, AssetWatcher

from baton.orchestration.triggers import HubSpotHandRaiseTrigger

PAGE = "page"
"""Where an asset's content is shown: an address below Airflow's own."""

HAND_RAISES = Asset(
    name="hubspot_hand_raises",
    uri="baton://hubspot/hand-raises",
    extra={PAGE: "baton/"},
    watchers=[AssetWatcher(name="hubspot_hand_raise", trigger=HubSpotHandRaiseTrigger())],
)
"""Buyers raising a hand in HubSpot: a form, a quiz, a call."""

HANDOFFS = Asset(name="handoffs", uri="baton://ledger/handoffs", extra={PAGE: "baton/handoffs"})
DISPOSITIONS = Asset(
    name="dispositions",
    uri="baton://ledger/dispositions",
    extra={PAGE: "baton/handoffs?state=ended"},
)
REFERENCES = Asset(
    name="crm_references", uri="baton://ledger/crm-references", extra={PAGE: "baton/sync"}
)
METRICS = Asset(name="metrics", uri="baton://ledger/metrics", extra={PAGE: "baton/metrics"})
