"""A gRPC server that answers what a test tells it to, and remembers what it was asked.

Serves every method of `coterie.v1` by its descriptor. Invariant: a call that no answer was given for fails as
UNIMPLEMENTED, so a test sees at once what it forgot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from coterie.v1 import (
    admin_service_pb2,
    analytics_service_pb2,
    event_service_pb2,
    membership_service_pb2,
    profile_service_pb2,
    segment_service_pb2,
)

MODULES = (
    admin_service_pb2,
    analytics_service_pb2,
    event_service_pb2,
    membership_service_pb2,
    profile_service_pb2,
    segment_service_pb2,
)
SERVICES = [service for module in MODULES for service in module.DESCRIPTOR.services_by_name.values()]
METHODS = {f"/{service.full_name}/{method.name}": method for service in SERVICES for method in service.methods}

Answer = Message | Iterable[Message] | BaseException | Callable[[Any], Any]


class Refused(Exception):
    """An answer that is an error of the service, with details as the service sends them."""

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str,
        message: str = "no",
        field: str = "",
        retry_ms: int | None = None,
        **metadata: str,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status(code, reason, message, field, retry_ms, **metadata)


def status(
    code: grpc.StatusCode,
    reason: str,
    message: str = "no",
    field: str = "",
    retry_ms: int | None = None,
    **metadata: str,
) -> status_pb2.Status:
    """A status with exactly the details that the service's errors have."""
    details: list[Message] = []
    if reason:
        details.append(error_details_pb2.ErrorInfo(reason=reason, domain="coterie", metadata=metadata))
    if field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=message)
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if retry_ms is not None:
        delay = Duration(nanos=retry_ms * 1_000_000)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    packed = [AnyMessage() for _ in details]
    for any_message, detail in zip(packed, details, strict=True):
        any_message.Pack(detail)
    return status_pb2.Status(code=code.value[0], message=message, details=packed)


class FakeServer:
    """Answers by method name; a list of answers is used up one a call, the last one for ever."""

    def __init__(self, **answers: Answer | list[Any]) -> None:
        self.answers = dict(answers)
        self.requests: list[tuple[str, Any]] = []
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((_Handlers(self),))
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def asked(self, method: str) -> list[Any]:
        """The requests of one method, in order; of a streaming one, lists of messages."""
        with self._lock:
            return [request for name, request in self.requests if name == method]

    def answer(self, method: str, request: Any) -> Any:
        """The next answer of a method."""
        with self._lock:
            self.requests.append((method, request))
            given = self.answers.get(method)
            if isinstance(given, list) and given:
                given = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(given, BaseException):
            raise given
        return given(request) if callable(given) and not isinstance(given, Message) else given

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.stop(0).wait()


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, fake: FakeServer) -> None:
        self._fake = fake

    def service(self, call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        method = METHODS.get(call_details.method)
        if method is None or method.name not in self._fake.answers:
            return None
        kind = ("stream" if method.client_streaming else "unary") + ("_stream" if method.server_streaming else "_unary")
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        handle = self._streaming if method.server_streaming else self._single
        return make(
            handle(method.name, gather=method.client_streaming and not method.server_streaming),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    def _single(self, name: str, *, gather: bool) -> Callable[[Any, grpc.ServicerContext], Any]:
        def handle(request: Any, context: grpc.ServicerContext) -> Any:
            try:
                return self._fake.answer(name, list(request) if gather else request)
            except Refused as refused:
                _abort(context, refused)

        return handle

    def _streaming(self, name: str, *, gather: bool) -> Callable[[Any, grpc.ServicerContext], Iterator[Any]]:
        def handle(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            try:
                for message in self._fake.answer(name, request):
                    if isinstance(message, Refused):
                        raise message
                    yield message
            except Refused as refused:
                _abort(context, refused)

        return handle


def _abort(context: grpc.ServicerContext, refused: Refused) -> None:
    context.set_trailing_metadata((("grpc-status-details-bin", refused.status.SerializeToString()),))
    context.abort(refused.code, refused.status.message)
