"""One stage for all cases of a test process, and the option that plays a single case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.catalogue import case, chosen_cases
from tests.faults.stage import Stage
from tests.postgres import TEMPLATE

from baton.ledger.database.embedded import DatabaseAddress


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known where this folder is named on the command line."""
    parser.addoption(
        "--fault-case",
        action="append",
        type=int,
        metavar="NUMBER",
        help="play these cases of the fault matrix instead of those of every test run",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault_case" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--fault-case", default=None)
        cases = [case(seed) for seed in wanted] if wanted else chosen_cases()
        # A stage prepares an act when it is first asked for: an act's cases stay in one process.
        cases = sorted(cases, key=lambda one: (one.act, one.seed))
        played = [
            pytest.param(one, id=str(one.seed), marks=pytest.mark.xdist_group(f"faults {one.act}"))
            for one in cases
        ]
        metafunc.parametrize("fault_case", played)


@pytest.fixture(scope="session")
def stage(
    postgres_server: DatabaseAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Where cases are played: its processes have everything imported."""
    directory: Path = tmp_path_factory.mktemp("faults")
    with Stage(postgres_server, TEMPLATE, directory) as opened:
        yield opened
