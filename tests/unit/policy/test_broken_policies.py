"""Every way in which the shipped policy is broken here has a message that tells the mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from tests.unit.policy.breaking import Broken, line_of

Refused = Callable[..., str]

CASES = [
    # Names that do not exist
    ("routing.yaml", "{pool: SDR DACH}, if", "{pool: SDR DAHC}, if", "there is no pool 'SDR DAHC'", "did you mean 'SDR DACH'?"),
    ("routing.yaml", "{queue: Inbound DACH}", "{queue: Inbound DACHS}", "there is no queue 'Inbound DACHS'", "did you mean 'Inbound DACH'?"),
    ("scoring.yaml", "channel: sales-inbound", "channel: sales-inbund", "there is no channel 'sales-inbund'", "did you mean 'sales-inbound'?"),
    ("scoring.yaml", "Industry: {in: lists/target_industries.csv}", "Industry: {in: lists/target_industry.csv}", "there is no list 'lists/target_industry.csv'", "did you mean 'lists/target_industries.csv'?"),
    ("scoring.yaml", 'say: "{Company size} people, our', 'say: "{Company sice} people, our', "there is no field 'Company sice'", "did you mean 'Company size'?"),
    ("scoring.yaml", "for_each: Content downloads", "for_each: Content download", "there is no field 'Content download'", "did you mean 'Content downloads'?"),
    ("scoring.yaml", "since: Quiz taken at", "since: Quiz taken", "there is no field 'Quiz taken'", "did you mean 'Quiz taken at'?"),
    ("fields.yaml", "hand_raise_times: [Last conversion at", "hand_raise_times: [Last conversions at", "there is no field 'Last conversions at'", "did you mean 'Last conversion at'?"),
    ("fields.yaml", "demo_request: [First name", "demo_reqest: [First name", "there is no trigger or band 'demo_reqest'", "did you mean 'demo_request'?"),
    ("fields.yaml", "else_from: Company country", "else_from: Company land", "there is no field 'Company land'", "did you mean"),
    ("sla.yaml", "  warm: {", "  worm: {", "there is no band or trigger 'worm'", "did you mean 'warm'?"),
    ("routing.yaml", "Territory: APAC}, to", "Territory: APCA}, to", "there is no territory 'APCA'", "did you mean 'APAC'?"),
    ("routing.yaml", "Segment: Enterprise, Territory: Americas", "Segment: Enterprize, Territory: Americas", "there is no segment 'Enterprize'", "did you mean 'Enterprise'?"),
    ("enablement.yaml", "Trigger: quiz}", "Trigger: quizz}", "there is no trigger 'quizz'", "did you mean 'quiz'?"),
    ("routing.yaml", "Recipient: AE, Segment: Enterprise, Territory: Americas", "Recipient: EA, Segment: Enterprise, Territory: Americas", "there is no recipient 'EA'", None),
    ("agreement.yaml", "needs: [E-mail, Company name]", "needs: [Email, Company name]", "there is no field 'Email'", "did you mean 'E-mail'?"),
    # Keys and kinds
    ("scoring.yaml", "halves_every: 14 days", "halfs_every: 14 days", "'halfs_every' is not known here", "did you mean 'halves_every'?"),
    ("fields.yaml", "{type: email, hubspot: email", "{type: emial, hubspot: email", "'emial' is not one of", "did you mean 'email'?"),
    ("dispositions.yaml", "outcome: recycle, must_give", "outcome: recycled, must_give", "'recycled' is not one of", "did you mean 'recycle'?"),
    ("routing.yaml", "distribute: round robin", "distribute: round robbin", "'round robbin' is not one of", "did you mean 'round robin'?"),
    ("agreement.yaml", "on: 2026-11-03", "on: last week", "a date such as 2026-11-03 is expected here, not 'last week'", None),
    ("agreement.yaml", "minimum_touches: 6", "minimum_touches: 0", "'0' does not fit: it should be greater than or equal to 1", None),
    ("fields.yaml", "hubspot: jobtitle", "hubspot: Job Title", "cannot be a HubSpot property", None),
    ("fields.yaml", "Language: {hubspot: preferred_language}", "Language: {}", "nothing provides it", "hubspot: ..."),
    ("fields.yaml", "  Form:\n    derived: true", "  Form:\n    derived: true\n    hubspot: form", "either read from HubSpot or derived", None),
    ("routing.yaml", "to: opportunity owner", "to: oportunity owner", "'oportunity owner' is not somebody", "{pool: NAME}"),
    ("agreement.yaml", "    entry: The score is above the hot line, or a trigger fired, and nothing forbids the handoff.\n", "", "'entry' is missing", None),
    ("routing.yaml", 'Office DE: {week: {Mon-Fri: ["09:00-12:30"', 'Office DE: {week: {Mon-Fry: ["09:00-12:30"', "'Mon-Fry' is not a day", None),
    ("routing.yaml", 'Office SE: {week: {Mon-Fri: ["08:00-16:30"]}', "Office SE: {week: {}", "no working time at all", None),
    ("routing.yaml", '"09:00-12:30", "13:30-18:00"', '"09:00-14:30", "13:30-18:00"', "two working blocks overlap", None),
    ("routing.yaml", '"08:00-16:30"', '"22:00-06:00"', "split hours over midnight", None),
    ("routing.yaml", "holidays: JP", "holidays: Japan", "public holidays of 'Japan' are not known", "write an ISO country"),
    # Tests that could never hold
    ("scoring.yaml", "when: {Quiz score: {above: 75}}, halves", "when: {Quiz name: {above: 75}}, halves", "'above' compares a number, and 'Quiz name' is a text", None),
    ("scoring.yaml", "when: free mail", "when: job title", "'Job title' is a text, not yes or no", None),
    ("scoring.yaml", "Decision timeline: This year", "Decision timeline: This yeer", "'Decision timeline' never is 'This yeer'", "did you mean 'This year'?"),
    ("scoring.yaml", "Inbound call at: {within_days: 60}", "Quiz score: {within_days: 60}", "'within_days' needs a date", None),
    ("scoring.yaml", "Company size: {between: [50, 1000]}", "Company size: {between: [1000, 50]}", "runs backwards", None),
    ("enablement.yaml", "{Territory: DACH}, title", "{Country: [Norway]}, title", "'Norway' is not an ISO country code", "as DE or NO"),
    ("routing.yaml", "when: {Company size: {at_least: 1000}}", "when: {Company size: {at_least: 6000000}}", "'Company size' is at most 5000000: it never is 6000000 or more", "mend this, or the field"),
    ("scoring.yaml", "Pricing page views: {at_least: 3}", "Pricing page views: {below: -1}", "'Pricing page views' is at least 0: it never is -1 or less", None),
    ("scoring.yaml", 'say: "{Company size} people, our', 'say: "{Company size people, our', "a brace stands alone at '{Company size people, our size'", "opened and closed"),
    ("scoring.yaml", 'say: "{Company size} people, our', 'say: "Company size} people, our', "a brace stands alone at '} people, our size'", None),
    # Scores and bands
    ("scoring.yaml", "id: size-near", "id: size-fit", "two score rules are called 'size-fit'", None),
    ("scoring.yaml", "for_each: Content downloads, up_to: 5", "for_each: Content downloads", "may grow without end", "say up_to"),
    ("scoring.yaml", "for_each: Content downloads", "for_each: Last content at", "'Last content at' is not a number", None),
    ("scoring.yaml", "halves_every: 14 days, since: Demo requested at", "halves_every: 14 days", "halves, but since when?", "say since"),
    ("scoring.yaml", "halves_every: 14 days", "halves_every: 3 hours", "at least 1 day", None),
    ("scoring.yaml", "group: profile, when: {Company size: {between: [50", "group: profil, when: {Company size: {between: [50", "there is no group 'profil'", "declare its ceiling"),
    ("scoring.yaml", "above: 75, stays_above: 70, hands_off", "above: 900, stays_above: 70, hands_off", "no lead can reach 'hot': the best score is", None),
    ("scoring.yaml", "warm: {from: 50}", "warm: {from: 80}", "'warm' must begin below 'hot'", None),
    ("scoring.yaml", "nurture: rest", "nurture: {from: 10}", "the last band, and only the last, takes the rest", "nurture: rest"),
    ("scoring.yaml", "warm: {from: 50}", "warm: {from: 50, above: 60}", "'above' or 'from', not both", None),
    # The ladder
    ("routing.yaml", "  - {id: fallback, otherwise: {queue: Inbound triage}, watched_by: nadia.petrov@relay.test, alarm_after: 15 working minutes, say: \"no rule fits: a person looks\"}\n", "", "the ladder has no fallback", "otherwise"),
    ("routing.yaml", "otherwise: {queue: Inbound triage}", "otherwise: {pool: SDR DACH}", "must end in a queue or a person", "add if_nobody"),
    ("routing.yaml", "{id: open-opportunity, when: open opportunity, to: opportunity owner, change_owner: false, say:", "{id: open-opportunity, otherwise: opportunity owner, say:", "nothing below this rule can ever be reached", None),
    ("routing.yaml", "otherwise: {queue: Inbound triage}, watched", "otherwise: {queue: Inbound triage}, when: free mail, watched", "'otherwise' stands alone", None),
    ("routing.yaml", "id: sdr-apac", "id: sdr-dach", "two rules are called 'sdr-dach'", None),
    # Clocks
    ("sla.yaml", "hot: {first_touch: 5 working minutes, remind_at: 3 minutes", "hot: {first_touch: 5 working minutes, remind_at: 8 minutes", "'first_touch' (5 working minutes) comes before 'remind_at' (8 working minutes)", None),
    ("sla.yaml", "nurture: {first_touch: 8 working hours, remind_at: 6 hours, tell_manager_at: 12 hours", "nurture: {first_touch: 8 working hours, remind_at: 6 hours, tell_manager_at: never", "when 'nurture' is missed, nothing happens", "tell_manager_at or reassign_at"),
    ("sla.yaml", "  hot: {first_touch: 5 working minutes, remind_at: 3 minutes, tell_manager_at: 15 minutes, reassign_at: never}\n", "", "'hot' hands off, but has no response time", "add 'hot' to sla"),
    # Reason codes
    ("dispositions.yaml", "outcome: disqualified, then: disqualify, say: \"the other", "outcome: disqualified, say: \"the other", "'then' is missing", "each reason code needs an action (no dead ends)"),
    ("dispositions.yaml", "outcome: disqualified, then: remove from marketing", "outcome: disqualified, then: recycle for 30 days", "the outcome 'disqualified' cannot be followed by 'recycle'", "it leads to"),
    ("dispositions.yaml", "outcome: disqualified, then: remove from marketing", "outcome: disqualified, then: forget it", "'forget it' is not an action", "recycle for 90 days"),
    ("dispositions.yaml", "rep_sees: No reply yet, outcome: recycle, allowed_after: 6 touches over 10 days, then: recycle for 90 days", "rep_sees: No reply yet, outcome: disqualified, allowed_after: 6 touches over 10 days, then: disqualify", "no response is never an outcome of its own", "outcome: recycle"),
    ("dispositions.yaml", "to: fresh, at_most: 2, after_that: {nurture: \"Nurture: later\"}", "to: fresh, at_most: 2, after_that: disqualify", "no response must not end the lead", "after_that: {nurture"),
    ("dispositions.yaml", "to: fresh, at_most: 2, after_that: {nurture: \"Nurture: later\"}", "to: fresh", "may send a lead round and round", "say at_most"),
    ("dispositions.yaml", "must_give: date, ", "", "returns on a date that nobody has to give", "add must_give: date"),
    ("dispositions.yaml", "then: {nurture: \"Nurture: education\"}, returns: on a new hand raise", "then: {nurture: \"Nurture: education\"}", "sends the lead back and never returns it", "add returns"),
    ("dispositions.yaml", "returns: on that date", "returns: some day", "'some day' does not say when", None),
    ("dispositions.yaml", "6 touches over 10 days", "six touches", "does not read as '6 touches over 10 days'", None),
    ("dispositions.yaml", "rep_sees: Duplicate", "rep_sees: Competitor", "look the same to the rep", None),
    ("dispositions.yaml", "  accepted: {rep_sees: Accepted, outcome: accepted, then: accept, say: \"marketing counts it to the source\"}\n", "", "no reason code has the outcome 'accepted'", None),
    # Timers
    ("agreement.yaml", "  held: {after: 24 hours, then: route to fallback}\n", "", "'held' is missing", "every state that is not final needs a timer"),
    ("agreement.yaml", "held: {after: 24 hours", "held: {after: never", "'never' is not a length of time", None),
    ("agreement.yaml", "then: mark cold", "then: mark old", "'mark old' is not one of", "did you mean 'mark cold'?"),
]  # fmt: skip


ELSEWHERE = {
    # What a broken passage makes wrong in another line is shown there.
    "the last band, and only the last, takes the rest": ("scoring.yaml", "bands:"),
    "the ladder has no fallback": ("routing.yaml", "route:"),
    "'hot' hands off, but has no response time": ("scoring.yaml", "  hot: {above: 75"),
    "no reason code has the outcome 'accepted'": ("dispositions.yaml", "dispositions:"),
    "'held' is missing": ("agreement.yaml", "timers:"),
    "'entry' is missing": ("agreement.yaml", "  MQL:"),
}


@pytest.mark.parametrize(("file", "old", "new", "message", "hint"), CASES)
def test_a_broken_policy_is_refused_with_a_mend(
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
    lines = changed[error.file or ""].splitlines()
    assert error.line
    assert error.column
    assert error.snippet == lines[error.line - 1]
    line = line_of(texts[file], old)
    where, passage = ELSEWHERE.get(message, (file, changed[file].splitlines()[line - 1]))
    assert error.file == where
    assert error.snippet.startswith(passage), "the message shows the line that is wrong"
    if hint is not None:
        assert hint in str(error)


@pytest.mark.requirement("003-12")
@pytest.mark.requirement("004-14")
@pytest.mark.parametrize(
    "label",
    ["No response", "no reply", "Without answer", "No contact", "Did not reply", "Never answered",
     "Unresponsive", "Silent", "Not reached", "Didn't respond"],
)  # fmt: skip
def test_silence_is_never_final_whatever_it_is_called(refused: Refused, label: str) -> None:
    said = refused(("dispositions.yaml", "rep_sees: Duplicate", f"rep_sees: {label}"))
    assert "no response is never an outcome of its own" in said


def test_the_place_is_exact(refused: Refused) -> None:
    said = refused(("sla.yaml", "5 working minutes", "5 working minuets"))
    assert said.startswith("sla.yaml:5:31: '5 working minuets' is not a length of time")
    assert "inbound_call: {first_touch: 5 working minuets" in said
