from __future__ import annotations

import json
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


def test_every_pool_that_a_task_names_is_created() -> None:
    from baton.orchestration.defaults import POOLS

    created = json.loads((PROJECT / "config" / "pools.json").read_text())
    assert {name: pool["slots"] for name, pool in created.items()} == POOLS
