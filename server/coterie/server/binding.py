"""Binds the methods of a service class to the calls of its protobuf service.

`MembershipService.CheckMembership` is answered by `check_membership(request, context)`; a call without such a
method answers UNIMPLEMENTED, naming itself. Requests arrive here as bytes, so that size and form are judged
like any other input. Invariant: every way a call can end badly goes through `errors`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from coterie.index.errors import CoterieError, LimitExceeded
from coterie.server.convert.wire import malformed, request_class
from coterie.server.errors import CallUnimplemented, abort, defect_status, status_of
from coterie.server.way import Way

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Parse = Callable[[bytes], Message]
_log = logging.getLogger("coterie.server")


def snake_case(name: str) -> str:
    """Returns `check_membership` for `CheckMembership`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def bind(service: object, descriptor: ServiceDescriptor, max_message_bytes: int, way: Way) -> grpc.GenericRpcHandler:
    """Returns the handler of all calls of a service, which tells `way` of those that arrive."""
    handlers = {
        f"/{descriptor.full_name}/{method.name}": _handler(
            getattr(service, snake_case(method.name), None), method, max_message_bytes, way
        )
        for method in descriptor.methods
    }
    return _Handlers(handlers, way)


class _Handlers(grpc.GenericRpcHandler):
    """The handlers of calls by their full names."""

    def __init__(self, handlers: dict[str, grpc.RpcMethodHandler[bytes, Message]], way: Way) -> None:
        self._handlers, self._way = handlers, way

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, Message] | None:
        """Returns the handler of a call that has begun, None for one of another service."""
        handler = self._handlers.get(handler_call_details.method)
        if handler is not None:
            self._way.arriving()
        return handler


def _handler(answer: Any, method: MethodDescriptor, max_bytes: int, way: Way) -> grpc.RpcMethodHandler[bytes, Message]:
    call = f"{method.containing_service.full_name}.{method.name}"
    parse = _parser(request_class(method.input_type), max_bytes)
    streams_in, streams_out = method.client_streaming, method.server_streaming
    if answer is None:
        answer = _unimplemented_stream(call) if streams_out else _unimplemented(call)
    behavior: Any
    make: Any
    if streams_out:
        behavior = (_stream_of_many if streams_in else _stream_of_one)(answer, parse, call, way)
        make = grpc.stream_stream_rpc_method_handler if streams_in else grpc.unary_stream_rpc_method_handler
    else:
        behavior = (_unary_of_many if streams_in else _unary_of_one)(answer, parse, call, way)
        make = grpc.stream_unary_rpc_method_handler if streams_in else grpc.unary_unary_rpc_method_handler
    handler: grpc.RpcMethodHandler[bytes, Message] = make(
        behavior, request_deserializer=None, response_serializer=_serialize
    )
    return handler


def _serialize(message: Message | bytes) -> bytes:
    """Returns the bytes of an answer; one that is bytes already was put together from serialized pieces."""
    return message if type(message) is bytes else message.SerializeToString()  # type: ignore[union-attr]


def _parser(message: type[Message], max_bytes: int) -> Parse:
    from_string = message.FromString

    def parse(data: bytes) -> Message:
        if len(data) > max_bytes:
            raise LimitExceeded("request", "bytes of a request", len(data), max_bytes)
        try:
            return from_string(data)
        except DecodeError as error:
            raise malformed(message.DESCRIPTOR.name) from error

    return parse


async def _parse_each(requests: AsyncIterator[bytes], parse: Parse) -> AsyncIterator[Message]:
    async for data in requests:
        yield parse(data)


def _unary_of_one(answer: Any, parse: Parse, call: str, way: Way) -> Callable[[bytes, Context], Awaitable[Message]]:
    async def behavior(data: bytes, context: Context) -> Message:
        way.arrived()
        try:
            message: Message = await answer(parse(data), context)
        except Exception as error:  # noqa: BLE001 - the last place that can turn it into a status
            return await _fail(call, error, context)  # type: ignore[no-any-return]
        else:
            return message

    return behavior


def _unary_of_many(
    answer: Any, parse: Parse, call: str, way: Way
) -> Callable[[AsyncIterator[bytes], Context], Awaitable[Message]]:
    async def behavior(requests: AsyncIterator[bytes], context: Context) -> Message:
        way.arrived()
        try:
            message: Message = await answer(_parse_each(requests, parse), context)
        except Exception as error:  # noqa: BLE001 - as above
            return await _fail(call, error, context)  # type: ignore[no-any-return]
        else:
            return message

    return behavior


def _stream_of_one(
    answer: Any, parse: Parse, call: str, way: Way
) -> Callable[[bytes, Context], AsyncIterator[Message]]:
    async def behavior(data: bytes, context: Context) -> AsyncIterator[Message]:
        way.arrived()
        try:
            async for message in answer(parse(data), context):
                yield message
        except Exception as error:  # noqa: BLE001 - as above
            await _fail(call, error, context)

    return behavior


def _stream_of_many(
    answer: Any, parse: Parse, call: str, way: Way
) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[Message]]:
    async def behavior(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[Message]:
        way.arrived()
        try:
            async for message in answer(_parse_each(requests, parse), context):
                yield message
        except Exception as error:  # noqa: BLE001 - as above
            await _fail(call, error, context)

    return behavior


async def _fail(call: str, error: Exception, context: Context) -> Any:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, CoterieError):
        await abort(context, status_of(error))
    _log.error("%s failed", call, exc_info=error)
    await abort(context, defect_status())


def _unimplemented(call: str) -> Callable[[Message, Context], Awaitable[Message]]:
    async def refuse(_request: Message, _context: Context) -> Message:
        raise CallUnimplemented(call)

    return refuse


def _unimplemented_stream(call: str) -> Callable[[Message, Context], AsyncIterator[Message]]:
    async def refuse(_request: Message, _context: Context) -> AsyncIterator[Message]:
        raise CallUnimplemented(call)
        yield  # makes this an asynchronous generator

    return refuse
