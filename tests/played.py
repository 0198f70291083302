"""A client whose server the test plays, on a channel of grpcio-testing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import grpc
import grpc_testing

from coterie.client import (
    Client,
    Retries,
)
from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as memberships
from tests.fake_server import METHODS, SERVICES, status

QUICK = Retries(attempts=3, first_delay=0.001, longest_delay=0.002)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Played:
    """A client on a channel of grpcio-testing: the test plays the server."""

    def __init__(self) -> None:
        self.channel = grpc_testing.channel(SERVICES, grpc_testing.strict_real_time())
        self.client = Client(channel=self.channel, retries=QUICK)
        self._worker = ThreadPoolExecutor(1)

    def begin(self, call: Callable[[], Any]) -> Future[Any]:
        """Starts a call of the client's in another thread."""
        return self._worker.submit(call)

    def take(self, path: str) -> tuple[Any, Any]:
        """The request that arrives at a method, and the handle to answer it with."""
        _, request, handle = self.channel.take_unary_unary(METHODS[f"/coterie.v1.{path}"])
        return request, handle


def succeed(handle: Any, message: Any) -> None:
    """Answers a call."""
    handle.terminate(message, (), grpc.StatusCode.OK, "")


def fail(handle: Any, code: grpc.StatusCode, reason: str = "", **facts: Any) -> None:
    """Fails a call as the service does."""
    details = status(code, reason, **facts).SerializeToString()
    handle.terminate(None, (("grpc-status-details-bin", details),), code, facts.get("message", "no"))


def member(user_id: str) -> memberships.Member:
    """A member."""
    return memberships.Member(identifiers=[common_pb2.Identifier(namespace="user_id", value=user_id)])
