"""The client for threads: one class, its calls grouped by module."""

from coterie.client.synchronous.analytics import AdminCalls, AnalyticsCalls
from coterie.client.synchronous.events import EventCalls
from coterie.client.synchronous.members import MemberCalls
from coterie.client.synchronous.segments import SegmentCalls


class Client(EventCalls, SegmentCalls, MemberCalls, AnalyticsCalls, AdminCalls):
    """A connection to one dataset of a server; used by any number of threads, closed by `with` or `close()`.

    `services` are the generated stubs, for what has no method here; `call` makes a call of theirs with retries.
    """


__all__ = ["Client"]
