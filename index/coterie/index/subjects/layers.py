"""A map whose recent entries are in memory, the rest in the state store: live over frozen over cache over store.

Owns the entries that changed since the last snapshot (`live`), those a running snapshot is writing
(`frozen`) and a bounded number of those last read. Invariant: an entry in memory is never older than the store's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

_CACHED = 200_000  # entries of one generation of the cache; there are two
_FREED_AT_ONCE = 8  # per entry put or read

K = TypeVar("K")
V = TypeVar("V")


class Layers(Generic[K, V]):
    """The layers in memory; reading the store is the owner's business."""

    def __init__(self) -> None:
        self.live: dict[K, V] = {}
        self.frozen: dict[K, V] = {}
        self._cache: dict[K, V] = {}
        self._older_cache: dict[K, V] = {}
        self._waste: list[dict[K, V]] = []  # freed a few entries at a time: all at once is a pause of 0.1 s

    def get(self, key: K) -> V | None:
        """Returns what memory knows of a key, or None."""
        value = self.live.get(key)
        if value is None:
            value = self.frozen.get(key)
            if value is None:
                value = self._cache.get(key)
                if value is None:
                    value = self._older_cache.get(key)
        return value

    def reader(self) -> Callable[[K], V | None]:
        """Returns the quickest way to `get` as things stand: the live entries alone where there is nothing below."""
        return self.get if self.frozen or self._cache or self._older_cache else self.live.get

    def put(self, key: K, value: V) -> None:
        """Changes an entry."""
        self.live[key] = value
        if self._waste:
            self._free()

    def remember(self, key: K, value: V) -> None:
        """Caches what was read from the store."""
        if len(self._cache) >= _CACHED:
            self._waste.append(self._older_cache)
            self._older_cache, self._cache = self._cache, {}
        self._cache[key] = value
        if self._waste:
            self._free()

    def freeze(self) -> dict[K, V]:
        """Sets the live changes apart for a snapshot."""
        assert not self.frozen, "the snapshot before has not ended"
        self.frozen, self.live = self.live, {}
        return self.frozen

    def thaw(self, committed: bool) -> None:
        """Forgets the frozen changes, which the store now has, or takes them back."""
        if committed:
            # What was cached of changed keys is outdated; what has just changed is likely to be asked for.
            self._waste += [self._cache, self._older_cache]
            self._cache, self._older_cache = self.frozen, {}
            if len(self._cache) > _CACHED:
                self._waste.append(self._cache)
                self._cache = {}
        else:
            self.frozen.update(self.live)
            self.live = self.frozen
        self.frozen = {}

    def _free(self) -> None:
        waste = self._waste[-1]
        for _ in range(min(_FREED_AT_ONCE, len(waste))):
            waste.popitem()
        if not waste:
            self._waste.pop()
