"""How a stateful component takes part in snapshots: the `Part` protocol, and `Pages`, its usual workhorse.

A component's state is a set of pages (bytes under a key of its own choosing). A snapshot carries over
the pages that are not yielded. Invariant: every page a part yields shows the state at its `begin()`,
whatever happens to the live state between two items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias

import msgpack
import numpy as np
import numpy.typing as npt

Page: TypeAlias = tuple[bytes, bytes | None]
PageNumbers: TypeAlias = npt.NDArray[np.int64]

# The first byte of a page key can give the page a fate of its own.
ON_DEMAND = b"\xff"  # kept, but not handed to load(): read one by one through `PageReader`
FOLD = b"\xfe"  # a list of entries for the sorted databases, moved there after the commit (see `fold_page`)

MAX_PAGE_KEY_BYTES = 200  # even all zeros, which are escaped, it leaves room for the part's name and the generation


class Part(Protocol):
    """A stateful component, as snapshots see it. All three calls happen on the engine's thread."""

    def begin(self) -> Iterator[Page]:
        """Freezes an image of the state as of this call and yields its changed pages; None: page removed.

        The freeze happens in the call itself, not at the first item (so `begin` is not a generator
        function). An item is about 1 ms of work and 4 MB at most; live changes go on between items.
        """

    def end(self, committed: bool) -> None:
        """The snapshot is durable (forget what was dirty), or it failed (all it yielded is dirty again)."""

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        """Restores the state, into a fresh component, from the pages in the order of their keys."""


class PageReader(Protocol):
    """Reads the last committed version of single pages; raises DataLoss for a damaged one."""

    def read(self, part: str, page: bytes) -> bytes | None:
        """Returns the page, or None where there is none."""


class Lookup(Protocol):
    """Reads the sorted databases that `FOLD` pages are moved into; raises DataLoss for a damaged value."""

    def lookup(self, database: str, key: bytes) -> bytes | None:
        """Returns the value under a key as of the last snapshot, or None."""

    def lookup_many(self, database: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Returns the values under those of the keys that have one."""


FoldEntry: TypeAlias = tuple[str, bytes, bytes | None]  # database, key, value (None: remove)


def fold_page(entries: Iterable[FoldEntry]) -> bytes:
    """Packs entries for the sorted databases; a few thousand to a page."""
    packed: bytes = msgpack.packb(list(entries))
    return packed


def unfold_page(page: bytes) -> list[FoldEntry]:
    """Unpacks what `fold_page` packed."""
    entries: list[FoldEntry] = msgpack.unpackb(page, use_list=False)
    return list(entries)


_CLEAN, _DIRTY, _AWAITED = 0, 1, 2


class Pages:
    """Which of a component's numbered pages are dirty, and images of those changed while a snapshot runs.

    `encode(number)` gives a page's bytes as they are now. The owner calls `touch` before it changes a
    page; one that the running snapshot still awaits is then encoded first.
    """

    def __init__(self, encode: Callable[[int], bytes | None]) -> None:
        self._encode = encode
        self._states = np.zeros(16, dtype=np.uint8)
        self._images: dict[int, bytes | None] = {}
        self._frozen: list[int] = []

    def touch(self, number: int) -> None:
        """Says that the page is about to change."""
        try:
            state = self._states[number]
        except IndexError:
            self._grow(number)
            state = _CLEAN
        if state != _DIRTY:
            if state == _AWAITED:
                self._images[number] = self._encode(number)
            self._states[number] = _DIRTY

    def touch_all(self, numbers: PageNumbers) -> None:
        """Says that these pages (repeats allowed) are about to change."""
        if not len(numbers):
            return
        try:
            states = self._states[numbers]
        except IndexError:
            self._grow(int(numbers.max()))
            states = self._states[numbers]
        if (states != _DIRTY).any():
            for number in np.unique(numbers[states != _DIRTY]).tolist():
                self.touch(number)

    def begin(self) -> Iterator[tuple[int, bytes | None]]:
        """Freezes the dirty pages and yields (number, bytes as of this call), encoding lazily."""
        assert not self._frozen, "the snapshot before has not ended"
        self._frozen = np.flatnonzero(self._states == _DIRTY).tolist()
        self._states[self._frozen] = _AWAITED
        return self._frozen_pages()

    def end(self, committed: bool) -> None:
        """Ends the snapshot; after a failed one its pages are dirty again."""
        awaited = self._states == _AWAITED
        self._states[awaited] = _CLEAN
        if not committed:
            self._states[self._frozen] = _DIRTY
        self._frozen = []
        self._images = {}

    def _frozen_pages(self) -> Iterator[tuple[int, bytes | None]]:
        for number in self._frozen:
            if self._states[number] == _AWAITED:
                self._states[number] = _CLEAN
                yield number, self._encode(number)
            else:
                yield number, self._images.pop(number)

    def _grow(self, number: int) -> None:
        grown = np.zeros(max(number + 1, 2 * len(self._states)), dtype=np.uint8)
        grown[: len(self._states)] = self._states
        self._states = grown
