"""The shop's own books: who must be in which segment, computed from the simulation alone, without the service.

Plain numpy over the whole table of events, nothing incremental, no code shared with the engine. It is what the
demonstration compares the service's counts with, at the service's own instant.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coterie.server.cli.demo.catalogue import CAMPAIGNS, PLANS, PLATFORMS
from coterie.server.cli.demo.feed import SECOND_DEVICE_PLATFORM
from coterie.server.cli.demo.shop import CART, CLICK, DAY_MS, PURCHASE, VIEW, Shop

Ids = npt.NDArray[np.int64]

_SUBJECTS_PER_VISITOR = 3  # two devices on their own, and the user who logged in


class Books:
    """The events sent so far, as rows of the shop's table with the time they were sent with."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._time_ms = shop.events.time_ms.copy()
        self._sent = 0

    def sent(self, rows: int, time_ms: Ids | None = None) -> None:
        """Enters the next rows, at their own time or at others."""
        if time_ms is not None:
            self._time_ms[self._sent : self._sent + rows] = time_ms
        self._sent += rows

    @property
    def events(self) -> int:
        """How many events were sent."""
        return self._sent

    def counts(self, now_ms: int) -> dict[str, int]:
        """How many members each segment that the books can tell has at that instant."""
        shop, sent = self._shop, self._sent
        events = shop.events.take(slice(0, sent))
        time_ms = self._time_ms[:sent]
        subject = self._subjects(events.visit)

        def within(days: float) -> npt.NDArray[np.bool_]:
            return (time_ms > now_ms - int(days * DAY_MS)) & (time_ms <= now_ms)

        bought = events.kind == PURCHASE
        loyal = _at_least(subject[bought & within(30)], 3)
        big = _sum_at_least(subject, events.value, bought & within(30), 500.0)
        cart = events.kind == CART
        last_cart = _last(subject, time_ms, cart)
        carts = subject[last_cart][(events.value[last_cart] > 0) & (events.value[last_cart] < 100)]
        clicked = (events.kind == CLICK) & within(30)
        from_facebook = clicked & (shop.visits.campaign[events.visit] == _index("facebook"))
        quiet = np.setdiff1d(np.unique(subject[bought]), subject[(events.kind == VIEW) & within(14)])
        return {
            "buyers": len(np.unique(subject[bought])),
            "loyal": len(loyal),
            "big-spenders": len(big),
            "vip": len(np.intersect1d(loyal, big)),
            "cart-under-100": len(carts),
            "from-facebook": len(np.unique(subject[from_facebook])),
            "gone-quiet": len(quiet),
            "on-a-phone": self._on_a_phone(events.visit, subject, time_ms),
            "new-faces": int((_first(subject, time_ms, events.kind == VIEW) > now_ms - 7 * DAY_MS).sum()),
            "plus-or-pro": self._plus_or_pro(),
        }

    def _subjects(self, visit: Ids) -> Ids:
        """The subject of each event: a device that has logged in belongs to its user, with all it ever did."""
        visits = self._shop.visits
        devices = visits.visitor * _SUBJECTS_PER_VISITOR + visits.device
        known = np.zeros(_SUBJECTS_PER_VISITOR * len(self._shop.visitors.country), bool)
        seen = visit[visits.logged_in[visit]]
        known[devices[seen]] = True
        of_event = devices[visit]
        return np.where(known[of_event], visits.visitor[visit] * _SUBJECTS_PER_VISITOR + 2, of_event)

    def _on_a_phone(self, visit: Ids, subject: Ids, time_ms: Ids) -> int:
        newest = _last(subject, time_ms, np.ones(len(visit), bool))
        visits, visitors = self._shop.visits, self._shop.visitors
        of_visitor = visitors.platform[visits.visitor[visit[newest]]]
        platform = np.where(visits.device[visit[newest]] == 1, SECOND_DEVICE_PLATFORM, of_visitor)
        phones = [index for index, (_, device) in enumerate(PLATFORMS) if device == "phone"]
        return int(np.isin(platform, phones).sum())

    def _plus_or_pro(self) -> int:
        registered = self.registered()
        return int((self._shop.visitors.plan[registered] != PLANS.index("free")).sum())

    def registered(self) -> Ids:
        """The visitors whose attributes the shop has sent: those who logged in during the part loaded first."""
        return self._registered

    def register(self) -> Ids:
        """Enters everybody who has logged in so far, and returns them."""
        visits, visit = self._shop.visits, self._shop.events.visit[: self._sent]
        self._registered = np.unique(visits.visitor[visit[visits.logged_in[visit]]])
        return self._registered


def _index(source: str) -> int:
    return [name for name, _, _ in CAMPAIGNS].index(source)


def _at_least(subjects: Ids, times: int) -> Ids:
    ids, counts = np.unique(subjects, return_counts=True)
    return ids[counts >= times]


def _sum_at_least(subject: Ids, value: npt.NDArray[np.float64], rows: npt.NDArray[np.bool_], total: float) -> Ids:
    ids, places = np.unique(subject[rows], return_inverse=True)
    # In whole cents, so that the sum is exact.
    cents = np.bincount(places, np.rint(value[rows] * 100), len(ids))
    return ids[cents >= round(total * 100)]


def _last(subject: Ids, time_ms: Ids, rows: npt.NDArray[np.bool_]) -> Ids:
    """The row of each subject's newest event among these; of equal times the one sent later."""
    chosen = np.flatnonzero(rows)
    in_order: Ids = chosen[np.lexsort((chosen, time_ms[chosen], subject[chosen]))]
    # Rows are ordered by subject, then time: the last row before the next subject is the newest.
    ends = np.flatnonzero(np.diff(subject[in_order], append=-1))
    return np.take(in_order, ends)


def _first(subject: Ids, time_ms: Ids, rows: npt.NDArray[np.bool_]) -> Ids:
    """The time of each subject's first event among these."""
    chosen = np.flatnonzero(rows)
    in_order: Ids = chosen[np.lexsort((time_ms[chosen], subject[chosen]))]
    starts = np.flatnonzero(np.diff(subject[in_order], prepend=-1))
    return np.take(time_ms, in_order[starts])
