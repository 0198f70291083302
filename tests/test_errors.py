"""Every reason a call can be refused for, provoked over gRPC: its status, its facts, its field."""

from __future__ import annotations

import asyncio
import inspect
from copy import copy
from typing import Any

import grpc
import pytest
from google.rpc import code_pb2

from coterie.index import errors as domain
from coterie.index.settings import Settings
from coterie.server.errors import CallUnimplemented, code_of, status_of
from coterie.v1 import admin_service_pb2 as admin
from coterie.v1 import analytics_service_pb2 as analytics
from coterie.v1 import common_pb2
from coterie.v1 import event_service_pb2 as events
from coterie.v1 import membership_service_pb2 as members
from coterie.v1 import profile_service_pb2 as profiles
from coterie.v1 import segment_service_pb2 as segments
from coterie.v1.error_reason_pb2 import ErrorReason
from tests.serving import Served, event, expect, refused, served, user_named

Code = grpc.StatusCode


def _create(name: str, rule: str, **fields: Any) -> segments.CreateSegmentRequest:
    return segments.CreateSegmentRequest(segment=segments.Segment(id=name, rule_text=rule, **fields))


def _check(*names: str, user: str = "u1", **fields: Any) -> members.CheckMembershipRequest:
    return members.CheckMembershipRequest(subject=user_named(user), segments=names, **fields)


# ---------------------------------------------------------------- the table


def _domain_errors() -> list[type[domain.CoterieError]]:
    found = [each for _, each in inspect.getmembers(domain, inspect.isclass) if hasattr(each, "reason")]
    return [*found, CallUnimplemented]


def _made(kind: type[domain.CoterieError]) -> domain.CoterieError:
    """An error of that class, with something for every argument it needs."""
    arguments: list[Any] = []
    for parameter in inspect.signature(kind).parameters.values():
        if parameter.default is inspect.Parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            made = {"int": 1, "float": 0.5, "tuple[str, ...]": ("a", "b")}
            arguments.append(made.get(str(parameter.annotation), "text"))
    return kind(*arguments)


@pytest.mark.parametrize("kind", _domain_errors(), ids=lambda kind: kind.__name__)
def test_every_domain_error_has_a_status(kind: type[domain.CoterieError]) -> None:
    """Each class has a code other than UNKNOWN and INTERNAL, and its reason is in the contract."""
    error = _made(kind)
    assert code_of(error) not in (code_pb2.OK, code_pb2.UNKNOWN, code_pb2.INTERNAL)
    assert f"ERROR_REASON_{kind.reason}" in ErrorReason.keys()  # noqa: SIM118 - an enum, not a dictionary
    status = status_of(error)
    assert sum(detail.type_url.endswith("ErrorInfo") for detail in status.details) == 1
    assert any(detail.type_url.endswith("BadRequest") for detail in status.details) == isinstance(
        error, domain.InputError
    )


@pytest.mark.parametrize("kind", _domain_errors(), ids=lambda kind: kind.__name__)
def test_every_domain_error_can_be_copied(kind: type[domain.CoterieError]) -> None:
    """A dataset that could not be opened says why to every caller anew."""
    error = _made(kind)
    copied = copy(error)
    assert (type(copied), str(copied), vars(copied)) == (kind, str(error), vars(error))
    assert copied is not error


def test_every_reason_of_the_contract_is_raised_by_something() -> None:
    """No reason is documented that nothing in the code can give."""
    raised = {f"ERROR_REASON_{kind.reason}" for kind in _domain_errors()}
    assert set(ErrorReason.keys()) - raised == {"ERROR_REASON_UNSPECIFIED"}


# ---------------------------------------------------------------- bad input


