"""The calls of SegmentService about rules that are not saved: parsing and preview."""

from __future__ import annotations

import asyncio
from typing import Any

from coterie.index.errors import FieldInvalid
from coterie.index.rules import print_rule
from coterie.server.binding import Context
from coterie.server.convert.answers import write_identifiers
from coterie.server.convert.rules import message_of
from coterie.server.convert.segments import previewed_definition, universe_of
from coterie.server.convert.subjects import kind_of
from coterie.server.rule_forms import Rule, RuleSource, rule_of, segments_in, set_expression_of
from coterie.server.service import Service
from coterie.v1 import segment_service_pb2 as v1

_MOST_SAMPLED = 1_000


class RuleCalls(Service):
    """Reads rules and tries them out."""

    async def parse_rule(self, request: v1.ParseRuleRequest, _context: Context) -> v1.ParseRuleResponse:
        """Turns text into a tree, and a tree into text."""
        dataset = self._catalogue.get(request.dataset)
        kind = kind_of(request.subject_kind, "subject_kind")
        if request.set_expression and request.WhichOneof("source") == "text":
            expression = await set_expression_of(request.text, "text", self._settings)
            rule = Rule(expression, print_rule(expression))
        else:
            rule = await self._rule(request, kind)
        response = v1.ParseRuleResponse(text=rule.text, segments=segments_in(rule.expression))
        response.rule.CopyFrom(message_of(rule.expression))
        dataset.stamp(response)
        return response

    async def preview_rule(self, request: v1.PreviewRuleRequest, context: Context) -> v1.PreviewRuleResponse:
        """Counts whom a rule would match now, and shows some of them."""
        kind = kind_of(request.subject_kind, "subject_kind")
        if not 0 <= request.sample_size <= _MOST_SAMPLED:
            raise FieldInvalid("sample_size", f"must lie between 0 and {_MOST_SAMPLED}")
        universe = universe_of(request.universe, kind, "universe")
        rule = await self._rule(request, kind)
        definition = previewed_definition(rule.text, kind, universe)
        dataset = await self._reading(request, context)
        await dataset.steady()
        with dataset.engine.preview(definition) as preview:
            while preview.step(self._settings.build_rows):  # noqa: ASYNC110 - other work goes on between the steps
                await asyncio.sleep(0)
            members = preview.members()
        response = v1.PreviewRuleResponse(count=len(members))
        sample = members[: request.sample_size]
        write_identifiers((dataset.name_of(kind, dense) for dense in sample), response.sample)
        dataset.stamp(response)
        return response

    async def _rule(self, request: v1.ParseRuleRequest | v1.PreviewRuleRequest, kind: Any) -> Rule:
        tree = request.rule if request.WhichOneof("source") == "rule" else None
        return await rule_of(RuleSource(request.text, tree, "text", "rule"), kind, self._settings)
