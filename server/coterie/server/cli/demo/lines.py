"""The simulated shop's tables as JSON lines, as people write events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

_TOP = ("event_id", "type", "user_id", "anonymous_id", "time")
_PROPERTIES = ("product", "category", "brand", "price", "value", "items")
_CONTEXT = ("os", "device", "country", "source", "medium", "campaign")


def json_lines(table: pa.Table) -> Iterator[bytes]:
    """One line for each row; what is null is left out."""
    for row in table.to_pylist():
        event: dict[str, Any] = _present(row, _TOP)
        event["properties"] = _present(row, _PROPERTIES)
        event["context"] = _present(row, _CONTEXT)
        yield json.dumps(event, separators=(",", ":")).encode() + b"\n"


def _present(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names if row[name] is not None}
