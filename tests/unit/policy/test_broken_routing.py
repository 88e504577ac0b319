"""What can be wrong with pools, meetings, imports, testers and what is kept together."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.unit.policy.breaking import Broken, line_of

ROUTING = "routing.yaml"

CASES = [
    (ROUTING, "fit_by: [Language]", "fit_by: [Langage]", "there is no field 'Langage'", "did you mean 'Language'?"),
    (ROUTING, "distribute: best fit, fit_by: [Language]", "distribute: best fit", "belong together", None),
    (ROUTING, "distribute: load balance", "distribute: load balancing", "is not one of round robin, load balance or best fit", "did you mean"),
    (ROUTING, "caps: {day: 40, week: 150}", "caps: {day: -1, week: 150}", "greater than or equal to 0", None),
    (ROUTING, "caps: {day: 40, week: 150}", "caps: {month: 40}", "month", None),
    (ROUTING, "to: {pool: SDR DACH}", "to: wait", "says what happens if_nobody is there", None),
    (ROUTING, "if_nobody: {queue: Inbound DACH}", "if_nobody: give up", "'give up' does not say where a lead goes when nobody is there", "write wait, go on, {queue: NAME}"),
    (ROUTING, "a_day: 50", "a_day: 0", "greater than or equal to 1", None),
    (ROUTING, "sla: import", "sla: imports", "there is no clock under 'sla' 'imports'", "did you mean 'import'?"),
    (ROUTING, "Source detail: IMPORT}", "Source detial: IMPORT}", "there is no field 'Source detial'", "did you mean 'Source detail'?"),
    (ROUTING, "booked_at: Meeting booked at", "booked_at: Meeting booked", "'Meeting booked' holds no instant", None),
    (ROUTING, "host: Meeting host", "host: Meeting hots", "there is no field 'Meeting hots'", "did you mean 'Meeting host'?"),
    (ROUTING, "host: Meeting host", "host: E-mail", "'E-mail' is personal", None),
    (ROUTING, "keep_together: {for: 30 days}", "keep_together: {for: ever}", "'ever' is not a length of time", None),
    (ROUTING, 'say: "a colleague\'s test"}', "to: Jonas}", "'Jonas' is not an e-mail address", None),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "message", "hint"), CASES)
def test_it_is_refused_at_its_line(
    broken: Broken,
    texts: Mapping[str, str],
    file: str,
    old: str,
    new: str,
    message: str,
    hint: str | None,
) -> None:
    errors, changed = broken((file, old, new))
    error = next(one for one in errors if message in str(one))
    line = line_of(texts[file], old)
    assert (error.file, error.line) == (file, line)
    assert error.snippet == changed[file].splitlines()[line - 1]
    if hint is not None:
        assert hint in str(error)
