"""Policies and rosters in the ledger: their versions, their cases, what changed between them."""
