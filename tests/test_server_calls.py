"""How calls become records: order, sharing, and outcomes that find their way back."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

from coterie.index.model import (
    AttributeUpdate,
    Event,
    Identifier,
    IngestEvents,
    Outcome,
    Refusal,
    SetAttributes,
    SubjectKind,
    Tick,
)
from coterie.server.calls import Call, cut
from coterie.server.pace import Pace
from tests.serving import ManualClock

AT = 1_000_000


def _event(user: str, time: int | None = None, account: str | None = None) -> Event:
    return Event("", "view", (Identifier("user_id", user),), account, time, {}, {})


def _update(user: str) -> AttributeUpdate:
    return AttributeUpdate(SubjectKind.USER, (Identifier("user_id", user),), {"a": 1.0})


def _in_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    @functools.wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


@_in_loop
async def test_events_are_sorted_by_time_and_cut() -> None:
    """A call's events come in order of time, ties as sent, none standing for the record's own time."""
    times = [5, None, 3, 5, AT + 1, 3]
    drafts = cut([Call([_event(str(i), t) for i, t in enumerate(times)])], AT, 4, 0)
    users = [[event.identifiers[0].value for event in draft.payload.events] for draft in drafts]
    assert users == [["2", "5", "0", "3"], ["1", "4"]]


@_in_loop
async def test_small_calls_share_records() -> None:
    """Small calls share a record until it is full, a subject comes again, or another kind of call comes."""
    calls = [
        Call([_event("a")]),
        Call([_event("b"), _event("b")]),
        Call([_event("a")]),  # a is in the record already
        Call([_event("c", account="firm")]),
        Call([_event("d", account="firm")]),  # so is the account
        Call([_update("x")]),
        Call([_update("y")]),
        Call(payloads=[Tick()]),
        Call([_event("e")]),
        Call([_event(str(i)) for i in range(5)]),  # too large to share
        Call([_event("e")]),
    ]
    drafts = cut(calls, AT, 10, 4)
    shape = [
        (type(draft.payload), len(getattr(draft.payload, "events", getattr(draft.payload, "updates", ()))))
        for draft in drafts
    ]
    assert shape == [
        (IngestEvents, 3),
        (IngestEvents, 2),
        (IngestEvents, 1),
        (SetAttributes, 2),
        (Tick, 0),
        (IngestEvents, 1),
        (IngestEvents, 5),
        (IngestEvents, 1),
    ]
    assert drafts[0].calls == calls[:2]


@_in_loop
async def test_shared_records_keep_their_bound() -> None:
    """A shared record never has more items than a record may have."""
    drafts = cut([Call([_event(f"{i}-{j}") for j in range(3)]) for i in range(10)], AT, 10, 4)
    assert [len(draft.payload.events) for draft in drafts] == [9, 9, 9, 3]


@_in_loop
async def test_outcomes_find_their_calls() -> None:
    """Each call of a shared record is told its own duplicates and refusals, by its own indexes."""
    calls = [Call([_event("a", 9), _event("b", 1)]), Call([_event("c", 5)]), Call([_event("d", 7)])]
    (draft,) = cut(calls, AT, 10, 4)
    # In order of time: b (1), c (5), d (7), a (9).
    refusal = Refusal(3, "EVENT_TIME_IN_FUTURE", "events[3].time", "too late")
    draft.settle(Outcome(7, accepted=2, duplicates=1, duplicate_indexes=(1,), refused=(refusal,)), AT)
    answers = [await call.done for call in calls]
    assert [(w.accepted, w.duplicates, len(w.refused)) for w in answers] == [(1, 0, 1), (0, 1, 0), (1, 0, 0)]
    assert (answers[0].refused[0].index, answers[0].refused[0].field) == (0, "events[0].time")
    assert {w.revision for w in answers} == {7}


@_in_loop
async def test_a_long_call_is_answered_once() -> None:
    """A call of several records is answered after the last, with the sums and the indexes of the whole call."""
    call = Call([_event(str(i), 10 - i) for i in range(5)])
    first, second, third = cut([call], AT, 2, 0)
    first.settle(Outcome(1, accepted=2), AT)
    second.settle(Outcome(2, accepted=1, refused=(Refusal(0, "R", "events[0].time", "m"),)), AT)
    assert not call.done.done()
    third.settle(Outcome(3, accepted=1), AT)
    written = await call.done
    assert (written.revision, written.accepted, written.refused[0].index) == (3, 4, 2)


def test_time_is_exact_until_it_gets_crowded() -> None:
    """A few moves of time are exact; then, and while calls are being written, they keep their distance."""
    clock = ManualClock(1000)
    pace = Pace(clock, 20, 3)
    for instant in (1001, 1002, 1003):
        clock.set(instant)
        assert pace.next_tick(instant) == instant
        assert pace.exact()
        pace.moved(instant, tick=True)
    assert pace.next_tick(1004) == 1003 + 20
    clock.set(1100)
    assert pace.next_tick(1101) == 1101, "a pause gives room again"
    pace.loaded()
    pace.moved(1100, tick=False)
    assert pace.next_tick(1101) == 1120
    assert pace.next_tick(None) is None
