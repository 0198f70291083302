"""The simulated shop's events as the service takes them: protobuf messages, and rows of a table.

Owns the names in use: `u000042` is a visitor's user_id, `d000042a` and `d000042b` are the devices. Invariant: an
event's id is its row, so that whatever is sent twice is recognised.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from coterie.server.cli.demo.catalogue import CAMPAIGNS, COUNTRIES, PLANS, PLATFORMS
from coterie.server.cli.demo.shop import ADD, CART, CLICK, EVENT_TYPES, NOTHING, PURCHASE, REMOVE, VIEW, Shop
from coterie.v1.common_pb2 import Event
from coterie.v1.profile_service_pb2 import AttributeUpdate

SECOND_DEVICE_PLATFORM = 2
_PRODUCT_KINDS = frozenset({VIEW, ADD, REMOVE})
_DAY_SECONDS = 86_400


def user_id(visitor: int) -> str:
    """The user_id of a visitor who has logged in."""
    return f"u{visitor:06d}"


def device_id(visitor: int, device: int) -> str:
    """The anonymous_id of one of a visitor's devices."""
    return f"d{visitor:06d}{'ab'[device]}"


class Feed:
    """Makes messages of a shop's events by their row."""

    def __init__(self, shop: Shop) -> None:
        events, visits, visitors = shop.events, shop.visits, shop.visitors
        self._products = shop.products
        self._kind, self._visit = events.kind.tolist(), events.visit.tolist()
        self._product, self._value = events.product.tolist(), events.value.tolist()
        self._items, self._time_ms = events.items.tolist(), events.time_ms.tolist()
        self._visitor, self._device = visits.visitor.tolist(), visits.device.tolist()
        self._logged_in, self._campaign = visits.logged_in.tolist(), visits.campaign.tolist()
        self._country, self._platform = visitors.country.tolist(), visitors.platform.tolist()
        self._plan = visitors.plan.tolist()

    def fill(self, event: Event, row: int, time_ms: int | None = None) -> None:
        """Makes an empty message the event of a row, at its own time or another."""
        visit, kind = self._visit[row], self._kind[row]
        visitor, device = self._visitor[visit], self._device[visit]
        event.event_id = f"e{row}"
        event.type = EVENT_TYPES[kind]
        event.anonymous_id = device_id(visitor, device)
        if self._logged_in[visit]:
            event.user_id = user_id(visitor)
        event.time.FromMilliseconds(self._time_ms[row] if time_ms is None else time_ms)
        self._fill_properties(event.properties, row, kind)
        self._fill_context(event.context, visit, kind)

    def _fill_properties(self, properties: Any, row: int, kind: int) -> None:
        if kind in _PRODUCT_KINDS:
            product = self._product[row]
            properties["product"].string = self._products.names[product]
            properties["category"].string = self._products.categories[product]
            properties["brand"].string = self._products.brands[product]
            properties["price"].number = self._value[row]
        elif kind != CLICK:
            properties["value"].number = self._value[row]
            properties["items"].number = self._items[row]

    def _fill_context(self, context: Any, visit: int, kind: int) -> None:
        visitor = self._visitor[visit]
        os, device = PLATFORMS[SECOND_DEVICE_PLATFORM if self._device[visit] else self._platform[visitor]]
        context["os"].string = os
        context["device"].string = device
        context["country"].string = COUNTRIES[self._country[visitor]]
        if kind in {CLICK, PURCHASE} and self._campaign[visit] != NOTHING:
            source, medium, campaign = CAMPAIGNS[self._campaign[visit]]
            context["source"].string = source
            context["medium"].string = medium
            context["campaign"].string = campaign

    def attributes(self, visitor: int, signed_up_ms: int) -> AttributeUpdate:
        """What the shop knows of a registered visitor."""
        update = AttributeUpdate()
        update.subject.user_id = user_id(visitor)
        update.attributes["plan"].string = PLANS[self._plan[visitor]]
        update.attributes["country"].string = COUNTRIES[self._country[visitor]]
        update.attributes["signed_up"].timestamp.FromMilliseconds(signed_up_ms)
        return update


# ---------------------------------------------------------------- tables


def tables(shop: Shop, rows: int = 50_000) -> Iterator[pa.Table]:
    """The shop's events as tables of at most so many rows; what an event does not have is null."""
    devices = np.array(
        [[device_id(visitor, device) for device in (0, 1)] for visitor in range(len(shop.visitors.country))]
    )
    for start in range(0, len(shop.events), rows):
        yield _table(shop, devices, start, min(start + rows, len(shop.events)))


def _table(shop: Shop, devices: np.ndarray[Any, Any], start: int, end: int) -> pa.Table:
    events, visits = shop.events.take(slice(start, end)), shop.visits
    visitor, device = visits.visitor[events.visit], visits.device[events.visit]
    is_product = events.product != NOTHING
    is_amount = np.isin(events.kind, (CART, PURCHASE))
    campaign = np.where(np.isin(events.kind, (CLICK, PURCHASE)), visits.campaign[events.visit], NOTHING)
    platform = np.where(device == 1, SECOND_DEVICE_PLATFORM, shop.visitors.platform[visitor])
    products = shop.products
    times = [
        datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds") for ms in events.time_ms.tolist()
    ]
    return pa.table(
        {
            "event_id": [f"e{row}" for row in range(start, end)],
            "type": _named(EVENT_TYPES, events.kind),
            "user_id": _where([user_id(one) for one in visitor.tolist()], visits.logged_in[events.visit]),
            "anonymous_id": pa.array(devices[visitor, device]),
            "time": times,
            "product": _named(products.names, events.product),
            "category": _named(products.categories, events.product),
            "brand": _named(products.brands, events.product),
            "price": pa.array(events.value, mask=~is_product),
            "value": pa.array(events.value, mask=~is_amount),
            "items": pa.array(events.items, mask=~is_amount),
            "os": _named([os for os, _ in PLATFORMS], platform),
            "device": _named([kind for _, kind in PLATFORMS], platform),
            "country": _named(COUNTRIES, shop.visitors.country[visitor]),
            "source": _named([source for source, _, _ in CAMPAIGNS], campaign),
            "medium": _named([medium for _, medium, _ in CAMPAIGNS], campaign),
            "campaign": _named([name for _, _, name in CAMPAIGNS], campaign),
        }
    )


def _named(names: Any, indexes: np.ndarray[Any, Any]) -> pa.Array:
    """The names at these indexes; null for NOTHING."""
    return pa.array(names).take(pa.array(indexes, mask=indexes == NOTHING))


def _where(texts: list[str], kept: np.ndarray[Any, Any]) -> pa.Array:
    return pa.array(texts, mask=~kept)
