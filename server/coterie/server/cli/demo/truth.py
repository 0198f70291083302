"""Whether what the demonstration shows is true: the service against the shop's books, and against itself.

Invariant: a comparison that fails is shown, and ends the demonstration with `DemoFailed`.
"""

from __future__ import annotations

import time

from coterie.client import Client, Subject
from coterie.server.cli import render
from coterie.server.cli.demo.books import Books
from coterie.server.cli.demo.follower import Follower
from coterie.server.cli.demo.screen import Screen
from coterie.server.cli.demo.segments import ALL
from coterie.v1.analytics_service_pb2 import CountMembersRequest, CountMembersResponse

_AGREE_SECONDS = 30.0
_CHECKED = 10_000


class DemoFailed(RuntimeError):
    """Something that was shown is not true."""


class Truth:
    """Compares the service's answers with what they must be."""

    def __init__(self, client: Client, books: Books, screen: Screen) -> None:
        self._client, self._books, self._screen = client, books, screen

    def check(self, passed: bool, text: str) -> None:
        """Shows the outcome of a comparison; raises DemoFailed where it failed."""
        self._screen.check(passed, text)
        if not passed:
            raise DemoFailed(text)

    def count(self) -> CountMembersResponse:
        """The sizes of all segments, at one revision and instant."""
        request = CountMembersRequest(expressions=[wanted.id for wanted in ALL])
        return self._client.call(self._client.services.analytics.CountMembers, request)

    def counts(self) -> dict[str, int]:
        """The sizes of all segments now."""
        return _by_segment(self.count())

    def books_agree(self, heading: str) -> None:
        """The service's counts are the books', at the service's own instant."""
        self._screen.heading(heading)
        answer = self.count()
        counts = _by_segment(answer)
        expected = self._books.counts(answer.now.ToMilliseconds())
        wrong = {name: count for name, count in expected.items() if counts[name] != count}
        for name, count in wrong.items():
            self._screen.say(f"{name}: {count} by the books, {counts[name]} by the service")
        shown = ", ".join(f"{name} {render.number(counts[name])}" for name in expected if name not in wrong)
        self.check(not wrong, f"{len(expected) - len(wrong)} of {len(expected)} counts agree: {shown}")

    def stream_agrees(self, follower: Follower, before: CountMembersResponse) -> None:
        """The joins and leaves that were followed explain every count, at one revision of both."""
        until = time.monotonic() + _AGREE_SECONDS
        while time.monotonic() < until:
            answer = self.count()
            if follower.reaches(answer.revision.token, 2.0):
                self._explained(follower, _by_segment(before), _by_segment(answer))
                return
            if follower.error:
                raise DemoFailed(f"the watch broke: {follower.error}")
        raise DemoFailed("the watch did not reach the revision of a count")

    def _explained(self, follower: Follower, before: dict[str, int], now: dict[str, int]) -> None:
        wrong = [name for name in now if before[name] + follower.net(name) != now[name]]
        for name in wrong:
            self._screen.say(f"{name}: {before[name]} before, {follower.net(name):+} by the stream, {now[name]} now")
        moved = sum(follower.joined.values()) + sum(follower.left.values())
        self.check(
            not wrong,
            f"size before + joined - left = size now, for {len(now)} segments and {render.number(moved)} changes,"
            " across the crash",
        )

    def reads_agree(self, segment: str) -> None:
        """Check = list = count."""
        listed = list(self._client.members(segment))
        checked = self._client.batch_check([Subject(one.identifiers[:1]) for one in listed[:_CHECKED]], [segment])
        count = self.counts()[segment]
        self.check(
            len(listed) == count and all(row[0] for row in checked),
            f"check = list = count: {render.number(count)} counted, {render.number(len(listed))} listed,"
            f" {render.number(sum(row[0] for row in checked))} of {render.number(len(checked))} checked are members",
        )


def _by_segment(answer: CountMembersResponse) -> dict[str, int]:
    return {one.expression: one.count for one in answer.counts}
