"""Runs the policy's own test cases when somebody asks, against the policy that is active."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.errors import BatonError
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.settings import Settings

if TYPE_CHECKING:
    from baton.pipeline.versions.case_run import CaseResult


@dataclass(frozen=True, slots=True)
class CasesRun:
    """What became of the cases. `trouble`: why they could not be run. `seconds` is what it took."""

    failed: tuple[CaseResult, ...]
    passed: tuple[CaseResult, ...]
    seconds: float
    trouble: str = ""


def run(settings: Settings, policy: Policy, roster: Roster) -> CasesRun:
    """Run the case files of the policy's directory on the server."""
    # Imported when asked for: whoever only reads pages need not wait for what cases need.
    from baton.pipeline.versions.case_run import run_cases
    from baton.pipeline.versions.policy_cases import case_files, read_cases

    began = time.monotonic()
    try:
        files = case_files(settings.policy_dir, settings.policy_overlay)
        results = run_cases(read_cases(files, policy), policy, roster)
    except BatonError as error:
        return CasesRun((), (), 0.0, str(error))
    return CasesRun(
        tuple(one for one in results if not one.passed),
        tuple(one for one in results if one.passed),
        time.monotonic() - began,
    )
