"""The Python client: what it makes of errors, and when it tries again."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from coterie.client import (
    AlreadyExists,
    CoterieError,
    DataLoss,
    EtagMismatch,
    Event,
    Exhausted,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    RevisionCompacted,
    RuleError,
    Unavailable,
    Unimplemented,
)
from coterie.client.errors import translate
from coterie.v1 import (
    error_reason_pb2,
)
from coterie.v1 import (
    event_service_pb2 as events,
)
from tests.played import QUICK, Played, fail, succeed


@pytest.fixture
def played() -> Played:
    """A client whose server the test plays."""
    return Played()


# ---------------------------------------------------------------- errors

FAMILIES = {
    "FIELD_INVALID": (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequest),
    "LIMIT_EXCEEDED": (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequest),
    "EVENT_TIME_IN_FUTURE": (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequest),
    "TYPE_CONFLICT": (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequest),
    "RULE_INVALID": (grpc.StatusCode.INVALID_ARGUMENT, RuleError),
    "RULE_UNSUPPORTED": (grpc.StatusCode.UNIMPLEMENTED, RuleError),
    "SEGMENT_CYCLE": (grpc.StatusCode.INVALID_ARGUMENT, RuleError),
    "HISTORY_TOO_SHORT": (grpc.StatusCode.INVALID_ARGUMENT, RuleError),
    "SEGMENT_NOT_FOUND": (grpc.StatusCode.NOT_FOUND, NotFound),
    "DATASET_NOT_FOUND": (grpc.StatusCode.NOT_FOUND, NotFound),
    "SUBJECT_NOT_FOUND": (grpc.StatusCode.NOT_FOUND, NotFound),
    "SEGMENT_EXISTS": (grpc.StatusCode.ALREADY_EXISTS, AlreadyExists),
    "DATASET_EXISTS": (grpc.StatusCode.ALREADY_EXISTS, AlreadyExists),
    "SEGMENT_IN_USE": (grpc.StatusCode.FAILED_PRECONDITION, PreconditionFailed),
    "SEGMENT_BUILDING": (grpc.StatusCode.FAILED_PRECONDITION, PreconditionFailed),
    "WRONG_SEGMENT_KIND": (grpc.StatusCode.FAILED_PRECONDITION, PreconditionFailed),
    "MERGE_REFUSED": (grpc.StatusCode.FAILED_PRECONDITION, PreconditionFailed),
    "ETAG_MISMATCH": (grpc.StatusCode.ABORTED, EtagMismatch),
    "REVISION_COMPACTED": (grpc.StatusCode.OUT_OF_RANGE, RevisionCompacted),
    "REVISION_UNAVAILABLE": (grpc.StatusCode.FAILED_PRECONDITION, PreconditionFailed),
    "INGEST_SATURATED": (grpc.StatusCode.RESOURCE_EXHAUSTED, Exhausted),
    "SCANS_SATURATED": (grpc.StatusCode.RESOURCE_EXHAUSTED, Exhausted),
    "WATCH_LAGGED": (grpc.StatusCode.RESOURCE_EXHAUSTED, Exhausted),
    "STORAGE_FULL": (grpc.StatusCode.RESOURCE_EXHAUSTED, Exhausted),
    "UNAVAILABLE": (grpc.StatusCode.UNAVAILABLE, Unavailable),
    "DATA_LOSS": (grpc.StatusCode.DATA_LOSS, DataLoss),
    "FORMAT_TOO_NEW": (grpc.StatusCode.FAILED_PRECONDITION, PreconditionFailed),
    "CALL_UNIMPLEMENTED": (grpc.StatusCode.UNIMPLEMENTED, Unimplemented),
}


def test_every_reason_of_the_contract_has_a_family() -> None:
    """A reason added to the contract must be given a class here."""
    names = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.keys()}  # noqa: SIM118
    assert names - {"UNSPECIFIED"} == set(FAMILIES)


@pytest.mark.parametrize("reason", FAMILIES)
def test_an_error_becomes_the_exception_of_its_family_with_all_its_facts(reason: str, played: Played) -> None:
    """Reason, field, metadata and message survive; nothing has to be read out of text."""
    code, family = FAMILIES[reason]
    call = played.begin(lambda: played.client.count("vip", at_least="r"))
    for _ in range(QUICK.attempts if family is Unavailable else 1):
        handle = played.take("AnalyticsService/CountMembers")[1]
        fail(handle, code, reason, message="so it is", field="expressions[0]", oldest="r1", line="2", column="5")
    error = call.exception(5)
    assert type(error) is family
    assert (error.reason, error.code, error.field, error.message) == (reason, code, "expressions[0]", "so it is")
    assert error.metadata["oldest"] == "r1"
    if isinstance(error, RuleError):
        assert (error.line, error.column) == (2, 5)
    if isinstance(error, RevisionCompacted):
        assert error.oldest == "r1"


def test_an_error_without_details_is_still_a_coterie_error(played: Played) -> None:
    """A proxy or an unreachable server knows nothing of reasons."""
    call = played.begin(lambda: played.client.count("vip"))
    handle = played.take("AnalyticsService/CountMembers")[1]
    handle.terminate(None, (), grpc.StatusCode.PERMISSION_DENIED, "not you")
    error = call.exception(5)
    assert type(error) is CoterieError
    assert (error.reason, error.message) == ("", "not you")


def test_broken_details_do_not_hide_the_error() -> None:
    """Details that cannot be read are left out."""

    class Broken(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.NOT_FOUND

        def details(self) -> str:
            return "gone"

        def trailing_metadata(self) -> Any:
            return (("grpc-status-details-bin", b"\xff\xff"),)

    assert isinstance(translate(Broken()), NotFound)


# ---------------------------------------------------------------- trying again


def test_an_unavailable_server_is_tried_again_with_the_same_request(played: Played) -> None:
    """The request id is the first one's, so the server can tell that it is the same write."""
    call = played.begin(lambda: played.client.ingest([Event("view", user_id="u1")]))
    first, handle = played.take("EventService/IngestEvents")
    fail(handle, grpc.StatusCode.UNAVAILABLE)
    second, handle = played.take("EventService/IngestEvents")
    assert first == second
    assert first.request_id
    succeed(handle, events.IngestEventsResponse(accepted=1))
    assert call.result(5).accepted == 1


