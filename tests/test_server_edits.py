"""Edits as callers see them: progress and the pending rule while the old definition serves, and a watch without gaps."""

from __future__ import annotations

import asyncio
import tempfile

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from coterie.v1 import admin_service_pb2 as admin
from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as members
from coterie.v1 import segment_service_pb2 as v1
from tests.serving import START, Served, event, expect, served, serving

ROWS = 2_100
OLD, NEW = "did view", "did view at least 4 times in the last 2 hours"
SLOW = {"build_rows": 100}


async def _segment(server: Served, name: str) -> v1.Segment:
    return (await server.segments.GetSegment(v1.GetSegmentRequest(segment=name))).segment


async def _edit(server: Served, name: str, rule: str) -> v1.Segment:
    request = v1.UpdateSegmentRequest(
        segment=v1.Segment(id=name, rule_text=rule), update_mask=FieldMask(paths=["rule_text"])
    )
    return (await server.segments.UpdateSegment(request)).segment


async def _begin(server: Served, *names: str) -> None:
    """History of u0 to u699, three views each, and one more of u7; then the segments."""
    views = [event("view", f"u{number % 700}", START - ROWS + number) for number in range(ROWS)]
    await server.ingest(*views, event("view", "u7", START))
    for name in names:
        await server.create(name, OLD)


class Gate:
    """Stands before the builds of the dataset: they go on by as many steps as the test lets pass."""

    def __init__(self, server: Served) -> None:
        self._engine = server.dataset.engine
        self._step, self._left, self._idle = self._engine.step_builds, 0, asyncio.Event()
        self._engine.step_builds = self._pass

    def _pass(self, rows: int) -> bool:
        if self._left:
            self._left -= 1
            return bool(self._step(rows))
        self._idle.set()
        return False

    async def step(self, steps: int = 1) -> None:
        """Lets so many steps pass, and waits for them."""
        self._left = steps
        while self._left:
            self._idle.clear()
            await self._idle.wait()

    def open(self) -> None:
        """Lets everything pass."""
        self._engine.step_builds = self._step


async def _builds(server: Served) -> list[admin.BuildStatus]:
    """Returns what is being built by the dataset's status."""
    return list((await server.admin.GetStatus(admin.GetStatusRequest())).builds)


async def _told(
    server: Served, after: common_pb2.Revision, until: common_pb2.Revision
) -> list[tuple[str, str, int, int]]:
    """Returns (segment, cause, how many joined, how many left) of every change a watch tells in between."""
    watch = server.members.WatchMembership(members.WatchMembershipRequest(after=after))
    told = []
    while (message := await watch.read()) is not grpc.aio.EOF:
        if message.HasField("change"):
            change = message.change
            cause = members.ChangeCause.Name(change.cause).removeprefix("CHANGE_CAUSE_")
            told.append((change.segment, cause, len(change.joined), len(change.left)))
        if message.progress.revision.token == until.token:
            break
    watch.cancel()
    return told


@served(**SLOW)
async def test_an_edit_shows_its_progress_while_the_old_definition_serves(server: Served) -> None:
    """READY all the while, with the old rule, the pending one and how far it has come; events move members by the old."""
    await _begin(server, "s")
    gate = Gate(server)
    edited = await _edit(server, "s", NEW)
    assert (edited.state, edited.rule_text, edited.pending_rule_text) == (v1.SEGMENT_STATE_READY, OLD, NEW)
    seen = []
    for steps in (1, 3, 5):
        await gate.step(steps)
        seen.append((await _segment(server, "s")).build_progress)
    assert 0 < seen[0] < seen[1] < seen[2] < 1
    assert await server.check("u3", "s") == [True]
    start = (await server.ingest(event("view", "fresh"))).revision
    segment = await _segment(server, "s")
    assert (segment.rule_text, segment.member_count) == (OLD, 701)
    assert 0 < segment.build_progress < 1
    assert [(build.segment, 0 < build.progress < 1) for build in await _builds(server)] == [("s", True)]
    gate.open()
    await server.ready("s")
    end = (await server.ingest(event("other", "fresh"))).revision
    assert await _told(server, start, end) == [("s", "EDIT", 0, 700)]
    segment = await _segment(server, "s")
    assert (segment.rule_text, segment.HasField("pending_rule_text"), segment.member_count) == (NEW, False, 1)


@served(**SLOW)
async def test_an_edit_back_cancels_the_build_at_once(server: Served) -> None:
    """Its answer shows no pending rule; nothing is being built, and watchers hear nothing of it."""
    await _begin(server, "s")
    gate = Gate(server)
    await _edit(server, "s", NEW)
    await gate.step()
    start = (await server.ingest(event("other", "u1"))).revision
    back = await _edit(server, "s", OLD)
    assert (back.rule_text, back.HasField("pending_rule_text"), back.version) == (OLD, False, 3)
    assert not await _builds(server)
    end = (await server.ingest(event("view", "fresh"))).revision
    assert await _told(server, start, end) == [("s", "EVENT", 1, 0)]


@served(**SLOW)
async def test_a_segment_deleted_while_it_is_built_is_gone(server: Served) -> None:
    """Never ready, it answers SEGMENT_BUILDING with its progress, then SEGMENT_NOT_FOUND; nothing is built any more."""
    await _begin(server)
    gate = Gate(server)
    await server.segments.CreateSegment(v1.CreateSegmentRequest(segment=v1.Segment(id="s", rule_text=NEW)))
    await gate.step()
    check = members.CheckMembershipRequest(subject=common_pb2.Subject(user_id="u7"), segments=["s"])
    building = await expect(
        server.members.CheckMembership(check), grpc.StatusCode.FAILED_PRECONDITION, "SEGMENT_BUILDING", segment="s"
    )
    assert 0 < float(building.metadata["progress"]) < 1
    await server.segments.DeleteSegment(v1.DeleteSegmentRequest(segment="s"))
    await expect(server.members.CheckMembership(check), grpc.StatusCode.NOT_FOUND, "SEGMENT_NOT_FOUND")
    assert not await _builds(server)
    gate.open()
    await server.create("s", OLD)
    assert await server.check("u7", "s") == [True]


@served(**SLOW)
async def test_an_edit_of_a_nested_segment_is_one_revision(server: Served) -> None:
    """What nests it serves its old members until the swap, and moves in the same revision."""
    await _begin(server, "s")
    await server.create("outer", "in s and not in split 'a' 0% to 1%")
    start = (await server.ingest(event("other", "u7"))).revision
    gate = Gate(server)
    await _edit(server, "s", NEW)
    await gate.step()
    sizes = [(await _segment(server, name)).member_count for name in ("s", "outer")]
    gate.open()
    await server.ready("s")
    end = (await server.ingest(event("other", "u7"))).revision
    told = await _told(server, start, end)
    assert told == [("outer", "EDIT", 0, sizes[1] - 1), ("s", "EDIT", 0, sizes[0] - 1)]
    changes = server.dataset.engine.changes.since(server.dataset.engine.revision - 3)
    assert len({change.revision for change in changes}) == 1


def test_a_restart_goes_on_with_what_was_being_built() -> None:
    """The pending rule is still pending, the old one serves, and the build ends."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(folder, **SLOW) as server, asyncio.timeout(30):
                await _begin(server, "s")
                gate = Gate(server)
                await _edit(server, "s", NEW)
                await gate.step(3)
            async with serving(folder, server.clock, build_rows=1) as server, asyncio.timeout(30):
                assert await server.check("u3", "s") == [True]
                await server.ready("s")
                assert await server.check("u3", "s") == [False]
                assert await server.check("u7", "s") == [True]

    asyncio.run(run())
