"""Stopping: what was acknowledged survives a stop and a kill, and SIGTERM ends a server cleanly."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc
import pytest

from coterie.server.app import start_server
from coterie.server.config import ConfigurationError
from coterie.v1 import event_service_pb2 as events
from coterie.v1 import membership_service_pb2 as v1
from coterie.v1.event_service_pb2_grpc import EventServiceStub
from tests.serving import ManualClock, Served, event, in_folder, refusal_of, served, serving

ROOT = Path(__file__).resolve().parent.parent

PROGRAM = """
import logging, sys
from coterie.server.app import run
from coterie.server.config import load_settings
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
run(load_settings(None, {}, data=sys.argv[1], listen=sys.argv[2]))
"""


@served()
async def test_streams_end_by_name_when_the_server_stops(server: Served) -> None:
    """A watch and an event stream end with UNAVAILABLE; what the stream was acknowledged is kept."""
    watch = server.members.WatchMembership(v1.WatchMembershipRequest())
    await watch.read()
    stream = server.events.StreamEvents()
    await stream.write(events.StreamEventsRequest(events=[event("view", "u1")]))
    assert (await stream.read()).accepted == 1
    stopping = asyncio.create_task(server.server.stop())
    for call in (watch, stream):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        problem = refusal_of(caught.value)
        assert (problem.code, problem.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
        assert problem.retry_after_ms
    await stopping


def test_a_clean_stop_leaves_nothing_to_replay() -> None:
    """The last snapshot holds everything; the next start has it, with the same revision."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(folder) as server:
                await server.create("viewers", "did view")
                token = (await server.ingest(*(event("view", f"u{i}") for i in range(500)))).revision.token
            async with serving(folder) as server:
                engine, store = server.dataset.engine, server.dataset.store
                assert store.header.revision == engine.revision, "nothing was replayed"
                assert server.dataset.tokens.revision(engine.revision) == token
                assert engine.size("viewers") == 500

    asyncio.run(run())


def test_a_second_server_keeps_out() -> None:
    """A data directory in use is refused, naming it; so is a port in use."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
            async with serving(folder) as server:
                with pytest.raises(ConfigurationError, match="another server"):
                    await start_server(in_folder(folder))
                from dataclasses import replace

                taken = replace(in_folder(other), listen=server.server.address)
                with pytest.raises(ConfigurationError, match="listen"):
                    await start_server(taken)

    asyncio.run(run())


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(folder: str, port: int) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("index", "server", "clients/python")),
    }
    command = [sys.executable, "-c", PROGRAM, folder, f"127.0.0.1:{port}"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def _ingest(port: int, first: int, number: int) -> events.IngestEventsResponse:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(timeout=30)
        stub = EventServiceStub(channel)
        batch = [event("view", f"u{i}", event_id=f"e{i}") for i in range(first, first + number)]
        return stub.IngestEvents(events.IngestEventsRequest(events=batch), timeout=30)


def test_sigterm_stops_cleanly_and_a_kill_loses_nothing() -> None:
    """A process told to stop exits with 0; one that is killed has everything it acknowledged, once."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        process = _start(folder, port)
        try:
            assert _ingest(port, 0, 300).accepted == 300
            process.kill()
            process.communicate(timeout=30)
            process = _start(folder, port)
            answer = _ingest(port, 200, 200)
            assert (answer.accepted, answer.duplicates) == (100, 100)
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=30)
            assert process.returncode == 0, log.decode()
            assert b"stopped" in log
        finally:
            process.kill()
            process.communicate()

        async def look() -> int:
            async with serving(folder, ManualClock(0)) as server:
                return int(server.dataset.engine.status().events)

        assert asyncio.run(look()) == 400
