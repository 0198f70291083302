"""JSON lines into events and attribute updates: one object a line, as people write them.

The keys are those of an event, and `attributes` for its user; `--map` options take further keys from elsewhere in
the object. Invariant: text stays text unless a map says `:time`, and whatever is no value is refused by its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from datetime import tzinfo
from typing import Any

from coterie.server.cli.load.conversion import BadValue, converter, time_reader
from coterie.server.cli.load.mapping import ROW_NUMBER, Kind, Mapping, Part
from coterie.server.cli.load.values import RowRefused, Values, set_instant, set_native
from coterie.v1 import common_pb2, profile_service_pb2

TEXT_KEYS = ("user_id", "anonymous_id", "account_id", "event_id", "type")
GROUP_KEYS = {"properties": Part.PROPERTY, "context": Part.CONTEXT, "attributes": Part.ATTRIBUTE}
KEYS = frozenset((*TEXT_KEYS, *GROUP_KEYS, "identifiers", "time"))
_GROUP_OF_PART = {part: group for group, part in GROUP_KEYS.items()}
_MISSING = object()


class JsonLines:
    """Builds what one JSON line stands for."""

    def __init__(self, mappings: Sequence[Mapping], zone: tzinfo, file_name: str) -> None:
        self._zone, self._file_name = zone, file_name
        self._read_time = time_reader(None, zone)
        self._moves = [(mapping, self._reader(mapping)) for mapping in mappings]

    def read(self, text: str, line: int) -> dict[str, Any]:
        """The object of a line in the standard layout; raises RowRefused."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RowRefused("", f"not JSON: {error}") from None
        if not isinstance(found, dict):
            raise RowRefused("", "a line holds one JSON object")
        if self._moves:
            return self._moved(found, line)
        for key in found:
            if key not in KEYS:
                raise RowRefused(key, f"unknown key; the keys are {', '.join(sorted(KEYS))}")
        return found

    def fill_event(self, found: MappingOf[str, Any], event: common_pb2.Event) -> None:
        """Makes an empty event what the object says; raises RowRefused and then leaves it half filled."""
        try:
            for key in TEXT_KEYS:
                value = found.get(key)
                if value is not None:
                    setattr(event, key, _identifier(key, value))
            if found.get("identifiers"):
                _fill_identifiers(found["identifiers"], event.identifiers)
            if not (event.user_id or event.anonymous_id or event.account_id or event.identifiers):
                raise RowRefused("user_id", "no identifier: user_id, anonymous_id, account_id or identifiers is needed")
            if found.get("time") is not None:
                set_instant(event.time, self._instant(found["time"]))
            self._fill(found, "properties", event.properties)
            self._fill(found, "context", event.context)
        except UnicodeEncodeError:
            raise RowRefused("", "the row is not UTF-8") from None

    def fill_update(self, found: MappingOf[str, Any], update: profile_service_pb2.AttributeUpdate) -> None:
        """Makes an empty attribute update what the object says; raises RowRefused and then leaves it half filled."""
        try:
            subject = update.subject
            for key in ("user_id", "anonymous_id"):
                value = found.get(key)
                if value is not None:
                    setattr(subject, key, _identifier(key, value))
            if found.get("identifiers"):
                _fill_identifiers(found["identifiers"], subject.identifiers)
            if not (subject.user_id or subject.anonymous_id or subject.identifiers) and found.get("account_id"):
                subject.account_id = _identifier("account_id", found["account_id"])
            if not (subject.user_id or subject.anonymous_id or subject.identifiers or subject.account_id):
                raise RowRefused("user_id", "no identifier: user_id, anonymous_id, account_id or identifiers is needed")
            for name, value in _group(found, "attributes").items():
                if value is None:
                    update.attributes[name].SetInParent()
                else:
                    self._set(update.attributes, "attributes", name, value)
        except UnicodeEncodeError:
            raise RowRefused("", "the row is not UTF-8") from None

    def _fill(self, found: MappingOf[str, Any], group: str, values: Values) -> None:
        for name, value in _group(found, group).items():
            if value is not None:
                self._set(values, group, name, value)

    def _set(self, values: Values, group: str, name: str, value: Any) -> None:
        try:
            if isinstance(value, _Instant):
                set_instant(values[name].timestamp, value)
            else:
                set_native(values, name, value, self._zone)
        except BadValue as error:
            raise RowRefused(f"{group}.{name}", str(error)) from None

    def _instant(self, value: Any) -> int:
        if isinstance(value, _Instant):
            return value
        if not isinstance(value, str):
            raise RowRefused("time", "a time is ISO 8601 text; a number needs a map, such as time=time:time:ms")
        try:
            instant = self._read_time(value)
        except BadValue as error:
            raise RowRefused("time", str(error)) from None
        if instant is None:
            raise RowRefused("time", "the time is blank")
        return instant

    # ---------------------------------------------------------------- maps

    def _moved(self, found: dict[str, Any], line: int) -> dict[str, Any]:
        """The object with everything mapped put where the standard layout has it; other unknown keys are dropped."""
        moved = {key: value for key, value in found.items() if key in KEYS}
        for group in GROUP_KEYS:
            if moved.get(group) is not None:
                moved[group] = dict(_group(moved, group))
        for mapping, read in self._moves:
            value = self._source(mapping, found, line)
            if value is _MISSING or value is None:
                continue
            if read is not None and isinstance(value, (str, int, float)) and not isinstance(value, bool):
                value = self._converted(mapping, read, value)
            self._place(mapping, moved, value)
        return moved

    def _source(self, mapping: Mapping, found: MappingOf[str, Any], line: int) -> Any:
        if mapping.constant is not None:
            return mapping.constant
        if mapping.column == ROW_NUMBER:
            return f"{self._file_name}:{line}" if mapping.part is Part.EVENT_ID else line
        return _at_path(found, mapping.column or "")

    def _reader(self, mapping: Mapping) -> Callable[[str], Any] | None:
        if mapping.part is Part.TIME:
            return time_reader(mapping.layout, self._zone)
        if mapping.kind is None or mapping.constant is not None:
            return None
        return converter(mapping.kind, mapping.layout, self._zone)

    @staticmethod
    def _converted(mapping: Mapping, read: Callable[[str], Any], value: Any) -> Any:
        try:
            converted = read(value if isinstance(value, str) else json.dumps(value))
        except BadValue as error:
            raise RowRefused(mapping.key, str(error)) from None
        is_time = mapping.part is Part.TIME or mapping.kind is Kind.TIME
        return _Instant(converted) if is_time and converted is not None else converted

    @staticmethod
    def _place(mapping: Mapping, moved: dict[str, Any], value: Any) -> None:
        if mapping.part in _GROUP_OF_PART:
            group = moved.setdefault(_GROUP_OF_PART[mapping.part], {})
            group[mapping.name] = value
        elif mapping.part is Part.IDENTIFIER:
            moved["identifiers"] = {**(moved.get("identifiers") or {}), mapping.name: value}
        else:
            moved[mapping.part.value] = value


class _Instant(int):
    """An instant in milliseconds, told apart from a JSON number."""


def _at_path(found: MappingOf[str, Any], path: str) -> Any:
    """The value at a key, or at a dotted path of keys."""
    if path in found:
        return found[path]
    here: Any = found
    for key in path.split("."):
        if not isinstance(here, dict) or key not in here:
            return _MISSING
        here = here[key]
    return here


def _group(found: MappingOf[str, Any], group: str) -> MappingOf[str, Any]:
    values = found.get(group)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RowRefused(group, "expected an object of values by name")
    return values


def _identifier(key: str, value: Any) -> str:
    """Identifiers are text; a whole number is taken as it is written."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RowRefused(key, f"expected text, not {json.dumps(value)}")


def _fill_identifiers(given: Any, identifiers: Any) -> None:
    if not isinstance(given, dict):
        raise RowRefused("identifiers", 'expected an object, such as {"email": "ann@example.com"}')
    for namespace, value in given.items():
        if value is not None:
            identifiers.add(namespace=namespace, value=_identifier(f"identifiers.{namespace}", value))
