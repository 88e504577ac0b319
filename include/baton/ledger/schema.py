"""All tables of the ledger: what the migrations must arrive at.

Each module of tables adds its own to one metadata; who needs the whole imports this module.
"""

from __future__ import annotations

from baton.ledger import (
    tables,
    tables_admin,
    tables_budget,
    tables_edits,
    tables_holds,
    tables_leads,
    tables_pages,
    tables_reconcile,
)

MODULES = (
    tables,
    tables_admin,
    tables_budget,
    tables_edits,
    tables_holds,
    tables_leads,
    tables_pages,
    tables_reconcile,
)

metadata = tables.metadata
"""The metadata with every table in it."""
