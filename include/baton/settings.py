"""Settings of an installation, read from environment variables. What was agreed is policy instead.

| variable | meaning | default |
|---|---|---|
| ``BATON_DATABASE_URL`` | the ledger, a PostgreSQL URL | none: must be set |
| ``BATON_MODE`` | ``live``, ``observe`` or ``history`` | ``live`` |
| ``BATON_POLICY_DIR`` | the policy's directory, read when a policy is loaded | ``include/policy`` |
| ``BATON_POLICY_OVERLAY`` | a YAML file whose values replace those of the policy | none |
| ``BATON_TIMEZONE`` | IANA zone in which days are counted | ``UTC`` |
| ``BATON_PAGES_URL`` | where people open the pages, for links in messages | Airflow's own address |
| ``BATON_HOT_RESERVE`` | per cent of a day's API calls kept for hot leads | ``10`` |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from baton.errors import SettingsError

EXAMPLE_DATABASE_URL = "postgresql+psycopg://baton:secret@db.example.com:5432/baton"
SHIPPED_POLICY_DIR = Path(__file__).resolve().parent.parent / "policy"


class Mode(StrEnum):
    """How a run treats the outside world.

    ``live``: decide, record, write. ``observe``: decide and record, write nothing outside.
    ``history``: past time from an export or a simulation; nothing is announced.
    """

    LIVE = "live"
    OBSERVE = "observe"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the ledger is, which mode we run in, where policies are read from."""

    database_url: str = field(repr=False)
    mode: Mode = Mode.LIVE
    policy_dir: Path = SHIPPED_POLICY_DIR
    policy_overlay: Path | None = None
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    pages_url: str = ""
    hot_reserve: float = 0.10

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from `env`, by default the process's environment.

        Raises SettingsError, which names the variable and shows an example.
        """
        given = os.environ if env is None else env
        return cls(
            database_url=_database_url(given),
            mode=_mode(given),
            policy_dir=_directory(given, "BATON_POLICY_DIR") or SHIPPED_POLICY_DIR,
            policy_overlay=_file(given, "BATON_POLICY_OVERLAY"),
            timezone=_timezone(given),
            pages_url=_address(given, "BATON_PAGES_URL"),
            hot_reserve=_share(given, "BATON_HOT_RESERVE", 10),
        )


def _text(env: Mapping[str, str], name: str) -> str | None:
    value = env.get(name, "").strip()
    return value or None


def _database_url(env: Mapping[str, str]) -> str:
    url = _text(env, "BATON_DATABASE_URL")
    if url is None:
        raise SettingsError(
            "BATON_DATABASE_URL is not set: it says where the ledger is, for example "
            f"BATON_DATABASE_URL={EXAMPLE_DATABASE_URL}. With the embedded server: "
            'BATON_DATABASE_URL="$(baton db url)"'
        )
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        # The value itself is not repeated: it may hold a password.
        raise SettingsError(
            "BATON_DATABASE_URL is not a PostgreSQL address; it should look like "
            f"{EXAMPLE_DATABASE_URL}"
        )
    return url


def _mode(env: Mapping[str, str]) -> Mode:
    value = _text(env, "BATON_MODE")
    if value is None:
        return Mode.LIVE
    try:
        return Mode(value.lower())
    except ValueError:
        known = ", ".join(mode.value for mode in Mode)
        raise SettingsError(
            f"BATON_MODE is '{value}'; it must be one of {known}, for example BATON_MODE=observe"
        ) from None


def _address(env: Mapping[str, str], name: str) -> str:
    value = _text(env, name) or ""
    if value and not value.startswith(("https://", "http://")):
        raise SettingsError(
            f"{name} is '{value}', which is not an address, "
            f"for example {name}=https://airflow.example.com/baton"
        )
    return value.rstrip("/")


def _directory(env: Mapping[str, str], name: str) -> Path | None:
    value = _text(env, name)
    if value is None:
        return None
    path = Path(value).expanduser()
    if not path.is_dir():
        raise SettingsError(
            f"{name} is '{value}', which is not a directory, for example {name}=include/policy"
        )
    return path


def _file(env: Mapping[str, str], name: str) -> Path | None:
    value = _text(env, name)
    if value is None:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise SettingsError(
            f"{name} is '{value}', which is not a file, for example {name}=include/policy/demo.yaml"
        )
    return path


def _timezone(env: Mapping[str, str]) -> ZoneInfo:
    value = _text(env, "BATON_TIMEZONE") or "UTC"
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"BATON_TIMEZONE is '{value}', which is no IANA time zone, "
            "for example BATON_TIMEZONE=Europe/Berlin"
        ) from None


def _share(env: Mapping[str, str], name: str, default: int) -> float:
    value = _text(env, name) or str(default)
    try:
        share = float(value.removesuffix("%").strip()) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 0.4:
        raise SettingsError(
            f"{name} is '{value}'; it must be a number of per cent from 0 to 40, "
            f"for example {name}={default}"
        )
    return share
