"""A snapshot store in two dictionaries, for tests of parts: what a part yields, and what it gets back.

Invariant: pages of an abandoned snapshot leave no trace; entries are folded in the order of their pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from coterie.index.storage.parts import FOLD, Page, Part, unfold_page


class KeptPages:
    """Keeps the pages of one part; `Lookup` for the entries it folds."""

    def __init__(self) -> None:
        self.pages: dict[bytes, bytes] = {}
        self.entries: dict[tuple[str, bytes], bytes] = {}

    def lookup(self, database: str, key: bytes) -> bytes | None:
        """Returns the value under a key."""
        return self.entries.get((database, key))

    def lookup_many(self, database: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Returns the values under those of the keys that have one."""
        return {key: self.entries[database, key] for key in keys if (database, key) in self.entries}

    def take(self, part: Part, between: Callable[[], None] = lambda: None, *, fold: bool = True) -> None:
        """Takes a snapshot, with something happening between any two pages."""
        yielded: list[Page] = []
        for page in part.begin():
            yielded.append(page)
            between()
        between()
        self.keep(yielded)
        if fold:
            self.fold()
            part.end(committed=True)

    def abandon(self, part: Part, after: int) -> None:
        """Begins a snapshot, takes some pages and gives it up."""
        for number, _ in enumerate(part.begin()):
            if number == after:
                break
        part.end(committed=False)

    def keep(self, pages: list[Page]) -> None:
        """Commits pages."""
        for key, page in pages:
            if page is None:
                self.pages.pop(key, None)
            else:
                self.pages[key] = page

    def fold(self, limit: int = 1 << 30) -> None:
        """Moves entries out of some of the pages that hold them."""
        for key in sorted(key for key in self.pages if key.startswith(FOLD))[:limit]:
            for database, entry, value in unfold_page(self.pages.pop(key)):
                if value is None:
                    self.entries.pop((database, entry), None)
                else:
                    self.entries[database, entry] = value

    def committed(self) -> Iterator[tuple[bytes, bytes]]:
        """Yields the pages in the order of their keys."""
        yield from sorted(self.pages.items())
