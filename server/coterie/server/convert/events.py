"""Events and attribute updates from protobuf to the engine's model: the hot path of ingest.

Owns every check of an event that does not depend on state, and a memory of entries of maps (see `wire`) that have
passed them. Invariant: an event that is refused takes no other down with it; what is handed on satisfies all limits of
`Settings`; equal contexts may be one dictionary, so nobody changes them. The loops are written for speed: names seen
before are known to be good, and the size of a text is only counted where it could be too large.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from struct import Struct
from typing import Any

from coterie.index.errors import FieldInvalid, InputError, LimitExceeded
from coterie.index.model import ACCOUNT_ID, ANONYMOUS_ID, USER_ID, Event, Identifier, Refusal, Value
from coterie.index.settings import Settings
from coterie.server.convert.values import BYTES_PER_CHARACTER, check_text, instant_of, value_of
from coterie.v1 import common_pb2 as v1

# The same as Identifier(namespace, value) and Event(…), without the cost of a named tuple's constructor.
_identifier = partial(tuple.__new__, Identifier)
_event = partial(tuple.__new__, Event)
_REMEMBERED_NAMES = 100_000
_REMEMBERED_ENTRIES = 16_384  # entries of maps, and as many contexts
_SHORT = 128  # an entry below that has lengths of one byte each
# Field numbers and wire types: key and value of an entry; text and number of a value.
_KEY, _VALUE, _TEXT, _NUMBER = 0x0A, 0x12, 0x0A, 0x11
_double = Struct("<d").unpack_from


class EventReader:
    """Reads the events of one dataset's calls."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._safe_characters = settings.max_identifier_bytes // BYTES_PER_CHARACTER
        self._short = min(_SHORT, settings.max_text_bytes)
        self._types: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._entries: dict[bytes, tuple[str, Value]] = {}
        self._before_number: dict[bytes, str] = {}  # an entry of a number without its last 8 bytes -> the name
        self._before_text: dict[bytes, str] = {}  # the key of an entry -> the name
        self._contexts: dict[tuple[bytes, ...], dict[str, Value]] = {}

    def read(
        self,
        messages: Iterable[Any],
        first: int,
        events: list[Event],
        indexes: list[int],
        refused: list[Refusal],
    ) -> None:
        """Appends the good events and their indexes (`first` upwards), and a refusal for each of the others.

        The messages are of a request as `wire` has it. DecodeError where an entry of a map is no message at all.
        """
        read = self._read
        for index, message in enumerate(messages, first):
            try:
                events.append(read(message))
                indexes.append(index)
            except InputError as error:
                refused.append(Refusal(index, error.reason, f"events[{index}].{error.field}", error.message))

    def _read(self, message: Any) -> Event:
        event_type = message.type
        known_type = self._types.get(event_type)
        if known_type is None:
            known_type = self._learn_type(event_type)
        event_id = message.event_id
        if len(event_id) > self._safe_characters:
            check_text(event_id, "event_id", "an event id", self._settings.max_identifier_bytes)
        time = message.time
        seconds, nanos = time.seconds, time.nanos
        if 0 < seconds < 32_503_680_000 and 0 <= nanos <= 999_999_999:
            at: int | None = seconds * 1000 + nanos // 1_000_000
        else:
            at = instant_of(time, "time") if message.HasField("time") else None
        account = message.account_id
        return _event(
            (
                event_id,
                known_type,
                self._identifiers(message, account),
                account or None,
                at,
                # A slice of a repeated field is a list made at one go, twice as fast as going through it.
                self._values(message.properties[:], "properties"),
                self._context(tuple(message.context[:])),
            )
        )

    def _identifiers(self, message: Any, account: str) -> tuple[Identifier, ...]:
        user, anonymous = message.user_id, message.anonymous_id
        safe = self._safe_characters
        if len(user) > safe or len(anonymous) > safe or len(account) > safe:
            self._check_shorthands(message)
        if message.identifiers:
            return identifiers_of(message, self._settings)
        if user:
            if anonymous:
                return (_identifier((USER_ID, user)), _identifier((ANONYMOUS_ID, anonymous)))
            return (_identifier((USER_ID, user)),)
        if anonymous:
            return (_identifier((ANONYMOUS_ID, anonymous)),)
        if account:
            return ()
        raise FieldInvalid("user_id", "an event needs a user (user_id, anonymous_id or identifiers) or an account_id")

    def _check_shorthands(self, message: Any) -> None:
        for field in ("user_id", "anonymous_id", "account_id"):
            check_text(getattr(message, field), field, "an identifier", self._settings.max_identifier_bytes)

    def _context(self, entries: tuple[bytes, ...]) -> dict[str, Value]:
        """Contexts repeat, so equal ones are one dictionary: what reads a batch of them sees that they are."""
        context = self._contexts.get(entries)
        if context is None:
            context = self._values(entries, "context")
            if len(self._contexts) >= _REMEMBERED_ENTRIES:
                self._contexts.clear()
            if sum(map(len, entries)) <= _SHORT * 8:
                self._contexts[entries] = context
        return context

    def _values(self, entries: Iterable[bytes], field: str) -> dict[str, Value]:
        remembered, before_number = self._entries, self._before_number
        result: dict[str, Value] = {}
        for entry in entries:
            pair = remembered.get(entry)
            if pair is not None:
                result[pair[0]] = pair[1]
                continue
            name = before_number.get(entry[:-8])
            # Only a finite number gives 0 when taken from itself.
            if name is not None and (number := _double(entry, len(entry) - 8)[0]) - number == 0.0:
                result[name] = number
            else:
                name, value = self._short_text(entry) or self._entry(entry, field)
                result[name] = value
        if len(result) > self._settings.max_properties:
            raise LimitExceeded(field, f"{field} of one event", len(result), self._settings.max_properties)
        return result

    def _short_text(self, entry: bytes) -> tuple[str, Value] | None:
        """Reads an entry of a name known to be good and a short text; None for any other."""
        size = len(entry)
        end = 2 + entry[1] if 1 < size < self._short else size
        # That all lengths add up makes the entry what it seems to be: key, then value, and nothing besides.
        if (
            end + 4 > size
            or entry[end + 3] != size - end - 4
            or entry[end + 1] != size - end - 2
            or entry[end] != _VALUE
            or entry[end + 2] != _TEXT
        ):
            return None
        name = self._before_text.get(entry[:end])
        if name is None:
            return None
        try:
            return self._remember_entry(entry, name, entry[end + 4 :].decode())
        except UnicodeDecodeError:
            return None

    def _entry(self, entry: bytes, field: str) -> tuple[str, Value]:
        """Reads an entry of any kind."""
        parsed = v1.Event.PropertiesEntry.FromString(entry)
        name = self._names.get(parsed.key)
        if name is None:
            name = self._learn_name(parsed.key, field)
        value = self._value(parsed.value, field, name)
        key = name.encode()
        if len(key) < _SHORT - 2 and len(self._before_text) < _REMEMBERED_NAMES:
            head = bytes((_KEY, len(key))) + key
            self._before_text[head] = name
            if type(value) is float and len(entry) == len(head) + 11:
                start = head + bytes((_VALUE, 9, _NUMBER))
                if entry.startswith(start):
                    self._before_number[start] = name
        if type(value) is float or len(entry) >= _SHORT:
            return name, value
        return self._remember_entry(entry, name, value)

    def _remember_entry(self, entry: bytes, name: str, value: Value) -> tuple[str, Value]:
        if len(self._entries) >= _REMEMBERED_ENTRIES:
            self._entries.clear()
        pair = self._entries[entry] = (name, value)
        return pair

    def _value(self, message: v1.Value, field: str, name: str) -> Value:
        try:
            return value_of(message, "", self._settings)
        except InputError as error:
            error.field = f'{field}["{name}"]{error.field}'
            raise

    def _learn_type(self, name: str) -> str:
        check_name(name, "type", "an event type", self._settings)
        if name.startswith("$"):
            raise FieldInvalid("type", f"event types beginning with '$' are the server's own; {name!r} was given")
        return _remember(self._types, name)

    def _learn_name(self, name: str, field: str) -> str:
        check_name(name, f'{field}["{name[:80]}"]', "a name", self._settings)
        return _remember(self._names, name)


