"""What all tests share: one PostgreSQL a run, one served sandbox a run."""

from __future__ import annotations

pytest_plugins = ("tests.postgres", "tests.contract.sandbox_server")
