"""A server with one canned answer for every call, for tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner, Result

from coterie.server.cli import app
from coterie.v1 import (
    admin_service_pb2 as admin,
)
from coterie.v1 import (
    analytics_service_pb2 as analytics,
)
from coterie.v1 import (
    common_pb2,
)
from coterie.v1 import (
    membership_service_pb2 as memberships,
)
from coterie.v1 import (
    profile_service_pb2 as profiles,
)
from coterie.v1 import (
    segment_service_pb2 as segments,
)
from tests.canned_explanation import explanation
from tests.fake_server import FakeServer, Refused

NOON = 1_777_636_800  # 2026-05-01T12:00Z
REVISION = common_pb2.Revision(token="QE2inOE_Qw4")


def run(*arguments: str, stdin: str | None = None) -> Result:
    """Runs one command."""
    return CliRunner().invoke(app, list(arguments), input=stdin)


def stamped(message: Any) -> Any:
    """The answer with a revision and a time."""
    message.revision.CopyFrom(REVISION)
    message.now.seconds = NOON
    return message


def segment(name: str, **fields: Any) -> segments.Segment:
    """A segment as the service shows it."""
    made = segments.Segment(
        id=name, display_name=name, kind="SEGMENT_KIND_RULE", subject_kind="SUBJECT_KIND_USER", rule_text="did purchase",
        mode="SEGMENT_MODE_LIVE", universe="UNIVERSE_ALL", state="SEGMENT_STATE_READY", member_count=1234, version=1,
        etag="v1",
    )  # fmt: skip
    made.create_time.seconds = NOON - 86_400
    made.update_time.seconds = NOON
    made.MergeFrom(segments.Segment(**fields))
    return made


def identifier(value: str, namespace: str = "user_id") -> common_pb2.Identifier:
    """An identifier."""
    return common_pb2.Identifier(namespace=namespace, value=value)


def member(*values: str, **attributes: Any) -> memberships.Member:
    """A member, its user_id last."""
    named = [identifier(value, "anonymous_id" if value.startswith("d") else "user_id") for value in values]
    return memberships.Member(identifiers=named, attributes=attributes)


def number(value: float) -> common_pb2.Value:
    """A number value."""
    return common_pb2.Value(number=value)


VIP = segment(
    "vip", display_name="Very important", description="who matters", rule_text="in loyal and in big-spenders",
    mode="SEGMENT_MODE_STICKY", labels={"team": "crm", "a": "b"}, build_progress=0.42, pending_rule_text="in loyal",
)  # fmt: skip
VIP.ttl.seconds = 30 * 86_400
NEWSLETTER = segments.Segment(id="newsletter", kind="SEGMENT_KIND_LIST", subject_kind="SUBJECT_KIND_USER")
NEWSLETTER.state = segments.SEGMENT_STATE_BUILDING
NEWSLETTER.build_progress = 0.5
NOT_FOUND = Refused(grpc.StatusCode.NOT_FOUND, "SEGMENT_NOT_FOUND", "no segment 'vpi'", segment="vpi")
RULE_INVALID = Refused(
    grpc.StatusCode.INVALID_ARGUMENT, "RULE_INVALID",
    "line 1, column 29: unknown unit 'dyas'; expected a unit of time; write days", "segment.rule_text", line="1",
)  # fmt: skip


def unimplemented(call: str) -> Refused:
    """The answer of a server that does not have a call yet."""
    return Refused(
        grpc.StatusCode.UNIMPLEMENTED, "CALL_UNIMPLEMENTED", f"{call} is part of the contract but not of this version",
        call=call,
    )  # fmt: skip


def created(request: segments.CreateSegmentRequest) -> Any:
    """What the service makes of a new segment."""
    if "dyas" in request.segment.rule_text:
        raise RULE_INVALID
    return stamped(
        segments.CreateSegmentResponse(segment=segment(request.segment.id, rule_text=request.segment.rule_text))
    )


def got(request: segments.GetSegmentRequest) -> Any:
    """One of the segments there are."""
    if request.segment != "vip":
        raise NOT_FOUND
    return stamped(segments.GetSegmentResponse(segment=VIP))


def profile() -> profiles.GetProfileResponse:
    """A profile with something in every part."""
    known = profiles.Profile(
        kind="SUBJECT_KIND_USER", identifiers=[identifier("d7", "anonymous_id"), identifier("u1")],
        attributes={"plan": common_pb2.Value(string="pro"), "age": number(41)},
        current={"os": common_pb2.Value(string="iOS")},
        segments=[common_pb2.CurrentSegment(segment="vip"), common_pb2.CurrentSegment(segment="buyers")],
        totals=[profiles.EventTotal(type="purchase", count=1234)],
    )  # fmt: skip
    known.segments[0].since.seconds = known.totals[0].first_time.seconds = known.first_seen.seconds = NOON - 60
    known.totals[0].last_time.seconds = known.last_seen.seconds = known.last_visit.end_time.seconds = NOON
    known.last_visit.start_time.seconds, known.last_visit.events = NOON - 60, 3
    event = common_pb2.Event(
        type="purchase", properties={"price": number(29.9), "gift": common_pb2.Value(boolean=True)}
    )
    event.time.seconds, event.time.nanos = NOON, 123_000_000
    return stamped(profiles.GetProfileResponse(known=True, profile=known, timeline=[event]))


def status() -> admin.GetStatusResponse:
    """A status with something in every part."""
    answer = admin.GetStatusResponse(
        state="SERVING_STATE_STALLED", message="the disk is full", server_version="0.1.0", watchers=2,
        counts=admin.DatasetCounts(users=20_000, accounts=3, events=1_234_567, segments=12, measures=7, conditions=9, cells=88),
        memory=admin.MemoryUse(resident_bytes=350 << 20),
        queue=admin.QueueStatus(records=12, capacity=100_000),
        builds=[admin.BuildStatus(segment="vip", progress=0.42)],
        storage=admin.StorageStatus(journal_bytes=5 << 20, state_bytes=3 << 30, free_bytes=1023, replay_records=99),
        description=admin.Dataset(id="default"),
    )  # fmt: skip
    answer.uptime.seconds, answer.lag.nanos = 90_061, 4_000_000
    return stamped(answer)


def trend() -> analytics.GetTrendResponse:
    """Three days of a segment."""
    points = [
        analytics.TrendPoint(size=size, joined=joined, left=2) for size, joined in ((0, 2), (1500, 1502), (3000, 1502))
    ]
    for day, point in enumerate(points):
        point.start_time.seconds = NOON - 50_400 + (day - 2) * 86_400
        point.reconstructed = day == 0
    why = "going further back would mean to read more than the 5000000 events left of what one call may read"
    vip = analytics.Trend(segment="vip", points=points, not_reconstructed=why)
    vip.reconstructed_from.CopyFrom(points[0].start_time)
    return stamped(analytics.GetTrendResponse(trends=[vip], zone="Europe/Paris"))


def scanned(request: analytics.StreamCountMembersRequest) -> list[Any]:
    """How far a scan is, and then the counts; a rule that cannot be read is refused."""
    if any("dyas" in one for one in request.expressions):
        raise RULE_INVALID
    counts = [analytics.MemberCount(expression=one, count=1234 * at) for at, one in enumerate(request.expressions)]
    progress = common_pb2.ScanProgress(fraction=0.5, scanned_events=77)
    return [
        stamped(analytics.StreamCountMembersResponse(progress=progress)),
        stamped(analytics.StreamCountMembersResponse(answer=analytics.MemberCounts(counts=counts))),
    ]


def checked(request: memberships.CheckMembershipRequest) -> Any:
    """Everybody but `nobody` is in vip only."""
    known = request.subject.identifiers[0].value != "nobody"
    entries = [memberships.Membership(segment=name, member=known and name == "vip") for name in request.segments]
    return stamped(memberships.CheckMembershipResponse(known=known, memberships=entries))


def changes() -> list[memberships.WatchMembershipResponse]:
    """A join, a leave, a merge, and progress."""
    change = memberships.MembershipChange(
        revision=REVISION, segment="vip", subject_kind="SUBJECT_KIND_USER", cause="CHANGE_CAUSE_EVENT",
        joined=[identifier("u1")], left=[identifier("u2")],
    )  # fmt: skip
    gone = memberships.SubjectGone(
        revision=REVISION, subject=identifier("d7", "anonymous_id"), survivor=identifier("u1")
    )
    change.at.seconds = gone.at.seconds = NOON
    return [
        memberships.WatchMembershipResponse(progress=memberships.WatchProgress(revision=REVISION)),
        memberships.WatchMembershipResponse(subject_gone=gone),
        memberships.WatchMembershipResponse(change=change),
    ]


MEMBERS = [member("d7", "u1", age=number(41)), member("d8"), member("u3", age=number(7.25))]
ANSWERS: dict[str, Any] = {
    "CreateSegment": created,
    "GetSegment": got,
    "ListSegments": stamped(segments.ListSegmentsResponse(segments=[segment("buyers"), NEWSLETTER, VIP], total_size=3)),
    "UpdateSegment": stamped(segments.UpdateSegmentResponse(segment=segment("vip", version=2, etag="v2"))),
    "DeleteSegment": stamped(segments.DeleteSegmentResponse()),
    "CloneSegment": stamped(segments.CloneSegmentResponse(segment=segment("copy"))),
    "FreezeSegment": stamped(segments.FreezeSegmentResponse(segment=segment("may", kind="SEGMENT_KIND_FROZEN"))),
    "ListSegmentVersions": stamped(
        segments.ListSegmentVersionsResponse(
            versions=[segments.SegmentVersion(version=1, author="ann", rule_text="in loyal")]
        )
    ),
    "ListDependents": stamped(segments.ListDependentsResponse(dependents=["mail-tonight"])),
    "ParseRule": stamped(segments.ParseRuleResponse(text="did purchase at least 3 times", segments=[])),
    "PreviewRule": stamped(
        segments.PreviewRuleResponse(count=1234, sample=[identifier("u1"), identifier("d8", "anonymous_id")])
    ),
    "StreamPreviewRule": [
        [
            stamped(
                segments.StreamPreviewRuleResponse(progress=common_pb2.ScanProgress(fraction=0.5, scanned_events=77))
            ),
            stamped(
                segments.StreamPreviewRuleResponse(
                    matches=segments.RuleMatches(
                        count=1234, sample=[identifier("u1"), identifier("d8", "anonymous_id")]
                    )
                )
            ),
        ]
    ],
    "ImportMembers": stamped(segments.ImportMembersResponse(read=3, added=2, removed=0, member_count=1235)),
    "CheckMembership": checked,
    "ListSubjectSegments": stamped(
        memberships.ListSubjectSegmentsResponse(known=True, segments=profile().profile.segments)
    ),
    "ListMembers": stamped(memberships.ListMembersResponse(members=MEMBERS, total_size=9)),
    "GetProfile": profile(),
    "CountMembers": lambda request: stamped(
        analytics.CountMembersResponse(
            counts=[
                analytics.MemberCount(expression=one, count=1234 * at) for at, one in enumerate(request.expressions)
            ]
        )
    ),
    "StreamCountMembers": scanned,
    "GetTrend": trend(),
    "GetStatus": status(),
    "CreateSnapshot": stamped(admin.CreateSnapshotResponse(written_bytes=17 << 20)),
    "VerifyData": stamped(admin.VerifyDataResponse(entries=5_146, bytes=9 << 20)),
    "CreateDataset": stamped(admin.CreateDatasetResponse(created=admin.Dataset(id="eu", time_zone="Europe/Paris"))),
    "ListDatasets": admin.ListDatasetsResponse(
        datasets=[admin.Dataset(id="default", display_name="d", time_zone="UTC")]
    ),
    "DeleteDataset": admin.DeleteDatasetResponse(),
    "WatchMembership": [changes()],
    "GetOverlap": unimplemented("GetOverlap"),
    "CompareEngagement": unimplemented("CompareEngagement"),
    "RunFunnel": unimplemented("RunFunnel"),
    "GetRetention": unimplemented("GetRetention"),
    "ExplainMembership": explanation,
}


@contextmanager
def canned_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A server with canned answers, and a terminal of 110 columns."""
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("NO_COLOR", "1")
    with FakeServer(**ANSWERS) as fake:
        monkeypatch.setenv("COTERIE_TARGET", fake.target)
        yield fake
