"""Answers as people read them: tables and short texts. Pure; prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from coterie.client.answers import enum_name
from coterie.v1 import common_pb2, segment_service_pb2

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_SPANS_MS = {"day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1_000, "millisecond": 1}
_BARS = " ▁▂▃▄▅▆▇█"


def table(*columns: str, title: str = "") -> Table:
    """An empty table; columns beginning with `>` are right-aligned."""
    made = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return made


def rows(made: Table, cells: Iterable[Sequence[Any]]) -> Table:
    """The table with rows added; cells are shown as they are, without markup."""
    for row in cells:
        made.add_row(*[cell if isinstance(cell, Text) else escape(str(cell)) for cell in row])
    return made


def facts(pairs: Iterable[tuple[str, Any]]) -> Table:
    """Names and values below each other."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    return rows(made, pairs)


def number(value: float) -> str:
    """A whole number with spaces between thousands."""
    return f"{value:,.0f}".replace(",", " ")


def size(size_bytes: int) -> str:
    """Bytes in the unit that fits."""
    amount, unit = float(size_bytes), 0
    while amount >= 1024 and unit < len(_BYTE_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.0f} B" if unit == 0 else f"{amount:.1f} {_BYTE_UNITS[unit]}"


def instant(timestamp: Timestamp, zone: tzinfo = UTC) -> str:
    """An instant in a zone, to the second; milliseconds where there are some."""
    moment = timestamp.ToDatetime(tzinfo=UTC).astimezone(zone)
    return moment.strftime("%Y-%m-%d %H:%M:%S") + (f".{moment.microsecond // 1000:03d}" if moment.microsecond else "")


def duration(of: Duration) -> str:
    """A duration as options and rules spell it, in the largest unit it is a whole number of."""
    span_ms = of.ToMilliseconds()
    unit, count = next((unit, span_ms // span) for unit, span in _SPANS_MS.items() if span_ms % span == 0)
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def optional_instant(message: Message, field: str, missing: str = "") -> str:
    """A timestamp field, or `missing` where it is not set."""
    return instant(getattr(message, field)) if message.HasField(field) else missing


def value(of: common_pb2.Value) -> str:
    """A value as rules spell it."""
    kind = of.WhichOneof("kind")
    if kind == "number":
        return f"{of.number:g}" if abs(of.number) < 1e6 and of.number != int(of.number) else f"{of.number:.15g}"
    if kind == "boolean":
        return "true" if of.boolean else "false"
    if kind == "timestamp":
        return instant(of.timestamp)
    if kind == "list":
        return ", ".join(of.list.values)
    return of.string


def values(of: Any) -> str:
    """Named values on one line."""
    return "  ".join(f"{name}={value(of[name])}" for name in sorted(of))


def identifiers(of: Iterable[common_pb2.Identifier]) -> str:
    """Identifiers on one line."""
    return "  ".join(f"{one.namespace}={one.value}" for one in of)


def bar(amount: float, largest: float) -> str:
    """A bar one character wide, its height the share of the largest."""
    return _BARS[round(amount / largest * (len(_BARS) - 1))] if largest else _BARS[0]


# ---------------------------------------------------------------- segments


def segment_state(of: segment_service_pb2.Segment) -> str:
    """`ready`, or how far the build is."""
    state = enum_name(segment_service_pb2.SegmentState, of.state, "SEGMENT_STATE_")
    if of.HasField("build_progress"):
        return f"{'building' if state == 'building' else 'ready, edit building'} {of.build_progress:.0%}"
    return state


def segment_mode(of: segment_service_pb2.Segment | segment_service_pb2.SegmentVersion) -> str:
    """`live`, `once`, or `sticky` and for how long."""
    mode = enum_name(segment_service_pb2.SegmentMode, of.mode, "SEGMENT_MODE_")
    return f"{mode} {duration(of.ttl)}" if of.HasField("ttl") else mode


def segment_count(of: segment_service_pb2.Segment) -> str:
    """The number of members, where it is known."""
    return number(of.member_count) if of.HasField("member_count") else "-"


def segment_list(segments: Iterable[segment_service_pb2.Segment]) -> Table:
    """Segments, one a row."""
    return rows(
        table("segment", "kind", "of", "mode", "state", ">members", "rule"),
        (
            (
                of.id,
                enum_name(segment_service_pb2.SegmentKind, of.kind, "SEGMENT_KIND_"),
                enum_name(common_pb2.SubjectKind, of.subject_kind, "SUBJECT_KIND_"),
                segment_mode(of) if of.rule_text else "",
                segment_state(of),
                segment_count(of),
                of.rule_text,
            )
            for of in segments
        ),
    )


def segment(of: segment_service_pb2.Segment) -> Table:
    """All of one segment."""
    pairs = [
        ("segment", of.id),
        ("name", of.display_name if of.display_name != of.id else ""),
        ("description", of.description),
        ("kind", enum_name(segment_service_pb2.SegmentKind, of.kind, "SEGMENT_KIND_")),
        ("of", enum_name(common_pb2.SubjectKind, of.subject_kind, "SUBJECT_KIND_")),
        ("rule", of.rule_text),
        ("being built", of.pending_rule_text if of.HasField("pending_rule_text") else ""),
        ("mode", segment_mode(of)),
        ("universe", enum_name(segment_service_pb2.Universe, of.universe, "UNIVERSE_")),
        ("labels", "  ".join(f"{key}={of.labels[key]}" for key in sorted(of.labels))),
        ("state", segment_state(of)),
        ("members", segment_count(of)),
        ("version", of.version),
        ("created", instant(of.create_time)),
        ("changed", instant(of.update_time)),
        ("etag", of.etag),
    ]
    return facts((name, shown) for name, shown in pairs if shown != "")
