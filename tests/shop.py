"""Small event streams for tests: hand-placed events, and a seeded shop.

Owns how tests write events. Invariant: the same seed gives the same stream, whatever the hash seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from coterie.index.model import ANONYMOUS_ID, USER_ID, Event, Identifier, Value

PAGES = ("view", "view", "view", "view", "add_to_cart", "add_to_cart", "purchase")
CATEGORIES = ("shoes", "hats", "coats", "bags")
COUNTRIES = ("US", "CA", "FR", "DE", "JP")
SYSTEMS = ("iOS", "Android", "Windows")


def user(name: str) -> Identifier:
    """Returns a user_id."""
    return Identifier(USER_ID, name)


def device(name: str) -> Identifier:
    """Returns an anonymous_id."""
    return Identifier(ANONYMOUS_ID, name)


def event(
    type_: str,
    who: str | tuple[Identifier, ...] = "u1",
    time: int | None = None,
    *,
    event_id: str = "",
    account: str | None = None,
    context: dict[str, Value] | None = None,
    **properties: Value,
) -> Event:
    """Returns an event of user `who`, written as briefly as tests need."""
    identifiers = (user(who),) if isinstance(who, str) else who
    return Event(event_id, type_, identifiers, account, time, properties, context or {})


def shop_events(seed: int, visitors: int, number: int, start: int, end: int) -> Iterator[Event]:
    """Yields `number` events of a shop with `visitors` visitors, in order of time, with ids.

    A third of the visitors is anonymous at first, and some of those are met again with a user_id.
    """
    chance = random.Random(seed)
    times = sorted(chance.randrange(start, end) for _ in range(number))
    for index, time in enumerate(times):
        visitor = min(int(chance.expovariate(3.0) * visitors), visitors - 1)
        yield Event(
            f"{seed}-{index}",
            chance.choice(PAGES),
            _names(chance, visitor),
            f"c{visitor % 7}" if visitor % 5 == 0 else None,
            time,
            {"price": round(chance.uniform(1, 200), 2), "category": chance.choice(CATEGORIES)},
            {"os": chance.choice(SYSTEMS), "country": COUNTRIES[visitor % len(COUNTRIES)]},
        )


def _names(chance: random.Random, visitor: int) -> tuple[Identifier, ...]:
    if visitor % 3:
        return (user(f"u{visitor}"),)
    if chance.random() < 0.8:
        return (device(f"a{visitor}"),)
    return (user(f"u{visitor}"), device(f"a{visitor}"))
