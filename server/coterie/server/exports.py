"""ExportMembers: all members of an expression from one revision, resumable.

Owns the bitmaps of recent exports, so that a broken one can go on from its cursor although the dataset has moved
on. Invariant: all messages of an export, resumed or not, speak of the members at its first revision.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyroaring import BitMap

from coterie.index.errors import RevisionUnavailable
from coterie.index.model import SubjectKind
from coterie.index.rules import print_rule
from coterie.index.rules.ast import Expression
from coterie.server.convert.members import MembersQuestion, export_message, write_dictionary, write_member
from coterie.server.dataset import Dataset
from coterie.server.rule_forms import subject_kind_of

_KEPT_EXPORTS = 16
_BITMAP_PART_BYTES = 1 << 20
_BITMAP, _IDS = 0, 1  # what a cursor counts: bytes of the bitmap, then members


@dataclass(frozen=True, slots=True)
class _Image:
    """The members at one revision, and the question they answer."""

    dataset: Dataset
    query: str
    members: BitMap
    kind: SubjectKind
    revision: int
    now: int

    def message(self, phase: int, offset: int) -> Any:
        """Returns a message after which an export goes on at that place."""
        tokens = self.dataset.tokens
        cursor = tokens.page("export", self.query, [self.revision, phase, offset])
        return export_message(tokens, self.revision, self.now, len(self.members), cursor)


class Exports:
    """The exports of a server."""

    def __init__(self) -> None:
        self._images: OrderedDict[tuple[str, str, int], _Image] = OrderedDict()

    def messages(
        self, dataset: Dataset, question: MembersQuestion, expression: Expression, scanned: BitMap | None = None
    ) -> Iterator[Any]:
        """Yields an export's messages, from its cursor on; the image is taken with the first one.

        `scanned` are the members as of now, where the expression is no set expression.
        """
        kind = subject_kind_of(dataset, expression, question.subject_kind)
        query = repr((print_rule(expression), kind, question.roaring))
        phase, offset = (_BITMAP if question.roaring else _IDS), 0
        if question.place:
            place = dataset.tokens.read_page("export", query, question.place, "cursor")
            revision, phase, offset = (int(number) for number in place)
            image = self._kept(dataset, query, revision)
        else:
            engine = dataset.engine
            members = BitMap(engine.members(expression, kind)) if scanned is None else scanned
            image = _Image(dataset, query, members, kind, engine.revision, engine.now)
        self._keep(image)
        if not image.members and not question.roaring:
            yield image.message(phase, offset)
        if phase == _BITMAP:
            yield from _bitmap_messages(image, offset)
            offset = 0
        while offset < len(image.members):
            chosen = list(image.members[offset : offset + question.size])
            offset += len(chosen)
            yield _members_message(image, question, chosen, offset)

    def _kept(self, dataset: Dataset, query: str, revision: int) -> _Image:
        image = self._images.get((dataset.description.id, query, revision))
        if image is None:
            raise RevisionUnavailable("the state this export was taken from is gone; begin it again")
        return image

    def _keep(self, image: _Image) -> None:
        key = (image.dataset.description.id, image.query, image.revision)
        self._images[key] = image
        self._images.move_to_end(key)
        while len(self._images) > _KEPT_EXPORTS:
            self._images.popitem(last=False)


def _members_message(image: _Image, question: MembersQuestion, chosen: list[int], offset: int) -> Any:
    """Returns the message of some members; one that was merged or deleted meanwhile keeps its first name."""
    message, dataset, engine = image.message(_IDS, offset), image.dataset, image.dataset.engine
    if question.roaring:
        names = [dataset.name_of(image.kind, dense) for dense in chosen]
        write_dictionary(chosen, names, message.dictionary)
        return message
    message.batch.SetInParent()
    for dense in chosen:
        values = engine.attributes(image.kind, dense) if question.attributes else {}
        identifiers = engine.identifiers(image.kind, dense) or (dataset.name_of(image.kind, dense),)
        write_member(identifiers, values, question.attributes, message.batch.members.add())
    return message


def _bitmap_messages(image: _Image, offset: int) -> Iterator[Any]:
    data = image.members.serialize()
    for first in range(offset, len(data), _BITMAP_PART_BYTES):
        end = min(first + _BITMAP_PART_BYTES, len(data))
        more = end < len(data)
        message = image.message(_BITMAP if more else _IDS, end if more else 0)
        message.bitmap.data = data[first:end]
        message.bitmap.more = more
        yield message
