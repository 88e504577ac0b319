from __future__ import annotations

from pathlib import Path

import pytest

from baton.errors import SettingsError
from baton.settings import Mode, Settings

URL = "postgresql://baton:secret@db.test/baton"


def test_the_defaults_need_only_the_ledger() -> None:
    settings = Settings.from_environment({"BATON_DATABASE_URL": URL})
    assert (settings.database_url, settings.mode) == (URL, Mode.LIVE)
    assert settings.policy_dir.name == "policy"
    assert settings.timezone.key == "UTC"
    assert "secret" not in repr(settings)


def test_everything_can_be_set(tmp_path: Path) -> None:
    overlay = tmp_path / "demo.yaml"
    overlay.write_text("{}")
    settings = Settings.from_environment(
        {
            "BATON_DATABASE_URL": URL,
            "BATON_MODE": "Observe",
            "BATON_POLICY_DIR": str(tmp_path),
            "BATON_POLICY_OVERLAY": str(overlay),
            "BATON_TIMEZONE": "Europe/Berlin",
        }
    )
    assert (settings.mode, settings.policy_dir) == (Mode.OBSERVE, tmp_path)
    assert (settings.policy_overlay, settings.timezone.key) == (overlay, "Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATON_DATABASE_URL", ""),
        ("BATON_DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("BATON_DATABASE_URL", "hunter2"),
        ("BATON_MODE", "lvie"),
        ("BATON_POLICY_DIR", "/nowhere/at/all"),
        ("BATON_POLICY_OVERLAY", "/nowhere/at/all.yaml"),
        ("BATON_TIMEZONE", "Mars/Olympus"),
    ],
)
def test_a_bad_value_is_named_with_an_example(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"BATON_DATABASE_URL": URL, name: value})
    assert name in str(caught.value)
    assert f"{name}=" in str(caught.value) or "look like" in str(caught.value)
    assert "hunter2" not in str(caught.value)
