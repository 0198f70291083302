"""Rows that were not taken: counted by reason, and written to a file with the number of their line.

Owns the file, which is made when the first row is refused. Invariant: every refused row is counted and written once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from coterie.server.cli.load.readers import Broken


@dataclass(slots=True)
class Kindred:
    """Refused rows of one reason and field: how many, and the first of them."""

    rows: int
    first_line: int
    first_message: str


class Refusals:
    """The refused rows of one load."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.by_reason: dict[tuple[str, str], Kindred] = {}
        self.rows = 0
        self._columns = columns
        self._file: TextIO | None = None

    def add(self, line: int, reason: str, field: str, message: str, row: Any) -> None:
        """Counts one row and writes it down."""
        self.rows += 1
        kindred = self.by_reason.get((reason, field))
        if kindred is None:
            self.by_reason[reason, field] = Kindred(1, line, message)
        else:
            kindred.rows += 1
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8")
        entry = {"line": line, "reason": reason, "field": field, "message": message, "row": self._shown(row)}
        self._file.write(json.dumps(entry, default=str) + "\n")

    def close(self) -> None:
        """Finishes the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def _shown(self, row: Any) -> Any:
        if isinstance(row, Broken):
            return row.text
        if isinstance(row, str):
            return row
        return dict(zip(self._columns, row, strict=False))
