# ruff: noqa: D102 - a call is what its name in the service says
"""The acceptance suite's backend over gRPC: a real server on a real directory, called through the Python client.

Owns the server and the client. Invariant: nothing but the public interface is used, except that the test owns
the server's clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coterie.client import Change, Client, Event, Subject
from coterie.client.types import Identifier, Ingested
from coterie.index import model
from coterie.index.model import ANONYMOUS_ID, USER_ID, Mode, SubjectKind, Universe
from tests.backend import USER, Answer, Moved, Names, Position
from tests.threaded_server import ThreadedServer, running

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK = "clock"  # a list nobody is on; renaming it is a write that changes nothing else
KINDS = {SubjectKind.USER: "user", SubjectKind.ACCOUNT: "account"}


class OverGrpc:
    """A server with one dataset, seen through `coterie.client`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._server, self._client = self._start()
        self._client.create_list(CLOCK)
        self._now = _ms(self._client.status().now.ToDatetime(UTC))

    def _start(self) -> tuple[ThreadedServer, Client]:
        server = self._open.enter_context(running(self._folder))
        return server, self._open.enter_context(Client(server.target))

    @property
    def target(self) -> str:
        """The server's address."""
        return self._server.target

    def now(self) -> int:
        return self._now

    def advance_to(self, now: int) -> None:
        self._now = now
        self._server.set_clock(now)
        self._client.update_segment(CLOCK, display_name=f"at {now}")  # waits for everything due until then

    # ------------------------------------------------------------ writes

    def ingest(self, events: Sequence[model.Event]) -> Answer:
        return _answer(self._client.ingest([_event(event) for event in events], partial=True))

    def set_attributes(self, who: Names, values: dict[str, model.Value | None], kind: SubjectKind = USER) -> Answer:
        attributes = {name: None if value is None else _value(value) for name, value in values.items()}
        return _answer(self._client.set_attributes(_subject(who, kind), attributes, partial=True))

    def merge(self, absorbed: model.Identifier, survivor: model.Identifier) -> None:
        self._client.merge(_subject((absorbed,)), _subject((survivor,)))

    def forget(self, who: model.Identifier) -> None:
        self._client.delete_subject(_subject((who,)))

    def create(
        self,
        segment: str,
        rule: str,
        kind: SubjectKind = USER,
        universe: Universe = Universe.ALL,
        mode: Mode = Mode.LIVE,
        ttl_ms: int = 0,
    ) -> None:
        self._client.create_segment(
            segment, rule, of=KINDS[kind], universe=universe.name.lower(), mode=mode.name.lower(),  # type: ignore[arg-type]
            ttl=timedelta(milliseconds=ttl_ms) if ttl_ms else None, wait=True,
        )  # fmt: skip

    def edit(self, segment: str, rule: str) -> None:
        self._client.update_segment(segment, rule=rule, wait=True)

    def delete(self, segment: str) -> None:
        self._client.delete_segment(segment)

    def create_list(self, segment: str) -> None:
        self._client.create_list(segment)

    def add(self, segment: str, who: Iterable[model.Identifier]) -> None:
        self._client.add_members(segment, [_subject((name,)) for name in who])

    def remove(self, segment: str, who: Iterable[model.Identifier]) -> None:
        self._client.remove_members(segment, [_subject((name,)) for name in who])

    # ------------------------------------------------------------ reads

    def check(self, who: model.Identifier, segment: str) -> bool:
        return self._client.check(_subject((who,)), segment)

    def segments_of(self, who: model.Identifier) -> set[str]:
        return {found.segment for found in self._client.segments_of(_subject((who,)))}

    def members(self, expression: str, kind: SubjectKind = USER) -> list[str]:
        return [member.id for member in self._client.members(expression, of=KINDS[kind])]  # type: ignore[arg-type]

    def count(self, expression: str, kind: SubjectKind = USER) -> int:
        return self._client.count(expression, of=KINDS[kind])  # type: ignore[arg-type]

    def position(self) -> Position:
        return Position(self._client.status().revision.token)

    def changes(self, since: Position) -> list[Moved]:
        """Watches from there until everything up to now has been seen."""
        end, seen = self.position().token, []
        with self._client.watch(since=since.token, progress_ms=100) as watch:

            def follow() -> None:
                seen.extend(found for found in watch if isinstance(found, Change))

            follower = threading.Thread(target=follow)
            follower.start()
            deadline = time.monotonic() + 10
            while watch.revision != end and time.monotonic() < deadline:
                time.sleep(0.001)
        follower.join(10)
        assert watch.revision == end, "the watch came to the present"
        return [Moved(found.segment, found.subject.value, found.joined, found.cause) for found in seen]

    # ------------------------------------------------------------ restarts

    def reopen(self) -> None:
        self._open.close()
        self._server, self._client = self._start()
        self._server.set_clock(self._now)

    def close(self) -> None:
        self._open.close()


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _time(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def _value(value: model.Value) -> str | float | bool | datetime | list[str]:
    if type(value) is int:
        return _time(value)
    return list(value) if isinstance(value, tuple) else value


def _event(event: model.Event) -> Event:
    names = dict(event.identifiers)
    return Event(
        event.type,
        user_id=names.pop(USER_ID, ""),
        anonymous_id=names.pop(ANONYMOUS_ID, ""),
        account_id=event.account_id or "",
        time=None if event.time is None else _time(event.time),
        properties={name: _value(value) for name, value in event.properties.items()},
        context={name: _value(value) for name, value in event.context.items()},
        identifiers=names,
        event_id=event.event_id,
    )


def _subject(names: Names, kind: SubjectKind = USER) -> Subject:
    return Subject(tuple(Identifier(*name) for name in names), KINDS[kind])  # type: ignore[arg-type]


def _answer(ingested: Ingested) -> Answer:
    refused = [(one.index, one.reason, one.field) for one in ingested.refused]
    return Answer(ingested.accepted, ingested.duplicates, refused)
