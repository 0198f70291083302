"""Mass movements over gRPC: a midnight that moves everybody is passed in parts, and nobody sees more than that."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from coterie.index.engine import Engine
from coterie.index.model import Cause, Record, Tick
from coterie.index.settings import Settings
from coterie.index.storage.recovery import recover
from coterie.index.storage.store import StateStore
from coterie.v1 import admin_service_pb2 as admin
from coterie.v1 import analytics_service_pb2 as analytics
from coterie.v1 import segment_service_pb2 as segments
from tests.serving import HOUR, SECOND, START, ManualClock, Served, event, served, serving

MIDNIGHT = START + 12 * HOUR
USERS = 600
PARTS: dict[str, Any] = {"sweep_rows": 20, "group_records": 4}


async def _fill(server: Served) -> int:
    """Everybody logs in today; returns the revision then."""
    await server.create("daily", "did login today")
    await server.create("gone", "not in daily and did login")
    await server.ingest(*(event("login", f"u{number}", START - USERS + number) for number in range(USERS)))
    assert server.dataset.engine.size("daily") == USERS
    return int(server.dataset.engine.revision)


def _left(server: Served, since: int) -> list[list[int]]:
    """Who left, revision by revision, by the change log."""
    entries = [entry for entry in server.dataset.engine.changes.since(since) if entry.segment == "daily"]
    assert {(entry.at, entry.cause) for entry in entries} == {(MIDNIGHT, Cause.TIME)}
    return [list(entry.left) for entry in entries]


async def _begun(server: Served) -> None:
    """Waits until a sweep is in its middle."""
    while not server.dataset.engine.sweeping:
        await server.dataset.progress.past(server.dataset.engine.revision, 5)


@served(**PARTS)
async def test_midnight_is_passed_in_parts(server: Served) -> None:
    """All leave at the first millisecond of the day, each once, in records of bounded size, however late the clock."""
    before = await _fill(server)
    await server.move(MIDNIGHT + 5 * SECOND)
    left = _left(server, before)
    assert [member for part in left for member in part] == list(range(1, USERS + 1)), "everybody once, in order"
    assert max(map(len, left)) <= 2 * PARTS["sweep_rows"]
    sizes = {name: server.dataset.engine.size(name) for name in ("daily", "gone")}
    assert sizes == {"daily": 0, "gone": USERS}
    assert not server.dataset.engine.preparing


@served(**PARTS)
async def test_many_windows_of_one_millisecond_end_in_parts(server: Served) -> None:
    """A crowd at one instant is cut by subject, since time cannot cut it, and its instant is still exact."""
    await server.create("recent", "did view in the last 1 hour")
    await server.ingest(*(event("view", f"u{number}", START) for number in range(USERS)))
    before = server.dataset.engine.revision
    await server.move(START + HOUR)
    changes = list(server.dataset.engine.changes.since(before))
    assert {change.at for change in changes} == {START + HOUR}
    assert len(changes) >= USERS // (2 * PARTS["sweep_rows"])
    assert [member for change in changes for member in change.left] == list(range(1, USERS + 1))


@served(**PARTS)
async def test_many_dates_that_come_at_once_are_told_in_parts(server: Served) -> None:
    """Attributes that name one instant flip like windows: in parts, at that instant."""
    await server.create("ending", "user.trial_ends within the next 1 hour")
    requests = [
        {
            "subject": {"user_id": f"u{number}"},
            "attributes": {"trial_ends": {"timestamp": {"seconds": MIDNIGHT // 1000}}},
        }
        for number in range(USERS)
    ]
    from coterie.v1 import profile_service_pb2 as profiles

    await server.profiles.SetAttributes(profiles.SetAttributesRequest(updates=requests))
    before = server.dataset.engine.revision
    await server.move(MIDNIGHT - HOUR)
    assert server.dataset.engine.size("ending") == USERS
    await server.move(MIDNIGHT)
    assert server.dataset.engine.size("ending") == 0
    changes = list(server.dataset.engine.changes.since(before))
    assert {change.at for change in changes} == {MIDNIGHT - HOUR, MIDNIGHT}
    assert len(changes) >= 2 * USERS // (2 * PARTS["sweep_rows"])
    assert sum(len(change.joined) for change in changes) == sum(len(change.left) for change in changes) == USERS


@served(**PARTS)
async def test_calls_wait_for_the_sweep(server: Served) -> None:
    """What is sent while an instant is being passed is written after it, and answered then."""
    before = await _fill(server)
    server.clock.set(MIDNIGHT)
    await _begun(server)
    await server.ingest(event("login", "u7"))
    changes = list(server.dataset.engine.changes.since(before))
    causes = [change.cause for change in changes]
    assert set(causes[:-2]) == {Cause.TIME}
    assert causes[-2:] == [Cause.EVENT, Cause.EVENT], "one comes back, in both segments"
    assert server.dataset.engine.size("daily") == 1


@served(**PARTS)
async def test_reads_do_not_wait(server: Served) -> None:
    """In the middle of a sweep a read shows exactly the state of the revision it names, at the new instant."""
    before = await _fill(server)
    server.clock.set(MIDNIGHT)
    seen = []
    request = analytics.CountMembersRequest(expressions=["daily", "gone", "daily or gone"])
    while not seen or seen[-1][1] != 0:
        answer = await server.analytics.CountMembers(request)
        counts = [count.count for count in answer.counts]
        revision = server.dataset.tokens.read_revision(answer.revision.token, "revision")
        seen.append((revision, counts[0], answer.now.ToMilliseconds()))
        assert counts[1:] == [USERS - counts[0], USERS]
    log = list(server.dataset.engine.changes.since(before))
    middle = [one for one in seen if 0 < one[1] < USERS]
    assert middle, "there was a read in the middle"
    for revision, members, now in middle:
        left = sum(len(one.left) for one in log if one.segment == "daily" and one.revision <= revision)
        assert (members, now) == (USERS - left, MIDNIGHT)


@served(**PARTS)
async def test_a_snapshot_waits_for_the_sweep(server: Served) -> None:
    """A snapshot asked for in the middle of a sweep shows its end."""
    before = await _fill(server)
    server.clock.set(MIDNIGHT)
    await _begun(server)
    await server.admin.CreateSnapshot(admin.CreateSnapshotRequest())
    last = [entry.revision for entry in server.dataset.engine.changes.since(before)][-1]
    assert server.dataset.store.header.revision >= last


@served(**PARTS)
async def test_a_preview_waits_for_the_sweep(server: Served) -> None:
    """Who a rule would match is found out when everybody stands at one instant."""
    await _fill(server)
    server.clock.set(MIDNIGHT)
    await _begun(server)
    answer = await server.segments.PreviewRule(segments.PreviewRuleRequest(text="did login at most 0 times today"))
    assert answer.count == USERS
    assert answer.now.ToMilliseconds() == MIDNIGHT


@served(**PARTS)
async def test_a_stop_in_the_middle_finishes_the_sweep(server: Served) -> None:
    """A clean stop passes what is left of the instant, then takes its snapshot."""
    await _fill(server)
    server.clock.set(MIDNIGHT)
    await _begun(server)
    dataset = server.dataset
    await server.server.stop()
    assert not dataset.engine.sweeping
    assert dataset.engine.size("daily") == 0
    assert dataset.store.header.revision == dataset.engine.revision


def test_a_kill_in_the_middle_is_made_up() -> None:
    """A start whose journal ends between two parts passes the rest of that very instant before anything else."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(folder, **PARTS) as server:
                before = await _fill(server)
                await server.server.kill()
            _write_parts(Path(folder) / "datasets" / "default", 100, 230)
            # The clock stands where the kill was, and a call comes at once.
            async with serving(folder, ManualClock(MIDNIGHT), **PARTS) as server:
                assert server.dataset.engine.now == MIDNIGHT
                await server.ingest(event("login", "u7"))
                entries = list(server.dataset.engine.changes.since(before))
                by_time = [e for e in entries if e.segment == "daily" and e.cause is Cause.TIME]
                assert [member for e in by_time for member in e.left] == list(range(1, USERS + 1))
                assert [len(e.left) for e in by_time[:2]] == [99, 130]
                assert server.dataset.engine.size("daily") == 1

    asyncio.run(run())


def _write_parts(directory: Path, *ends: int) -> None:
    """Puts ticks for parts of midnight into a journal, as a server does that is killed after them."""

    def make_engine(settings: Settings, store: StateStore) -> Engine:
        return Engine(settings, lookup=store, blocks=store)

    recovered = recover(directory, Settings(), make_engine)
    first = recovered.engine.revision + 1
    recovered.journal.append([Record(first + index, MIDNIGHT, Tick(end)) for index, end in enumerate(ends)])
    recovered.close()
