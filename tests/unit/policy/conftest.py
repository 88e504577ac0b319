from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.unit.policy.breaking import Broken, Edit, with_edits

from baton.errors import PolicyError, PolicyErrors
from baton.policy.loader import parse_policy, policy_from_texts, read_bundle
from baton.policy.models import Policy

SHIPPED = Path(__file__).parents[3] / "include" / "policy"


@pytest.fixture(scope="session")
def shipped() -> Path:
    return SHIPPED


@pytest.fixture(scope="session")
def policy() -> Policy:
    return parse_policy(read_bundle(SHIPPED))


@pytest.fixture(scope="session")
def texts() -> Mapping[str, str]:
    return read_bundle(SHIPPED).texts


@pytest.fixture(scope="session")
def edited(texts: Mapping[str, str]) -> Callable[..., Policy]:
    """Read the shipped policy with a passage replaced: edited(file, old, new)."""

    def read(*edits: Edit) -> Policy:
        changed = dict(texts)
        for file, old, new in edits:
            assert old in changed[file], f"{old!r} is not in {file}"
            changed[file] = changed[file].replace(old, new, 1)
        return policy_from_texts(changed)

    return read


@pytest.fixture(scope="session")
def refused(edited: Callable[..., Policy]) -> Callable[..., str]:
    """Return what is said about the shipped policy with a passage replaced; it must be refused."""

    def read(*edits: Edit) -> str:
        with pytest.raises(PolicyErrors) as raised:
            edited(*edits)
        return str(raised.value)

    return read


@pytest.fixture(scope="session")
def broken(texts: Mapping[str, str]) -> Broken:
    """Return every error of the shipped policy with passages replaced, and its changed texts."""

    def read(*edits: Edit) -> tuple[tuple[PolicyError, ...], Mapping[str, str]]:
        changed = with_edits(texts, *edits)
        with pytest.raises(PolicyErrors) as raised:
            policy_from_texts(changed)
        return raised.value.errors, changed

    return read
