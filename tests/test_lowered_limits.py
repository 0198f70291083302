"""Limits that were lowered: what was saved before keeps serving, also across restarts; only what is new keeps to them."""

from __future__ import annotations

import asyncio
import tempfile

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from coterie.index.settings import Settings
from coterie.v1 import segment_service_pb2 as v1
from tests.serving import Served, event, expect, serving

INVALID = grpc.StatusCode.INVALID_ARGUMENT
LOW = Settings(max_rule_nodes=3, max_rule_depth=1, max_name_bytes=8, max_text_bytes=8, max_segments=1)
RULES = {
    "leaves": "did a or did b or did c or did d",
    "depth": "did a and (did b or (did a and did c))",
    "names": "did a where long_property = 1 or did a",
    "texts": "user.plan = 'professional' or did a",
}


def _edit(name: str, **fields: str) -> v1.UpdateSegmentRequest:
    return v1.UpdateSegmentRequest(segment=v1.Segment(id=name, **fields), update_mask=FieldMask(paths=list(fields)))


async def _serve_all(server: Served) -> None:
    """Everything answers, and can be renamed, but not be given such a rule again."""
    await server.ingest(event("a", "u1"), event("b", "u1"))
    assert await server.check("u1", *RULES) == [True] * len(RULES)
    for name, rule in RULES.items():
        await server.segments.UpdateSegment(_edit(name, display_name=f"{name} of old"))
        again = rule.replace("did a", "did z")
        call = server.segments.UpdateSegment(_edit(name, rule_text=again))
        await expect(call, INVALID, "LIMIT_EXCEEDED", "segment.rule_text")
    create = v1.CreateSegmentRequest(segment=v1.Segment(id="new", rule_text="did a"))
    await expect(server.segments.CreateSegment(create), INVALID, "LIMIT_EXCEEDED", "segment.id")


def test_a_lowered_limit_does_not_touch_what_is_there() -> None:
    """Neither when the dataset is opened, nor when it is opened once more."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(folder) as server, asyncio.timeout(30):
                for name, rule in RULES.items():
                    await server.create(name, rule)
            for _ in range(2):
                async with serving(folder, server.clock, engine=LOW) as lowered, asyncio.timeout(30):
                    await _serve_all(lowered)

    asyncio.run(run())
