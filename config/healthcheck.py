"""Exits 0 when Airflow's API says that the named component is healthy: for container health checks.

Standard library only, so that asking costs milliseconds; ``airflow jobs check`` costs seconds of
CPU each time.
"""

from __future__ import annotations

import json
import sys
import urllib.request

_URL = "http://api-server:8080/api/v2/monitor/health"


def main(component: str) -> int:
    """Return 0 for healthy, 1 for anything else."""
    try:
        with urllib.request.urlopen(_URL, timeout=5) as answer:
            seen = json.load(answer)
    except (OSError, ValueError):
        return 1
    return 0 if (seen.get(component) or {}).get("status") == "healthy" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
