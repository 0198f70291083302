"""The one table that turns domain errors into gRPC statuses.

Every error that leaves the server carries a `google.rpc.Status` with exactly one ErrorInfo {reason, domain
"coterie", metadata}, a BadRequest naming the field where input is at fault, and a RetryInfo where waiting helps.
Invariant: nothing else in the server names a status code, and INTERNAL means a defect, never bad input.
"""

from __future__ import annotations

from typing import Any, NoReturn

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2

from coterie.index import errors as domain

DOMAIN = "coterie"
INTERNAL_REASON = "INTERNAL"


class CallUnimplemented(domain.CoterieError):
    """The call is part of the contract, but this version does not answer it."""

    reason = "CALL_UNIMPLEMENTED"

    def __init__(self, call: str) -> None:
        super().__init__(f"{call} is not implemented by this version of the server", call=call)


# The first class that an error is an instance of decides, so the special comes before the general.
_CODES: tuple[tuple[type[domain.CoterieError], int], ...] = (
    (domain.RuleUnsupported, code_pb2.UNIMPLEMENTED),
    (domain.InputError, code_pb2.INVALID_ARGUMENT),
    (domain.NotFound, code_pb2.NOT_FOUND),
    (domain.Exists, code_pb2.ALREADY_EXISTS),
    (domain.PreconditionFailed, code_pb2.FAILED_PRECONDITION),
    (domain.EtagMismatch, code_pb2.ABORTED),
    (domain.RevisionCompacted, code_pb2.OUT_OF_RANGE),
    (domain.RevisionUnavailable, code_pb2.FAILED_PRECONDITION),
    (domain.Exhausted, code_pb2.RESOURCE_EXHAUSTED),
    (domain.Unavailable, code_pb2.UNAVAILABLE),
    (domain.DataLoss, code_pb2.DATA_LOSS),
    (domain.FormatTooNew, code_pb2.FAILED_PRECONDITION),
    (CallUnimplemented, code_pb2.UNIMPLEMENTED),
)

_GRPC_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def code_of(error: domain.CoterieError) -> int:
    """Returns the number of the status code of a domain error."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    raise AssertionError(f"{type(error).__name__} is missing from the table of status codes")


def status_of(error: domain.CoterieError) -> status_pb2.Status:
    """Returns the status of a domain error, with its details."""
    status = status_pb2.Status(code=code_of(error), message=error.message)
    status.details.add().Pack(
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=_metadata(error))
    )
    if isinstance(error, domain.InputError):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=error.message, reason=error.reason
        )
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    retry_after_ms = getattr(error, "retry_after_ms", None)
    if retry_after_ms is not None:
        delay = Duration()
        delay.FromMilliseconds(retry_after_ms)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def _metadata(error: domain.CoterieError) -> dict[str, str]:
    metadata = error.metadata
    if isinstance(error, domain.InputError):
        metadata.setdefault("field", error.field)
    return metadata


def defect_status() -> status_pb2.Status:
    """Returns the status of an exception nobody foresaw; its text goes to the log, not to the caller."""
    status = status_pb2.Status(code=code_pb2.INTERNAL, message="an internal error; the server's log has the details")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=INTERNAL_REASON, domain=DOMAIN))
    return status


async def abort(context: grpc.aio.ServicerContext[Any, Any], status: status_pb2.Status) -> NoReturn:
    """Ends the call with a status and its details."""
    trailer = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(_GRPC_CODES[status.code], status.message, trailer)
    raise AssertionError("abort does not return")
