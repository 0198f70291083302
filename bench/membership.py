"""What P1 and P2 share: a server with many users and ten segments, and the answers it must give.

Owns the segments' members, so that every answer can be compared with them. Invariant: user number n (from 0) has
dense id n + 1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.data import bitmap, make_list, name_users, random_ids
from bench.dataset import Dataset
from bench.measure import Watch
from bench.shop import user_name
from coterie.v1 import membership_service_pb2 as v1

SHARES = (0.5, 0.3, 0.2, 0.1, 0.1, 0.05, 0.05, 0.02, 0.01, 0.001)
SEGMENTS = tuple(f"segment-{number}" for number in range(len(SHARES)))
CHECK = "/coterie.v1.MembershipService/CheckMembership"
BATCH_CHECK = "/coterie.v1.MembershipService/BatchCheckMembership"


class Population:
    """Users and who of them is in which of the ten segments."""

    def __init__(self, data: Path, users: int, watch: Watch) -> None:
        self.users = users
        self.sets = [random_ids(share, users, seed) for seed, share in enumerate(SHARES)]
        self.truth = np.zeros((users, len(SHARES)), np.bool_)
        with Dataset.for_server(data) as dataset:
            name_users(dataset, users, watch)
            for column, (name, ids) in enumerate(zip(SEGMENTS, self.sets, strict=True)):
                make_list(dataset, name, bitmap(ids))
                self.truth[ids - 1, column] = True
            dataset.snapshot()

    def choose(self, count: int, seed: int) -> NDArray[np.int64]:
        """Returns random user numbers."""
        return np.random.default_rng(seed).integers(self.users, size=count)


def check_request(number: int) -> bytes:
    """Returns the bytes of a check of one user in all ten segments."""
    request = v1.CheckMembershipRequest(segments=SEGMENTS)
    request.subject.user_id = user_name(number)
    return request.SerializeToString()


def checked(answer: bytes) -> list[bool]:
    """Returns what a check answered."""
    response = v1.CheckMembershipResponse.FromString(answer)
    return [membership.member for membership in response.memberships]


def batch_request(numbers: NDArray[np.int64]) -> bytes:
    """Returns the bytes of a check of many users in all ten segments."""
    users = [user_name(number) for number in numbers.tolist()]
    return v1.BatchCheckMembershipRequest(user_ids=users, segments=SEGMENTS).SerializeToString()


def batch_checked(answer: bytes) -> bytes:
    """Returns the packed bits a batch check answered."""
    return v1.BatchCheckMembershipResponse.FromString(answer).members
