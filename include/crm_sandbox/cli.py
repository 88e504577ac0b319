"""The `crm-sandbox` command."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

HELP_SERVE = """Serve HubSpot (http), Salesforce (https, own CA), Slack (http) and an admin port.

All four listen until SIGTERM or Ctrl-C, on 127.0.0.1 unless --host says otherwise. There is no
log-in at the admin port: widen --host inside a closed network only, such as that of containers.
Examples:

\b
    crm-sandbox serve
    crm-sandbox serve --json --hubspot-port 8801 --state-dir ./sandbox
    crm-sandbox serve --at 2026-08-01T00:00:00Z --no-market
    crm-sandbox serve --host 0.0.0.0 --name crm-sandbox
"""
HELP_LOAD = """Load a CSV of contacts into a running sandbox, over HubSpot's HTTP API.

Headers may be property labels (as in a HubSpot export) or internal names; --map and --mapping say
otherwise. Columns that no property has become custom text properties. A contact whose e-mail is
there already is updated. Rows that are refused are listed with the reason; the others are loaded.

\b
    crm-sandbox load export.csv --url http://127.0.0.1:8801 --token TOKEN
    crm-sandbox load leads.csv --map "Work mail=email" --map "Firm=company.name" ...
    crm-sandbox load leads.csv --mapping leads.yaml ...

A mapping file:

\b
    properties:
      email: {template: "lead-{Lead Number}@export.test"}
      country: {column: Country}
      hs_analytics_source: {column: Lead Source, values: {Google: ORGANIC_SEARCH}}
      visits: {column: TotalVisits, type: number}
      lifecyclestage: {constant: lead}
    company:
      domain: {column: Website}
"""
HELP_FAULTS = """Make the servers fail on purpose.

Kinds: 401, 423, 429, 477, 500, 502_html, 503, 504, timeout, reset, slow, partial, truncated. With
--when after the work is done first, and the client does not learn of it.

\b
    crm-sandbox faults add 429 --api hubspot --path search --count 3 --admin URL
    crm-sandbox faults add timeout --when after --path batch/update --admin URL
    crm-sandbox faults list --admin URL
