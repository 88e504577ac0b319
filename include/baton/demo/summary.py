"""What the demo says at the end: the chain's counts, its medians, the promises, the addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from rich.table import Table

from baton.demo.attachment import DemoRecord
from baton.demo.live import Landing, Sideways
from baton.demo.screen import Screen
from baton.demo.verify import Check
from baton.ledger.metrics.metrics import ChainCounts

__all__ = [
    "show_addresses",
    "show_chain",
    "show_checks",
    "show_landing",
    "show_live",
    "show_sideways",
    "show_times",
]

_BAR = 32


def show_chain(screen: Screen, counts: ChainCounts, days: int) -> None:
    """Show the chain from captured to won."""
    screen.title(f"The chain over {days} days of history")
    rows = (
        ("captured", counts.captured),
        ("handed off", counts.handed_off),
        ("touched", counts.touched),
        ("accepted", counts.accepted),
        ("meeting", counts.meeting),
        ("opportunity", counts.opportunity),
        ("won", counts.won),
    )
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    most = max(counts.captured, 1)
    for name, count in rows:
        length = max(round(_BAR * count / most), 1 if count else 0)
        table.add_row(name, f"[bold]{count}[/]", f"[cyan]{'█' * length}[/]")
    screen.console.print(table)
    aside = (
        f"not handed off: {counts.nurture} nurture, {counts.suppressed} suppressed, "
        f"{counts.quarantined} quarantined, {counts.held} held, {counts.customers} customers"
    )
    back = (
        f"came back: {counts.recycled} recycled, {counts.disqualified} disqualified, "
        f"{counts.lost} lost"
    )
    screen.say(f"  {aside}", style="dim")
    screen.say(f"  {back}", style="dim")
    if counts.won:
        screen.say(f"  won: {counts.won_cents / 100:,.0f} in closed deals", style="dim")
    if counts.touch_median is not None:
        touched = duration(counts.touch_median)
        screen.say(f"  from owner to first touch: median {touched} (simulated reps)", style="dim")


def show_landing(screen: Screen, landing: Landing) -> None:
    """Show one handoff as it lands."""
    name = f"{landing.lead} · {landing.company}"
    screen.markup(f"[green]✔[/] [bold]{_escaped(name):<54}[/] [cyan]{landing.seconds:5.1f} s[/]")
    where = f", {landing.pool}" if landing.pool else ""
    words = f"{landing.score} {landing.band}: {landing.reason} → {landing.owner}{where}"
    screen.say(f"  {words}")


def show_sideways(screen: Screen, sight: Sideways) -> None:
    """Show a lead that was not handed over, and why."""
    screen.say(f"· {sight.lead}: {sight.outcome} ({sight.words})", style="dim")


def show_live(screen: Screen, landings: Sequence[Landing]) -> None:
    """Show how fast the live leads were."""
    if not landings:
        screen.say("  no live handoff has landed", style="red")
        return
    seconds = [one.seconds for one in landings]
    screen.say(
        f"  {len(landings)} live handoffs through Airflow, from capture to message: "
        f"median {median(seconds):.1f} s, slowest {max(seconds):.1f} s"
    )


def show_checks(screen: Screen, checks: Sequence[Check]) -> None:
    """Show each promise and whether it holds."""
    screen.title("Lost, doubled, late?")
    for check in checks:
        mark = "[green]✔[/]" if check.holds else "[red]✘[/]"
        screen.markup(f"  {mark} {check.name:<18}{_escaped(check.words)}")


def show_times(screen: Screen, seconds: Mapping[str, float], total: float) -> None:
    """Show what took how long; phases may have run side by side."""
    parts = ", ".join(f"{name} {took:.0f} s" for name, took in seconds.items())
    screen.say(f"  {parts}; all in all {total:.0f} s", style="dim")


def show_addresses(screen: Screen, record: DemoRecord) -> None:
    """Show where everything is, and the log-ins."""
    screen.title("Everything is running")
    for name, address in record.addresses.items():
        screen.say(f"  {name:<22}{address}")
    for user, password in record.logins.items():
        screen.say(f"  {'Airflow, ' + user:<22}user {user}, password {password}")
    screen.say(
        "  `baton status`, `baton roster show` … work on it; `make down` stops it.", style="dim"
    )


def duration(seconds: float) -> str:
    """Return seconds in the unit that reads best."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
