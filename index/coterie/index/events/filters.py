"""Which events each filter wants: all filters matched against a batch in one pass.

Dispatch is by event type, then by property value: filters of the form `prop = 'value'` are found through one
dictionary lookup per different value in the batch, however many there are. Owns the filters' ids and uses.
Invariants: an id stands for one filter as long as it is in use; rows come out ascending, filters by id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import repeat
from operator import itemgetter
from typing import TypeAlias

import numpy as np

from coterie.index.events.columns import EventColumns
from coterie.index.events.where import Memo, Nodes, WhereNode, split_by_value
from coterie.index.rules import ast
from coterie.index.texts import Bools, Words, words_of
from coterie.index.views import Codes, Rows

Filter: TypeAlias = tuple[ast.Events, str]  # the zone is that of local times in the where
Match: TypeAlias = tuple[int, Rows]

_FEW_WANTED = 64  # up to so many, filters are tried one by one
_FEW_HITS = 8


@dataclass(slots=True)
class _Entry:
    """A filter in use. Found by value where `values` are given; `rest` is then what remains to be tested."""

    id: int
    key: tuple[str, str]
    type: str | None
    where: WhereNode | None
    property: str | None
    values: tuple[str, ...]
    in_lists: bool
    rest: WhereNode | None
    uses: int = 1


@dataclass(slots=True)
class _TypeGroup:
    """The filters of one event type."""

    others: dict[int, _Entry] = field(default_factory=dict)
    by_value: dict[str, dict[str, dict[int, _Entry]]] = field(default_factory=dict)  # property -> value -> filters
    # property -> value -> its only filter, where that asks for nothing else: what micro-segments are made of
    only: dict[str, dict[str, int]] = field(default_factory=dict)
    names: Counter[str] = field(default_factory=Counter)  # by property: how many of them read it

    def buckets(self, entry: _Entry) -> Iterable[dict[int, _Entry]]:
        """The places where an entry stands."""
        if entry.property is None:
            return (self.others,)
        index = self.by_value.setdefault(entry.property, {})
        return [index.setdefault(value, {}) for value in entry.values]

    def insert(self, entry: _Entry) -> None:
        """Puts an entry in its places."""
        for bucket in self.buckets(entry):
            bucket[entry.id] = entry
        self._note_only(entry)

    def _note_only(self, changed: _Entry) -> None:
        if changed.property is None:
            return
        index, only = self.by_value.get(changed.property, {}), self.only.setdefault(changed.property, {})
        for value in changed.values:
            held = [*index.get(value, {}).values()]
            if len(held) == 1 and held[0].rest is None and not held[0].in_lists:
                only[value] = held[0].id
            else:
                only.pop(value, None)

    def discard(self, entry: _Entry) -> None:
        """Takes an entry out, and what it leaves empty."""
        for bucket in self.buckets(entry):
            del bucket[entry.id]
        if entry.property is not None:
            index = self.by_value[entry.property]
            for value in entry.values:
                if not index[value]:
                    del index[value]
            if not index:
                del self.by_value[entry.property]
        self._note_only(entry)

    def __bool__(self) -> bool:
        return bool(self.others or self.by_value)


class FilterSet:
    """The filters in use, matched together."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], int] = {}
        self._entries: dict[int, _Entry] = {}
        self._groups: dict[str | None, _TypeGroup] = {}
        self._nodes = Nodes()
        self._next_id = 1
        self._readers: Counter[str] = Counter()  # by property: how many types' filters read it
        self._shared: frozenset[str] | None = None  # properties with several such types; None: not known
        self._covering: Collection[int] | None = None  # a set of wanted ids seen to be all there are

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, events: ast.Events, zone: str) -> int:
        """Returns the filter's id, counting one more use; equal filters are one."""
        key = (repr(events), zone)  # the text tells 1 from true, which compare equal
        known = self._ids.get(key)
        if known is not None:
            self._entries[known].uses += 1
            return known
        entry = self._make_entry(key, events, zone)
        self._ids[key] = entry.id
        self._covering = None
        self._entries[entry.id] = entry
        group = self._groups.setdefault(entry.type, _TypeGroup())
        self._count_readers(group, entry, 1)
        group.insert(entry)
        self._next_id += 1
        return entry.id

    def _count_readers(self, group: _TypeGroup, entry: _Entry, step: int) -> None:
        for name in () if entry.where is None else entry.where.names:
            read_before = name in group.names
            group.names[name] += step
            if not group.names[name]:
                del group.names[name]
            if read_before != (name in group.names):
                self._readers[name] += step
                self._shared = None

    def _make_entry(self, key: tuple[str, str], events: ast.Events, zone: str) -> _Entry:
        split = None if events.where is None else split_by_value(events.where)
        where = None if events.where is None else self._nodes.node(events.where, zone)
        if split is None:
            return _Entry(self._next_id, key, events.type, where, None, (), False, where)
        rest = None if split.rest is None else self._nodes.node(split.rest, zone)
        return _Entry(self._next_id, key, events.type, where, split.property, split.values, split.in_lists, rest)

    def remove(self, filter_id: int) -> None:
        """Gives up one use; with the last one the filter goes."""
        entry = self._entries[filter_id]
        entry.uses -= 1
        if entry.uses:
            return
        del self._entries[filter_id], self._ids[entry.key]
        group = self._groups[entry.type]
        self._count_readers(group, entry, -1)
        group.discard(entry)
        if not group:
            del self._groups[entry.type]

    def match(self, columns: EventColumns, wanted: Collection[int] | None = None) -> list[Match]:
        """Returns (filter id, row indexes) of the wanted filters (all by default) that have any rows."""
        ids, rows = self.match_rows(columns, wanted)
        found, starts = np.unique(ids, return_index=True)
        return list(zip(found.tolist(), np.split(rows, starts)[1:], strict=True))

    def match_rows(self, columns: EventColumns, wanted: Collection[int] | None = None) -> tuple[Rows, Rows]:
        """Returns filter ids and row indexes, a pair for each match, ascending."""
        groups, wanted = self._narrow(wanted)
        shared = self._shared_names()
        memo: Memo = {}
        found: list[Match] = []
        many: list[tuple[Rows, Rows]] = []
        for type_name, rows in _by_type(columns, groups):
            group = groups[type_name]
            if len(rows) == columns.rows or columns.is_whole_cheaper(len(rows), group.names.keys() <= shared):
                match = _GroupMatch(columns, rows, rows, memo, wanted)
            else:
                match = _GroupMatch(columns.take(rows), rows, None, {}, wanted)
            found += match.run(group)
            many += match.many
        return _joined(found, many)

    def _narrow(self, wanted: Collection[int] | None) -> tuple[dict[str | None, _TypeGroup], Collection[int] | None]:
        """The groups to look through, and the ids to keep of what is found there (None: all)."""
        if wanted is None or wanted is self._covering:
            return self._groups, None
        if len(wanted) >= len(self._entries) and all(filter_id in wanted for filter_id in self._entries):
            self._covering = wanted
            return self._groups, None
        if len(wanted) <= _FEW_WANTED:
            return self._chosen(wanted), None
        return self._groups, wanted if isinstance(wanted, (set, frozenset)) else frozenset(map(int, wanted))

    def _shared_names(self) -> frozenset[str]:
        if self._shared is None:
            self._shared = frozenset(name for name, groups in self._readers.items() if groups > 1)
        return self._shared

    def _chosen(self, wanted: Iterable[int]) -> dict[str | None, _TypeGroup]:
        """Groups of a few filters, to be tried one by one."""
        groups: dict[str | None, _TypeGroup] = {}
        for filter_id in wanted:
            entry = self._entries[int(filter_id)]
            group = groups.setdefault(entry.type, _TypeGroup())
            group.others[entry.id] = entry
            group.names.update(() if entry.where is None else entry.where.names)
        return groups


