"""SegmentService over gRPC: creating, editing, listing, and rules in both forms."""

from __future__ import annotations

import asyncio

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from coterie.v1 import common_pb2
from coterie.v1 import rule_pb2 as rules
from coterie.v1 import segment_service_pb2 as v1
from tests.serving import Served, event, refused, served, user_named


async def _get(server: Served, name: str) -> v1.Segment:
    return (await server.segments.GetSegment(v1.GetSegmentRequest(segment=name))).segment


def _update(name: str, paths: list[str] | None = None, **fields: object) -> v1.UpdateSegmentRequest:
    return v1.UpdateSegmentRequest(
        segment=v1.Segment(id=name, **fields),  # type: ignore[arg-type]
        update_mask=FieldMask(paths=paths or []),
    )


@served()
async def test_a_segment_comes_back_as_created(server: Served) -> None:
    """What was said of a segment is shown: rule in both forms, labels, counts, version, etag."""
    await server.ingest(event("purchase", "u1"))
    await server.create(
        "buyers",
        "did   PURCHASE at least once or did purchase",
        display_name="Buyers",
        description="who bought",
        labels={"team": "growth"},
    )
    segment = await _get(server, "buyers")
    assert segment.rule_text == "did PURCHASE or did purchase"
    assert segment.rule.WhichOneof("kind") == "any_of"
    assert (segment.display_name, segment.description, dict(segment.labels)) == (
        "Buyers",
        "who bought",
        {"team": "growth"},
    )
    assert (segment.state, segment.version, segment.member_count) == (v1.SEGMENT_STATE_READY, 1, 1)
    basic = (
        await server.segments.GetSegment(v1.GetSegmentRequest(segment="buyers", view=v1.SEGMENT_VIEW_BASIC))
    ).segment
    assert not basic.HasField("rule")
    assert basic.etag == segment.etag


@served()
async def test_a_rule_may_come_as_a_tree(server: Served) -> None:
    """A tree is kept with its printed form; tree and text together must mean the same."""
    tree = (await server.segments.ParseRule(v1.ParseRuleRequest(text="did purchase in the last 7 days"))).rule
    request = v1.CreateSegmentRequest(segment=v1.Segment(id="recent", rule=tree))
    response = await server.segments.CreateSegment(request)
    assert response.segment.rule_text == "did purchase in the last 7 days"
    request.segment.id, request.segment.rule_text = "other", "did purchase in the last 8 days"
    problem = await refused(server.segments.CreateSegment(request))
    assert (problem.reason, problem.field) == ("FIELD_INVALID", "segment.rule")


@served()
async def test_parse_rule_turns_both_ways(server: Served) -> None:
    """Text becomes a tree and the tree the same text; the segments named are told."""
    text = "at least 2 of (in vip, did purchase today, user.plan = 'pro') and not in churned"
    parsed = await server.segments.ParseRule(v1.ParseRuleRequest(text=text))
    printed = await server.segments.ParseRule(v1.ParseRuleRequest(rule=parsed.rule))
    assert printed.text == parsed.text
    assert list(parsed.segments) == ["churned", "vip"]
    names = await server.segments.ParseRule(v1.ParseRuleRequest(text="vip and not churned", set_expression=True))
    assert names.text == "in vip and not in churned"


@served()
async def test_a_mistake_is_told_with_its_place(server: Served) -> None:
    """A rule that cannot be read is refused with line, column and what was expected."""
    request = v1.CreateSegmentRequest(segment=v1.Segment(id="x", rule_text="did purchase\n  in the last 30 dyas"))
    problem = await refused(server.segments.CreateSegment(request))
    assert (problem.reason, problem.field) == ("RULE_INVALID", "segment.rule_text")
    assert problem.metadata["line"] == "2"
    assert problem.metadata["column"] == "18"
    assert "days" in problem.message


