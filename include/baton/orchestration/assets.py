"""The assets that join the Dags: what wakes them and what they bring about."""

from __future__ import annotations

from airflow.sdk import Asset, AssetWatcher

from baton.orchestration.triggers import HubSpotHandRaiseTrigger

HAND_RAISES = Asset(
    name="hubspot_hand_raises",
    uri="baton://hubspot/hand-raises",
    watchers=[AssetWatcher(name="hubspot_hand_raise", trigger=HubSpotHandRaiseTrigger())],
)
"""Buyers raising a hand in HubSpot: a form, a quiz, a call."""

HANDOFFS = Asset(name="handoffs", uri="baton://ledger/handoffs")
DISPOSITIONS = Asset(name="dispositions", uri="baton://ledger/dispositions")
REFERENCES = Asset(name="crm_references", uri="baton://ledger/crm-references")
METRICS = Asset(name="metrics", uri="baton://ledger/metrics")