def _joined(found: list[Match], many: list[tuple[Rows, Rows]]) -> tuple[Rows, Rows]:
    """Returns all matches as filter ids and rows, in order of both."""
    found.sort(key=itemgetter(0))
    ids = np.repeat(np.array([match[0] for match in found], np.int64), [len(match[1]) for match in found])
    rows = np.concatenate([ids[:0], *(match[1] for match in found), *(part[1] for part in many)])
    if not many:
        return ids, rows
    ids = np.concatenate([ids, *(part[0] for part in many)])
    order = np.argsort(ids, kind="stable")  # the rows of one filter come from one part, where they ascend
    return ids[order], rows[order]


def _by_type(columns: EventColumns, groups: Collection[str | None]) -> list[tuple[str | None, Rows]]:
    """The rows of each event type that has filters; None stands for all types but derived ones."""
    codes, names = columns.type_codes, columns.type_names
    parts: list[tuple[str | None, Rows]] = []
    for code, name in enumerate(names):
        if name in groups:
            parts.append((name, (codes == code).nonzero()[0] if len(names) > 1 else np.arange(columns.rows)))
    if None in groups:
        derived = [code for code, name in enumerate(names) if name.startswith("$")]
        parts.append((None, (~np.isin(codes, derived)).nonzero()[0] if derived else np.arange(columns.rows)))
    return [part for part in parts if len(part[1])]


