"""What a step did, in numbers: the only thing a task hands to Airflow."""

from __future__ import annotations

from collections import Counter


class StepReport(Counter[str]):
    """Counts by name. Holds no ids of persons and no texts about them."""

    def counts(self) -> dict[str, int]:
        """Return the counts, sorted by name, as plain numbers for XCom."""
        return {name: self[name] for name in sorted(self) if self[name]}
