"""The property values that first, last, smallest and largest keep, as a kind and 64 bits each.

Numbers, instants and truths are their own bits; texts and lists are codes, given in order of first use and
never taken back. Owns the two dictionaries. Invariant: a code, once given, means the same value for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgpack
import numpy as np
from numpy.typing import NDArray

from coterie.index.model import Value, ValueKind, kind_of
from coterie.index.storage.parts import Page
from coterie.index.texts import Words
from coterie.index.views import ColumnView

Ints = NDArray[np.int64]

TIME_ONLY = 6  # the kind where no property is named; 1-5 are value kinds, 0 is an empty cell
_PAGE_VALUES = 10_000


class Codes:
    """Encodes and decodes kept values."""

    def __init__(self) -> None:
        self._texts = Words()
        self._lists: dict[tuple[str, ...], int] = {}
        self._saved = self._saving = (0, 0)  # texts and lists that are durable

    def encode(self, values: list[Value | None]) -> tuple[NDArray[np.uint8], Ints]:
        """Returns kinds and bits of values; None where only the time is kept."""
        kinds, encoded = np.full(len(values), TIME_ONLY, np.uint8), np.zeros(len(values), np.int64)
        if values.count(None) == len(values):
            return kinds, encoded
        for position, value in enumerate(values):
            if value is None:
                continue
            kinds[position] = kind_of(value)
            if isinstance(value, str):
                encoded[position] = self._texts.code(value)
            elif isinstance(value, tuple):
                encoded[position] = self._lists.setdefault(value, len(self._lists))
            elif isinstance(value, float):
                encoded[position] = np.float64(value).view(np.int64)
            else:
                encoded[position] = int(value)
        return kinds, encoded

    def text_code(self, text: str | None) -> int:
        """Returns the code of a text, from 1; 0 for none."""
        return 0 if text is None else self._texts.code(text) + 1

    def text(self, code: int) -> str | None:
        """Returns the text of a code."""
        return self._texts[code - 1] if code else None

    def view(self, kinds: Ints, values: Ints) -> ColumnView:
        """Returns kept values as a column."""
        return ColumnView(
            rows=len(kinds),
            numbers=(values.view(np.float64), kinds == ValueKind.NUMBER),
            texts=(np.where(kinds == ValueKind.TEXT, values, -1), self._texts),
            booleans=(values != 0, kinds == ValueKind.BOOLEAN),
            instants=(values, kinds == ValueKind.INSTANT),
            lists=self._lists_of(values, kinds == ValueKind.LIST),
        )

    def _lists_of(self, codes: Ints, present: NDArray[np.bool_]) -> list[tuple[str, ...] | None] | None:
        if not present.any():
            return None
        by_code = list(self._lists)
        return [by_code[code] if held else None for code, held in zip(codes.tolist(), present.tolist(), strict=True)]

    # ------------------------------------------------------------ snapshot

    def begin(self) -> Iterator[Page]:
        """Yields the values added since the last snapshot."""
        (texts, lists), self._saving = self._saved, (len(self._texts), len(self._lists))
        fresh_texts, fresh_lists = self._texts[texts:], list(self._lists)[lists:]
        return iter([*_pages(b"texts", texts, fresh_texts), *_pages(b"lists", lists, fresh_lists)])

    def end(self, committed: bool) -> None:
        """Remembers what is durable."""
        if committed:
            self._saved = self._saving

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        """Reads the values back in the order of their codes."""
        for key, page in sorted(pages):
            for value in msgpack.unpackb(page):
                if key.startswith(b"texts"):
                    self._texts.code(value)
                else:
                    self._lists.setdefault(tuple(value), len(self._lists))
        self._saved = (len(self._texts), len(self._lists))


def _pages(kind: bytes, start: int, values: list[str] | list[tuple[str, ...]]) -> Iterator[Page]:
    for offset in range(0, len(values), _PAGE_VALUES):
        yield kind + (start + offset).to_bytes(8, "big"), msgpack.packb(values[offset : offset + _PAGE_VALUES])
