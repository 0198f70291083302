"""Every setting of the server, in one table, each with its documentation and limits.

Read from defaults, then a TOML file, then the environment (`COTERIE_LISTEN=…`), then what the command line
says; the later one wins. The `[engine]` table of the file (`COTERIE_ENGINE_TIMEZONE=…`) sets the engine's own
limits. Invariant: settings are frozen and valid once made, and an error always names the key and its source.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from coterie.index.settings import Settings

KIB = 1024
MIB = 1024 * KIB
TIB = 1024 * 1024 * MIB
SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

ENVIRONMENT_PREFIX = "COTERIE_"
ENGINE_TABLE = "engine"


class ConfigurationError(Exception):
    """A setting is unknown, malformed or out of range; the message names its key and where it was read."""


def _setting(default: Any, doc: str, low: int | None = None, high: int | None = None) -> Any:
    return field(default=default, metadata={"doc": doc, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Addresses, limits and pacing of one server process."""

    listen: str = _setting("127.0.0.1:7443", "HOST:PORT to serve on; port 0 picks a free one")
    data: str = _setting("coterie-data", "directory that holds one directory for each dataset")
    accept_clock: bool = _setting(False, "start although the clock is far past the last record")
    max_clock_gap_ms: int = _setting(7 * DAY_MS, "how far past the last record a start is not questioned", 0)
    reflection: bool = _setting(True, "offer gRPC reflection of the public services")
    channelz: bool = _setting(False, "offer channelz, gRPC's own diagnostics")

    max_message_bytes: int = _setting(4 * MIB, "bytes of one request message", 4 * KIB, 512 * MIB)
    max_events_per_call: int = _setting(10_000, "events in one IngestEvents call or stream batch", 1, 100_000)
    max_updates_per_call: int = _setting(10_000, "attribute updates in one SetAttributes call", 1, 100_000)
    max_members_per_call: int = _setting(
        10_000, "members in one AddMembers, RemoveMembers or SetMembers call", 1, 100_000
    )
    max_segments_per_check: int = _setting(1_000, "segments in one CheckMembership call", 1, 100_000)
    max_subjects_per_batch_check: int = _setting(10_000, "subjects in one BatchCheckMembership call", 1, 1_000_000)
    max_segments_per_batch_check: int = _setting(100, "segments in one BatchCheckMembership call", 1, 10_000)
    max_expressions_per_count: int = _setting(1_000, "expressions in one CountMembers call", 1, 10_000)
    max_import_members: int = _setting(10_000_000, "members in one ImportMembers stream", 1)
    max_segments_per_watch: int = _setting(1_000, "segments named by one WatchMembership call", 1, 20_000)
    max_page_size: int = _setting(1_000, "entries on one page of a listing; more means this", 1, 10_000)
    max_members_page_size: int = _setting(10_000, "members on one page or in one message; more means this", 1, 50_000)
    max_attributes_shown: int = _setting(100, "attributes, or event types, named by one listing", 1, 10_000)
    max_expression_bytes: int = _setting(64 * KIB, "UTF-8 bytes of one set expression", 64, 64 * MIB)
    max_rule_bytes: int = _setting(MIB, "UTF-8 bytes of one rule in text form", KIB, 64 * MIB)
    max_labels: int = _setting(64, "labels on one segment", 0, 1_000)
    max_label_key_bytes: int = _setting(63, "UTF-8 bytes of a label's key", 1, KIB)
    max_short_text_bytes: int = _setting(256, "UTF-8 bytes of a display name, author or label's value", 1, 64 * KIB)
    max_description_bytes: int = _setting(8 * KIB, "UTF-8 bytes of a segment's description", 1, MIB)
    max_segments_per_trend: int = _setting(100, "segments in one GetTrend call", 1, 10_000)
    max_trend_points: int = _setting(10_000, "buckets in one GetTrend answer", 1, 1_000_000)
    max_reconstructed_events: int = _setting(
        5_000_000, "events read for the time before creation by one GetTrend call", 0
    )
    max_reconstructed_ms: int = _setting(400 * DAY_MS, "how long before its creation a trend can begin", 0)
    max_scanned_expressions: int = _setting(
        16, "expressions in one call whose own conditions are scanned for in history", 1, 1_000
    )
    max_datasets: int = _setting(64, "datasets on one server", 1, 10_000)

    queue_events: int = _setting(100_000, "events waiting to be written, per dataset", 1)
    queue_calls: int = _setting(10_000, "mutating calls waiting to be written, per dataset", 1)
    stream_batches: int = _setting(16, "unacknowledged batches on one StreamEvents call", 1, 1_000)
    stream_events: int = _setting(3_000, "unapplied events of one StreamEvents call at which no more are read", 1)
    group_records: int = _setting(40, "journal records committed in one transaction at most", 1, 10_000)
    shared_call_events: int = _setting(32, "events of the largest call that shares a record with others", 0, 256)
    request_ids: int = _setting(10_000, "answers remembered by request id, per dataset", 0, 10_000_000)
    request_id_ms: int = _setting(24 * HOUR_MS, "how long an answer is remembered by its request id", 0)
    tick_spacing_ms: int = _setting(20, "distance between moves of time under load", 1, SECOND_MS)
    tick_burst: int = _setting(8, "moves of time to the very millisecond before that distance is kept", 1, 1_000)
    sweep_rows: int = _setting(4_096, "events passed by all windows together in one step when time moves", 2)
    build_rows: int = _setting(8_192, "events of history read in one step of a segment's build", 1)
    scans: int = _setting(4, "calls that scan history at the same time, per dataset", 1, 1_000)
    scan_progress_ms: int = _setting(200, "distance between two progress messages of a scan", 0, HOUR_MS)
    max_wait_ms: int = _setting(10 * SECOND_MS, "how long a read waits for a revision without a deadline", 0)

    watch_buffer: int = _setting(100_000, "members a live watcher may fall behind before it is cut", 1)
    watch_message_members: int = _setting(5_000, "members named in one WatchMembership message", 1, 50_000)
    watch_progress_ms: int = _setting(5 * SECOND_MS, "how often a quiet watcher is told the revision", 100, HOUR_MS)

    snapshot_events: int = _setting(1_000_000, "events written since the last snapshot that start one", 1)
    snapshot_bytes: int = _setting(
        256 * MIB, "bytes the journal grows by since the last snapshot until one starts", MIB
    )
    snapshot_pause_ms: int = _setting(1, "rest between two steps of a snapshot taken while serving", 0, SECOND_MS)
    map_bytes: int = _setting(TIB, "address space of each of a dataset's two LMDB files", 16 * MIB, 64 * TIB)
    storage_retry_ms: int = _setting(SECOND_MS, "rest before writing is tried again on a full disk", 1)
    drain_timeout_ms: int = _setting(30 * SECOND_MS, "how long a stop waits for calls that are under way", 0)

    engine: Settings = field(
        default_factory=Settings,
        metadata={"doc": "limits and defaults of each dataset's engine", "low": None, "high": None},
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            _check_range(setting.name, getattr(self, setting.name), setting.metadata)
        split_address(self.listen)

    @property
    def data_directory(self) -> Path:
        """The directory that holds the datasets."""
        return Path(self.data)


def _check_range(key: str, value: Any, limits: Mapping[str, Any]) -> None:
    low, high = limits["low"], limits["high"]
    if low is not None and value < low:
        raise ConfigurationError(f"setting {key} = {value}: must be at least {low}")
    if high is not None and value > high:
        raise ConfigurationError(f"setting {key} = {value}: must be at most {high}")


def split_address(listen: str) -> tuple[str, int]:
    """Returns host and port of `HOST:PORT` (an IPv6 host in brackets)."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ConfigurationError(f"setting listen = {listen!r}: must be HOST:PORT with a port from 0 to 65535")
    return host, int(port)


def load_settings(
    path: Path | None = None, environment: Mapping[str, str] | None = None, **overrides: Any
) -> ServerSettings:
    """Reads the file, the environment and the overrides (None: not given), in rising order of weight."""
    values: dict[str, Any] = {}
    engine: dict[str, Any] = {}
    if path is not None:
        _take_file(path, values, engine)
    _take_environment(os.environ if environment is None else environment, values, engine)
    values.update({key: value for key, value in overrides.items() if value is not None})
    if engine:
        try:
            values["engine"] = Settings(**engine)
        except ValueError as error:
            raise ConfigurationError(f"[{ENGINE_TABLE}] {error}") from error
    return ServerSettings(**values)


def _take_file(path: Path, values: dict[str, Any], engine: dict[str, Any]) -> None:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    for key, value in tables.items():
        if key == ENGINE_TABLE and isinstance(value, dict):
            for name, inner in value.items():
                engine[name] = _typed(f"{path}: [{ENGINE_TABLE}] {name}", Settings, name, inner)
        else:
            values[key] = _typed(f"{path}: {key}", ServerSettings, key, value)


def _take_environment(environment: Mapping[str, str], values: dict[str, Any], engine: dict[str, Any]) -> None:
    """Takes COTERIE_<KEY> and COTERIE_ENGINE_<KEY>; other variables may belong to the client."""
    for table, prefix, target in (
        (ServerSettings, ENVIRONMENT_PREFIX, values),
        (Settings, f"{ENVIRONMENT_PREFIX}{ENGINE_TABLE.upper()}_", engine),
    ):
        for name in _types(table):
            text = environment.get(prefix + name.upper())
            if text is not None:
                target[name] = _parsed(prefix + name.upper(), _types(table)[name], text)


def _types(table: type) -> dict[str, type]:
    return {setting.name: type(setting.default) for setting in fields(table) if setting.name != ENGINE_TABLE}


def _typed(where: str, table: type, key: str, value: Any) -> Any:
    expected = _types(table).get(key)
    if expected is None:
        raise ConfigurationError(f"{where}: there is no such setting")
    if type(value) is not expected:
        raise ConfigurationError(f"{where} = {value!r}: must be {_KINDS[expected]}")
    return value


def _parsed(where: str, expected: type, text: str) -> Any:
    try:
        if expected is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
        return expected(text)
    except (KeyError, ValueError) as error:
        raise ConfigurationError(f"{where} = {text!r}: must be {_KINDS[expected]}") from error


_KINDS = {bool: "true or false", int: "a whole number", str: "text"}
