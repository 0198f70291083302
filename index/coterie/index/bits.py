"""The durable pages of bitmaps that change bit by bit: conditions, lists, frozen segments.

Owns which bitmaps are dirty and, while a snapshot runs, images of those about to change. Invariant: `touch` is
called before a bitmap changes and for every new one, so a page shows it as of the snapshot's beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from pyroaring import BitMap

from coterie.index.storage.parts import Page


class Held(Protocol):
    """Something with a bitmap and a page key of its own."""

    bits: BitMap

    @property
    def page_key(self) -> bytes:
        """Under which key the bitmap is stored."""


class BitPages:
    """Dirtiness and images of bitmaps, by page key."""

    def __init__(self) -> None:
        self._dirty: set[bytes] = set()
        self._stored: set[bytes] = set()  # keys with a durable page
        self._awaited: dict[bytes, Held] = {}
        self._early: list[Page] = []
        self._saving: set[bytes] = set()
        self._removing: set[bytes] = set()

    def touch(self, held: Held) -> None:
        """Must be called before a bitmap changes, and for each new one: its key may have been another's before."""
        key = held.page_key
        self._dirty.add(key)
        awaited = self._awaited.pop(key, None) if self._awaited else None
        if awaited is not None:
            self._early.append((key, awaited.bits.serialize()))

    def begin(self, current: Iterable[Held]) -> Iterator[Page]:
        """Yields the bitmaps that changed since the last snapshot, of those that exist now."""
        exist = {held.page_key: held for held in current}
        self._saving = {key for key in exist if key in self._dirty or key not in self._stored}
        self._removing = self._stored - set(exist)
        self._awaited = {key: exist[key] for key in self._saving}
        self._dirty = set()
        return self._pages()

    def _pages(self) -> Iterator[Page]:
        for key in self._removing:
            yield key, None
        while self._awaited or self._early:
            if self._early:
                yield self._early.pop()
            else:
                key, held = self._awaited.popitem()
                yield key, held.bits.serialize()

    def end(self, committed: bool) -> None:
        """Remembers what is durable."""
        if committed:
            self._stored = (self._stored | self._saving) - self._removing
        else:
            self._dirty |= self._saving
        self._awaited, self._early, self._saving, self._removing = {}, [], set(), set()

    def loaded(self, keys: Iterable[bytes]) -> None:
        """These pages are durable."""
        self._stored = set(keys)
