"""What can go wrong, as exceptions: one class for each family of reasons the server gives.

Owns the translation from gRPC. Invariant: whatever a call raises is a `CoterieError` whose `reason` is the name in
`coterie.v1.ErrorReason`, and whose facts are attributes, not text to be picked apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

_DETAILS_KEY = "grpc-status-details-bin"
_DetailT = TypeVar("_DetailT", bound=Message)


class CoterieError(Exception):
    """The base of everything a call can raise.

    `reason` is the server's name for it ("" where the failure is not the server's), `field` the path of the request's
    field that is wrong, `metadata` the facts as text, `retry_after` seconds after which trying again helps.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        field: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.code = code
        self.field = field
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after


class InvalidRequest(CoterieError):
    """Something in the request is wrong; `field` says what, `line` and `column` where in the text of a rule."""

    @property
    def line(self) -> int:
        """The line of the text where it went wrong, from 1; 0 where there is no position."""
        return int(self.metadata.get("line", 0))

    @property
    def column(self) -> int:
        """The column of the text where it went wrong, from 1; 0 where there is no position."""
        return int(self.metadata.get("column", 0))


class RuleError(InvalidRequest):
    """A rule or an expression cannot be read, has no meaning, or cannot be evaluated."""


class NotFound(CoterieError):
    """A segment, dataset or subject that is named does not exist."""


class AlreadyExists(CoterieError):
    """Something of that name exists already."""


class PreconditionFailed(CoterieError):
    """The call is right, but not in this state: a segment is in use, still being built, or of another kind."""


class EtagMismatch(CoterieError):
    """Somebody else was faster; read again and repeat the edit."""


class RevisionCompacted(CoterieError):
    """Changes of that revision are no longer kept; `oldest` is the revision one can still follow from."""

    @property
    def oldest(self) -> str:
        """The oldest revision that can be followed from."""
        return self.metadata.get("oldest", "")


class Exhausted(CoterieError):
    """A queue, a watcher's buffer or the disk is full."""


class Unavailable(CoterieError):
    """The server cannot be reached, is stopping, did not answer in time, or its storage failed."""


class DataLoss(CoterieError):
    """A checksum failed on the server; the data is named and was not answered from."""


class Unimplemented(CoterieError):
    """The call is part of the contract, but not of the version that answered."""


class RecordsRefused(InvalidRequest):
    """Some records of a call were refused; the others were taken. `result` is the call's whole answer."""

    def __init__(self, message: str, *, result: Any, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.result = result


_BY_REASON: dict[str, type[CoterieError]] = {
    "RULE_INVALID": RuleError,
    "RULE_UNSUPPORTED": RuleError,
    "SEGMENT_CYCLE": RuleError,
    "HISTORY_TOO_SHORT": RuleError,
    "REVISION_COMPACTED": RevisionCompacted,
}
_BY_CODE: dict[grpc.StatusCode, type[CoterieError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: PreconditionFailed,
    grpc.StatusCode.ABORTED: EtagMismatch,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Exhausted,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
    grpc.StatusCode.DATA_LOSS: DataLoss,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
}


def translate(error: grpc.RpcError) -> CoterieError:
    """Turns a failed call of a synchronous or asynchronous channel into the exception of its reason."""
    call: Any = error
    code: grpc.StatusCode = call.code()
    status = _status(call.trailing_metadata() or ())
    info = _detail(status, error_details_pb2.ErrorInfo) if status else None
    bad_request = _detail(status, error_details_pb2.BadRequest) if status else None
    retry = _detail(status, error_details_pb2.RetryInfo) if status else None
    reason = info.reason if info else ""
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code, CoterieError)
    return kind(
        call.details() or code.name,
        reason=reason,
        code=code,
        field=bad_request.field_violations[0].field if bad_request and bad_request.field_violations else "",
        metadata=dict(info.metadata) if info else None,
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if retry else None,
    )


def _status(metadata: Iterable[tuple[str, str | bytes]]) -> status_pb2.Status | None:
    for key, value in metadata:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None
    return None


def _detail(status: status_pb2.Status, kind: type[_DetailT]) -> _DetailT | None:
    for detail in status.details:
        if detail.Is(kind.DESCRIPTOR):
            found = kind()
            detail.Unpack(found)
            return found
    return None
