"""What a schema cannot see: how the parts of a policy fit together.

Each check takes the policy and yields findings. Errors refuse the policy, warnings do not. What
needs the roster (members, owners) is checked only when one is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from baton.policy.findings import Finding, Level
from baton.policy.lint_caps import caps_leave_room, limits_of_people
from baton.policy.lint_conditions import conditions_fit
from baton.policy.lint_data import data_rules_fit
from baton.policy.lint_dispositions import dispositions_lead_on
from baton.policy.lint_fields import fields_have_a_source
from baton.policy.lint_hours import clocks_can_be_met
from baton.policy.lint_meetings import meetings_can_be_read
from baton.policy.lint_order import conditions_can_hold, nothing_is_hidden
from baton.policy.lint_people import people_are_there
from baton.policy.lint_references import references_exist
from baton.policy.lint_routes import routes_end_somewhere
from baton.policy.lint_scores import bands_can_be_reached, score_rules_fit
from baton.policy.lint_terms import clocks_run_forward, every_handoff_has_terms, holidays_are_known
from baton.policy.lint_territories import territories_are_taken
from baton.policy.lint_values import values_can_come
from baton.policy.models import Policy
from baton.policy.roster import Roster

__all__ = ["Finding", "Level", "lint"]

CHECKS: tuple[Callable[[Policy], Iterator[Finding]], ...] = (
    references_exist,
    fields_have_a_source,
    data_rules_fit,
    conditions_fit,
    values_can_come,
    conditions_can_hold,
    nothing_is_hidden,
    score_rules_fit,
    bands_can_be_reached,
    routes_end_somewhere,
    caps_leave_room,
    meetings_can_be_read,
    territories_are_taken,
    clocks_run_forward,
    clocks_can_be_met,
    every_handoff_has_terms,
    holidays_are_known,
    dispositions_lead_on,
)


def lint(policy: Policy, roster: Roster | None = None) -> tuple[Finding, ...]:
    """Return everything that does not fit, in the order of the checks."""
    found = [finding for check in CHECKS for finding in check(policy)]
    if roster is not None:
        found += people_are_there(policy, roster)
        found += limits_of_people(roster)
    return tuple(found)
