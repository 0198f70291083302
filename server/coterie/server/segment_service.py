"""SegmentService: creating, editing and deleting segments; its other calls are in the modules it is made of."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from coterie.index.errors import FieldInvalid, Origin
from coterie.server.binding import Context
from coterie.server.calls import Written
from coterie.server.convert.answers import stamp_written
from coterie.server.convert.segments import MUTABLE_FIELDS, changed_definition, definition_of, frozen_definition
from coterie.server.convert.subjects import kind_of
from coterie.server.convert.values import check_text
from coterie.server.dataset import Dataset
from coterie.server.list_calls import ListCalls
from coterie.server.rule_calls import RuleCalls
from coterie.server.rule_forms import RuleSource, rule_of, set_expression_of, subject_kind_of
from coterie.server.segment_edits import RULE_TEXT, SegmentEdits
from coterie.server.segment_views import SegmentViews
from coterie.v1 import segment_service_pb2 as v1

Shown = TypeVar(
    "Shown",
    v1.CreateSegmentResponse,
    v1.UpdateSegmentResponse,
    v1.CloneSegmentResponse,
    v1.FreezeSegmentResponse,
)


class SegmentService(SegmentViews, RuleCalls, ListCalls):
    """Keeps the segments of a dataset."""

    async def create_segment(self, request: v1.CreateSegmentRequest, _context: Context) -> v1.CreateSegmentResponse:
        """Creates a rule or list."""
        kind = kind_of(request.segment.subject_kind, "segment.subject_kind")
        rule, origin = await self._rule_of(request.segment, kind)
        dataset, edits = self._edits(request, origin)
        definition = definition_of(request.segment, rule, self._settings)
        response = v1.CreateSegmentResponse()
        if request.validate_only:
            return await self._would_be(dataset, edits.validated(definition), response)

        async def work() -> v1.CreateSegmentResponse:
            return await self._done(dataset, await edits.create(definition), definition.id, response)

        return await self._once(dataset, request, work)

    async def clone_segment(self, request: v1.CloneSegmentRequest, _context: Context) -> v1.CloneSegmentResponse:
        """Creates a segment like another."""
        dataset, edits = self._edits(request)

        async def work() -> v1.CloneSegmentResponse:
            written = await edits.clone(request.segment, request.new_segment, request.display_name)
            return await self._done(dataset, written, request.new_segment, v1.CloneSegmentResponse())

        return await self._once(dataset, request, work)

    async def freeze_segment(self, request: v1.FreezeSegmentRequest, _context: Context) -> v1.FreezeSegmentResponse:
        """Creates a segment of those who are in the source now."""
        dataset, edits = self._edits(request)
        source = await set_expression_of(request.expression, "expression", self._settings)
        kind = subject_kind_of(dataset, source, kind_of(request.subject_kind, "subject_kind"))
        definition = frozen_definition(request, kind, self._settings)

        async def work() -> v1.FreezeSegmentResponse:
            written = await edits.freeze(definition, source)
            return await self._done(dataset, written, definition.id, v1.FreezeSegmentResponse())

        return await self._once(dataset, request, work)

    async def update_segment(self, request: v1.UpdateSegmentRequest, _context: Context) -> v1.UpdateSegmentResponse:
        """Changes the fields named by the mask."""
        fields = _fields_of(request)
        name, etag = request.segment.id, request.segment.etag
        kind = self._catalogue.get(request.dataset).engine.segment(name).definition.subject_kind
        rule, origin = "", RULE_TEXT
        if fields & {"rule", "rule_text"}:
            rule, origin = await self._rule_of(request.segment, kind)
        dataset, edits = self._edits(request, origin)
        edit = partial(changed_definition, message=request.segment, fields=fields, rule=rule, settings=self._settings)
        if request.validate_only:
            would_be = edits.validated_update(name, edit, etag)
            return await self._would_be(dataset, would_be, v1.UpdateSegmentResponse())

        async def work() -> v1.UpdateSegmentResponse:
            written = await edits.update(name, edit, etag)
            return await self._done(dataset, written, name, v1.UpdateSegmentResponse())

        return await self._once(dataset, request, work)

    async def delete_segment(self, request: v1.DeleteSegmentRequest, _context: Context) -> v1.DeleteSegmentResponse:
        """Deletes a segment."""
        dataset = self._catalogue.get(request.dataset)

        async def work() -> v1.DeleteSegmentResponse:
            written = await SegmentEdits(dataset).delete(request.segment, request.etag)
            response = v1.DeleteSegmentResponse()
            stamp_written(dataset.tokens, written, response)
            return response

        return await self._once(dataset, request, work)

    # ------------------------------------------------------------ shared steps

    def _edits(self, request: Any, origin: Origin = RULE_TEXT) -> tuple[Dataset, SegmentEdits]:
        check_text(request.author, "author", "an author", self._settings.max_short_text_bytes)
        dataset = self._catalogue.get(request.dataset)
        return dataset, SegmentEdits(dataset, request.author, origin)

    async def _rule_of(self, message: v1.Segment, kind: Any) -> tuple[str, Origin]:
        """Returns the canonical text of a segment's rule, empty where none is given, and where it was said."""
        tree = message.rule if message.HasField("rule") else None
        if not message.rule_text and tree is None:
            return "", RULE_TEXT
        source = RuleSource(message.rule_text, tree, RULE_TEXT.field, "segment.rule")
        _, text, origin = await rule_of(source, kind, self._settings)
        return text, origin

    async def _done(self, dataset: Dataset, written: Written, name: str, response: Shown) -> Shown:
        """Shows the segment as it is after the edit."""
        await self._show(dataset, dataset.engine.segment(name), response.segment)
        stamp_written(dataset.tokens, written, response)
        return response

    async def _would_be(self, dataset: Dataset, segment: Any, response: Shown) -> Shown:
        """Shows the segment as it would be."""
        await self._show(dataset, segment, response.segment)
        dataset.stamp(response)
        return response


def _fields_of(request: v1.UpdateSegmentRequest) -> set[str]:
    """Returns the fields an edit changes: the mask's, or those that are set."""
    if not request.segment.id:
        raise FieldInvalid("segment.id", "must not be empty")
    paths = list(request.update_mask.paths)
    for index, path in enumerate(paths):
        if path not in MUTABLE_FIELDS:
            raise FieldInvalid(
                f"update_mask.paths[{index}]",
                f"{path[:80]!r} cannot be changed; these can: {', '.join(MUTABLE_FIELDS)}",
            )
    given = {descriptor.name for descriptor, _ in request.segment.ListFields()} & set(MUTABLE_FIELDS)
    fields = set(paths) or given
    if not fields:
        raise FieldInvalid("update_mask", "nothing to change")
    return fields