def test_a_full_queue_is_tried_again_only_where_waiting_is_said_to_help(played: Played) -> None:
    """RetryInfo decides."""
    call = played.begin(lambda: played.client.count("vip"))
    handle = played.take("AnalyticsService/CountMembers")[1]
    fail(handle, grpc.StatusCode.RESOURCE_EXHAUSTED, "INGEST_SATURATED", retry_ms=1)
    handle = played.take("AnalyticsService/CountMembers")[1]
    fail(handle, grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCH_LAGGED")
    assert isinstance(call.exception(5), Exhausted)


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ABORTED, grpc.StatusCode.DEADLINE_EXCEEDED]
)
def test_an_answer_is_never_asked_for_again(code: grpc.StatusCode, played: Played) -> None:
    """What the server said of the request stands; a deadline is the caller's own."""
    call = played.begin(lambda: played.client.count("vip"))
    fail(played.take("AnalyticsService/CountMembers")[1], code)
    assert call.exception(5).code is code


def test_retries_end_with_their_number_and_with_the_timeout() -> None:
    """A delay that does not fit into the time that is left is not begun."""
    gone = Unavailable("gone", code=grpc.StatusCode.UNAVAILABLE)
    assert QUICK.delay(gone, 1, 1.0) is not None
    assert QUICK.delay(gone, QUICK.attempts, 1.0) is None
    assert QUICK.delay(gone, 1, 0.0) is None
    patient = Exhausted("full", code=grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after=0.5)
    assert QUICK.delay(patient, 1, 1.0) == 0.5
    assert QUICK.delay(patient, 1, 0.4) is None
