from __future__ import annotations

import stat
from pathlib import Path

import pytest

from baton.demo.environment import StateFolders, project_root, state_home
from baton.errors import SettingsError


def test_two_clones_have_two_homes(tmp_path: Path) -> None:
    one = state_home({}, clone=tmp_path / "a" / "baton")
    two = state_home({}, clone=tmp_path / "b" / "baton")
    assert one.home != two.home
    assert one == state_home({}, clone=tmp_path / "a" / "baton")


def test_the_home_is_never_inside_the_clone(tmp_path: Path) -> None:
    assert not state_home({}, clone=tmp_path).home.is_relative_to(tmp_path)
    with pytest.raises(SettingsError, match="outside the clone"):
        state_home({"BATON_HOME": str(tmp_path / "state")}, clone=tmp_path)


def test_a_named_home_is_taken(tmp_path: Path) -> None:
    named = tmp_path / "elsewhere"
    assert state_home({"BATON_HOME": str(named)}, clone=tmp_path / "clone").home == named


def test_a_relative_home_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="absolute"):
        state_home({"BATON_HOME": "state"}, clone=tmp_path)


def test_folders_are_closed_to_others(tmp_path: Path) -> None:
    folders = StateFolders(tmp_path / "home").create()
    for folder in (folders.airflow, folders.logs, folders.run, folders.sandbox):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folders.airflow.chmod(0o755)
    folders.create()
    assert stat.S_IMODE(folders.airflow.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="BATON_HOME"):
        StateFolders(tmp_path / "file" / "home").create()


def test_the_clone_is_found() -> None:
    assert (project_root() / "pyproject.toml").is_file()
