"""Which identifiers name which subject: two maps, layered over the state store.

Owns the entries that are newer than the last snapshot; older ones are read from the store's sorted
databases `identifiers` (name -> dense id) and `subjects` (dense id -> names). Invariant: memory follows
what changed since the last snapshot, not the number of subjects.

Byte layouts: an identifier's key is the kind (1 byte), the namespace, 00 and the value, in UTF-8; where
that is longer than 480 bytes, its first 464 bytes and the xxh3-128 of the whole. Its value is the dense
id (u32 big-endian). A subject's key is the kind and the dense id (u32 big-endian); its value a msgpack
array [namespace, value, namespace, value, …], oldest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final

import msgpack
import xxhash

from coterie.index.model import Identifier, SubjectKind
from coterie.index.storage.parts import FOLD, FoldEntry, Lookup, Page, fold_page, unfold_page
from coterie.index.subjects.layers import Layers

IDENTIFIERS = "identifiers"
SUBJECTS = "subjects"

_pack: Final[Callable[[Any], bytes]] = msgpack.Packer(autoreset=True).pack  # made once: that costs as much as packing
_LONGEST_KEY = 480  # LMDB takes 511 bytes
_PAGE_ENTRIES = 500  # about a millisecond of packing


def identifier_key(kind: SubjectKind, identifier: Identifier) -> bytes:
    """Returns the key of an identifier in the sorted database."""
    namespace, value = identifier
    key = _key_prefix(kind, namespace) + value.encode()
    if len(key) > _LONGEST_KEY:
        return key[: _LONGEST_KEY - 16] + xxhash.xxh3_128_digest(key)
    return key


@lru_cache(maxsize=1_024)
def _key_prefix(kind: SubjectKind, namespace: str) -> bytes:
    return b"%c%b\0" % (kind, namespace.encode())


def subject_key(kind: SubjectKind, subject: int) -> bytes:
    """Returns the key of a subject in the sorted database."""
    return kind.to_bytes(1, "big") + subject.to_bytes(4, "big")


def pack_names(names: tuple[Identifier, ...]) -> bytes:
    """Packs a subject's identifiers."""
    return _pack(list(chain.from_iterable(names)))


def unpack_names(packed: bytes) -> tuple[Identifier, ...]:
    """Unpacks a subject's identifiers."""
    flat = msgpack.unpackb(packed)
    return tuple(map(Identifier, flat[::2], flat[1::2]))