def _remember(names: dict[str, str], name: str) -> str:
    if len(names) >= _REMEMBERED_NAMES:
        names.clear()
    return names.setdefault(name, name)


def check_name(name: str, field: str, what: str, settings: Settings) -> str:
    """Returns a name of an event type, property or attribute; 1 to `max_name_bytes` UTF-8 bytes."""
    if not name:
        raise FieldInvalid(field, f"{what} must not be empty")
    return check_text(name, field, what, settings.max_name_bytes)


def identifiers_of(message: v1.Event | v1.Subject, settings: Settings) -> tuple[Identifier, ...]:
    """Returns a user's identifiers, `user_id` and `anonymous_id` first; shorthands and list must agree."""
    if len(message.identifiers) > settings.max_identifiers:
        raise LimitExceeded("identifiers", "identifiers", len(message.identifiers), settings.max_identifiers)
    first = {USER_ID: message.user_id, ANONYMOUS_ID: message.anonymous_id}
    others: dict[Identifier, None] = {}
    for index, item in enumerate(message.identifiers):
        namespace, value = item.namespace, item.value
        field = f"identifiers[{index}]"
        check_name(namespace, f"{field}.namespace", "a namespace", settings)
        if not value:
            raise FieldInvalid(f"{field}.value", "an identifier must not be empty")
        check_text(value, f"{field}.value", "an identifier", settings.max_identifier_bytes)
        if namespace == ACCOUNT_ID:
            raise FieldInvalid(f"{field}.namespace", "an account is no identifier of a user; use the field account_id")
        if namespace not in first:
            others[_identifier((namespace, value))] = None
        elif first[namespace] in ("", value):
            first[namespace] = value
        else:
            raise FieldInvalid(field, f"two different values of {namespace}: {first[namespace]!r} and {value!r}")
    named = (_identifier((namespace, value)) for namespace, value in first.items() if value)
    return (*named, *others)
