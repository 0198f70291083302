"""WatchMembership: joins and leaves as they happen, without gaps.

A watcher owns nothing but the last revision it has been told; the engine's change log is its buffer. Invariants:
after the progress message of a revision everything up to it has been sent, and nothing is sent twice; a live
watcher that falls too far behind is cut with WATCH_LAGGED and can resume where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from coterie.index.errors import FieldInvalid, RevisionCompacted, Unavailable, WatchLagged
from coterie.index.model import Change, ChangeEntry
from coterie.server.convert.changes import messages_of, progress_message
from coterie.server.dataset import Dataset

_GULP_MEMBERS = 20_000  # taken from the log at a time, and at least one revision
_MIN_PROGRESS_MS, _MAX_PROGRESS_MS = 100, 3_600_000


@dataclass(frozen=True, slots=True)
class WatchQuestion:
    """What is watched: which segments (None: all), after which revision's token (None: from now on)."""

    segments: frozenset[str] | None
    after: str | None
    progress_interval_ms: int


class Watcher:
    """One stream of changes."""

    def __init__(self, dataset: Dataset, question: WatchQuestion) -> None:
        for name in sorted(question.segments or ()):
            dataset.engine.segment(name)
        self._dataset = dataset
        self._segments = question.segments
        self._interval_s = _interval_ms(question.progress_interval_ms, dataset.settings.watch_progress_ms) / 1000
        self._told = dataset.engine.revision
        if question.after is not None:
            self._told = dataset.tokens.read_revision(question.after, "after.token")
            if self._told > dataset.engine.revision:
                raise FieldInvalid("after.token", "that revision has not been reached yet")

    async def messages(self) -> AsyncIterator[Any]:
        """Yields messages until the caller, or the server, ends the watch."""
        dataset = self._dataset
        loop = asyncio.get_running_loop()
        self._check_kept()
        yield progress_message(dataset.tokens, self._told, dataset.engine.now)
        quiet_until = loop.time() + self._interval_s
        while True:
            entries, through, now = self._take()
            if entries:
                async for message in self._changes(entries):
                    yield message
            self._told = through
            if entries or loop.time() >= quiet_until:
                yield progress_message(dataset.tokens, through, now)
                quiet_until = loop.time() + self._interval_s
            if dataset.engine.revision == self._told:
                await dataset.progress.past(self._told, quiet_until - loop.time())
            if dataset.progress.closed:
                raise Unavailable("the watch ends because the server is stopping; resume after the last progress")

    async def _changes(self, entries: list[ChangeEntry]) -> AsyncIterator[Any]:
        """Yields the messages of some entries, and cuts a watcher that took too long to read them."""
        dataset = self._dataset
        changed_before = dataset.progress.members_changed
        for entry in entries:
            for message in messages_of(entry, dataset.name_of, dataset.tokens, dataset.settings.watch_message_members):
                yield message
        behind = dataset.progress.members_changed - changed_before
        most = dataset.settings.watch_buffer + sum(map(_members, entries))
        if behind > most:
            raise WatchLagged(
                f"the watch fell {behind} members behind, more than {most}; resume after its last progress",
                behind=behind,
                last=dataset.tokens.revision(self._told),
            )

    def _check_kept(self) -> None:
        """Raises where the log no longer reaches back to where the watch begins."""
        engine = self._dataset.engine
        if self._told < engine.changes.oldest:
            raise RevisionCompacted(self._dataset.tokens.revision(engine.changes.oldest))

    def _take(self) -> tuple[list[ChangeEntry], int, int]:
        """Returns entries of whole revisions after the last one told, the revision they reach, and its time."""
        self._check_kept()
        engine = self._dataset.engine
        entries: list[ChangeEntry] = []
        members = 0
        for entry in engine.changes.since(self._told, self._segments):
            if members >= _GULP_MEMBERS and entry.revision != entries[-1].revision:
                return entries, entries[-1].revision, entries[-1].at
            entries.append(entry)
            members += _members(entry)
        return entries, engine.revision, engine.now


def _members(entry: ChangeEntry) -> int:
    return len(entry.joined) + len(entry.left) if isinstance(entry, Change) else 1


def _interval_ms(given: int, default: int) -> int:
    if not given:
        return default
    if not _MIN_PROGRESS_MS <= given <= _MAX_PROGRESS_MS:
        raise FieldInvalid("progress_interval_ms", f"must lie between {_MIN_PROGRESS_MS} and {_MAX_PROGRESS_MS}")
    return given