class Names:
    """Both directions of naming for one subject kind; dense id 0 stands for nobody, () for no names."""

    def __init__(self, kind: SubjectKind, base: Lookup | None) -> None:
        self._kind = kind
        self._base = base
        self._subjects: Layers[Identifier, int] = Layers()
        self._names: Layers[int, tuple[Identifier, ...]] = Layers()
        self._unfolded: dict[tuple[str, bytes], bytes | None] = {}
        self._unfolded_pages: list[bytes] = []

    def subject(self, identifier: Identifier) -> int:
        """Returns whom an identifier names, 0 for nobody."""
        subject = self._subjects.live.get(identifier)
        if subject is None:
            subject = self._subjects.get(identifier)
            if subject is None:
                return self._read_subject(identifier)
        return subject

    @property
    def recent(self) -> Callable[[Identifier], int | None]:
        """Tells whom an identifier names as far as memory knows; good until the next snapshot begins or ends."""
        return self._subjects.reader()

    def subjects(self, identifiers: Sequence[Identifier]) -> list[int]:
        """Returns whom each of many identifiers names, 0 for nobody; what memory does not know is read together."""
        found = list(map(self.recent, identifiers))
        missing = [row for row, subject in enumerate(found) if subject is None]
        keys = {row: identifier_key(self._kind, identifiers[row]) for row in missing} if self._base is not None else {}
        # Entries that are not in the sorted database yet are few, and asked for one by one.
        apart = {row for row, key in keys.items() if (IDENTIFIERS, key) in self._unfolded} if self._unfolded else set()
        read = [key for row, key in keys.items() if row not in apart]
        packed = self._base.lookup_many(IDENTIFIERS, read) if self._base is not None and read else {}
        for row, key in keys.items():
            if row in apart:
                found[row] = self._read_subject(identifiers[row])
            elif (value := packed.get(key)) is not None:
                subject = found[row] = int.from_bytes(value, "big")
                self._subjects.remember(identifiers[row], subject)
        return [subject or 0 for subject in found]

    def names(self, subject: int) -> tuple[Identifier, ...]:
        """Returns what names a subject, oldest first."""
        names = self._names.get(subject)
        return self._read_names(subject) if names is None else names

    def assign(self, identifier: Identifier, subject: int) -> None:
        """Lets an identifier name a subject, or nobody (0)."""
        self._subjects.put(identifier, subject)

    def set_names(self, subject: int, names: tuple[Identifier, ...]) -> None:
        """Sets what names a subject."""
        self._names.put(subject, names)

    @property
    def changed(self) -> int:
        """How many entries memory holds that the store has not."""
        return sum(len(layers.live) + len(layers.frozen) for layers in (self._subjects, self._names))

    def freeze(self) -> Iterator[Page]:
        """Sets the changes apart and yields them as pages to fold into the store, in key order of the pages."""
        unfolded = ((database, key, value) for (database, key), value in self._unfolded.items())
        subjects = self._subject_entries(self._subjects.freeze())
        names = self._name_entries(self._names.freeze())
        replaced: list[Page] = [(key, None) for key in self._unfolded_pages]
        return chain(replaced, self._fold_pages(chain(unfolded, subjects, names)))

    def thaw(self, committed: bool) -> None:
        """Forgets the changes set apart, or takes them back."""
        self._subjects.thaw(committed)
        self._names.thaw(committed)
        if committed:
            self._unfolded, self._unfolded_pages = {}, []

    def load(self, key: bytes, page: bytes) -> None:
        """Takes back a page that was committed but not folded yet; it is part of the next snapshot again."""
        self._unfolded_pages.append(key)
        for database, entry, value in unfold_page(page):
            self._unfolded[database, entry] = value

    def _read_subject(self, identifier: Identifier) -> int:
        if self._base is None:
            return 0
        packed = self._read(IDENTIFIERS, identifier_key(self._kind, identifier))
        if packed is None:
            return 0
        subject = int.from_bytes(packed, "big")
        self._subjects.remember(identifier, subject)
        return subject

    def _read_names(self, subject: int) -> tuple[Identifier, ...]:
        packed = self._read(SUBJECTS, subject_key(self._kind, subject))
        if packed is None:
            return ()
        names = unpack_names(packed)
        self._names.remember(subject, names)
        return names

    def _read(self, database: str, key: bytes) -> bytes | None:
        if self._unfolded and (database, key) in self._unfolded:
            return self._unfolded[database, key]
        return self._base.lookup(database, key) if self._base is not None else None

    def _subject_entries(self, subjects: dict[Identifier, int]) -> Iterable[FoldEntry]:
        for identifier, subject in subjects.items():
            yield IDENTIFIERS, identifier_key(self._kind, identifier), subject.to_bytes(4, "big") if subject else None

    def _name_entries(self, names: dict[int, tuple[Identifier, ...]]) -> Iterable[FoldEntry]:
        for subject, named in names.items():
            yield SUBJECTS, subject_key(self._kind, subject), pack_names(named) if named else None

    @staticmethod
    def _fold_pages(entries: Iterable[FoldEntry]) -> Iterator[Page]:
        remaining = iter(entries)
        for number in range(1 << 32):
            batch = list(islice(remaining, _PAGE_ENTRIES))
            if not batch:
                return
            yield FOLD + number.to_bytes(4, "big"), fold_page(batch)