@served()
async def test_field_invalid(server: Served) -> None:
    """FIELD_INVALID names the path of the field."""
    stub = server
    for call, field in (
        (stub.events.IngestEvents(events.IngestEventsRequest()), "events"),
        (stub.members.CheckMembership(members.CheckMembershipRequest(segments=["a"])), "subject.user_id"),
        (stub.segments.CreateSegment(_create("Not A Slug", "did view")), "segment.id"),
        (stub.segments.CreateSegment(_create("s", "")), "segment.rule_text"),
        (stub.segments.CreateSegment(_create("s", "", kind=segments.SEGMENT_KIND_FROZEN)), "segment.kind"),
        (stub.segments.CreateSegment(_create("s", "did view", kind=99)), "segment.kind"),
        (stub.segments.CreateSegment(_create("s", "did view", labels={"": "x"})), "segment.labels"),
        (stub.segments.CreateSegment(_create("s", "did view", mode=segments.SEGMENT_MODE_STICKY)), "segment.ttl"),
        (stub.segments.ListSegments(segments.ListSegmentsRequest(page_size=-1)), "page_size"),
        (stub.segments.ListSegments(segments.ListSegmentsRequest(page_token="x")), "page_token"),
        (stub.segments.ParseRule(segments.ParseRuleRequest()), "text"),
        (stub.analytics.CountMembers(analytics.CountMembersRequest(expressions=[""])), "expressions[0]"),
        (stub.admin.CreateDataset(admin.CreateDatasetRequest(dataset="../up")), "dataset"),
        (stub.admin.CreateDataset(admin.CreateDatasetRequest(dataset="a", time_zone="Mars/Base")), "time_zone"),
        (stub.admin.DeleteDataset(admin.DeleteDatasetRequest()), "dataset"),
    ):
        await expect(call, Code.INVALID_ARGUMENT, "FIELD_INVALID", field)


@served()
async def test_foreign_revisions_are_field_invalid(server: Served) -> None:
    """A token of another dataset, or none at all, is refused by the field it came in."""
    await server.admin.CreateDataset(admin.CreateDatasetRequest(dataset="other"))
    foreign = (await server.admin.GetStatus(admin.GetStatusRequest(dataset="other"))).revision
    for token in (foreign.token, "nonsense", ""):
        consistency = common_pb2.Consistency(at_least_as_fresh=common_pb2.Revision(token=token))
        call = server.members.CheckMembership(_check("a", consistency=consistency))
        await expect(call, Code.INVALID_ARGUMENT, "FIELD_INVALID", "consistency.at_least_as_fresh.token")
    watch = server.members.WatchMembership(members.WatchMembershipRequest(after=foreign))
    await expect(watch.read(), Code.INVALID_ARGUMENT, "FIELD_INVALID", "after.token")


@served(max_message_bytes=8192, max_events_per_call=10, max_segments_per_check=3)
async def test_limit_exceeded(server: Served) -> None:
    """LIMIT_EXCEEDED tells what was given and what is allowed, whatever the limit."""
    many = events.IngestEventsRequest(events=[event("view", "u1")] * 11)
    limit = (Code.INVALID_ARGUMENT, "LIMIT_EXCEEDED")
    await expect(server.events.IngestEvents(many), *limit, "events", given="11", maximum="10")
    call = server.members.CheckMembership(_check("a", "b", "c", "d"))
    await expect(call, *limit, "segments", given="4", maximum="3")
    large = events.IngestEventsRequest(events=[event("view", "u1", properties={"p": "x" * 9000})])
    await expect(server.events.IngestEvents(large), *limit, "request", maximum="8192")
    deep = "not (" * 40 + "did view" + ")" * 40
    await expect(server.segments.CreateSegment(_create("deep", deep)), *limit, "segment.rule_text", maximum="32")


@served()
async def test_malformed_messages_are_bad_input(server: Served) -> None:
    """Bytes that are no message, text that is not UTF-8, and trees without end are INVALID_ARGUMENT, not UNKNOWN."""
    call = server.channel.unary_unary("/coterie.v1.MembershipService/CheckMembership")
    bottomless = b""
    for _ in range(300):  # Expression.negation.child.negation.child…
        bottomless = b"\x0a" + _varint(len(bottomless)) + bottomless
        bottomless = b"\x7a" + _varint(len(bottomless)) + bottomless
    tree = b"\x1a" + _varint(len(bottomless)) + bottomless
    for data in (b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x08"):
        await expect(call(data), Code.INVALID_ARGUMENT, "FIELD_INVALID", "request")
    parse = server.channel.unary_unary("/coterie.v1.SegmentService/ParseRule")
    await expect(parse(tree), Code.INVALID_ARGUMENT, "FIELD_INVALID", "request")


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low]) if not rest else bytes([low | 0x80]) + _varint(rest)


