"""Puts a server together, runs it, and takes it apart again.

Owns the order of a start (recover, then listen, then say SERVING) and of a stop (say NOT_SERVING, end endless
streams, let calls finish, write what was taken, snapshot). Invariant: whatever was acknowledged before a stop is on disk after it.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from coterie.index.rules import parse
from coterie.server.admin_service import AdminService
from coterie.server.analytics_service import AnalyticsService
from coterie.server.binding import bind
from coterie.server.catalogue import Catalogue
from coterie.server.clock import Clock, SystemClock
from coterie.server.config import ConfigurationError, ServerSettings, split_address
from coterie.server.event_service import EventService
from coterie.server.membership_service import MembershipService
from coterie.server.profile_service import ProfileService
from coterie.server.segment_service import SegmentService
from coterie.v1 import (
    admin_service_pb2,
    analytics_service_pb2,
    event_service_pb2,
    membership_service_pb2,
    profile_service_pb2,
    segment_service_pb2,
)

_log = logging.getLogger("coterie.server")
_SERVICES = {
    "EventService": (EventService, event_service_pb2),
    "ProfileService": (ProfileService, profile_service_pb2),
    "SegmentService": (SegmentService, segment_service_pb2),
    "MembershipService": (MembershipService, membership_service_pb2),
    "AnalyticsService": (AnalyticsService, analytics_service_pb2),
    "AdminService": (AdminService, admin_service_pb2),
}
_COLLECT_AFTER = (50_000, 20, 100)  # allocations, then collections of the younger generation
_MOST_PENDING = 10_000  # calls that gRPC holds for us beyond the writer's queue
_SWITCH_INTERVAL_S = 0.0005  # worker threads give the event loop its turn ten times sooner than by default


@dataclass(slots=True)
class RunningServer:
    """A server that answers calls."""

    address: str
    catalogue: Catalogue
    settings: ServerSettings
    _server: grpc.aio.Server
    _health: health.aio.HealthServicer

    async def stop(self) -> None:
        """Drains: takes nothing new, finishes what is under way, snapshots, closes."""
        await self._health.enter_graceful_shutdown()
        self.catalogue.end_streams()
        await self._server.stop(self.settings.drain_timeout_ms / 1000)
        await self.catalogue.close()

    async def kill(self) -> None:
        """Breaks off every call and lets go of the files without a snapshot, as a test of recovery does."""
        await self._server.stop(0)
        await self.catalogue.close(snapshot=False)


async def start_server(settings: ServerSettings, clock: Clock | None = None) -> RunningServer:
    """Recovers the datasets and starts to answer calls, in the running event loop."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    catalogue = Catalogue(settings, clock or SystemClock())
    try:
        # Making the parser takes some tenths of a second, which no caller should wait for.
        await asyncio.to_thread(parse, "did nothing")
        await catalogue.open()
        # What recovery made lives as long as the process: the collector need not walk it again, which would hold the
        # loop for a tenth of a second in a large one; what comes and goes per call is young.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)
        server = grpc.aio.server(options=_channel_options(settings))
        servicer = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        names = _add_services(server, catalogue, settings)
        host, port = split_address(settings.listen)
        port = _listen(server, settings.listen)
        await server.start()
        for name in ("", *names):
            await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    except BaseException:
        await catalogue.close(snapshot=False)
        raise
    return RunningServer(f"{host}:{port}", catalogue, settings, server, servicer)


def _channel_options(settings: ServerSettings) -> list[tuple[str, int]]:
    return [
        # Too large a message is refused by name (see `binding`); this bound only keeps out what is absurd.
        ("grpc.max_receive_message_length", 4 * settings.max_message_bytes),
        ("grpc.max_send_message_length", -1),
        # gRPC sheds waiting calls as CANCELLED, which tells a caller nothing; the writer's queue refuses by name instead.
        ("grpc.server.max_pending_requests", settings.queue_calls + _MOST_PENDING),
        ("grpc.server.max_pending_requests_hard_limit", settings.queue_calls + 2 * _MOST_PENDING),
        # Two servers must not share a port by accident.
        ("grpc.so_reuseport", 0),
        ("grpc.enable_channelz", int(settings.channelz)),
    ]


def _add_services(server: grpc.aio.Server, catalogue: Catalogue, settings: ServerSettings) -> list[str]:
    """Adds everything the server offers; returns the full names of its own services."""
    handlers = []
    names = []
    for name, (make, module) in _SERVICES.items():
        descriptor = module.DESCRIPTOR.services_by_name[name]
        handlers.append(bind(make(catalogue, settings), descriptor, settings.max_message_bytes, catalogue.way))
        names.append(descriptor.full_name)
    server.add_generic_rpc_handlers(tuple(handlers))
    public = [*names, health.SERVICE_NAME]
    if settings.reflection:
        reflection.enable_server_reflection([*public, reflection.SERVICE_NAME], server)
    if settings.channelz:
        from grpc_channelz.v1 import channelz  # noqa: PLC0415 - only who asks for it pays for it

        channelz.add_channelz_servicer(server)
    return names


def _listen(server: grpc.aio.Server, address: str) -> int:
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise ConfigurationError(f"setting listen = {address!r}: cannot listen there ({error})") from error
    if not port:
        raise ConfigurationError(f"setting listen = {address!r}: cannot listen there")
    return port


async def serve(settings: ServerSettings, *, started: asyncio.Event | None = None) -> None:
    """Runs a server until SIGTERM or SIGINT, then drains it; returns when everything is on disk."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    running = await start_server(settings)
    _log.info("serving on %s", running.address)
    if started is not None:
        started.set()
    await stopping.wait()
    _log.info("stopping: finishing what is under way, then a snapshot")
    await running.stop()
    _log.info("stopped")


def run(settings: ServerSettings) -> None:
    """Runs a server in an event loop of its own, as a program does."""
    import uvloop  # noqa: PLC0415 - in-process servers run in the caller's loop

    # To stderr, one line each; what embeds the server has its own ideas of logging and calls `serve`.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    uvloop.run(serve(settings))
