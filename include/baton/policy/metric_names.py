"""Names that a policy uses for what Baton itself measures and writes; the tests keep them in step."""

from __future__ import annotations

METRIC_NAMES = frozenset(
    {
        "acceptance_rate",
        "acceptance_rate_decided",
        "contact_rate",
        "data_incorrect_rate",
        "duplicate_effects",
        "fairness_max_distance",
        "fallback_rate",
        "handoffs",
        "lead_conservation_residual",
        "meeting_rate",
        "never_touched",
        "opportunity_rate",
        "override_rate",
        "quarantined",
        "reassignments",
        "recycle_conversion",
        "rep_response_median",
        "revenue_won",
        "sla_breach_rate",
        "speed_to_lead_mean",
        "speed_to_lead_median",
        "speed_to_lead_p90",
        "system_latency_median",
        "system_latency_p95",
        "time_to_meeting_median",
        "timing_wrong_rate",
        "touched_within_1_minute",
        "touched_within_5_minutes",
        "touched_within_60_minutes",
        "undisposed_rate",
        "win_rate",
    }
)
"""Every metric of the audit that a commitment may name."""
