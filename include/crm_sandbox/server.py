"""One process, one event loop, four servers: HubSpot, Salesforce, Slack and the admin port."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib
import importlib.util
import ipaddress
import json
import logging
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from crm_sandbox.admin import admin_app
from crm_sandbox.certificates import Certificates, issue_certificates
from crm_sandbox.faults import TRANSPORT_KEY, FaultGate, Renderer
from crm_sandbox.hubspot import app as hubspot_app
from crm_sandbox.hubspot.webhooks import WebhookSender
from crm_sandbox.slack import app as slack_app
from crm_sandbox.traffic import TrafficMeter
from crm_sandbox.world import LOOPBACK, ServeOptions, World, build_world, installed

_LOG = logging.getLogger(__name__)

_EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 (only ever served when asked for by --host)
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
_TICK_SECONDS = 0.5
_APIS = ("hubspot", "salesforce", "slack", "admin")


class PortInUseError(Exception):
    """A port that was asked for is taken; the text says which and by which option."""


class UnusableHostError(ValueError):
    """A host or name that cannot be served; the text says which and why."""


# ---- servers -------------------------------------------------------------------------------


_Base: Any = AutoHTTPProtocol


class _AwareProtocol(_Base):  # type: ignore[misc]  # the base is chosen at run time
    """HTTP protocol that tells the app its transport, so that a fault can reset it."""

    app: ASGIApp

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT_KEY] = transport
            await app(scope, receive, send)

        self.app = with_transport


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs several of them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Wait for the end: without a date header nothing is to be done ten times a second."""
        await self.on_tick(0)
        await self._ended.wait()

    def end(self) -> None:
        """Let requests under way be answered, then end."""
        self.should_exit = True
        self._ended.set()

    def hang_up(self) -> None:
        """Close whatever is open, at once."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def bind(port: int, option: str, host: str = LOOPBACK) -> socket.socket:
    """A listening socket. Raises PortInUseError, and UnusableHostError for a foreign address."""
    # The protocol is named because asyncio switches Nagle's delay (40 ms a reply) off only then.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(256)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise UnusableHostError(
                f"This machine has no address {host}: --host takes one of its own IPv4 addresses, "
                f"{LOOPBACK} for itself alone or {_EVERY_INTERFACE} for all."
            ) from error
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "already in use" if error.errno == errno.EADDRINUSE else "not allowed"
        raise PortInUseError(
            f"Port {port} is {why}: choose another with {option}, or 0 for any free port."
        ) from error
    return sock


def _bind_all(options: ServeOptions) -> dict[str, socket.socket]:
    sockets: dict[str, socket.socket] = {}
    try:
        for api in _APIS:
            port = getattr(options, f"{api}_port")
            sockets[api] = bind(port, f"--{api}-port", options.host)
    except (PortInUseError, UnusableHostError):
        for sock in sockets.values():
            sock.close()
        raise
    return sockets


def reachable_names(options: ServeOptions) -> tuple[str, ...]:
    """The names of the certificate beyond loopback's: those given, and an address listened on.

    Raises UnusableHostError for a host that is no IPv4 address and for a name that is none.
    """
    try:
        address = ipaddress.IPv4Address(options.host)
    except ValueError:
        raise UnusableHostError(
            f"--host {options.host!r} is no IPv4 address; names belong to --name."
        ) from None
    for name in options.names:
        if not _HOST_NAME.fullmatch(name):
            raise UnusableHostError(f"--name {name!r} is no host name, such as crm-sandbox.")
    own = () if address.is_loopback or address.is_unspecified else (options.host,)
    return (*options.names, *own)


def _gated(world: World, app: ASGIApp, api: str, render: Renderer | None) -> ASGIApp:
    gate = FaultGate(app, api=api, faults=world.faults, render=render)
    return TrafficMeter(gate, api=api, traffic=world.traffic, clock=world.clock)


def _salesforce(world: World) -> ASGIApp | None:
    if world.org is None or not installed("crm_sandbox.salesforce.app"):
        return None
    module = importlib.import_module("crm_sandbox.salesforce.app")
    app: ASGIApp = module.create_salesforce_app(world.org)
    return _gated(world, app, "salesforce", getattr(module, "render_fault", None))


def _server(app: ASGIApp, certificates: Certificates | None = None) -> _Server:
    config = uvicorn.Config(
        app,
        http=_AwareProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        backlog=256,
        ssl_certfile=str(certificates.server_file) if certificates else None,
    )
    return _Server(config)


class Sandbox:
    """The running servers of one world."""

    def __init__(self, options: ServeOptions, world: World | None = None) -> None:
        """Bind the ports and build the world, unless one is given.

        Raises PortInUseError and UnusableHostError.
        """
        self.options = options
        self._names = reachable_names(options)
        self._sockets = _bind_all(options)
        self._own_dir: tempfile.TemporaryDirectory[str] | None = None
        if options.state_dir is None:
            self._own_dir = tempfile.TemporaryDirectory(prefix="crm-sandbox-")
        self.state_dir = options.state_dir or Path(self._own_dir.name if self._own_dir else ".")
        self.world = build_world(options) if world is None else world
        self._stop = asyncio.Event()
        self._patient = True
        self._servers: dict[str, _Server] = {}
        self._certificates: Certificates | None = None

    def url(self, api: str) -> str:
        """The address of one server for clients on this machine."""
        everywhere = self.options.host == _EVERY_INTERFACE
        return self._url(api, LOOPBACK if everywhere else self.options.host)

    def _url(self, api: str, name: str) -> str:
        scheme = "https" if api == "salesforce" else "http"
        return f"{scheme}://{name}:{self._sockets[api].getsockname()[1]}"

    def description(self) -> dict[str, Any]:
        """Every address and test credential, as `serve --json` prints them.

        `url` is the address on this machine, `also` are those under further names.
        """
        world, org = self.world, self.world.org
        described: dict[str, Any] = {
            "hubspot": {
                "url": self.url("hubspot"),
                "token": world.portal.token,
                "portal_id": world.portal.portal_id,
            },
        }
        if "salesforce" in self._servers:
            described["salesforce"] = {
                "url": self.url("salesforce"),
                "login_url": self.url("salesforce"),
                "consumer_key": org.app.consumer_key,
                "consumer_secret": org.app.consumer_secret,
                "username": org.app.username,
                "org_id": org.org_id,
                "ca_file": str(self._certificates.ca_file) if self._certificates else None,
            }
        described["slack"] = {"url": f"{self.url('slack')}/api/", "token": world.workspace.token}
        described["admin"] = {"url": self.url("admin")}
        for api in _APIS:
            if self.options.names and api in described:
                also = [self._url(api, name) for name in self.options.names]
                described[api]["also"] = [f"{url}/api/" for url in also] if api == "slack" else also
        described["pid"] = os.getpid()
        return described

    def stop(self, *, at_once: bool = False) -> None:
        """Ask the servers to stop; `run` then returns.

        `at_once`: whoever is connected has nothing more to say, so no connection is waited for.
        """
        self._patient = not at_once
        self._stop.set()

    async def run(self, announce: Callable[[dict[str, Any]], None]) -> None:
        """Serve until stopped; `announce` is told the addresses once all servers answer."""
        self._assemble()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(name, self.stop)
        running = [
            asyncio.create_task(server.serve(sockets=[self._sockets[api]]))
            for api, server in self._servers.items()
        ]
        sender = WebhookSender(self.world.portal.webhooks)
        helpers = [asyncio.create_task(self._tick()), asyncio.create_task(sender.run())]
        try:
            while not all(server.started for server in self._servers.values()):
                await asyncio.sleep(0.01)
            announce(self.description())
            await self._stop.wait()
        finally:
            await self._wind_up(running, helpers)

    async def _wind_up(
        self, running: list[asyncio.Task[None]], helpers: list[asyncio.Task[None]]
    ) -> None:
        for server in self._servers.values():
            if self._patient:
                server.end()
            else:
                server.hang_up()
        for helper in helpers if self._patient else [*helpers, *running]:
            helper.cancel()
        await asyncio.gather(*running, *helpers, return_exceptions=True)
        for sock in self._sockets.values():
            sock.close()
        if self._own_dir is not None:
            self._own_dir.cleanup()

    def _assemble(self) -> None:
        world = self.world
        hubspot = hubspot_app.HubSpotApp(world.portal, world.limits)
        slack = slack_app.SlackApp(world.workspace)
        apps: dict[str, ASGIApp] = {
            "hubspot": _gated(world, hubspot, "hubspot", hubspot_app.render_fault),
            "slack": _gated(world, slack, "slack", slack_app.render_fault),
            "admin": admin_app(world),
        }
        self._servers = {api: _server(app) for api, app in apps.items()}
        salesforce = _salesforce(world)
        if salesforce is not None:
            self._certificates = issue_certificates(self.state_dir, self._names)
            self._servers["salesforce"] = _server(salesforce, self._certificates)

    async def _tick(self) -> None:
        """Twice a second: let the live market act, and notice when the parent is gone."""
        parent = self.options.parent_pid
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            if parent is not None and os.getppid() != parent:
                self.stop()
            if self.world.live and self.world.market is not None:
                self._let_market_act()

    def _let_market_act(self) -> None:
        try:
            self.world.events.extend(self.world.market.live_tick())
        except Exception:
            # The servers must outlive a fault in the market; it is switched off and told.
            self.world.live = False
            _LOG.exception("the live market failed and has been switched off")


def serve(options: ServeOptions, announce: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises PortInUseError and UnusableHostError before anything has started.
    """

    async def run() -> None:
        await Sandbox(options).run(announce)

    asyncio.run(run())


def print_json_line(description: dict[str, Any]) -> None:
    """Print the description as one line, at once."""
    sys.stdout.write(json.dumps(description, separators=(",", ":")) + "\n")
    sys.stdout.flush()
