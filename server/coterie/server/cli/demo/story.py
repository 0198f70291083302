"""The demonstration itself: history, segments, live events, a crash, and whether everything still adds up.

Owns the order of events and all comparisons. Invariant: whatever is shown as true has been compared with the shop's
own books or with the stream of changes; a comparison that fails ends the demonstration with `DemoFailed`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from coterie.client import Client, EventPipeline, Identifier, Subject, requests
from coterie.server.cli import render
from coterie.server.cli.demo.books import Books
from coterie.server.cli.demo.child import Child
from coterie.server.cli.demo.feed import Feed, user_id
from coterie.server.cli.demo.follower import Follower
from coterie.server.cli.demo.screen import LivePicture, Screen
from coterie.server.cli.demo.segments import AFTER_HISTORY, BEFORE_HISTORY, Wanted
from coterie.server.cli.demo.shop import DAY_MS, Shop
from coterie.server.cli.demo.truth import DemoFailed, Truth
from coterie.server.cli.members import profile_parts
from coterie.v1.analytics_service_pb2 import CountMembersResponse
from coterie.v1.event_service_pb2 import IngestEventsRequest, StreamEventsRequest
from coterie.v1.profile_service_pb2 import GetProfileRequest, SetAttributesRequest

_BATCH = 1_000
_BEAT_SECONDS = 0.1
_QUIET_SECONDS = 10.0
_BUDGET_SECONDS, _SHORTEST_SECONDS = 45.0, 6.0
_LETTERS = 500
_CANDIDATES = 50


class Story:
    """One run of the demonstration on a server of its own."""

    def __init__(self, shop: Shop, live_events: int, live_seconds: float, child: Child, screen: Screen) -> None:
        self._shop, self._child, self._screen = shop, child, screen
        self._feed, self._books = Feed(shop), Books(shop)
        self._history = len(shop.events) - live_events
        self._live_seconds = live_seconds
        self._client = Client(child.target, timeout=60.0)
        self._truth = Truth(self._client, self._books, screen)
        self._last_call: IngestEventsRequest | None = None

    def tell(self) -> None:
        """The whole story."""
        screen, began = self._screen, time.monotonic()
        screen.heading("A server on an empty directory")
        screen.say(f"{self._child.target}, process {self._child.pid}, data in {self._child.directory}")
        self._create(BEFORE_HISTORY)
        self._load_history()
        self._set_attributes()
        self._create(AFTER_HISTORY)
        self._truth.books_agree("The shop's own books, computed apart from the service")
        self._snapshot()
        self._pace(time.monotonic() - began)
        before = self._truth.count()
        follower = Follower(self._client, before.revision.token)
        try:
            self._live(follower, 0.65, "Live: events as they happen, segments as they move")
            self._crash()
            self._live(follower, 0.35, "Live again, on the restarted server")
            self._settle(follower, before)
        finally:
            follower.close()
        self._show_profile()
        self._truth.reads_agree("cart-under-100")

    # ---------------------------------------------------------------- segments and history

    def _create(self, wanted: Sequence[Wanted]) -> None:
        began = time.monotonic()
        for one in wanted:
            if one.rule:
                self._client.create_segment(one.id, one.rule, description=one.purpose)
            else:
                self._client.create_list(one.id, description=one.purpose)
        self._screen.heading(f"{len(wanted)} segments, ready after {time.monotonic() - began:.1f} s")
        for one in wanted:
            self._screen.say(f"{one.id:15} {one.rule or '(a list)'}")

    def _load_history(self) -> None:
        self._screen.heading(f"History: {render.number(self._history)} events at full speed")
        pipeline: EventPipeline[int] = EventPipeline(self._client)
        began, accepted = time.monotonic(), 0
        columns = (TextColumn("  "), BarColumn(), TextColumn("{task.completed:,.0f} events"), TimeElapsedColumn())
        with Progress(*columns, console=self._screen.console, transient=True) as progress:
            task = progress.add_task("history", total=self._history)
            for start in range(0, self._history, _BATCH):
                batch = StreamEventsRequest()
                for row in range(start, min(start + _BATCH, self._history)):
                    self._feed.fill(batch.events.add(), row)
                pipeline.send(batch, len(batch.events))
                accepted += sum(answer.accepted for _, answer in pipeline.acknowledged())
                progress.update(task, completed=accepted)
            pipeline.finish()
            accepted += sum(answer.accepted for _, answer in pipeline.acknowledged())
        seconds = time.monotonic() - began
        self._books.sent(self._history)
        self._truth.check(
            accepted == self._history,
            f"{render.number(accepted)} events acknowledged in {seconds:.1f} s, {render.number(accepted / seconds)}/s",
        )

    def _set_attributes(self) -> None:
        """The shop tells what it knows of everybody who has logged in, and puts some on its mailing list."""
        registered = self._books.register()
        signed_up = int(self._shop.events.time_ms[0]) - np.arange(len(registered)) % 300 * DAY_MS
        for start in range(0, len(registered), _BATCH):
            some = slice(start, start + _BATCH)
            request = SetAttributesRequest(
                updates=[
                    self._feed.attributes(visitor, at)
                    for visitor, at in zip(registered[some].tolist(), signed_up[some].tolist(), strict=True)
                ],
                request_id=requests.new_request_id(),
            )
            answer = self._client.call(self._client.services.profiles.SetAttributes, request)
            if answer.refused:
                raise DemoFailed(f"attributes were refused: {answer.refused[0].message}")
        readers = [user_id(visitor) for visitor in registered[:: max(len(registered) // _LETTERS, 1)]]
        self._client.add_members("newsletter", readers)
        self._screen.say(
            f"attributes of {render.number(len(registered))} users, {len(readers)} readers of the newsletter"
        )

    def _snapshot(self) -> None:
        """A restart begins at the snapshot and replays what came after it."""
        self._screen.heading("A snapshot, while the server goes on")
        written = self._client.snapshot()
        self._screen.say(f"{render.size(written.written_bytes)} in {written.duration.ToMilliseconds() / 1000:.1f} s")

    # ---------------------------------------------------------------- live

    def _pace(self, elapsed: float) -> None:
        """On a slow machine the live part is shorter, so that the whole stays within a minute and a half."""
        wanted = self._live_seconds
        self._live_seconds = max(min(wanted, _BUDGET_SECONDS - elapsed), min(wanted, _SHORTEST_SECONDS))
        self._rate = self._left / self._live_seconds

    def _live(self, follower: Follower, share: float, heading: str) -> None:
        """Sends a share of the live events at an even rate, and shows what moves."""
        screen = self._screen
        screen.heading(heading)
        waits_ms: list[float] = []
        first, began, seconds = self._books.events, time.monotonic(), self._live_seconds * share
        with LivePicture(screen.console, follower) as picture:
            while (elapsed := time.monotonic() - began) < seconds and self._left:
                sent = self._books.events - first
                if (due := int(elapsed * self._rate) - sent) > 0:
                    waits_ms.append(self._send_live(due))
                    picture.update(
                        self._truth.counts(),
                        f"{sent + due} live events, the newest visible after {waits_ms[-1]:.1f} ms",
                    )
                time.sleep(max(0.0, _BEAT_SECONDS - (time.monotonic() - began - elapsed)))
        if not screen.console.is_terminal:
            screen.segments(self._truth.counts(), follower)
        self._sum_up_live(follower, self._books.events - first, waits_ms)

    def _sum_up_live(self, follower: Follower, sent: int, waits_ms: Sequence[float]) -> None:
        self._screen.say(
            f"{render.number(sent)} events; durable, applied and visible after {np.median(waits_ms):.1f} ms"
            f" (median of calls of {sent / len(waits_ms):.0f} events)"
        )
        moved = sum(follower.joined.values()) + sum(follower.left.values())
        causes = ", ".join(f"{render.number(count)} by {cause}" for cause, count in follower.causes.most_common())
        self._screen.say(f"{render.number(moved)} joins and leaves so far: {causes}")

    @property
    def _left(self) -> int:
        """How many live events are still to come."""
        return len(self._shop.events) - self._books.events

    def _send_live(self, rows: int) -> float:
        """Sends the next events; returns the milliseconds until they were visible."""
        request = self._live_request(rows)
        began = time.monotonic()
        answer = self._client.call(self._client.services.events.IngestEvents, request)
        if answer.accepted != len(request.events):
            raise DemoFailed(f"{len(request.events)} live events were sent, {answer.accepted} taken")
        self._last_call = request
        return (time.monotonic() - began) * 1000

    def _live_request(self, rows: int) -> IngestEventsRequest:
        """The next rows as events of this moment; entered into the books."""
        now_ms, first = time.time_ns() // 1_000_000, self._books.events
        rows = min(rows, self._left)
        request = IngestEventsRequest()
        for row in range(first, first + rows):
            self._feed.fill(request.events.add(), row, now_ms)
        self._books.sent(rows, np.full(rows, now_ms))
        return request

    # ---------------------------------------------------------------- the crash

    def _crash(self) -> None:
        screen = self._screen
        screen.heading("kill -9, in the middle of a call")
        acknowledged = self._last_call
        assert acknowledged is not None, "live events were sent"
        under_way = self._live_request(min(100, self._left // 4))
        call = self._client.services.events.IngestEvents.future(under_way)
        self._child.kill()
        outcome = "had been acknowledged" if call.exception() is None else "was not acknowledged"
        screen.say(f"the server is gone; the call under way {outcome}")
        seconds = self._child.start()
        screen.say(
            f"process {self._child.pid} has loaded the snapshot, replayed the journal and answers after {seconds:.1f} s"
        )
        again = self._client.call(self._client.services.events.IngestEvents, under_way)
        self._truth.check(
            again.accepted + again.duplicates == len(under_way.events),
            f"the call sent again: {again.accepted} new, {again.duplicates} had been written before the crash",
        )
        twice = self._client.call(self._client.services.events.IngestEvents, acknowledged)
        self._truth.check(
            (twice.accepted, twice.duplicates) == (0, len(acknowledged.events)),
            f"the call acknowledged before it, sent again: {twice.duplicates} duplicates, nothing new",
        )
        events = self._client.status(at_least=twice.revision.token).counts.events
        self._truth.check(
            events == self._books.events,
            f"{render.number(events)} events there, {render.number(self._books.events)} sent: none lost, none twice",
        )
        self._truth.books_agree("The same books, after the restart")

    # ---------------------------------------------------------------- quiet

    def _settle(self, follower: Follower, before: CountMembersResponse) -> None:
        """No more events: who was browsing leaves by time alone. Then the stream must explain every count."""
        screen, truth = self._screen, self._truth
        screen.heading("Quiet: no events, only time")
        until = time.monotonic() + _QUIET_SECONDS
        while time.monotonic() < until and (browsing := truth.counts()["browsing-now"]):
            screen.say(f"{browsing:4} browsing now")
            time.sleep(2.0)
        truth.check(truth.counts()["browsing-now"] == 0, "nobody is browsing any more; time moved them out")
        truth.books_agree("The books once more")
        truth.stream_agrees(follower, before)

    # ---------------------------------------------------------------- a profile

    def _show_profile(self) -> None:
        """The user in the most segments, of those who get mail tonight."""
        named = (one for member in self._client.members("mail-tonight") for one in member.identifiers)
        users = [one for one in named if one.namespace == "user_id"][:_CANDIDATES]
        users = users or [Identifier("user_id", user_id(int(self._books.registered()[0])))]
        most = max(users, key=lambda one: len(self._client.segments_of(Subject((one,)))))
        self._screen.heading(f"One profile: {most.value}")
        request = GetProfileRequest(subject=requests.subject(Subject((most,))), page_size=5)
        answer = self._client.call(self._client.services.profiles.GetProfile, request)
        for part in profile_parts(answer):
            self._screen.console.print(part)

    def close(self) -> None:
        """Lets go of the connection."""
        self._client.close()