"""

app = typer.Typer(
    name="crm-sandbox",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Local HubSpot, Salesforce and Slack servers for development, tests and demos.",
)
faults_app = typer.Typer(no_args_is_help=True, help=HELP_FAULTS, rich_markup_mode=None)
market_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Steer the simulated market of a running sandbox.",
)
app.add_typer(faults_app, name="faults")
app.add_typer(market_app, name="market")

_Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")]
_Admin = Annotated[
    str,
    typer.Option("--admin", envvar="CRM_SANDBOX_ADMIN", help="Address of the admin port."),
]


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not ISO 8601, such as 2026-08-01T00:00:00Z", param_hint=option
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _give_up(message: str, code: int = 2) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)


@app.command(help=HELP_SERVE)
def serve(
    hubspot_port: _Port = 0,
    salesforce_port: _Port = 0,
    slack_port: _Port = 0,
    admin_port: _Port = 0,
    host: Annotated[
        str, typer.Option(help="The IPv4 address to listen on; 0.0.0.0 for all.")
    ] = "127.0.0.1",
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            help="A host name that clients use, for certificate and addresses. Repeatable.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON with every address.")
    ] = False,
    state_dir: Annotated[
        Path | None, typer.Option(help="Where the CA files lie (default: a temporary folder).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random.")] = 7,
    market: Annotated[bool, typer.Option(help="Furnish it with the simulated market.")] = True,
    busy: Annotated[
        float, typer.Option(min=0.1, help="So many times the usual number of buyers.")
    ] = 1.0,
    search_lag: Annotated[
        float, typer.Option(min=0, help="Seconds by which HubSpot's search trails.")
    ] = 0.0,
    at: Annotated[
        str | None, typer.Option(help="Start in simulated time, at this ISO 8601 moment.")
    ] = None,
    metadata: Annotated[
        Path | None, typer.Option(help="Folder of Salesforce metadata to deploy.")
    ] = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Stop when the parent process is gone.")
    ] = False,
    hubspot_burst: Annotated[
        int, typer.Option(min=1, help="HubSpot calls allowed in ten seconds.")
    ] = 190,
    hubspot_search: Annotated[
        int, typer.Option(min=1, help="HubSpot searches allowed in a second.")
    ] = 5,
    hubspot_daily: Annotated[
        int, typer.Option(min=1, help="HubSpot calls allowed in a day.")
    ] = 625_000,
) -> None:
    parent = os.getppid()  # before the slow imports, during which the parent might end
    from crm_sandbox.hubspot.limits import LimitPlan
    from crm_sandbox.server import PortInUseError, UnusableHostError, print_json_line
    from crm_sandbox.server import serve as run
    from crm_sandbox.world import ServeOptions

    logging.basicConfig(level=logging.WARNING)
    options = ServeOptions(
        hubspot_port=hubspot_port,
        salesforce_port=salesforce_port,
        slack_port=slack_port,
        admin_port=admin_port,
        state_dir=state_dir,
        seed=seed,
        market=market,
        busy=busy,
        search_lag_seconds=search_lag,
        at=_moment(at, "--at"),
        metadata=metadata,
        parent_pid=parent if with_parent else None,
        host=host,
        names=tuple(names or ()),
        limits=LimitPlan(hubspot_burst, hubspot_search, hubspot_daily),
    )
    try:
        run(options, print_json_line if as_json else _print_addresses)
    except (PortInUseError, UnusableHostError) as error:
        raise _give_up(str(error)) from error


def _print_addresses(description: dict[str, Any]) -> None:
    for name, part in description.items():
        if not isinstance(part, dict):
            continue
        more = ", ".join(f"{key} {value}" for key, value in part.items() if key != "url")
        typer.echo(f"{name:<11}{part['url']}" + (f"  ({more})" if more else ""))
    typer.echo("Ctrl-C stops the servers.")


@app.command(help=HELP_LOAD)
def load(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    url: Annotated[str, typer.Option(envvar="CRM_SANDBOX_HUBSPOT_URL", help="Address of HubSpot.")],
    token: Annotated[str, typer.Option(envvar="CRM_SANDBOX_HUBSPOT_TOKEN", help="HubSpot token.")],
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=PROPERTY",
            help="A column's property; company.PROPERTY for the company. Repeatable.",
        ),
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="A mapping file (YAML).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    from crm_sandbox.loading import LoadError, load_file
    from crm_sandbox.loading_report import print_report, progress_bar

    try:
        with progress_bar(quiet=as_json) as advance:
            report = load_file(
                file, url=url, token=token, maps=map_ or [], mapping_file=mapping, advance=advance
            )
    except LoadError as error:
        raise _give_up(str(error)) from error
    if as_json:
        typer.echo(json.dumps(report.to_json()))
    else:
        print_report(report)
    if report.rows and not report.loaded:
        raise typer.Exit(1)


def _admin_call(method: str, url: str, path: str, body: Any = None) -> Any:
    import httpx

    try:
        # Simulating many days takes a while, so there is no read timeout.
        reply = httpx.request(
            method, url.rstrip("/") + path, json=body, timeout=httpx.Timeout(5, read=None)
        )
    except httpx.HTTPError as error:
        raise _give_up(
            f"No sandbox answers at {url} ({type(error).__name__}). Start one with "
            "`crm-sandbox serve` and give the address of its admin port with --admin."
        ) from error
    answer = reply.json()
    if reply.is_error:
        raise _give_up(f"The sandbox refused: {answer.get('error', reply.status_code)}")
    return answer


@faults_app.command("add")
def faults_add(
    kind: Annotated[str, typer.Argument(help="What happens; see `crm-sandbox faults --help`.")],
    admin: _Admin,
    api: Annotated[str, typer.Option(help="hubspot, salesforce, slack, or * for all.")] = "*",
    path: Annotated[str, typer.Option(help="Regular expression searched in the path.")] = ".*",
    method: Annotated[str, typer.Option(help="HTTP method, or * for all.")] = "*",
    rate: Annotated[float, typer.Option(help="Share of requests that are struck.")] = 1.0,
    count: Annotated[int | None, typer.Option(help="How many are struck at most.")] = None,
    skip: Annotated[int, typer.Option(help="How many matching requests pass first.")] = 0,
    when: Annotated[str, typer.Option(help="before or after the work is done.")] = "before",
    seed: Annotated[int, typer.Option(help="Seed of the share.")] = 0,
    seconds: Annotated[float | None, typer.Option(help="How long slow and timeout take.")] = None,
    retry_after: Annotated[int | None, typer.Option(help="Retry-After header, seconds.")] = None,
    policy: Annotated[
        str | None, typer.Option(help="HubSpot 429: TEN_SECONDLY_ROLLING, SECONDLY or DAILY.")
    ] = None,
) -> None:
    """Add a rule."""
    rule = {
        "kind": kind,
        "api": api,
        "path_regex": path,
        "method": method,
        "rate": rate,
        "count": count,
        "skip": skip,
        "when": when,
        "seed": seed,
        "seconds": seconds,
        "retry_after": retry_after,
        "policy": policy,
    }
    given = {name: value for name, value in rule.items() if value is not None}
    answer = _admin_call("POST", admin, "/faults", given)
    typer.echo(f"rule {answer['number']} added")


@faults_app.command("list")
def faults_list(admin: _Admin) -> None:
    """List the rules, with how many requests each has seen and struck."""
    rules = _admin_call("GET", admin, "/faults")["faults"]
    for rule in rules:
        bound = rule.get("count", "all")
        typer.echo(
            f"{rule['number']:>3}  {rule['kind']:<9} {rule['api']:<11} {rule['method']:<6} "
            f"{rule['path_regex']}  rate {rule['rate']}, count {bound}, {rule['when']}; "
            f"seen {rule['seen']}, struck {rule['struck']}"
        )
    if not rules:
        typer.echo("no rules")


@faults_app.command("clear")
def faults_clear(admin: _Admin) -> None:
    """Remove every rule."""
    typer.echo(f"{_admin_call('DELETE', admin, '/faults')['removed']} rules removed")


@market_app.command("play")
def market_play(
    admin: _Admin, until: Annotated[str, typer.Option(help="ISO 8601 moment to play to.")]
) -> None:
    """Simulate buyers and reps up to a moment."""
    _moment(until, "--until")
    typer.echo(json.dumps(_admin_call("POST", admin, "/market/play", {"until": until})))


@market_app.command("live")
def market_live(
    admin: _Admin,
    on: Annotated[bool, typer.Option("--on/--off", help="Switch it on or off.")] = True,
    every_seconds: Annotated[float, typer.Option(min=0.1, help="Seconds between leads.")] = 4.0,
) -> None:
    """Let the market act in real time."""
    body = {"on": on, "every_seconds": every_seconds}
    typer.echo("live" if _admin_call("POST", admin, "/market/live", body)["live"] else "not live")


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