@served()
async def test_event_time_in_future_and_type_conflict(server: Served) -> None:
    """Reasons of single records come in the answer, beside what was taken."""
    ahead = event("view", "u1", server.clock.now() + 3_600_000)
    response = await server.ingest(ahead, event("view", "u1"))
    assert response.accepted == 1
    assert ErrorReason.Name(response.refused[0].reason) == "ERROR_REASON_EVENT_TIME_IN_FUTURE"
    updates = []
    for user, value in (("u1", common_pb2.Value(number=1)), ("u2", common_pb2.Value(string="x"))):
        update = profiles.AttributeUpdate(subject=user_named(user))
        update.attributes["age"].CopyFrom(value)
        updates.append(update)
    answer = await server.profiles.SetAttributes(profiles.SetAttributesRequest(updates=updates))
    assert [ErrorReason.Name(each.reason) for each in answer.refused] == ["ERROR_REASON_TYPE_CONFLICT"]
    assert "age" in answer.refused[0].message


@served()
async def test_rules(server: Served) -> None:
    """RULE_INVALID, RULE_UNSUPPORTED and SEGMENT_CYCLE name what is wrong with a rule."""
    call = server.segments.CreateSegment(_create("s", "did purchase in the last 30 dyas"))
    await expect(call, Code.INVALID_ARGUMENT, "RULE_INVALID", "segment.rule_text", line="1", column="29")
    call = server.segments.CreateSegment(_create("s", "first(a.p in the last 7 days) > 1"))
    problem = await refused(call)
    assert (problem.code, problem.reason) == (Code.UNIMPLEMENTED, "RULE_UNSUPPORTED")
    assert problem.metadata["leaf"]
    await server.create("a", "did view")
    await server.create("b", "in a")
    call = server.segments.UpdateSegment(
        segments.UpdateSegmentRequest(segment=segments.Segment(id="a", rule_text="in b"))
    )
    await expect(call, Code.INVALID_ARGUMENT, "SEGMENT_CYCLE", "segment.rule_text", cycle="a -> b -> a")


# ---------------------------------------------------------------- state
# INGEST_SATURATED is provoked in test_server_events.py, WATCH_LAGGED in test_server_watch.py, SCANS_SATURATED in
# test_server_scans.py, and STORAGE_FULL, UNAVAILABLE, DATA_LOSS and FORMAT_TOO_NEW in test_server_faults.py.


@served()
async def test_what_is_not_there(server: Served) -> None:
    """SEGMENT_NOT_FOUND, DATASET_NOT_FOUND and SUBJECT_NOT_FOUND name what was looked for."""
    not_found = Code.NOT_FOUND
    await expect(server.members.CheckMembership(_check("vpi")), not_found, "SEGMENT_NOT_FOUND", segment="vpi")
    call = server.analytics.CountMembers(analytics.CountMembersRequest(expressions=["vpi or b"]))
    await expect(call, not_found, "SEGMENT_NOT_FOUND")
    call = server.members.CheckMembership(_check("a", dataset="staging"))
    await expect(call, not_found, "DATASET_NOT_FOUND", dataset="staging")
    merge = profiles.MergeSubjectsRequest(absorbed=user_named("u8"), survivor=user_named("u9"))
    call = server.profiles.MergeSubjects(merge)
    await expect(call, not_found, "SUBJECT_NOT_FOUND", namespace="user_id", value="u8")


@served()
async def test_what_is_there_already(server: Served) -> None:
    """SEGMENT_EXISTS and DATASET_EXISTS."""
    await server.create("a", "did view")
    call = server.segments.CreateSegment(_create("a", "did view"))
    await expect(call, Code.ALREADY_EXISTS, "SEGMENT_EXISTS", segment="a")
    call = server.admin.CreateDataset(admin.CreateDatasetRequest(dataset="default"))
    await expect(call, Code.ALREADY_EXISTS, "DATASET_EXISTS", dataset="default")


@served()
async def test_preconditions(server: Served) -> None:
    """SEGMENT_IN_USE, WRONG_SEGMENT_KIND, MERGE_REFUSED, ETAG_MISMATCH."""
    failed = Code.FAILED_PRECONDITION
    await server.create("a", "did view")
    await server.create("b", "in a")
    delete = segments.DeleteSegmentRequest(segment="a")
    await expect(server.segments.DeleteSegment(delete), failed, "SEGMENT_IN_USE", segment="a", dependents="b")
    add = segments.AddMembersRequest(segment="a", members=[user_named("u1")])
    await expect(server.segments.AddMembers(add), failed, "WRONG_SEGMENT_KIND", segment="a", needed="list")
    await server.ingest(event("view", "u1"))
    merge = profiles.MergeSubjectsRequest(absorbed=user_named("u1"), survivor=user_named("u1"))
    await expect(server.profiles.MergeSubjects(merge), failed, "MERGE_REFUSED")
    delete = segments.DeleteSegmentRequest(segment="b", etag="stale")
    await expect(server.segments.DeleteSegment(delete), Code.ABORTED, "ETAG_MISMATCH", given="stale")


