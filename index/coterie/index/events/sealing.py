"""Sealing: what a snapshot does to history. It turns the tail into blocks, and joins blocks that got out of hand.

Owns the plan of one snapshot and the numbers of the blocks it writes. Invariants: rows go over in order of
(time, sequence), each exactly once, those of erased subjects not at all; sources are read, never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgpack
from pyroaring import BitMap

from coterie.index.events.blocks import Block, block_pages
from coterie.index.events.runs import Erased, Gathering, Gone, Slice
from coterie.index.events.sources import Source, Sources
from coterie.index.model import SubjectKind
from coterie.index.time.calendar import HIGHEST

Page: TypeAlias = tuple[bytes, "bytes | None"]

STATE_KEY: Final = b"a"  # the page of what is to be known beside the blocks; sorts before their headers


@dataclass(frozen=True, slots=True)
class Sizes:
    """How history cuts itself up; tests take small ones."""

    recent_rows: int = 512  # rows in memory one by one, before they become a run: about a millisecond of work
    runs_merged: int = 16  # small runs that become a large one
    piece_rows: int = 8192  # rows of one piece of a scan at most
    block_rows: int = 65_536  # a column of a block is read or written in a millisecond or two
    block_bytes: int = 32 * 2**20  # of rows as they are in memory; where rows are large, a block has fewer
    least_block_rows: int = 1024
    blocks_deep: int = 4  # blocks over one instant, before they are joined
    blocks_joined: int = 16  # blocks rewritten in one snapshot at most, beside those that join the tail
    cache_bytes: int = 96 * 2**20  # parts of blocks and runs as they were read last

    def suited_block_rows(self, sources: Sequence[Source]) -> int:
        """Returns how many rows of the sources' average size a block should have."""
        row_bytes = sum(source.rows * source.row_bytes for source in sources) // max(sum(s.rows for s in sources), 1)
        return max(self.least_block_rows, min(self.block_rows, self.block_bytes // max(row_bytes, 1)))


@dataclass(slots=True)
class Sealing:
    """One snapshot's work: groups of sources, each rewritten as blocks in time order."""

    groups: list[Sequence[Source]]
    erased: Erased
    next_number: int
    make_block: Callable[[int, bytes], Block]
    sizes: Sizes
    clears: bool  # whether no row of an erased subject is left afterwards
    unwanted: frozenset[str]  # types because of which blocks are rewritten
    gone: Gone | None
    blocks: list[Block] = field(default_factory=list)
    kept: list[Page] = field(default_factory=list)  # what was yielded, where no store keeps it

    @property
    def replaced(self) -> list[Block]:
        """The blocks whose rows go over into new ones."""
        return [source for group in self.groups for source in group if isinstance(source, Block)]

    def pages(self) -> Iterator[Page]:
        """Yields new pages, and the keys of those that go, a column at a time."""
        for group in self.groups:
            block_rows = self.sizes.suited_block_rows(group)
            for slices in cut(group, block_rows):
                for rows in Gathering.of(slices, self.erased, self.gone).split(block_rows):
                    yield from self._block(rows)
        for block in self.replaced:
            for key in block.page_keys():
                yield key, None
        erased = {} if self.clears else {int(kind): gone.serialize() for kind, gone in self.erased.items()}
        yield STATE_KEY, msgpack.packb((self.next_number, erased))

    def _block(self, rows: Gathering) -> Iterator[Page]:
        number = self.next_number
        self.next_number += 1
        page = b""
        for key, page in block_pages(number, rows):
            yield key, page
        self.blocks.append(self.make_block(number, page))  # the last page is the header


def unpack_state(page: bytes) -> tuple[int, Erased]:
    """Returns the number of the next block, and the erased subjects that may still have rows."""
    number, erased = msgpack.unpackb(page, strict_map_key=False)
    return number, {SubjectKind(kind): BitMap.deserialize(gone) for kind, gone in erased.items()}


def cut(group: Sequence[Source], block_rows: int) -> Iterator[list[Slice]]:
    """Yields the rows of the sources in time order, about `block_rows` at a time, never between equal times."""
    sources = Sources(group)
    after = -HIGHEST
    while (through := sources.reach(after, block_rows)) is not None:
        held = sources.overlapping(after, through)
        yield [(source, source.after(after), source.after(through)) for source in held]
        after = through


# ---------------------------------------------------------------- what to rewrite


def plan(
    sizes: Sizes,
    tail: Sequence[Source],
    blocks: Sequence[Block],
    erased: Erased,
    unwanted: Collection[str],
    *,
    everything: bool,
) -> list[Sequence[Source]]:
    """Returns the groups of sources to rewrite: the tail with small blocks near it, then blocks in need of it.

    With `everything`, blocks that hold rows of erased subjects or unwanted types are in need of it, and all small ones.
    """
    groups: list[Sequence[Source]] = []
    rest = list(blocks)
    if tail:
        near = _neighbours(sizes, min(run.first for run in tail), max(run.last for run in tail), blocks)
        groups.append([*tail, *near])
        rest = [block for block in blocks if block not in near]
    if not everything:
        deepest = _deepest(sizes, rest)
        return [*groups, deepest] if deepest else groups
    small = _small_neighbours(sizes, rest)
    groups += small
    alone = [block for block in rest if not any(block in group for group in small)]
    return groups + [
        [block]
        for block in alone
        if not block.type_names.isdisjoint(unwanted)
        or any(block.holds_any(kind, gone) for kind, gone in erased.items())
    ]


def _neighbours(sizes: Sizes, first: int, last: int, blocks: Sequence[Block]) -> list[Block]:
    """The small blocks that a tail from `first` to `last` touches or directly follows."""
    before = max((block for block in blocks if block.last < first), key=lambda block: block.last, default=None)
    near = [block for block in blocks if block is before or (block.last >= first and block.first <= last)]
    return [block for block in near if block.rows < sizes.block_rows // 2][: sizes.blocks_joined]


def _deepest(sizes: Sizes, blocks: Sequence[Block]) -> list[Block]:
    """The blocks over the instant that most lie over, where they are too many; else none."""
    best: list[Block] = []
    over: list[Block] = []
    for block in sorted(blocks, key=lambda block: (block.first, block.block)):
        over = [*(held for held in over if held.last > block.first), block]
        if len(over) > len(best):
            best = over
    return best[: sizes.blocks_joined] if len(best) > sizes.blocks_deep else []


def _small_neighbours(sizes: Sizes, blocks: Sequence[Block]) -> list[list[Block]]:
    """Groups of at least two blocks that follow each other in time and fit into one."""
    groups: list[list[Block]] = [[]]
    for block in sorted(blocks, key=lambda block: (block.first, block.block)):
        if sum(held.rows for held in groups[-1]) + block.rows > sizes.block_rows:
            groups.append([])
        groups[-1].append(block)
    return [group for group in groups if len(group) > 1]
