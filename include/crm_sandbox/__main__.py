"""`python -m crm_sandbox`."""

from __future__ import annotations

from crm_sandbox.cli import main

main()