@served()
async def test_segment_building(server: Served) -> None:
    """Reading a segment whose first build is running is refused with its progress; it is listed as BUILDING."""
    await server.ingest(event("view", "u1"))
    await server.dataset.writer._builder.stop()  # so that the build stays where it is
    await server.segments.CreateSegment(_create("slow", "did view in the last 7 days"))
    for call in (
        server.members.CheckMembership(_check("slow")),
        server.analytics.CountMembers(analytics.CountMembersRequest(expressions=["slow"])),
        server.members.ListMembers(members.ListMembersRequest(expression="slow")),
    ):
        problem = await expect(call, Code.FAILED_PRECONDITION, "SEGMENT_BUILDING", segment="slow")
        assert 0 <= float(problem.metadata["progress"]) <= 1
    listed = await server.segments.ListSegments(segments.ListSegmentsRequest(state=segments.SEGMENT_STATE_BUILDING))
    assert [segment.id for segment in listed.segments] == ["slow"]
    assert not listed.segments[0].HasField("member_count")
    assert listed.segments[0].HasField("build_progress")


@served(engine=Settings(change_retention_entries=10))
async def test_revisions_that_cannot_be_answered(server: Served) -> None:
    """REVISION_COMPACTED gives the oldest revision to follow from; REVISION_UNAVAILABLE cannot be answered exactly."""
    await server.create("viewers", "did view")
    first = (await server.ingest(event("other", "u0"))).revision
    for i in range(30):
        last = (await server.ingest(event("view", f"u{i}"))).revision
    watch = server.members.WatchMembership(members.WatchMembershipRequest(after=first))
    problem = await expect(watch.read(), Code.OUT_OF_RANGE, "REVISION_COMPACTED")
    oldest = common_pb2.Revision(token=problem.metadata["oldest"])
    watch = server.members.WatchMembership(members.WatchMembershipRequest(after=oldest))
    assert (await watch.read()).progress.revision == oldest
    watch.cancel()

    exactly = common_pb2.Consistency(at_exact_revision=last)
    assert await server.check("u7", "viewers", consistency=exactly) == [True]
    await server.ingest(event("view", "late"))
    call = server.members.CheckMembership(_check("viewers", consistency=exactly))
    await expect(call, Code.FAILED_PRECONDITION, "REVISION_UNAVAILABLE")
    exactly = common_pb2.Consistency(at_exact_revision=first)
    call = server.members.CheckMembership(_check("viewers", consistency=exactly))
    await expect(call, Code.OUT_OF_RANGE, "REVISION_COMPACTED")


@served(max_wait_ms=50)
async def test_a_revision_to_come_is_waited_for(server: Served) -> None:
    """A read of a revision that is still to come waits for it, but not beyond its deadline."""
    await server.create("viewers", "did view")
    token = server.dataset.tokens.revision(server.dataset.engine.revision + 1)
    consistency = common_pb2.Consistency(at_least_as_fresh=common_pb2.Revision(token=token))
    call = server.members.CheckMembership(_check("viewers", consistency=consistency))
    await expect(call, Code.FAILED_PRECONDITION, "REVISION_UNAVAILABLE")
    waiting = asyncio.ensure_future(
        server.members.CheckMembership(_check("viewers", consistency=consistency), timeout=20)
    )
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await server.ingest(event("view", "u1"))
    assert (await waiting).memberships[0].member


@served()
async def test_calls_that_are_not_built_yet(server: Served) -> None:
    """A call of the contract that this version does not answer says so, naming itself."""
    for call, name in (
        (server.analytics.GetOverlap(analytics.GetOverlapRequest()), "AnalyticsService.GetOverlap"),
        (server.admin.CompactData(admin.CompactDataRequest()), "AdminService.CompactData"),
        (server.events.ImportEvents().read(), "EventService.ImportEvents"),
        (
            server.members.ReplicateSegments(members.ReplicateSegmentsRequest()).read(),
            "MembershipService.ReplicateSegments",
        ),
    ):
        await expect(call, Code.UNIMPLEMENTED, "CALL_UNIMPLEMENTED", call=f"coterie.v1.{name}")
