"""The client for asyncio: one class, its calls grouped by module."""

from coterie.client.asynchronous.analytics import AdminCalls, AnalyticsCalls
from coterie.client.asynchronous.events import EventCalls
from coterie.client.asynchronous.members import MemberCalls
from coterie.client.asynchronous.segments import SegmentCalls


class AsyncClient(EventCalls, SegmentCalls, MemberCalls, AnalyticsCalls, AdminCalls):
    """A connection to one dataset of a server; used by any number of tasks, closed by `async with` or `close()`.

    `services` are the generated stubs, for what has no method here; `call` makes a call of theirs with retries.
    """


__all__ = ["AsyncClient"]
