"""The rate limiter that a gateway is given; `pipeline` wires the shared one of the ledger.

Buckets used: ``hubspot.general`` (calls in ten seconds), ``hubspot.search`` (calls a second, for
the whole account), ``hubspot.daily`` (observed only), ``salesforce.general``,
``salesforce.daily`` (observed only), ``slack.post`` and ``slack.read``.
"""

from __future__ import annotations

from baton.transport import RateLimiter, UnlimitedRate

__all__ = ["RateLimiter", "UnlimitedRate"]
