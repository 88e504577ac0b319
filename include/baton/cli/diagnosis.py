"""The checks of ``baton doctor``: each looks at one thing and says how it is, never raising."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from baton.cli.mode import going_out
from baton.clock import SystemClock
from baton.connections import HubSpotConnection, SalesforceConnection, SlackConnection
from baton.crm.hubspot import HubSpotGateway
from baton.crm.limits import UnlimitedRate
from baton.crm.salesforce import FieldDescription, SalesforceGateway
from baton.errors import BatonError, FatalGatewayError, RejectedRecordError
from baton.ledger.agreements import policies, rosters
from baton.ledger.database.engine import ledger_engine, transaction
from baton.ledger.database.migrate import check_current
from baton.notify.slack import SlackGateway
from baton.pipeline.delivery.setup import (
    check_salesforce,
    hubspot_plan,
    required_fields,
    setup_hubspot,
)
from baton.pipeline.intake.field_mapping import (
    MappingFinding,
    check_hubspot_fields,
    check_salesforce_fields,
)
from baton.pipeline.modes import Modes
from baton.pipeline.today.field_troubles import met_objects, met_troubles
from baton.policy.lint import lint
from baton.policy.loader import parse_policy
from baton.policy.models import Policy
from baton.policy.roster import Roster, roster_from_json
from baton.settings import Settings

__all__ = ["Finding", "diagnose"]

_DEPLOY_HUBSPOT = "run 'baton setup hubspot'"
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, whether it is well, what was seen, and the mend if not.

    `warning`: something came up, and nobody can tell from here whether it still is so.
    """

    subject: str
    ok: bool
    words: str
    mend: str = ""
    warning: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """What earlier checks found, for those that compare.

    `met`: the objects of Salesforce of which fields did not take what was sent.
    """

    policy: Policy | None = None
    roster: Roster | None = None
    met: frozenset[str] = frozenset()


