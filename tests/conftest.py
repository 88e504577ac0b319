"""What all tests share: one PostgreSQL a run, one served sandbox a run."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest
from hypothesis import settings

# A test run is red because of a change, never because of its dice: the same examples each time.
# `make proof` throws them anew, and its finds become examples of their own.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("searching", derandomize=False, print_blob=True)
settings.load_profile("repeatable")

pytest_plugins = ("tests.postgres", "tests.contract.sandbox_server")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage: there is none, only what stays until the end.

    Thousands of tests and their modules are not looked through again with each later collection.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
