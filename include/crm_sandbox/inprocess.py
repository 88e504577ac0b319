"""A sandbox inside another process, in a thread of its own: for tests and notebooks."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from types import TracebackType
from typing import Any

from crm_sandbox.server import Sandbox
from crm_sandbox.world import ServeOptions, World

_START_SECONDS = 30.0


class SandboxThread:
    """Runs the servers of a sandbox in a thread, from `with` to its end.

    `description` holds the addresses and credentials (see `Sandbox.description`). The stores in
    `world` belong to that thread: touch them only while no request is under way.
    """

    def __init__(self, options: ServeOptions | None = None, world: World | None = None) -> None:
        """Prepare; nothing runs before the context is entered.

        `world` is what an earlier thread has served (or a fork of it): its stores go on from there.
        """
        self.options = options or ServeOptions()
        self._given = world
        self.description: dict[str, Any] = {}
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sandbox: Sandbox | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="crm-sandbox", daemon=True)

    def __enter__(self) -> SandboxThread:
        """Start. Raises what the start raised, or TimeoutError."""
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise TimeoutError("the sandbox did not start")
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the servers and wait for the thread; connections that are still open are cut."""
        if self._loop is not None and self._sandbox is not None:
            self._loop.call_soon_threadsafe(partial(self._sandbox.stop, at_once=True))
        self._thread.join(_START_SECONDS)

    @property
    def world(self) -> World:
        """The stores behind the servers."""
        if self._sandbox is None:
            raise RuntimeError("the sandbox does not run")
        return self._sandbox.world

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._sandbox = Sandbox(self.options, self._given)
        await self._sandbox.run(self._announce)

    def _announce(self, description: dict[str, Any]) -> None:
        self.description = description
        self._ready.set()
