"""Questions about memberships, and their answers, between protobuf and what the server works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coterie.index.errors import FieldInvalid, InputError
from coterie.index.model import USER_ID, Identifier, SubjectKind, Value
from coterie.index.settings import Settings
from coterie.server.config import ServerSettings
from coterie.server.convert.answers import Refusals, stamp, write_identifiers
from coterie.server.convert.subjects import checked_identifier, kind_of, subject_of, write_identifier
from coterie.server.convert.values import write_value
from coterie.server.tokens import Tokens
from coterie.v1 import membership_service_pb2 as v1

Find = Callable[[SubjectKind, Sequence[Identifier]], int | None]
FindMany = Callable[[SubjectKind, Sequence[Identifier]], NDArray[np.uint32]]
# The same as Identifier(namespace, value), without the cost of a named tuple's constructor.
_identifier = partial(tuple.__new__, Identifier)
_DEFAULT_MEMBERS = 1_000


@dataclass(frozen=True, slots=True)
class MembersQuestion:
    """Whose members are listed or exported, and what is shown of them."""

    expression: str
    subject_kind: SubjectKind
    attributes: tuple[str, ...]
    size: int
    place: str  # a page token or cursor
    order: str = ""
    descending: bool = False
    roaring: bool = False


def listed_members(request: v1.ListMembersRequest, settings: ServerSettings) -> MembersQuestion:
    """Returns what ListMembers asks."""
    if request.page_size < 0:
        raise FieldInvalid("page_size", "must not be negative")
    return MembersQuestion(
        request.expression,
        kind_of(request.subject_kind, "subject_kind"),
        _attributes_of(request.attributes, settings),
        min(request.page_size or _DEFAULT_MEMBERS, settings.max_members_page_size),
        request.page_token,
        request.order.attribute,
        request.order.descending,
    )


def exported_members(request: v1.ExportMembersRequest, settings: ServerSettings) -> MembersQuestion:
    """Returns what ExportMembers asks."""
    if request.format not in v1.ExportFormat.values():
        raise FieldInvalid("format", f"{request.format} is no value of this enum")
    roaring = request.format == v1.EXPORT_FORMAT_ROARING
    if roaring and request.attributes:
        raise FieldInvalid("attributes", "only exports in the form MEMBERS have attributes")
    if not 0 <= request.batch_size <= settings.max_members_page_size:
        raise FieldInvalid("batch_size", f"must lie between 1 and {settings.max_members_page_size}")
    return MembersQuestion(
        request.expression,
        kind_of(request.subject_kind, "subject_kind"),
        _attributes_of(request.attributes, settings),
        request.batch_size or _DEFAULT_MEMBERS,
        request.cursor,
        roaring=roaring,
    )


def _attributes_of(names: Sequence[str], settings: ServerSettings) -> tuple[str, ...]:
    most = settings.max_attributes_shown
    if len(names) > most:
        raise FieldInvalid("attributes", f"at most {most} attributes can be shown; {len(names)} given")
    for index, name in enumerate(names):
        if not name:
            raise FieldInvalid(f"attributes[{index}]", "must not be empty")
    return tuple(names)


def write_member(
    identifiers: Sequence[Identifier], values: Mapping[str, Value], attributes: Sequence[str], target: v1.Member
) -> None:
    """Writes one member with those of the attributes that it has."""
    write_identifiers(identifiers, target.identifiers)
    for name in attributes:
        if name in values:
            write_value(values[name], target.attributes[name])


def export_message(tokens: Tokens, revision: int, now: int, total: int, cursor: str) -> v1.ExportMembersResponse:
    """Returns a message of an export, without its part."""
    message = v1.ExportMembersResponse(total_size=total, cursor=cursor)
    stamp(tokens, revision, now, message)
    return message


def write_dictionary(dense_ids: Sequence[int], names: Sequence[Identifier], target: v1.IdDictionary) -> None:
    """Writes the names of a run of ids."""
    target.ids.extend(dense_ids)
    for name in names:
        write_identifier(name, target.identifiers.add())


# ---------------------------------------------------------------- batches of checks


def find_users(user_ids: Sequence[str], find: FindMany, settings: Settings, refused: Refusals) -> NDArray[np.uint32]:
    """Returns dense ids, 0 for unknown users and those that could not be looked up."""
    names, rows = [], []
    longest = settings.max_identifier_bytes // 4
    for index, user_id in enumerate(user_ids):
        try:
            if not 0 < len(user_id) <= longest:
                checked_identifier(USER_ID, user_id, f"user_ids[{index}]", settings)
        except InputError as error:
            refused.add(index, error)
        else:
            names.append(_identifier((USER_ID, user_id)))
            rows.append(index)
    found = find(SubjectKind.USER, names)
    if len(rows) == len(user_ids):
        return found
    dense = np.zeros(len(user_ids), np.uint32)
    dense[rows] = found
    return dense


def find_subjects(
    subjects: Sequence[Any], find: Find, settings: Settings, refused: Refusals
) -> tuple[SubjectKind, NDArray[np.uint32]]:
    """Returns the subjects' kind and dense ids (0: unknown); all must be of the first good one's kind."""
    dense = np.zeros(len(subjects), np.uint32)
    kind: SubjectKind | None = None
    for index, subject in enumerate(subjects):
        field = f"subjects[{index}]"
        try:
            its_kind, identifiers = subject_of(subject, field, settings)
            kind = kind or its_kind
            if its_kind is not kind:
                raise FieldInvalid(field, f"all subjects of one call must be of one kind, here {kind.name.lower()}")
            dense[index] = find(kind, identifiers) or 0
        except InputError as error:
            refused.add(index, error)
    return kind or SubjectKind.USER, dense
