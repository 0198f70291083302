"""Subjects, identifiers and attribute updates between their protobuf and engine forms.

Owns what a `Subject` message means: its kind where that is left open, and shorthands beside the list. Reading
never creates a subject; it only names one.
"""

from __future__ import annotations

from collections.abc import Iterable

from coterie.index.errors import FieldInvalid, InputError, LimitExceeded
from coterie.index.model import ACCOUNT_ID, USER_ID, AttributeUpdate, Identifier, Refusal, SubjectKind, Value
from coterie.index.settings import Settings
from coterie.server.convert.events import check_name, identifiers_of
from coterie.server.convert.values import BYTES_PER_CHARACTER, check_text, value_of
from coterie.v1 import common_pb2 as v1
from coterie.v1 import profile_service_pb2 as profiles

SubjectKey = tuple[SubjectKind, tuple[Identifier, ...]]

_KINDS: dict[int, SubjectKind] = {
    v1.SUBJECT_KIND_UNSPECIFIED: SubjectKind.USER,
    v1.SUBJECT_KIND_USER: SubjectKind.USER,
    v1.SUBJECT_KIND_ACCOUNT: SubjectKind.ACCOUNT,
}


def kind_of(number: int, field: str) -> SubjectKind:
    """Returns a subject kind; unspecified is USER."""
    kind = _KINDS.get(number)
    if kind is None:
        raise FieldInvalid(field, "must be SUBJECT_KIND_USER or SUBJECT_KIND_ACCOUNT")
    return kind


def subject_of(message: v1.Subject, field: str, settings: Settings) -> SubjectKey:
    """Returns kind and identifiers, the deciding one first."""
    user = message.user_id
    if (
        user
        and len(user) * BYTES_PER_CHARACTER <= settings.max_identifier_bytes
        and not (message.kind or message.identifiers or message.anonymous_id or message.account_id)
    ):
        return SubjectKind.USER, (Identifier(USER_ID, user),)  # by far the commonest form
    try:
        return _subject_of(message, settings)
    except InputError as error:
        error.field = f"{field}.{error.field}"
        raise


def _subject_of(message: v1.Subject, settings: Settings) -> SubjectKey:
    for shorthand in ("user_id", "anonymous_id", "account_id"):
        check_text(getattr(message, shorthand), shorthand, "an identifier", settings.max_identifier_bytes)
    kind = kind_of(message.kind, "kind")
    others = len(message.identifiers) or message.user_id or message.anonymous_id
    if kind is SubjectKind.ACCOUNT or (message.account_id and not others and not message.kind):
        return SubjectKind.ACCOUNT, _account_identifiers(message, settings)
    if message.account_id:
        raise FieldInvalid("account_id", "names an account; a user is named by user_id, anonymous_id or identifiers")
    identifiers = identifiers_of(message, settings)
    if not identifiers:
        raise FieldInvalid("user_id", "a subject needs at least one identifier")
    return SubjectKind.USER, identifiers


def _account_identifiers(message: v1.Subject, settings: Settings) -> tuple[Identifier, ...]:
    for shorthand in ("user_id", "anonymous_id"):
        if getattr(message, shorthand):
            raise FieldInvalid(shorthand, "names a user; an account is named by account_id or identifiers")
    if len(message.identifiers) > settings.max_identifiers:
        raise LimitExceeded("identifiers", "identifiers", len(message.identifiers), settings.max_identifiers)
    given: dict[Identifier, None] = {}
    if message.account_id:
        given[Identifier(ACCOUNT_ID, message.account_id)] = None
    for index, item in enumerate(message.identifiers):
        given[identifier_of(item, f"identifiers[{index}]", settings)] = None
    if not given:
        raise FieldInvalid("account_id", "a subject needs at least one identifier")
    return tuple(sorted(given, key=lambda identifier: identifier.namespace != ACCOUNT_ID))


def identifier_of(message: v1.Identifier, field: str, settings: Settings) -> Identifier:
    """Returns one identifier."""
    check_name(message.namespace, f"{field}.namespace", "a namespace", settings)
    return checked_identifier(message.namespace, message.value, f"{field}.value", settings)


def checked_identifier(namespace: str, value: str, field: str, settings: Settings) -> Identifier:
    """Returns the identifier; its value has 1 to `max_identifier_bytes` UTF-8 bytes."""
    if not value:
        raise FieldInvalid(field, "an identifier must not be empty")
    check_text(value, field, "an identifier", settings.max_identifier_bytes)
    return Identifier(namespace, value)


def write_identifier(identifier: Identifier, target: v1.Identifier) -> None:
    """Writes an identifier into a message."""
    target.namespace, target.value = identifier


def update_of(message: profiles.AttributeUpdate, settings: Settings) -> AttributeUpdate:
    """Returns one attribute update; field paths are relative to it."""
    kind, identifiers = subject_of(message.subject, "subject", settings)
    if not message.attributes:
        raise FieldInvalid("attributes", "an update needs at least one attribute")
    if len(message.attributes) > settings.max_properties:
        raise LimitExceeded("attributes", "attributes of one update", len(message.attributes), settings.max_properties)
    values: dict[str, Value | None] = {}
    for name in message.attributes:
        field = f'attributes["{name[:80]}"]'
        check_name(name, field, "an attribute's name", settings)
        value = message.attributes[name]
        values[name] = None if value.WhichOneof("kind") is None else value_of(value, field, settings)
    return AttributeUpdate(kind, identifiers, values)


def read_updates(
    messages: Iterable[profiles.AttributeUpdate],
    first: int,
    settings: Settings,
    updates: list[AttributeUpdate],
    indexes: list[int],
    refused: list[Refusal],
) -> None:
    """Appends the good updates and their indexes (`first` upwards), and a refusal for each of the others."""
    for index, message in enumerate(messages, first):
        try:
            updates.append(update_of(message, settings))
            indexes.append(index)
        except InputError as error:
            refused.append(Refusal(index, error.reason, f"updates[{index}].{error.field}", error.message))