class _GroupMatch:
    """One group matched against the rows of its type.

    `columns` are of these rows alone, or of the whole batch; then `within` says where in it the rows are.
    """

    def __init__(
        self, columns: EventColumns, rows: Rows, within: Rows | None, memo: Memo, wanted: Collection[int] | None
    ) -> None:
        self._columns, self._rows, self._memo, self._wanted = columns, rows, memo, wanted
        self._within = None if within is None or len(within) == columns.rows else within
        self._found: list[Match] = []
        self.many: list[tuple[Rows, Rows]] = []  # filter ids and rows, of filters that need no look at each
        self._pieces: dict[int, list[Rows]] = {}  # of filters that may be found through several values

    def run(self, group: _TypeGroup) -> list[Match]:
        """Returns the matches, in no particular order."""
        for entry in group.others.values():
            if self._wanted is None or entry.id in self._wanted:
                if entry.where is None:
                    self._found.append((entry.id, self._rows))
                else:
                    self._keep(entry.id, self._rows[self._verdicts(entry.where)])
        for name, index in group.by_value.items():
            self._match_values(name, index, group.only.get(name, {}))
        for filter_id, pieces in self._pieces.items():
            self._keep(filter_id, pieces[0] if len(pieces) == 1 else np.unique(np.concatenate(pieces)))
        return self._found

    def _verdicts(self, where: WhereNode) -> Bools:
        """Which of the rows satisfy a predicate."""
        verdicts = where.test(self._columns, self._memo)
        return verdicts if self._within is None else verdicts[self._within]

    def _keep(self, filter_id: int, rows: Rows) -> None:
        if len(rows):
            self._found.append((filter_id, rows))

    def _match_values(self, name: str, index: dict[str, dict[int, _Entry]], only: dict[str, int]) -> None:
        view = self._columns.view(name)
        if view.texts is not None:
            codes = view.texts[0] if self._within is None else view.texts[0][self._within]
            words = words_of(view.texts[1])
            self._match_texts(codes, words, index, only)
        if view.lists is not None:
            rows = range(view.rows) if self._within is None else self._within.tolist()
            for position, row in enumerate(rows):
                self._match_list(view.lists[row] or (), np.array([position]), index)

    def _match_texts(
        self, codes: Codes, words: Words, index: dict[str, dict[int, _Entry]], only: dict[str, int]
    ) -> None:
        if len(index) <= _FEW_HITS:
            self._add_hits(codes, {code: each for text, each in index.items() if (code := words.find(text)) >= 0})
            return
        held, texts = _candidates(codes, words, index)
        filters = np.zeros(int(held.max(initial=-1)) + 2, np.int64)  # by code; 0, no filter's id, for others and -1
        filters[held] = list(map(only.get, texts, repeat(0)))
        if self._wanted is not None:
            filters *= np.array([each in self._wanted for each in filters.tolist()])
        ids = filters[np.where(codes < len(filters), codes, -1)]
        positions = ids.nonzero()[0]
        if len(positions):
            self.many.append((ids[positions], self._rows[positions]))
        if len(only) == len(index):
            return
        pairs = zip(held.tolist(), texts, strict=True)
        self._add_hits(codes, {code: index[text] for code, text in pairs if text in index and text not in only})

    def _add_hits(self, codes: Codes, hits: dict[int, dict[int, _Entry]]) -> None:
        for code, positions in _positions(codes, hits):
            for entry in hits[code].values():
                self._add(entry, positions)

    def _match_list(self, elements: Iterable[str], positions: Rows, index: dict[str, dict[int, _Entry]]) -> None:
        for element in elements:
            for entry in index.get(element, {}).values():
                if entry.in_lists:
                    self._add(entry, positions)

    def _add(self, entry: _Entry, positions: Rows) -> None:
        if self._wanted is not None and entry.id not in self._wanted:
            return
        if entry.rest is not None:
            positions = positions[self._verdicts(entry.rest)[positions]]
        if entry.in_lists:
            self._pieces.setdefault(entry.id, []).append(self._rows[positions])
        elif len(positions):
            self._found.append((entry.id, self._rows[positions]))


def _candidates(codes: Codes, words: Words, index: Collection[str]) -> tuple[Rows, list[str]]:
    """Codes and texts among which every hit is, found over whichever side is smaller."""
    if len(index) <= len(codes) // 4:
        found = [(code, text) for text in index if (code := words.find(text)) >= 0]
        return np.array([code for code, _ in found], np.int64), [text for _, text in found]
    if len(words) <= 2 * len(codes):
        return np.arange(len(words)), words[:]
    held = np.unique(codes).astype(np.int64)
    held = held[held >= 0]
    return held, words.texts(held)


def _positions(codes: Codes, hits: Collection[int]) -> Iterable[tuple[int, Rows]]:
    """For each code that occurs the positions that hold it, ascending."""
    if len(hits) <= _FEW_HITS:
        found = ((code, (codes == code).nonzero()[0]) for code in hits)
        return ((code, positions) for code, positions in found if len(positions))
    order = np.argsort(codes, kind="stable")
    held = codes[order]
    begins = np.concatenate(([0], (held[1:] != held[:-1]).nonzero()[0] + 1))
    ends = np.append(begins[1:], len(held))
    stretches = zip(held[begins].tolist(), begins.tolist(), ends.tolist(), strict=True)
    return ((code, order[begin:end]) for code, begin, end in stretches if code in hits)
