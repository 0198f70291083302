"""The calls of SegmentService about rules that are not saved: parsing and preview."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, TypeAlias

from coterie.index.errors import FieldInvalid, Origin
from coterie.index.rules import print_rule
from coterie.server.binding import Context
from coterie.server.consistency import check_unmoved
from coterie.server.convert.answers import write_identifiers, write_progress
from coterie.server.convert.rules import message_of
from coterie.server.convert.segments import previewed_definition, universe_of
from coterie.server.convert.subjects import kind_of
from coterie.server.rule_forms import Rule, RuleSource, rule_of, segments_in, set_expression_of
from coterie.server.scans import Scanned
from coterie.server.service import Service
from coterie.v1 import segment_service_pb2 as v1

PreviewRequest: TypeAlias = v1.PreviewRuleRequest | v1.StreamPreviewRuleRequest
_MOST_SAMPLED = 1_000


class RuleCalls(Service):
    """Reads rules and tries them out."""

    async def parse_rule(self, request: v1.ParseRuleRequest, _context: Context) -> v1.ParseRuleResponse:
        """Turns text into a tree, and a tree into text."""
        dataset = self._catalogue.get(request.dataset)
        kind = kind_of(request.subject_kind, "subject_kind")
        if request.set_expression and request.WhichOneof("source") == "text":
            expression = await set_expression_of(request.text, "text", self._settings)
            rule = Rule(expression, print_rule(expression), Origin("text"))
        else:
            rule = await self._rule(request, kind)
        response = v1.ParseRuleResponse(text=rule.text, segments=segments_in(rule.expression))
        response.rule.CopyFrom(message_of(rule.expression))
        dataset.stamp(response)
        return response

    async def preview_rule(self, request: v1.PreviewRuleRequest, context: Context) -> v1.PreviewRuleResponse:
        """Counts whom a rule would match now, and shows some of them."""
        response = v1.PreviewRuleResponse()
        async with aclosing(self._preview(request, context, response, response)) as scan:
            async for _ in scan:
                pass
        return response

    async def stream_preview_rule(
        self, request: v1.StreamPreviewRuleRequest, context: Context
    ) -> AsyncIterator[v1.StreamPreviewRuleResponse]:
        """Does the same, and says how far it is."""
        last = v1.StreamPreviewRuleResponse()
        dataset = self._catalogue.get(request.dataset)
        async with aclosing(self._preview(request, context, last.matches, last)) as scan:
            async for scanned in scan:
                message = v1.StreamPreviewRuleResponse()
                write_progress(*scanned, message.progress)
                dataset.stamp(message)
                yield message
        last.matches.SetInParent()
        yield last

    async def _preview(
        self, request: PreviewRequest, context: Context, matches: Any, stamped: Any
    ) -> AsyncGenerator[Scanned, None]:
        """Writes whom a rule matches into `matches` and stamps the answer; yields how far the scan is."""
        kind = kind_of(request.subject_kind, "subject_kind")
        if not 0 <= request.sample_size <= _MOST_SAMPLED:
            raise FieldInvalid("sample_size", f"must lie between 0 and {_MOST_SAMPLED}")
        universe = universe_of(request.universe, kind, "universe")
        rule = await self._rule(request, kind)
        definition = previewed_definition(rule.text, kind, universe)
        dataset = await self._reading(request, context)
        await dataset.steady()
        with dataset.scans.place(), dataset.engine.preview(definition, origins=[rule.origin]) as preview:
            async for scanned in dataset.scans.steps(preview):
                yield scanned
            check_unmoved(dataset, request.consistency)
            # From here on nothing is awaited, so count, sample and stamp are of one revision.
            members = preview.members()
            matches.count = len(members)
            sample = members[: request.sample_size]
            write_identifiers((dataset.name_of(kind, dense) for dense in sample), matches.sample)
            dataset.stamp(stamped)

    async def _rule(self, request: v1.ParseRuleRequest | PreviewRequest, kind: Any) -> Rule:
        tree = request.rule if request.WhichOneof("source") == "rule" else None
        return await rule_of(RuleSource(request.text, tree, "text", "rule"), kind, self._settings)