@served()
async def test_a_tree_is_refused_by_the_path_of_the_part(server: Served) -> None:
    """What is wrong with a tree is named by its path."""
    tree = rules.Expression(all_of=rules.And(children=[rules.Expression(did=rules.Did(events=rules.Events(type="a")))]))
    problem = await refused(server.segments.ParseRule(v1.ParseRuleRequest(rule=tree)))
    assert (problem.reason, problem.field) == ("FIELD_INVALID", "rule.all_of.children")
    tree.all_of.children.add().did.events.where.property_test.name = "p"
    problem = await refused(server.segments.ParseRule(v1.ParseRuleRequest(rule=tree)))
    assert problem.field == "rule.all_of.children[1].did.events.where.property_test.test"


@served()
async def test_an_edit_swaps_and_keeps_versions(server: Served) -> None:
    """A new rule takes over with its net difference; versions, author and etag tell of it."""
    await server.ingest(event("view", "u1"), event("purchase", "u2"))
    await server.create("s", "did view")
    etag = (await _get(server, "s")).etag
    before = server.dataset.engine.revision
    request = _update("s", rule_text="did purchase", etag=etag)
    request.author = "ann"
    await server.segments.UpdateSegment(request)
    await server.ready("s")
    assert [await server.check(user, "s") for user in ("u1", "u2")] == [[False], [True]]
    (change,) = server.dataset.engine.changes.since(before)
    assert (change.cause.name, len(change.joined), len(change.left)) == ("EDIT", 1, 1)
    versions = (await server.segments.ListSegmentVersions(v1.ListSegmentVersionsRequest(segment="s"))).versions
    assert [(v.version, v.author, v.rule_text) for v in versions] == [(2, "ann", "did purchase"), (1, "", "did view")]
    problem = await refused(server.segments.UpdateSegment(request))
    assert problem.reason == "ETAG_MISMATCH"


@served()
async def test_concurrent_edits_of_different_fields_both_count(server: Served) -> None:
    """Edits without an etag do not undo each other's fields."""
    await server.create("s", "did view")
    edits = [
        _update("s", description="d"),
        _update("s", display_name="n"),
        _update("s", ["labels"], labels={"a": "b"}),
    ]
    await asyncio.gather(*(server.segments.UpdateSegment(edit) for edit in edits))
    segment = await _get(server, "s")
    assert (segment.description, segment.display_name, dict(segment.labels)) == ("d", "n", {"a": "b"})
    assert segment.version == 4


@served()
async def test_an_edit_names_what_cannot_change(server: Served) -> None:
    """A mask that names a fixed field is refused, and so is an edit of nothing."""
    await server.create("s", "did view")
    problem = await refused(server.segments.UpdateSegment(_update("s", ["display_name", "kind"])))
    assert problem.field == "update_mask.paths[1]"
    assert (await refused(server.segments.UpdateSegment(_update("s")))).field == "update_mask"
    cleared = await server.segments.UpdateSegment(_update("s", ["description"]))
    assert cleared.segment.description == ""


@served()
async def test_validate_only_changes_nothing(server: Served) -> None:
    """Everything is checked and nothing is made."""
    request = v1.CreateSegmentRequest(segment=v1.Segment(id="s", rule_text="did view"), validate_only=True)
    response = await server.segments.CreateSegment(request)
    assert response.segment.rule_text == "did view"
    assert (await refused(server.segments.GetSegment(v1.GetSegmentRequest(segment="s")))).reason == "SEGMENT_NOT_FOUND"
    request.segment.rule_text = "in absent"
    assert (await refused(server.segments.CreateSegment(request))).reason == "SEGMENT_NOT_FOUND"


