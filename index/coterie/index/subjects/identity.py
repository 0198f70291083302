"""Identity: which subject an event's identifiers mean, as dense ids given out in order of arrival.

Owns the live sets, the ids' merges and (through `names`) the identifiers. Invariants: an identifier
belongs to one live subject; dense ids start at 1 and are never given out twice; a decisive identifier
(`user_id`, for accounts `account_id`) is never moved by an event. Equal calls in equal order give equal ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgpack
import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from coterie.index.model import ACCOUNT_ID, USER_ID, Identifier, SubjectKind
from coterie.index.storage.parts import FOLD, Lookup, Page, Pages
from coterie.index.subjects.names import Names

DenseIds = npt.NDArray[np.uint32]

NOBODY = 0

_DECISIVE = {SubjectKind.USER: USER_ID, SubjectKind.ACCOUNT: ACCOUNT_ID}
_CHUNK_BITS = 16  # canonical ids in one page: 64 k of them, 256 kB

_HEADER, _ALIVE, _KNOWN, _CANONICAL = b"header", b"live", b"known", b"canonical"


class Resolution(NamedTuple):
    """Whom identifiers mean. `absorbed` ended in `subject`; `parted` live on, but lost an identifier to it."""

    subject: int
    born: bool = False
    absorbed: tuple[int, ...] = ()
    parted: tuple[int, ...] = ()


class IdentityMap:
    """External identifiers to dense ids, for one subject kind."""

    def __init__(self, kind: SubjectKind, base: Lookup | None = None) -> None:
        self.kind = kind
        self.next_id = 1
        self.subjects = BitMap()  # live ones
        self.known = BitMap()  # live ones with a decisive identifier
        self._decisive = _DECISIVE[kind]
        self._names = Names(kind, base)
        # canonical[id]: id itself while it lives, the subject it was absorbed into, 0 when deleted.
        self._canonical: DenseIds = np.arange(1024, dtype=np.uint32)
        self._pages = Pages(self._encode_chunk)
        self._ended = 0  # how many ids do not stand for themselves
        self._absorbed: dict[int, list[int]] = {}  # by subject, whoever ended in it

    # ------------------------------------------------------------ asking

    def find(self, identifiers: Sequence[Identifier]) -> int | None:
        """Returns the subject that an event with these identifiers would count for, None if it would be a new one."""
        find = self._names.subject
        if len(identifiers) == 1:
            return find(identifiers[0]) or None
        return self._choose(identifiers, [find(identifier) for identifier in identifiers]) or None

    def find_many(self, identifiers: Sequence[Identifier]) -> DenseIds:
        """Returns whom each of many identifiers names, 0 for nobody."""
        return np.array(self._names.subjects(identifiers), dtype=np.uint32)

    def named(self, identifiers: Sequence[Identifier]) -> list[int]:
        """Returns whom each identifier names, 0 for nobody."""
        find = self._names.subject
        return [find(identifier) for identifier in identifiers]

    @property
    def recent(self) -> Callable[[Identifier], int | None]:
        """Tells whom an identifier names as far as memory knows: None or 0 is to be asked of `named`."""
        return self._names.recent

    def first_identifier(self, subject: int) -> Identifier | None:
        """Returns the oldest identifier of a subject; of an ended one its last first, until it is forgotten."""
        names = self._names.names(subject)
        return names[0] if names else None

    def identifiers_of(self, subject: int) -> tuple[Identifier, ...]:
        """Returns what names a live subject, oldest first; () for any other."""
        return self._names.names(subject) if subject in self.subjects else ()

    def is_known(self, subject: int) -> bool:
        """Tells whether a subject has a decisive identifier."""
        return subject in self.known

    def canonical(self, subjects: DenseIds) -> DenseIds:
        """Maps dense ids as once written to those who stand for them now: uint32, 0 for deleted subjects."""
        if not self._ended or not len(subjects):
            return subjects
        targets = self._canonical[subjects]
        beyond = self._canonical[targets]
        while (longer := beyond != targets).any():
            # Remember the shorter way, so that chains of merges are walked once.
            moved = subjects[longer]
            self._pages.touch_all(moved >> _CHUNK_BITS)
            self._canonical[moved] = beyond[longer]
            targets, beyond = beyond, self._canonical[beyond]
        return targets

    def written_ids(self, subjects: Iterable[int]) -> BitMap:
        """Returns the dense ids under which the events of live subjects were written: theirs, and of whom they absorbed."""
        written = BitMap(subjects)
        if self._absorbed:
            written.update([other for subject in written for other in self._absorbed.get(subject, ())])
        return written

    @property
    def size_bytes(self) -> int:
        """Roughly the memory held: ids, and names not yet in the store."""
        return self._canonical.nbytes + 250 * self._names.changed

    # ------------------------------------------------------------ changing

    def resolve(self, identifiers: Sequence[Identifier], found: list[int] | None = None) -> Resolution:
        """Returns whom an event's identifiers (at least one) mean, after attaching, merging and moving them.

        `found` is what `named` has just said of them.
        """
        found = found or self.named(identifiers)
        subject = found[0]
        if subject and found.count(subject) == len(found):
            return Resolution(subject)
        return self._settle(identifiers, found)

    def merge(self, absorbed: int, survivor: int) -> None:
        """Ends a live subject in another: identifiers and past go to the survivor."""
        assert absorbed in self.subjects, "only a live subject can be absorbed"
        assert survivor in self.subjects, "only a live subject can survive a merge"
        assert absorbed != survivor, "a subject cannot be merged with itself"
        names = self._names.names(absorbed)
        for identifier in names:
            self._names.assign(identifier, survivor)
        self._names.set_names(survivor, self._names.names(survivor) + names)
        if absorbed in self.known:
            self.known.add(survivor)
        self._absorbed.setdefault(survivor, []).extend([absorbed, *self._absorbed.pop(absorbed, ())])
        self._end(absorbed, survivor, names)

    def delete(self, subject: int) -> tuple[Identifier, ...]:
        """Ends a live subject for good and returns the identifiers that are free again."""
        assert subject in self.subjects, "only a live subject can be deleted"
        names = self._names.names(subject)
        for identifier in names:
            self._names.assign(identifier, NOBODY)
        self._absorbed.pop(subject, None)
        self._end(subject, NOBODY, names)
        return names

    def forget(self, subject: int) -> None:
        """Drops the name kept of an ended subject."""
        assert subject not in self.subjects, "a live subject keeps its names"
        self._names.set_names(subject, ())

    # ------------------------------------------------------------ how events settle who is who

    def _choose(self, identifiers: Sequence[Identifier], found: Sequence[int]) -> int:
        """Returns the subject the identifiers mean, 0 for one yet to be born."""
        decisive = False
        for identifier, subject in zip(identifiers, found, strict=True):
            if identifier[0] == self._decisive:
                if subject:
                    return subject
                decisive = True
        if not decisive:
            for subject in found:
                if subject in self.known:
                    return subject
        return min((subject for subject in found if subject and subject not in self.known), default=NOBODY)

    def _settle(self, identifiers: Sequence[Identifier], found: Sequence[int]) -> Resolution:
        chosen = self._choose(identifiers, found)
        subject = chosen or self._bear()
        decided = any(identifier[0] == self._decisive for identifier in identifiers)
        attached: dict[Identifier, None] = {}
        absorbed: list[int] = []
        parted: list[int] = []
        for identifier, other in zip(identifiers, found, strict=True):
            if other == NOBODY:
                attached[identifier] = None
            elif other == subject or other in absorbed:
                continue
            elif other not in self.known:
                absorbed.append(other)
            elif decided and identifier[0] != self._decisive:
                self._part(identifier, other)
                attached[identifier] = None
                if other not in parted:
                    parted.append(other)
        self._attach(subject, self._names.names(subject) if chosen else (), tuple(attached))
        for other in absorbed:
            self.merge(other, subject)
        return Resolution(subject, not chosen, tuple(absorbed), tuple(parted))

    def _bear(self) -> int:
        subject = self.next_id
        if subject >= 1 << 32:
            raise OverflowError("all dense ids are used up")
        self.next_id += 1
        if subject >= len(self._canonical):
            self._grow()
        self.subjects.add(subject)
        return subject

    def _attach(self, subject: int, names: tuple[Identifier, ...], identifiers: tuple[Identifier, ...]) -> None:
        """Adds identifiers to the names a subject has."""
        if not identifiers:
            return
        for identifier in identifiers:
            self._names.assign(identifier, subject)
            if identifier[0] == self._decisive:
                self.known.add(subject)
        self._names.set_names(subject, names + identifiers)

    def _part(self, identifier: Identifier, subject: int) -> None:
        """Takes an identifier from a subject with a decisive one, which therefore keeps at least that."""
        kept = tuple(name for name in self._names.names(subject) if name != identifier)
        assert kept, "a subject always keeps a name"
        self._names.set_names(subject, kept)

    def _end(self, subject: int, successor: int, names: tuple[Identifier, ...]) -> None:
        self._names.set_names(subject, names[:1])
        self.subjects.discard(subject)
        self.known.discard(subject)
        self._pages.touch(subject >> _CHUNK_BITS)
        self._canonical[subject] = successor
        self._ended += 1

    def _grow(self) -> None:
        """Adds ids that stand for themselves: at first doubling, then a page at a time (realloc moves, not copies)."""
        length = len(self._canonical)
        added = min(length, 1 << _CHUNK_BITS)
        self._canonical.resize(length + added, refcheck=False)
        self._canonical[length:] = np.arange(length, length + added, dtype=np.uint32)

    # ------------------------------------------------------------ snapshots

    def begin(self) -> Iterator[Page]:
        """Freezes the identity map (see `Part`); the sets of ids are written whole, they take bits."""
        header = msgpack.packb([self.next_id, self._ended])
        alive, known = self.subjects.serialize(), self.known.serialize()
        chunks, names = self._pages.begin(), self._names.freeze()

        def pages() -> Iterator[Page]:
            yield _HEADER, header
            yield _ALIVE, alive
            yield _KNOWN, known
            for number, chunk in chunks:
                yield _CANONICAL + number.to_bytes(4, "big"), chunk
            yield from names

        return pages()

    def end(self, committed: bool) -> None:
        """Forgets or takes back what was frozen (see `Part`)."""
        self._pages.end(committed)
        self._names.thaw(committed)

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        """Restores the identity map (see `Part`)."""
        chunks: dict[int, bytes] = {}
        for key, page in pages:
            if key == _HEADER:
                self.next_id, self._ended = msgpack.unpackb(page)
            elif key == _ALIVE:
                self.subjects = BitMap.deserialize(page)
            elif key == _KNOWN:
                self.known = BitMap.deserialize(page)
            elif key.startswith(_CANONICAL):
                chunks[int.from_bytes(key[len(_CANONICAL) :], "big")] = page
            elif key.startswith(FOLD):
                self._names.load(key, page)
        self._canonical = np.arange(max(1024, -(-self.next_id >> _CHUNK_BITS) << _CHUNK_BITS), dtype=np.uint32)
        for number, page in chunks.items():
            ids = np.frombuffer(page, dtype="<u4")
            start = number << _CHUNK_BITS
            self._canonical[start : start + len(ids)] = ids
        every = np.arange(self.next_id, dtype=np.uint32)
        ended = every[self._canonical[: self.next_id] != every]
        for absorbed, survivor in zip(ended.tolist(), self.canonical(ended).tolist(), strict=True):
            if survivor:
                self._absorbed.setdefault(survivor, []).append(absorbed)

    def _encode_chunk(self, number: int) -> bytes:
        start = number << _CHUNK_BITS
        # Up to the whole page, not to the newest id: ids given out later stand for themselves on loading.
        return self._canonical[start : start + (1 << _CHUNK_BITS)].astype("<u4").tobytes()
