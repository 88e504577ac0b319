"""Plays cases by their numbers and tells their stories: ``python -m tests.faults 1234 [1235 …]``."""

from __future__ import annotations

import sys

from tests.faults.catalogue import case
from tests.faults.installation import stages


def main(seeds: list[int]) -> int:
    """Play the cases; return how many failed."""
    failed = 0
    with stages(1) as (stage,):
        for seed in seeds:
            verdict = stage.play(seed)
            failed += not verdict.ok
            print(
                f"{case(seed).name}: {'ok' if verdict.ok else 'FAILED'} ({verdict.seconds:.2f} s)"
            )
            print(verdict.story)
            print("\n".join(verdict.breaches) or ("" if verdict.struck else "a fault never struck"))
    return failed


if __name__ == "__main__":
    sys.exit(min(main([int(one) for one in sys.argv[1:]]), 1))
