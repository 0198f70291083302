"""Dictionaries of text, and the tests of a single text that numpy has no word for.

A text column holds codes into a `Words`; whatever is asked of its texts is asked once per entry and
remembered. Invariants: a code never changes its meaning; code -1 is a missing text and fails every test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bools: TypeAlias = npt.NDArray[np.bool_]
Verdicts: TypeAlias = npt.NDArray[np.uint8]
TextTest: TypeAlias = Callable[[str], bool]

_UNKNOWN = 2  # beside 0 and 1 in verdicts
_ALL_AT_ONCE = 4096  # dictionaries up to this size are tested whole, larger ones as codes turn up
_REMEMBERED_TESTS = 1024


class Words(Sequence[str]):
    """Different texts by code, from 0; grows at the end only."""

    __slots__ = ("_codes", "_values", "_verdicts")

    def __init__(self, values: Iterable[str] = (), codes: dict[str, int] | None = None) -> None:
        self._values = list(values)
        self._codes = codes
        self._verdicts: dict[TextTest, Verdicts] = {}

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, code: int) -> str: ...
    @overload
    def __getitem__(self, code: slice) -> list[str]: ...
    def __getitem__(self, code: int | slice) -> str | list[str]:
        return self._values[code]

    def find(self, text: str) -> int:
        """Returns the code of a text, -1 where no entry has it."""
        if self._codes is None:
            self._codes = {value: code for code, value in enumerate(self._values)}
        return self._codes.get(text, -1)

    def code(self, text: str) -> int:
        """Returns the code of a text, a new one where it is new."""
        code = self.find(text)
        if code < 0:
            assert self._codes is not None
            code = self._codes[text] = len(self._values)
            self._values.append(text)
        return code

    def texts(self, codes: npt.NDArray[np.integer[Any]]) -> list[str]:
        """Returns the texts of codes that have one."""
        values = self._values
        return [values[code] for code in codes.tolist()]

    def test(self, codes: npt.NDArray[Any], test: TextTest) -> Bools:
        """Returns which rows hold a text that passes the test."""
        known = self._verdicts.get(test)
        if known is None or len(known) <= len(self):
            known = self._extend(test, known)
        result: Verdicts = known[codes]
        if len(known) > _ALL_AT_ONCE and (unknown := result == _UNKNOWN).any():
            for code in np.unique(codes[unknown]).tolist():
                known[code] = test(self[code])
            result = known[codes]
        return result.view(np.bool_)  # 0 and 1 are False and True

    def _extend(self, test: TextTest, known: Verdicts | None) -> Verdicts:
        """Makes room for every entry, and a last False, where code -1 finds it."""
        size, done = len(self), 0 if known is None else len(known) - 1
        verdicts = np.full(size + 1, _UNKNOWN, dtype=np.uint8)
        verdicts[size] = 0
        if known is not None:
            verdicts[:done] = known[:done]
        if size < _ALL_AT_ONCE:  # so none was left unknown before, either
            verdicts[done:size] = [test(text) for text in self[done:size]]
        if len(self._verdicts) >= _REMEMBERED_TESTS:
            self._verdicts.clear()
        self._verdicts[test] = verdicts
        return verdicts


class StoredWords(Words):
    """Words kept in an Arrow array, for dictionaries too large to be unpacked at a stroke; it never grows."""

    __slots__ = ("_found", "_stored")

    def __init__(self, stored: pa.StringArray) -> None:
        super().__init__()
        self._stored = stored
        self._found: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._stored)

    @overload
    def __getitem__(self, code: int) -> str: ...
    @overload
    def __getitem__(self, code: slice) -> list[str]: ...
    def __getitem__(self, code: int | slice) -> str | list[str]:
        found = self._stored[code]
        unpacked: str | list[str] = found.to_pylist() if isinstance(code, slice) else found.as_py()
        return unpacked

    def texts(self, codes: npt.NDArray[np.integer[Any]]) -> list[str]:
        """Returns the texts of codes that have one, unpacked together."""
        unpacked: list[str] = self._stored.take(pa.array(codes)).to_pylist()
        return unpacked

    def find(self, text: str) -> int:
        """Returns the code of a text, -1 where no entry has it."""
        code = self._found.get(text)
        if code is None:
            if len(self._found) >= _REMEMBERED_TESTS:
                self._found.clear()
            code = self._found[text] = pc.index(self._stored, text).as_py()
        return code

    def code(self, text: str) -> int:
        """Refuses: stored words do not grow."""
        raise TypeError(f"stored words do not grow: {text!r}")


def stored_words(stored: pa.StringArray) -> Words:
    """Returns the entries of an Arrow array as words, unpacked where they are few."""
    return StoredWords(stored) if len(stored) >= _ALL_AT_ONCE else Words(stored.to_pylist())


def words_of(dictionary: Sequence[str]) -> Words:
    """Returns the sequence itself if it is a `Words`, else one made of it."""
    return dictionary if isinstance(dictionary, Words) else Words(dictionary)


VersionKey: TypeAlias = tuple[tuple[int, str], ...]


def version_key(text: str) -> VersionKey | None:
    """Returns what orders dotted versions part by part as numbers (4.10 after 4.9, 4.2 equal to 4.2.0).

    None where the text is no version. A part is (number of digits, digits), which orders numbers of any length.
    """
    parts = []
    for part in text.split("."):
        if not (part.isascii() and part.isdigit()):
            return None
        digits = part.lstrip("0")
        parts.append((len(digits), digits))
    while parts and not parts[-1][0]:
        parts.pop()
    return tuple(parts)


def wildcard_test(pattern: str) -> TextTest:
    """Returns a test for a pattern in which `*` is any run of characters and `?` any one.

    The pieces between stars are found from left to right, each as early as possible, so no choice is ever
    taken back: time is linear in the text, whatever the pattern.
    """
    first, *rest = [_piece(piece) for piece in pattern.split("*")]
    if not rest:
        return lambda text: len(text) == first.length and first.at(text, 0)
    *middle, last = rest

    def matches(text: str) -> bool:
        end = len(text) - last.length
        if end < first.length or not first.at(text, 0) or not last.at(text, end):
            return False
        position = first.length
        for piece in middle:
            position = piece.find(text, position, end)
            if position < 0:
                return False
            position += piece.length
        return position <= end

    return matches


def _piece(piece: str) -> _Piece:
    return _BlankedPiece(piece) if "?" in piece else _Piece(piece)


class _Piece:
    """Plain characters between two stars."""

    def __init__(self, piece: str) -> None:
        self.piece, self.length = piece, len(piece)

    def at(self, text: str, position: int) -> bool:
        """Whether the piece stands at that position (the text is long enough)."""
        return text.startswith(self.piece, position)

    def find(self, text: str, begin: int, end: int) -> int:
        """The first position of the piece in `text[begin:end]`, -1 where there is none."""
        return text.find(self.piece, begin, end)


class _BlankedPiece(_Piece):
    """A piece with `?` in it, found by the shift-and algorithm: bit i says that its first i + 1 characters just passed."""

    def __init__(self, piece: str) -> None:
        super().__init__(piece)
        self._any = sum(1 << index for index, character in enumerate(piece) if character == "?")
        self._accepts: dict[str, int] = {}
        for index, character in enumerate(piece):
            if character != "?":
                self._accepts[character] = self._accepts.get(character, self._any) | 1 << index

    def at(self, text: str, position: int) -> bool:
        return all(wanted in ("?", text[position + index]) for index, wanted in enumerate(self.piece))

    def find(self, text: str, begin: int, end: int) -> int:
        passed, whole = 0, 1 << (self.length - 1)
        for position in range(begin, end):
            passed = (passed << 1 | 1) & self._accepts.get(text[position], self._any)
            if passed & whole:
                return position - self.length + 1
        return -1
