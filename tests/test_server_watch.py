"""WatchMembership over gRPC: no gap, no repeat, and no harm from slow readers."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter

import grpc

from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as v1
from coterie.v1 import profile_service_pb2 as profiles
from coterie.v1 import segment_service_pb2 as segments
from coterie.v1.membership_service_pb2_grpc import MembershipServiceStub
from tests.serving import Served, event, refusal_of, refused, served, serving, user_named


async def _until(watch: object, revision: str) -> list[v1.WatchMembershipResponse]:
    """Reads a watch up to and including the progress message of a revision."""
    messages = []
    while True:
        message = await watch.read()  # type: ignore[attr-defined]
        assert message is not grpc.aio.EOF
        messages.append(message)
        if message.progress.revision.token == revision:
            return messages


def _moves(messages: list[v1.WatchMembershipResponse]) -> list[tuple[str, str, int]]:
    moves = []
    for message in messages:
        change = message.change
        moves += [(change.segment, name.value, 1) for name in change.joined]
        moves += [(change.segment, name.value, -1) for name in change.left]
    return moves


@served()
async def test_a_watch_from_a_revision_misses_nothing(server: Served) -> None:
    """What happened before the watch and what happens during it come once each, in order."""
    await server.create("a", "did view")
    await server.create("b", "did view at least 2 times")
    first = (await server.ingest(event("view", "u0"))).revision
    await server.ingest(event("view", "u1"))
    watch = server.members.WatchMembership(v1.WatchMembershipRequest(after=first))
    for i in range(20):
        last = (await server.ingest(event("view", f"u{i}"))).revision
    messages = await _until(watch, last.token)
    watch.cancel()
    joined_a = [("a", f"u{i}", 1) for i in range(1, 20)]
    joined_b = [("b", "u0", 1), ("b", "u1", 1)]
    assert Counter(_moves(messages)) == Counter(joined_a + joined_b)
    assert messages[0].progress.revision == first


@served()
async def test_resuming_after_any_progress_is_exact(server: Served) -> None:
    """Cut at any progress message, a watch goes on with neither gap nor repeat."""
    await server.create("a", "did view")
    start = (await server.ingest(event("other", "u0"))).revision
    for i in range(6):
        last = (await server.ingest(event("view", f"u{i}"))).revision
    whole = await _until(server.members.WatchMembership(v1.WatchMembershipRequest(after=start)), last.token)
    stops = [i for i, message in enumerate(whole) if message.WhichOneof("event") == "progress"]
    for stop in stops[:-1]:
        resumed = server.members.WatchMembership(v1.WatchMembershipRequest(after=whole[stop].progress.revision))
        rest = await _until(resumed, last.token)
        assert _moves(whole[: stop + 1]) + _moves(rest) == _moves(whole)


@served()
async def test_a_filter_leaves_the_rest_out(server: Served) -> None:
    """Only the segments named are told of; a name that does not exist is refused."""
    await server.create("a", "did view")
    await server.create("b", "did view")
    watch = server.members.WatchMembership(v1.WatchMembershipRequest(segments=["b"]))
    await watch.read()
    last = (await server.ingest(event("view", "u1"))).revision
    assert _moves(await _until(watch, last.token)) == [("b", "u1", 1)]
    problem = await refused(server.members.WatchMembership(v1.WatchMembershipRequest(segments=["c"])).read())
    assert problem.reason == "SEGMENT_NOT_FOUND"


@served()
async def test_a_long_change_comes_in_several_messages(server: Served) -> None:
    """A mass movement is cut into messages of bounded size, and its progress comes after the last."""
    for first in range(0, 12_000, 4_000):
        await server.ingest(*(event("view", f"u{i}") for i in range(first, first + 4_000)))
    watch = server.members.WatchMembership(v1.WatchMembershipRequest())
    await watch.read()
    await server.create("a", "did view")
    messages = []
    while not messages or messages[-1].WhichOneof("event") != "progress" or len(_moves(messages)) < 12_000:
        messages.append(await watch.read())
    sizes = [len(message.change.joined) for message in messages if message.WhichOneof("event") == "change"]
    assert sizes == [5_000, 5_000, 2_000]
    assert len(set(_moves(messages))) == 12_000


@served()
async def test_a_quiet_watch_tells_its_progress(server: Served) -> None:
    """While nothing matches, the revision reached is told at the interval asked for."""
    await server.create("a", "did view")
    request = v1.WatchMembershipRequest(progress_interval_ms=100)
    watch = server.members.WatchMembership(request)
    await watch.read()
    last = (await server.ingest(event("other", "u1"))).revision
    assert _moves(await _until(watch, last.token)) == []
    request.progress_interval_ms = 7
    assert (await refused(server.members.WatchMembership(request).read())).field == "progress_interval_ms"


@served()
async def test_merged_and_deleted_subjects_are_announced(server: Served) -> None:
    """Who is gone is told, by the first name, before the leaves that this causes."""
    await server.create("a", "did view")
    start = (await server.ingest(event("view", "u1"), event("view", "u2"), event("view", "u3"))).revision
    merge = profiles.MergeSubjectsRequest(absorbed=user_named("u1"), survivor=user_named("u2"))
    await server.profiles.MergeSubjects(merge)
    delete = profiles.DeleteSubjectRequest(subject=user_named("u3"))
    last = (await server.profiles.DeleteSubject(delete)).revision
    messages = await _until(server.members.WatchMembership(v1.WatchMembershipRequest(after=start)), last.token)
    kinds = [message.WhichOneof("event") for message in messages if message.WhichOneof("event") != "progress"]
    assert kinds == ["subject_gone", "change", "subject_gone", "change"]
    gone = [message.subject_gone for message in messages if message.WhichOneof("event") == "subject_gone"]
    assert [(g.subject.value, g.survivor.value) for g in gone] == [("u1", "u2"), ("u3", "")]
    assert _moves(messages) == [("a", "u1", -1), ("a", "u3", -1)]


@served(watch_buffer=500)
async def test_a_slow_watcher_is_cut_and_can_resume(server: Served) -> None:
    """A watcher that does not read is cut with WATCH_LAGGED; resuming after its last progress misses nothing."""
    await server.create("friends")
    start = (await server.ingest(event("other", "u0"))).revision
    # A small window: what is not read soon holds the server's stream up.
    options = [("grpc.http2.lookahead_bytes", 16_384), ("grpc.http2.bdp_probe", 0)]
    channel = grpc.aio.insecure_channel(server.server.address, options)
    watch = MembershipServiceStub(channel).WatchMembership(v1.WatchMembershipRequest(after=start))
    seen = [await watch.read()]
    long_name = "x" * 200
    for batch in range(40):
        members = [user_named(f"{long_name}{batch}-{i}") for i in range(250)]
        last = (
            await server.segments.AddMembers(segments.AddMembersRequest(segment="friends", members=members))
        ).revision
    try:
        while (message := await watch.read()) is not grpc.aio.EOF:
            seen.append(message)
    except grpc.aio.AioRpcError as error:
        problem = refusal_of(error)
    await channel.close()
    assert (problem.code, problem.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCH_LAGGED")
    told = max(i for i, message in enumerate(seen) if message.WhichOneof("event") == "progress")
    resume = common_pb2.Revision(token=seen[told].progress.revision.token)
    rest = await _until(server.members.WatchMembership(v1.WatchMembershipRequest(after=resume)), last.token)
    moves = _moves(seen[: told + 1]) + _moves(rest)
    assert len(moves) == len(set(moves)) == 40 * 250


def test_a_watch_goes_on_after_a_restart() -> None:
    """Revisions outlive the process: a watch resumed after a stop, or a kill, sees the rest exactly."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            for stop_hard in (True, False):
                async with serving(folder) as server:
                    name = f"s{int(stop_hard)}"
                    await server.create(name, "did view")
                    before = (await server.ingest(event("view", "u1"))).revision
                    await server.ingest(event("view", "u2"))
                    if stop_hard:
                        await server.server.kill()
                async with serving(folder) as server:
                    last = (await server.ingest(event("view", "u3"))).revision
                    request = v1.WatchMembershipRequest(after=before, segments=[name], progress_interval_ms=100)
                    moves = _moves(await _until(server.members.WatchMembership(request), last.token))
                    wanted = [(name, user, 1) for user in ("u2", "u3")]
                    assert moves == (wanted if stop_hard else []), "u2 and u3 were viewers before the second round"

    asyncio.run(run())


@served()
async def test_watchers_are_counted_and_let_go(server: Served) -> None:
    """A watcher that goes away leaves nothing behind."""
    watch = server.members.WatchMembership(v1.WatchMembershipRequest())
    await watch.read()
    assert server.dataset.watchers == 1
    watch.cancel()
    while server.dataset.watchers:  # noqa: ASYNC110 - nothing tells of it but the status
        await asyncio.sleep(0.01)
