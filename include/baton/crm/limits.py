"""The rate limiter that a gateway is given; `pipeline` wires the shared one of the ledger.

Buckets used: ``hubspot.general`` (calls in ten seconds), ``hubspot.search`` (calls a second, for
the whole account), ``salesforce.general``, ``slack.post`` and ``slack.read``. The day's calls are
observed as ``hubspot.daily`` and ``salesforce.daily``; every call of the system is charged to them,
in the lane of whoever asks (`in_lane`).
"""

from __future__ import annotations

from baton.transport import Lane, RateLimiter, UnlimitedRate, current_lane, in_lane

__all__ = ["Lane", "RateLimiter", "UnlimitedRate", "current_lane", "in_lane"]