@served()
async def test_clone_and_freeze_copy_members(server: Served) -> None:
    """A clone follows the same rule or has the same list; a frozen segment keeps who was in it."""
    await server.create("buyers", "did purchase")
    await server.create("friends")
    await server.ingest(event("purchase", "u1"))
    members = [user_named(f"f{i}") for i in range(300)]
    await server.segments.AddMembers(v1.AddMembersRequest(segment="friends", members=members))
    for source in ("buyers", "friends"):
        clone = v1.CloneSegmentRequest(segment=source, new_segment=f"{source}-2")
        await server.segments.CloneSegment(clone)
        await server.ready(f"{source}-2")
    freeze = v1.FreezeSegmentRequest(expression="buyers or friends", new_segment="then", labels={"k": "v"})
    frozen = (await server.segments.FreezeSegment(freeze)).segment
    assert (frozen.kind, frozen.member_count, dict(frozen.labels)) == (v1.SEGMENT_KIND_FROZEN, 301, {"k": "v"})
    await server.ingest(event("purchase", "u2"))
    assert await server.check("u2", "buyers", "buyers-2", "then") == [True, True, False]
    assert await server.check("f7", "friends-2", "then") == [True, True]
    problem = await refused(server.segments.CloneSegment(v1.CloneSegmentRequest(segment="buyers", new_segment="No!")))
    assert problem.field == "new_segment"


@served()
async def test_a_used_segment_stays(server: Served) -> None:
    """A segment that another uses cannot be deleted; its users are named."""
    await server.create("buyers", "did purchase")
    await server.create("vip", "in buyers")
    problem = await refused(server.segments.DeleteSegment(v1.DeleteSegmentRequest(segment="buyers")))
    assert (problem.reason, problem.metadata["dependents"]) == ("SEGMENT_IN_USE", "vip")
    listed = await server.segments.ListDependents(v1.ListDependentsRequest(segment="buyers"))
    assert list(listed.dependents) == ["vip"]
    await server.segments.DeleteSegment(v1.DeleteSegmentRequest(segment="vip"))
    await server.segments.DeleteSegment(v1.DeleteSegmentRequest(segment="buyers"))


@served()
async def test_segments_are_listed_by_id_with_filters(server: Served) -> None:
    """Pages together list every matching segment once, in order; the total is told on each."""
    for i in range(7):
        await server.create(f"s{i}", "did view", labels={"half": "first" if i < 4 else "second"})
    await server.create("a-list")
    await server.create("firms", "did login", subject_kind=common_pb2.SUBJECT_KIND_ACCOUNT)

    async def listed(**filters: object) -> list[str]:
        names: list[str] = []
        request = v1.ListSegmentsRequest(page_size=2, **filters)  # type: ignore[arg-type]
        while True:
            page = await server.segments.ListSegments(request)
            names += [segment.id for segment in page.segments]
            request.page_token = page.next_page_token
            if not request.page_token:
                assert page.total_size == len(names)
                return names

    assert await listed() == ["a-list", "firms", *(f"s{i}" for i in range(7))]
    assert await listed(labels={"half": "second"}) == ["s4", "s5", "s6"]
    assert await listed(kind=v1.SEGMENT_KIND_LIST) == ["a-list"]
    assert await listed(subject_kind=common_pb2.SUBJECT_KIND_ACCOUNT) == ["firms"]
    assert await listed(state=v1.SEGMENT_STATE_BUILDING) == []
    assert (await refused(listed(kind=77))).field == "kind"


@served()
async def test_preview_counts_any_rule(server: Served) -> None:
    """A rule is counted and sampled over history without being saved; universes narrow it."""
    await server.create("buyers", "did purchase")
    await server.ingest(event("purchase", "u1"), event("purchase", "u2"), event("view", "u3"))
    request = v1.PreviewRuleRequest(text="not in buyers", sample_size=5)
    response = await server.segments.PreviewRule(request)
    assert (response.count, [name.value for name in response.sample]) == (1, ["u3"])
    revision = server.dataset.engine.revision
    request = v1.PreviewRuleRequest(text="did view in the last 7 days or in buyers")
    for universe, count in ((v1.UNIVERSE_ALL, 3), (v1.UNIVERSE_KNOWN, 3), (v1.UNIVERSE_ANONYMOUS, 0)):
        request.universe = universe
        assert (await server.segments.PreviewRule(request)).count == count
    assert server.dataset.engine.revision == revision
    problem = await refused(
        server.segments.PreviewRule(v1.PreviewRuleRequest(text="first(a.p in the last 7 days) > 1"))
    )
    assert problem.reason == "RULE_UNSUPPORTED"