def diagnose(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each thing checked, in the order in which one would mend them."""
    findings, seen = _ledger(env)
    yield from findings
    yield from _guarded("HubSpot", lambda: _hubspot(env, seen))
    yield from _guarded("Salesforce", lambda: _salesforce(env, seen))
    yield from _guarded("Slack", lambda: _slack(env, seen))


def _guarded(subject: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    """Run a check; an error is a finding too: its message says what to do."""
    try:
        return check()
    except BatonError as error:
        return [Finding(subject, False, str(error))]


def _ledger(env: Mapping[str, str]) -> tuple[list[Finding], _Seen]:
    try:
        settings = Settings.from_environment(env)
        engine = ledger_engine(settings.database_url)
        try:
            check_current(engine)
            with transaction(engine) as conn:
                bundle, roster = policies.current(conn), rosters.current(conn)
                modes = Modes.read(conn, settings.mode)
                met = met_objects(conn, SystemClock().now())
        finally:
            engine.dispose()
    except BatonError as error:
        return [Finding("ledger", False, str(error))], _Seen()
    found = [Finding("ledger", True, "answers, tables are current"), _mode(env, modes)]
    seen = _Seen(met=met)
    if bundle is None:
        mend = "run 'baton policy activate include/policy'"
        found.append(Finding("policy", False, "none is active", mend))
    else:
        seen = replace(seen, policy=parse_policy(bundle))
    if roster is None:
        mend = "run 'baton roster import include/policy/roster.yaml'"
        found.append(Finding("roster", False, "there is none", mend))
    else:
        seen = replace(seen, roster=roster_from_json(roster.content))
    return [*found, *_agreement(seen)], seen


def _mode(env: Mapping[str, str], modes: Modes) -> Finding:
    """Say what goes out; that it does because nobody said otherwise is worth a remark."""
    if env.get("BATON_MODE", "").strip() or modes.by_scope:
        return Finding("mode", True, f"{modes.default_of_all.value}: effects {going_out(modes)}")
    words = "live, because BATON_MODE is not set: leads are handed over as soon as the Dags run"
    return Finding("mode", True, words, "set BATON_MODE=live, or observe first: docs/going-live.md")


def _agreement(seen: _Seen) -> Iterator[Finding]:
    if seen.policy is None:
        return
    problems = lint(seen.policy, seen.roster)
    words = f"{seen.policy.name or 'unnamed'}, {seen.policy.hash[:12]}"
    yield Finding("policy", True, words + (f", {len(problems)} remarks" if problems else ""))
    for one in problems:
        yield Finding("policy", False, one.message, one.hint or "")
    if seen.roster is not None:
        now = SystemClock().now()
        away = sum(1 for rep in seen.roster.people if rep.on_leave(now))
        yield Finding("roster", True, f"{len(seen.roster.people)} people, {away} away now")


def _hubspot(env: Mapping[str, str], seen: _Seen) -> list[Finding]:
    gateway = HubSpotGateway(HubSpotConnection.from_environment(env), UnlimitedRate())
    account = gateway.check()
    found = [Finding("HubSpot", True, f"portal {account.portal_id} answers")]
    if account.missing_scopes:
        scopes = ", ".join(account.missing_scopes)
        mend = "add them to the private app in HubSpot and use its new token"
        found.append(Finding("HubSpot", False, f"the token lacks {scopes}", mend))
    if seen.policy is None:
        return found
    report = setup_hubspot(gateway, hubspot_plan(seen.policy), dry_run=True)
    found += [
        Finding("HubSpot", False, f"missing: {what}", _DEPLOY_HUBSPOT) for what in report.created
    ]
    found += [
        Finding("HubSpot", False, what, "delete or rename it in HubSpot, then set up again")
        for what in report.differing
    ]
    found += _fields("HubSpot", check_hubspot_fields(gateway, seen.policy), but=report.created)
    if len(found) == 1:
        found.append(Finding("HubSpot", True, "every property and list is there"))
    return found


def _salesforce(env: Mapping[str, str], seen: _Seen) -> list[Finding]:
    gateway = SalesforceGateway(SalesforceConnection.from_environment(env), UnlimitedRate())
    org = gateway.check()
    found = [Finding("Salesforce", True, f"org {org.org_id} answers")]
    if seen.policy is not None:
        missing = check_salesforce(gateway, required_fields(seen.policy))
        found += [
            Finding("Salesforce", False, f"{one.sobject}.{one.field}: {one.trouble}", one.mend)
            for one in missing
        ]
        if not missing:
            found.append(Finding("Salesforce", True, "every custom field is there and serves"))
        found += _fields("Salesforce", check_salesforce_fields(gateway, seen.policy))
        found += _queues(gateway, seen.policy)
    if seen.met:
        found += _met(env, gateway, seen.met)
    if seen.roster is not None:
        found += _users(gateway, seen.roster)
    return found


def _met(env: Mapping[str, str], gateway: SalesforceGateway, names: Iterable[str]) -> list[Finding]:
    """Return what came up in writing and is not mended by what the fields are now.

    What is mended is dropped from the ledger, so that the pages tell it no more either.
    """
    live = {name: _live_fields(gateway, name) for name in sorted(names)}
    engine = ledger_engine(Settings.from_environment(env).database_url)
    try:
        with transaction(engine) as conn:
            left = met_troubles(conn, SystemClock().now(), live)
    finally:
        engine.dispose()
    return [
        Finding(
            "Salesforce",
            not one.stands,
            f"{gateway.connection.conn_id}: {one.words}",
            one.mend if one.stands else f"{one.mend}; if that is done, there is nothing to do",
            warning=not one.stands,
        )
        for one in left
    ]


def _live_fields(gateway: SalesforceGateway, name: str) -> Mapping[str, FieldDescription]:
    try:
        return gateway.describe(name).fields
    except FatalGatewayError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return {}  # the object is gone, or hidden from the integration user


def _fields(
    subject: str, found: Sequence[MappingFinding], *, but: Sequence[str] = ()
) -> list[Finding]:
    """Return what is wrong with the field mapping; what setup would create is told already."""
    told = {what.partition(" ")[2] for what in but}
    return [
        Finding(
            subject, False, f"{one.connection}: {one.object} {one.field} {one.trouble}", one.mend
        )
        for one in found
        if one.code != "gone" or one.field not in told
    ]


def _queues(gateway: SalesforceGateway, policy: Policy) -> list[Finding]:
    there = {queue.name for queue in gateway.queues()}
    lacking = [name for name in policy.queues if name not in there]
    mend = "create it for Leads in Salesforce Setup, or name another in the policy"
    return [Finding("Salesforce", False, f"there is no queue '{name}'", mend) for name in lacking]


def _users(gateway: SalesforceGateway, roster: Roster) -> list[Finding]:
    active: dict[str, bool] = {}
    for user in gateway.users():
        for name in (user.email, user.username):
            if name:
                active[name.lower()] = active.get(name.lower(), False) or user.active
    people = {
        rep.key: active.get((rep.salesforce_user or rep.key).lower())
        for rep in roster.people
        if rep.active
    }
    unknown = [key for key, state in people.items() if state is None]
    inactive = [key for key, state in people.items() if state is False]
    found = []
    if unknown:
        mend = "create the user, or correct salesforce_user on the roster"
        found.append(Finding("roster", False, f"no Salesforce user: {_names(unknown)}", mend))
    if inactive:
        mend = "activate the user, or mark the person inactive on the roster"
        words = f"deactivated in Salesforce: {_names(inactive)}"
        found.append(Finding("roster", False, words, mend))
    if not found:
        found.append(Finding("roster", True, "everybody is an active Salesforce user"))
    return found


def _slack(env: Mapping[str, str], seen: _Seen) -> list[Finding]:
    gateway = SlackGateway(SlackConnection.from_environment(env), UnlimitedRate())
    workspace = gateway.check()
    found = [Finding("Slack", True, f"workspace {workspace.team} answers")]
    channels = [] if seen.policy is None else [one.name for one in seen.policy.channels.values()]
    mend = "create the channel in Slack and invite the app, or name another in the policy"
    lacking = _refused(gateway.channel_id, channels)
    found += [Finding("Slack", False, f"there is no channel '{one}'", mend) for one in lacking]
    people = (
        []
        if seen.roster is None
        else [rep.slack_email or rep.key for rep in seen.roster.people if rep.active]
    )
    if unknown := _refused(gateway.user_id, people):
        mend = "correct slack_email on the roster; until then the channel is told instead"
        found.append(Finding("Slack", False, f"nobody there by {_names(unknown)}", mend))
    return found


def _refused(look_up: Callable[[str], str], names: Sequence[str]) -> list[str]:
    lacking = []
    for name in names:
        try:
            look_up(name)
        except RejectedRecordError:
            lacking.append(name)
    return lacking


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
