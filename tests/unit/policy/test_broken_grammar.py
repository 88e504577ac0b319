"""Names, patterns, lengths, conditions and the younger parts of the grammar, each broken once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.unit.policy.breaking import Broken, line_of

ROUTE = "  - {id: sdr-dach, when: {Territory: DACH}, to: {pool: SDR DACH}"

CASES = [
    # Lengths and days
    ("scoring.yaml", "{within_days: 60}", "{within_days: 12 hours}", "takes a whole number of days, not '12 hours'", "nothing shorter than a day"),
    ("scoring.yaml", "{within_days: 60}", "{within_days: 36 hours}", "takes a whole number of days", "'within_days: 14'"),
    ("scoring.yaml", "{within_days: 60}", "{within_days: -1}", "takes a whole number of days, not '-1'", None),
    ("sla.yaml", "first_touch: 5 working minutes", "first_touch: 1 working days", "depends on how long a working day is", "working hours"),
    ("sla.yaml", "first_touch: 5 working minutes", "first_touch: 5", "'5' is not a length of time", "5 working minutes"),
    # Conditions
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Company size: {less_than: 10}}", "'less_than' is not an operator", "use one of"),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Company size: {belov: 10}}", "'belov' is not an operator", "did you mean 'below'?"),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {below: 10}", "needs a field before it", "{FIELD: {below: ...}}"),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Company size: {}}", "nothing is asked of 'Company size'", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {}", "a condition is a field with what it must be", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Company size: {below: many}}", "'below' takes a number or a date, not 'many'", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Company size: {exists: often}}", "'exists' takes true or false", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Company size: {in: 10}}", "'in' takes a list of values", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Company size: {between: [1, 2, 3]}}", "'between' takes two values", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {any: {Company size: 10}}", "'any' takes a list of conditions", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {all: [{Company size: {below: 10}}, {Company size: {above: 20}}]}", "no lead can pass both", "{any: [...]}"),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {all: [{Country: DE}, {Country: [AT, CH]}]}", "no lead can pass both: Country is DE, Country is in AT, CH", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {all: [{Country: {exists: false}}, {Country: DE}]}", "no lead can pass both", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Company size: {matches: '1.*'}}", "'matches' looks into a text, and 'Company size' is a whole number", "write between"),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Free mail: {contains: yes}}", "'contains' looks into a text", None),
    # Patterns
    ("scoring.yaml", r"{matches: '\b(manager|lead)\b'}", "{matches: '(manager|lead'}", "is not a regular expression: missing )", r"'\'"),
    ("scoring.yaml", r"{matches: '\b(manager|lead)\b'}", "{matches: '(man+)+ager'}", "which may take for ever", "not '(a+)+'"),
    ("scoring.yaml", r"{matches: '\b(manager|lead)\b'}", "{matches: '(lead|leader)*$'}", "which may take for ever", None),
    ("scoring.yaml", r"{matches: '\b(manager|lead)\b'}", r"{matches: '(\w+ )\1'}", "refers back", None),
    ("scoring.yaml", r"{matches: '\b(manager|lead)\b'}", "{matches: '.*lead.*of.*sales'}", "has 3 repeats without an end", "leave '.*' out"),
    ("scoring.yaml", r"{matches: '\b(manager|lead)\b'}", "{matches: [manager]}", "'matches' takes a regular expression", "quotes"),
    ("fields.yaml", "hubspot: jobtitle", "matches: '(a*)*', hubspot: jobtitle", "which may take for ever", None),
    # Addresses
    ("agreement.yaml", "marketing: marketing-ops@relay.test", "marketing: Marketing", "'Marketing' is not an e-mail address", "NAME@DOMAIN"),
    ("agreement.yaml", "sales: sales-ops@relay.test", "sales: sales-ops@relay", "is not an e-mail address", None),
    ("routing.yaml", "watched_by: nadia.petrov@relay.test", "watched_by: Nadia", "'Nadia' is not an e-mail address", "NAME@DOMAIN"),
    ("routing.yaml", "{person: ines.moreau@relay.test}", "{person: Ines Moreau}", "'Ines Moreau' is not an e-mail address", None),
    # What Baton knows
    ("agreement.yaml", "disposition: baton_disposition", "outcome: baton_disposition", "there is no value to write back 'outcome'", "known are: state, band"),
    ("agreement.yaml", "metric: sla_breach_rate", "metric: sla_breach", "there is no metric 'sla_breach'", "did you mean 'sla_breach_rate'?"),
    ("fields.yaml", "always: [E-mail]", "always: [E-mail, Band]", "'Band' is found out by the decision itself", None),
    # Bands
    ("scoring.yaml", "above: 75, stays_above: 70", "above: 75, stays_above: 75", "'hot' is kept above 75, but begins at 75", "write less than 75"),
    ("scoring.yaml", "above: 75, stays_above: 70", "above: 75, stays_above: low", "a number is expected here, not 'low'", None),
    ("scoring.yaml", "nurture: rest", "nurture: {stays_above: 5}", "'nurture' takes the rest: nothing falls out", None),
    # Groups of leads
    ("routing.yaml", "{name: Mid-market, when: {Company size: {at_least: 50}}}", "{name: Mid-market, when: {Company size: {at_least: 2000}}}", "the segment 'Mid-market' never counts: 'Enterprise' holds wherever it does", "put the narrower one first"),
    ("routing.yaml", "{name: For HubSpot teams, when: {Tech stack: {contains: HubSpot}}}", "{name: For HubSpot teams, when: {Tech stack: {contains: Salesforce}}}", "the product line 'For HubSpot teams' never counts", None),
    ("routing.yaml", "name: Mid-market, when", "name: Enterprise, when", "two segments are called 'Enterprise'", None),
    # The ladder
    ("routing.yaml", ROUTE, ROUTE.replace("sdr-dach", "dach-too") + ", if_nobody: wait}\n" + ROUTE, "'sdr-dach' can never be reached: 'dach-too' takes every lead", "move it up"),
    ("routing.yaml", "if_nobody: go on}", "if_nobody: go home}", "'go home' does not say where a lead goes when nobody is there", "did you mean 'go on'?"),
    # Quiet hours
    ("sla.yaml", 'from: "20:00"', 'from: "20"', "'20' is not a time of day", "'20:00', in quotes"),
    ("sla.yaml", 'from: "20:00"', "from: 20", "'20' is not a time of day", None),
    ("sla.yaml", 'to: "07:00"', 'to: "20:00"', "quiet hours that end when they begin", None),
    ("sla.yaml", "zone: owner's", "zone: Berlin", "'Berlin' is not a time zone", "Europe/Berlin"),
    ("sla.yaml", "except_bands: [hot]", "except_bands: [hott]", "there is no band 'hott'", "did you mean 'hot'?"),
    ("agreement.yaml", "band: hot, at_most: 5", "band: hott, at_most: 5", "there is no band 'hott'", "did you mean 'hot'?"),
    ("sla.yaml", "except_triggers: [inbound_call", "except_triggers: [inbound_cal", "there is no trigger 'inbound_cal'", "did you mean 'inbound_call'?"),
    ("fields.yaml", "role_addresses: company only", "role_addresses: company", "'company' is not one of", "did you mean 'company only'?"),
    # Clocks and rounds
    ("sla.yaml", "nurture: {first_touch: 8 working hours, remind_at: 6 hours, tell_manager_at: 12 hours", "nurture: {first_touch: 8 working hours, remind_at: 6 hours, tell_manager_at: 400 hours", "'tell_manager_at' (400 working hours) of 'nurture' takes about", "give the timer more time"),
    ("dispositions.yaml", 'at_most: 3, after_that: {nurture: "Nurture: later"}', "at_most: 3, after_that: recycle for 30 days", "after its last round 'no_budget' only begins another one", "{nurture: LIST}"),
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
    error = next(one for one in errors if message in one.message)
    # A rule that an earlier one hides is the wrong one, not the one put before it.
    line = (
        line_of(changed[file], ROUTE)
        if "never be reached" in message
        else line_of(texts[file], old)
    )
    assert (error.file, error.line) == (file, line)
    assert error.snippet == changed[file].splitlines()[line - 1]
    if hint is not None:
        assert hint in str(error)


def test_a_group_that_takes_everything_hides_all_that_follow(broken: Broken) -> None:
    old = (
        "{name: Large, when: {any: [{Budget range: Over 200k}, {Company size: {at_least: 1000}}]}}"
    )
    errors, _ = broken(("routing.yaml", old, "{name: Large}"))
    assert [error.message.split(" never")[0] for error in errors] == [
        "the deal size 'Medium'",
        "the deal size 'Small'",
    ]


def test_a_required_field_that_nothing_provides_is_refused(broken: Broken) -> None:
    errors, _ = broken(
        ("fields.yaml", "  Segment: {derived: true}\n", "  Segment: {derived: true}\n  Mood: {derived: true}\n"),
        ("fields.yaml", "always: [E-mail]", "always: [E-mail, Mood]"),
    )  # fmt: skip
    (error,) = errors
    assert error.message == "'Mood' is required, and nothing provides it"
    assert (error.file, error.snippet) == ("fields.yaml", "  always: [E-mail, Mood]")
    assert "name its HubSpot property" in str(error.hint)
