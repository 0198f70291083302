"""A real server in a thread of its own, for tests of programs that block: the command line, the client.

Owns the thread and its event loop. Invariant: when the block is left, server and thread are gone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coterie.server.app import RunningServer, start_server
from tests.serving import ManualClock, in_folder


class ThreadedServer:
    """A running server, its address, and its clock."""

    def __init__(self, server: RunningServer, clock: ManualClock, loop: asyncio.AbstractEventLoop) -> None:
        self.target = server.address
        self._clock, self._loop = clock, loop

    def set_clock(self, now: int) -> None:
        """Moves the clock, in the server's thread."""
        moved = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (self._clock.set(now), moved.set()))
        assert moved.wait(5)


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[ThreadedServer]:
    """Runs a server on a directory."""
    clock, started, stop = ManualClock(), threading.Event(), asyncio.Event()
    made: list[ThreadedServer] = []

    async def serve() -> None:
        server = await start_server(in_folder(str(folder), **settings), clock)
        made.append(ThreadedServer(server, clock, asyncio.get_running_loop()))
        started.set()
        await stop.wait()
        await server.stop()

    def run() -> None:
        try:
            asyncio.run(serve())
        finally:
            started.set()

    thread = threading.Thread(target=run, name="server")
    thread.start()
    try:
        assert started.wait(30)
        assert made, "the server did not start"
        yield made[0]
    finally:
        if made:
            made[0]._loop.call_soon_threadsafe(stop.set)
        thread.join(30)