@served()
async def test_a_build_over_history_ends_ready(server: Served) -> None:
    """A segment made after its events finds them all, while checks are answered."""
    for first in range(0, 20_000, 5_000):
        await server.ingest(*(event("view", f"u{i % 3000}", event_id=f"e{i}") for i in range(first, first + 5_000)))
    await server.create("often", "did view at least 7 times")
    segment = await _get(server, "often")
    assert segment.state == v1.SEGMENT_STATE_READY
    assert segment.member_count == 20_000 - 3000 * 6


@served()
async def test_modes_are_shown_edited_and_cloned(server: Served) -> None:
    """Mode and ttl come back in every view and version; an edit to another mode needs no word about the ttl."""
    ttl = Duration(seconds=3_600)
    await server.create("warm", "did view", mode=v1.SEGMENT_MODE_STICKY, ttl=ttl)
    listed = (await server.segments.ListSegments(v1.ListSegmentsRequest())).segments
    clone = v1.CloneSegmentRequest(segment="warm", new_segment="copy")
    copied = (await server.segments.CloneSegment(clone)).segment
    for shown in (await _get(server, "warm"), *listed, copied):
        assert (shown.mode, shown.ttl) == (v1.SEGMENT_MODE_STICKY, ttl)
    longer = _update("warm", ["ttl"], ttl=Duration(seconds=7_200))
    assert (await server.segments.UpdateSegment(longer)).segment.ttl.seconds == 7_200
    once = (await server.segments.UpdateSegment(_update("warm", ["mode"], mode=v1.SEGMENT_MODE_ONCE))).segment
    assert (once.mode, once.HasField("ttl")) == (v1.SEGMENT_MODE_ONCE, False)
    versions = (await server.segments.ListSegmentVersions(v1.ListSegmentVersionsRequest(segment="warm"))).versions
    assert sorted((version.version, version.mode, version.ttl.seconds) for version in versions) == [
        (1, v1.SEGMENT_MODE_STICKY, 3_600),
        (2, v1.SEGMENT_MODE_STICKY, 7_200),
        (3, v1.SEGMENT_MODE_ONCE, 0),
    ]


@served()
async def test_a_mode_that_does_not_fit_names_its_field(server: Served) -> None:
    """On the way in, and in edits."""
    await server.create("live", "did view")
    for segment, field in (
        (v1.Segment(id="s", rule_text="did view", mode=v1.SEGMENT_MODE_STICKY), "segment.ttl"),
        (v1.Segment(id="s", rule_text="did view", ttl=Duration(seconds=5)), "segment.ttl"),
        (
            v1.Segment(id="s", rule_text="did view", mode=v1.SEGMENT_MODE_STICKY, ttl=Duration(nanos=999_000_000)),
            "segment.ttl",
        ),
        (v1.Segment(id="s", kind=v1.SEGMENT_KIND_LIST, mode=v1.SEGMENT_MODE_ONCE), "segment.mode"),
    ):
        problem = await refused(server.segments.CreateSegment(v1.CreateSegmentRequest(segment=segment)))
        assert (problem.reason, problem.field) == ("FIELD_INVALID", field)
    problem = await refused(server.segments.UpdateSegment(_update("live", ["mode"], mode=v1.SEGMENT_MODE_STICKY)))
    assert (problem.reason, problem.field) == ("FIELD_INVALID", "segment.ttl")
