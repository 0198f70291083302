"""Messages made before the clock starts, and the client's side of a call, as thin as gRPC allows.

Owns ingest requests whose event ids and times are written into the bytes at the moment of sending, so that making
a thousand messages in Python is not what a benchmark measures. Invariant: the server reads them as any client's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import grpc
import uvloop

from bench.serving import CPU, MEMORY
from bench.shop import Happening
from coterie.v1 import event_service_pb2

Answer = TypeVar("Answer")
Call = Callable[[bytes], Any]
_ID_MARK = b"@@@@@@@@"
_SECONDS_MARK, _NANOS_MARK = 2_147_483_647, 987_654_321  # five bytes each, as every time from 1978 to 2106 has


def channel_to(target: str) -> grpc.aio.Channel:
    """Opens a lasting connection."""
    options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(target, options=options)


def call_of(channel: grpc.aio.Channel, method: str) -> Call:
    """Returns a call that takes and gives bytes."""
    call: Any = channel.unary_unary(method)  # typed for messages; without serializers it takes and gives bytes
    return cast(Call, call)


async def server_cpu(channel: grpc.aio.Channel) -> float:
    """Returns the processor time (seconds) the server has used."""
    return float(await call_of(channel, CPU)(b""))


async def server_peak_bytes(channel: grpc.aio.Channel) -> int:
    """Returns the most memory the server has had resident."""
    return int(await call_of(channel, MEMORY)(b""))


def run_async(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Runs a client in an event loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


class IngestMessage:
    """An IngestEvents request that can be sent again and again: each time with ids and times of its own."""

    def __init__(self, happenings: list[Happening]) -> None:
        request = event_service_pb2.IngestEventsRequest()
        for index, one in enumerate(happenings):
            event = request.events.add(type=one.type, user_id=one.user, event_id=f"{_ID_MARK.decode()}-{index}")
            event.time.seconds, event.time.nanos = _SECONDS_MARK, _NANOS_MARK
            for name, value in one.properties.items():
                if isinstance(value, bool):
                    event.properties[name].boolean = value
                elif isinstance(value, float):
                    event.properties[name].number = value
                else:
                    event.properties[name].string = str(value)
        self._data = request.SerializeToString()
        self.events = len(happenings)

    def stamped(self, number: int) -> bytes:
        """Returns the bytes of a request whose events happen now and have ids with that number."""
        seconds, nanos = divmod(time.time_ns(), 1_000_000_000)
        when = b"\x08" + _varint(seconds) + b"\x10" + _varint(nanos)
        marked = b"\x08" + _varint(_SECONDS_MARK) + b"\x10" + _varint(_NANOS_MARK)
        return self._data.replace(_ID_MARK, b"%08x" % number).replace(marked, when)


def _varint(number: int) -> bytes:
    """Returns a varint of exactly five bytes; readers take leading zeros."""
    return bytes([(number >> shift & 0x7F) | 0x80 for shift in (0, 7, 14, 21)] + [number >> 28 & 0x7F])


def accepted_of(answer: bytes) -> int:
    """Returns how many events an acknowledgement says were taken."""
    return event_service_pb2.IngestEventsResponse.FromString(answer).accepted
