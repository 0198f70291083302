"""Users and sets of users, seeded: what the reading benchmarks are asked about.

Owns how such a state comes to be without years of events: users by name through a list everybody is put into, sets
straight into the bitmaps of lists. Invariant: equal parameters give equal sets, and users are 1 … n in order.
"""

from __future__ import annotations

from array import array

import numpy as np
from pyroaring import BitMap

from bench.dataset import Dataset
from bench.measure import Watch
from bench.peers import Ids
from bench.shop import user_name
from coterie.index.model import (
    USER_ID,
    ChangeList,
    CreateSegment,
    Identifier,
    ListOperation,
    SegmentDefinition,
    SegmentKind,
    SubjectKind,
)

EVERYONE = "everyone"
_USERS_A_RECORD = 10_000
_USERS_A_SNAPSHOT = 1_000_000  # so that memory follows what is new, not all there is


def bitmap(ids: Ids) -> BitMap:
    """Returns ids as a bitmap; by way of an array, which is eight times as fast as from numpy."""
    return BitMap(array("I", ids.tobytes()))


def random_ids(share: float, users: int, seed: int) -> Ids:
    """Returns a random share of the dense ids 1 … users, ascending."""
    return (np.flatnonzero(np.random.default_rng(seed).random(users) < share) + 1).astype(np.uint32)


def make_users(dataset: Dataset, users: int) -> None:
    """Makes nameless users 1 … users, of whom nobody ever asks by name: naming ten million takes minutes."""
    dataset.engine.subjects(SubjectKind.USER).add_range(1, users + 1)


def name_users(dataset: Dataset, users: int, watch: Watch) -> None:
    """Makes users 1 … users with a user id each, `user_name(dense - 1)`, durably."""
    watch.phase(f"making {users:,} users", users)
    dataset.write([CreateSegment(_list(EVERYONE))])
    for first in range(0, users, _USERS_A_RECORD):
        numbers = range(first, min(first + _USERS_A_RECORD, users))
        members = tuple((Identifier(USER_ID, user_name(number)),) for number in numbers)
        dataset.write([ChangeList(EVERYONE, ListOperation.ADD, members)])
        if first and first % _USERS_A_SNAPSHOT == 0:
            dataset.snapshot()
        watch.advance(len(numbers))
    dataset.snapshot()


def make_list(dataset: Dataset, name: str, members: BitMap) -> None:
    """Creates a list with these members, put straight into its bitmap; the next snapshot makes them durable."""
    dataset.write([CreateSegment(_list(name))])
    held = dataset.engine.segment(name).members
    assert held is not None
    held.bits.update(members)


def _list(name: str) -> SegmentDefinition:
    return SegmentDefinition(name, SegmentKind.LIST, SubjectKind.USER)
