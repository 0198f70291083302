"""Edits of segments, as calls of the writer: create, clone, freeze, update, delete.

Owns what happens between two editors: an update without an etag is guarded by the one it was based on, and done
again on a newer definition, so that nobody's fields are undone by somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from coterie.index.errors import EtagMismatch, InputError, Origin
from coterie.index.model import (
    ChangeList,
    CreateSegment,
    DeleteSegment,
    Payload,
    SegmentDefinition,
    SegmentKind,
    UpdateSegment,
)
from coterie.index.rules import ast, print_rule
from coterie.index.segments import Segment, SegmentVersion
from coterie.server.calls import Call, Written
from coterie.server.convert.segments import checked
from coterie.server.dataset import Dataset
from coterie.server.lists import ADD, chunks

_EDIT_ATTEMPTS = 5
RULE_TEXT = Origin("segment.rule_text")  # where a rule is that nobody said anything of
# What the engine calls a part of a definition, as the caller knows it.
_FIELDS = {"segment_id": "segment.id", "mode": "segment.mode", "ttl_ms": "segment.ttl"}

Edit = Callable[[SegmentDefinition], SegmentDefinition]


class SegmentEdits:
    """What one author does to the segments of a dataset."""

    def __init__(self, dataset: Dataset, author: str = "", origin: Origin = RULE_TEXT) -> None:
        self._dataset, self._author, self._origin = dataset, author, origin

    async def create(self, definition: SegmentDefinition) -> Written:
        """Creates a rule or list."""
        return await self._write(CreateSegment(definition, self._author))

    async def clone(self, source_id: str, new_id: str, display_name: str) -> Written:
        """Creates a segment with the rule and settings, or the members, of another."""
        dataset = self._dataset
        source = dataset.engine.segment(source_id)
        definition = replace(source.newest, id=new_id, display_name=display_name)
        definition = checked(definition, dataset.settings, path="", id_field="new_segment")
        create = CreateSegment(definition, self._author)
        if definition.kind is SegmentKind.FROZEN:
            return await self._write(replace(create, source=print_rule(ast.InSegment(source_id))))
        if definition.kind is SegmentKind.RULE:
            return await self._write(create)
        kind = definition.subject_kind
        names = [(dataset.name_of(kind, dense),) for dense in dataset.engine.members(ast.InSegment(source_id), kind)]
        pieces = chunks(names, dataset.settings.engine.record_events)
        return await self._write(create, *(ChangeList(new_id, ADD, piece) for piece in pieces))

    async def freeze(self, definition: SegmentDefinition, source: ast.Expression) -> Written:
        """Creates a segment of those whom the expression holds now."""
        return await self._write(CreateSegment(definition, self._author, print_rule(source)))

    async def update(self, segment_id: str, edit: Edit, etag: str) -> Written:
        """Replaces the newest definition by an edited one."""
        for attempt in range(_EDIT_ATTEMPTS):
            segment = self._dataset.engine.segment(segment_id)
            payload = UpdateSegment(edit(segment.newest), etag or segment.etag, self._author)
            try:
                return await self._write(payload)
            except EtagMismatch:
                if etag or attempt == _EDIT_ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def delete(self, segment_id: str, etag: str) -> Written:
        """Deletes a segment with its versions."""
        return await self._write(DeleteSegment(segment_id, etag))

    def validated(self, definition: SegmentDefinition) -> Segment:
        """Returns the segment that `create` would make; raises what it would raise, and changes nothing."""
        return self._validated(CreateSegment(definition, self._author))

    def validated_update(self, segment_id: str, edit: Edit, etag: str) -> Segment:
        """Returns the segment as `update` would define it; raises what it would raise, and changes nothing."""
        newest = self._dataset.engine.segment(segment_id).newest
        return self._validated(UpdateSegment(edit(newest), etag, self._author))

    def _validated(self, payload: CreateSegment | UpdateSegment) -> Segment:
        engine = self._dataset.engine
        try:
            engine.validate(payload)
        except InputError as error:
            raise self._renamed(error) from None
        version = SegmentVersion(1, engine.now, payload.author, payload.definition)
        return Segment(payload.definition, engine.now, engine.now, [version])

    async def _write(self, *payloads: Payload) -> Written:
        try:
            return await self._dataset.writer.write(Call(payloads=payloads))
        except InputError as error:
            raise self._renamed(error) from None

    def _renamed(self, error: InputError) -> InputError:
        """Gives the field at fault the name it has in the request, and a leaf of the rule its place there."""
        if error.field == "rule":
            self._origin.tell(error)
        error.field = _FIELDS.get(error.field, error.field)
        return error
