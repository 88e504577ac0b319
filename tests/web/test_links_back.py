"""What the Dags' and the assets' own pages in Airflow link to: pages that are there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.web.conftest import Visitors

DAGS = Path(__file__).resolve().parents[2] / "dags"


def test_every_dag_and_every_asset_leads_to_a_page(visitors: Visitors, ledger_url: str) -> None:
    from baton.orchestration import assets

    texts = {one.stem: one.read_text(encoding="utf-8") for one in DAGS.glob("*.py")}
    links = {name: re.findall(r"\]\((baton/[^)]*)\)", text) for name, text in texts.items()}
    known = [one for one in vars(assets).values() if isinstance(one, assets.Asset)]
    links |= {one.name: [one.extra[assets.PAGE]] for one in known}
    assert len(known) >= 5
    assert [name for name, found in links.items() if not found] == []
    client = visitors.client(ledger_url)
    for address in sorted({one for found in links.values() for one in found}):
        path, _, anchor = address.removeprefix("baton").partition("#")
        answer = client.get(path)
        assert answer.status_code == 200, address
        assert not anchor or f'id="{anchor}"' in answer.text, address
