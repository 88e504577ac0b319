"""All tables of the ledger: what the migrations must arrive at.

Each module of tables adds its own to one metadata; who needs the whole imports this module.
"""

from __future__ import annotations

from baton.ledger.tables import (
    admin,
    agreements,
    around_leads,
    budget,
    columns,
    edits,
    effects,
    handoffs,
    holds,
    leads,
    operation,
    pages,
    reconciliation,
    record,
    sources,
)

MODULES = (
    leads,
    agreements,
    record,
    handoffs,
    effects,
    sources,
    operation,
    admin,
    around_leads,
    budget,
    edits,
    holds,
    pages,
    reconciliation,
)

metadata = columns.metadata
"""The metadata with every table in it."""
