"""MembershipService and AnalyticsService over gRPC: checks, lists, counts and exports agree."""

from __future__ import annotations

import numpy as np
from pyroaring import BitMap

from coterie.v1 import analytics_service_pb2 as analytics
from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as v1
from coterie.v1 import profile_service_pb2 as profiles
from coterie.v1 import segment_service_pb2 as segments
from tests.serving import DAY, START, Served, event, refused, served, user_named


async def _shop(server: Served) -> None:
    """Ten users; those with an even number bought, those from the fifth on viewed."""
    await server.create("buyers", "did purchase")
    await server.create("viewers", "did view")
    events = [event("purchase", f"u{i}") for i in range(0, 10, 2)] + [event("view", f"u{i}") for i in range(5, 10)]
    await server.ingest(*events)


async def _count(server: Served, *expressions: str) -> list[int]:
    response = await server.analytics.CountMembers(analytics.CountMembersRequest(expressions=expressions))
    assert [entry.expression for entry in response.counts] == list(expressions)
    return [entry.count for entry in response.counts]


async def _members(server: Served, expression: str, **fields: object) -> list[str]:
    """All pages of a list, as user ids."""
    names: list[str] = []
    token = ""
    while True:
        request = v1.ListMembersRequest(expression=expression, page_token=token, **fields)  # type: ignore[arg-type]
        page = await server.members.ListMembers(request)
        names += [member.identifiers[0].value for member in page.members]
        token = page.next_page_token
        if not token:
            assert page.total_size == len(names)
            return names


@served()
async def test_check_list_and_count_agree(server: Served) -> None:
    """For every expression the members listed are those counted, whatever the page size and direction."""
    await _shop(server)
    for expression, expected in {
        "buyers": {0, 2, 4, 6, 8},
        "viewers and not buyers": {5, 7, 9},
        "buyers or viewers": {0, 2, 4, 5, 6, 7, 8, 9},
        "not buyers": {5, 7, 9},
        "at least 2 of (buyers, viewers)": {6, 8},
        "buyers and not buyers": set(),
    }.items():
        wanted = {f"u{i}" for i in expected}
        assert await _count(server, expression) == [len(wanted)]
        for size in (1, 2, 3, 100):
            names = await _members(server, expression, page_size=size)
            assert set(names) == wanted
            assert len(names) == len(wanted)
            backwards = await _members(server, expression, page_size=size, order=v1.MemberOrder(descending=True))
            assert backwards == names[::-1]


@served()
async def test_an_unknown_subject_is_an_answer(server: Served) -> None:
    """Nobody knows the subject: it is in nothing, not even in `not x`, and `known` is false."""
    await _shop(server)
    await server.create("others", "not in buyers")
    request = v1.CheckMembershipRequest(subject=user_named("nobody"), segments=["buyers", "others"])
    response = await server.members.CheckMembership(request)
    assert not response.known
    assert [entry.member for entry in response.memberships] == [False, False]
    listed = await server.members.ListSubjectSegments(v1.ListSubjectSegmentsRequest(subject=user_named("nobody")))
    assert not listed.known
    assert not listed.segments


@served()
async def test_no_segments_means_all_that_are_ready(server: Served) -> None:
    """A check that names no segment answers for all of the subject's kind, by id."""
    await _shop(server)
    await server.create("firms", "did login", subject_kind=common_pb2.SUBJECT_KIND_ACCOUNT)
    response = await server.members.CheckMembership(v1.CheckMembershipRequest(subject=user_named("u6")))
    assert [(entry.segment, entry.member) for entry in response.memberships] == [("buyers", True), ("viewers", True)]


@served()
async def test_batch_bits_are_packed_row_by_row(server: Served) -> None:
    """Bit i * segments + j says whether subject i is in segment j; unknown and malformed subjects are in nothing."""
    await _shop(server)
    user_ids = ["u6", "nobody", "u5", "x" * 300, "u4"]
    for request in (
        v1.BatchCheckMembershipRequest(user_ids=user_ids, segments=["buyers", "viewers", "buyers"]),
        v1.BatchCheckMembershipRequest(
            subjects=[user_named(name) for name in user_ids], segments=["buyers", "viewers", "buyers"]
        ),
    ):
        response = await server.members.BatchCheckMembership(request)
        bits = [response.members[n // 8] >> (n % 8) & 1 for n in range(15)]
        assert bits == [1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1]
        assert [response.known[0] >> n & 1 for n in range(8)] == [1, 0, 1, 0, 1, 0, 0, 0]
        assert [entry.index for entry in response.refused] == [3]


@served()
async def test_a_stream_of_checks_goes_on_after_a_bad_one(server: Served) -> None:
    """What is wrong with one check is said in its answer; the next is answered."""
    await _shop(server)

    async def checks() -> object:
        yield v1.StreamCheckMembershipRequest(subject=user_named("u6"), segments=["buyers"])
        yield v1.StreamCheckMembershipRequest(subject=user_named("u6"), segments=["absent"])
        yield v1.StreamCheckMembershipRequest(subject=user_named("u5"), segments=["buyers"])

    answers = [answer async for answer in server.members.StreamCheckMembership(checks())]
    assert [answer.check for answer in answers] == [0, 1, 2]
    assert [[entry.member for entry in answer.memberships] for answer in answers] == [[True], [], [False]]
    assert "absent" in answers[1].error.message


@served()
async def test_since_when_is_told(server: Served) -> None:
    """A membership's beginning is the time of the record that made it."""
    await _shop(server)
    server.clock.set(START + 5000)
    await server.ingest(event("view", "u2"))
    response = await server.members.ListSubjectSegments(
        v1.ListSubjectSegmentsRequest(subject=user_named("u2"), page_size=1)
    )
    assert [(e.segment, e.since.ToMilliseconds()) for e in response.segments] == [("buyers", START)]
    response = await server.members.ListSubjectSegments(
        v1.ListSubjectSegmentsRequest(subject=user_named("u2"), page_size=1, page_token=response.next_page_token)
    )
    assert [(e.segment, e.since.ToMilliseconds()) for e in response.segments] == [("viewers", START + 5000)]
    assert not response.next_page_token


@served()
async def test_an_export_is_of_one_revision_and_resumes(server: Served) -> None:
    """A broken export goes on after its cursor, although members have changed meanwhile."""
    await _shop(server)
    request = v1.ExportMembersRequest(expression="buyers", batch_size=2)
    messages = []
    async for message in server.members.ExportMembers(request):
        messages.append(message)
        break
    await server.ingest(event("purchase", "u1"), event("purchase", "later"))
    request.cursor = messages[0].cursor
    messages += [message async for message in server.members.ExportMembers(request)]
    names = [member.identifiers[0].value for message in messages for member in message.batch.members]
    assert names == ["u0", "u2", "u4", "u6", "u8"]
    assert {message.revision.token for message in messages} == {messages[0].revision.token}
    assert {message.total_size for message in messages} == {5}


@served()
async def test_a_roaring_export_can_be_read_without_us(server: Served) -> None:
    """The bitmap is in Roaring's portable format, and the dictionary names each of its ids."""
    await _shop(server)
    request = v1.ExportMembersRequest(expression="buyers", format=v1.EXPORT_FORMAT_ROARING, batch_size=3)
    messages = [message async for message in server.members.ExportMembers(request)]
    data = b"".join(message.bitmap.data for message in messages if message.WhichOneof("part") == "bitmap")
    names = {
        dense: name.value
        for message in messages
        if message.WhichOneof("part") == "dictionary"
        for dense, name in zip(message.dictionary.ids, message.dictionary.identifiers, strict=True)
    }
    assert {names[dense] for dense in BitMap.deserialize(data)} == {"u0", "u2", "u4", "u6", "u8"}


@served()
async def test_an_empty_export_has_one_message(server: Served) -> None:
    """An export of nobody says so, with its revision."""
    await _shop(server)
    request = v1.ExportMembersRequest(expression="buyers and not buyers")
    messages = [message async for message in server.members.ExportMembers(request)]
    assert [(message.total_size, message.WhichOneof("part")) for message in messages] == [(0, None)]


@served()
async def test_members_can_be_ordered_by_an_attribute(server: Served) -> None:
    """Members come in the order of the attribute, those without it last, and show the attributes asked for."""
    await _shop(server)
    updates = []
    for user, age in (("u0", 30), ("u2", 20), ("u4", 40)):
        update = profiles.AttributeUpdate(subject=user_named(user))
        update.attributes["age"].number = age
        updates.append(update)
    await server.profiles.SetAttributes(profiles.SetAttributesRequest(updates=updates))
    order = v1.MemberOrder(attribute="age")
    assert await _members(server, "buyers", order=order, page_size=2) == ["u2", "u0", "u4", "u6", "u8"]
    order.descending = True
    assert await _members(server, "buyers", order=order, page_size=2) == ["u4", "u0", "u2", "u6", "u8"]
    request = v1.ListMembersRequest(expression="buyers", attributes=["age", "absent"], page_size=1)
    page = await server.members.ListMembers(request)
    assert {name: value.number for name, value in page.members[0].attributes.items()} == {"age": 30}


@served()
async def test_a_page_token_belongs_to_its_question(server: Served) -> None:
    """A token of one list is refused by another."""
    await _shop(server)
    page = await server.members.ListMembers(v1.ListMembersRequest(expression="buyers", page_size=1))
    other = v1.ListMembersRequest(expression="viewers", page_size=1, page_token=page.next_page_token)
    problem = await refused(server.members.ListMembers(other))
    assert (problem.reason, problem.field) == ("FIELD_INVALID", "page_token")


@served()
async def test_a_trend_counts_joins_and_leaves(server: Served) -> None:
    """Sizes, joins and leaves fall into the bucket of their time."""
    await server.create("recent", "did view in the last 1 day")
    await server.ingest(event("view", "u1"), event("view", "u2"))
    await server.move(START + DAY)
    await server.ingest(event("view", "u3"))
    request = analytics.GetTrendRequest(segments=["recent"], bucket=analytics.TIME_BUCKET_DAY)
    trend = (await server.analytics.GetTrend(request)).trends[0]
    assert [(p.size, p.joined, p.left) for p in trend.points] == [(2, 2, 0), (1, 1, 2)]
    request.zone = "Nowhere/Atall"
    assert (await refused(server.analytics.GetTrend(request))).field == "zone"
    request.zone = "Asia/Kolkata"  # its days begin at half past an hour
    assert (await refused(server.analytics.GetTrend(request))).field == "zone"


@served()
async def test_lists_are_changed_by_hand(server: Served) -> None:
    """Adding makes unknown subjects, removing ignores them, setting replaces; counts are of real changes."""
    await server.create("friends")
    add = segments.AddMembersRequest(segment="friends", members=[user_named(f"u{i}") for i in range(600)])
    response = await server.segments.AddMembers(add)
    assert (response.added, response.member_count) == (600, 600)
    assert (await server.segments.AddMembers(add)).added == 0
    remove = segments.RemoveMembersRequest(segment="friends", members=[user_named("u0"), user_named("nobody")])
    response = await server.segments.RemoveMembers(remove)
    assert (response.removed, response.member_count) == (1, 599)
    for wanted in (range(590, 1190), range(1180, 1185), range(0)):
        before = set(await _members(server, "friends"))
        names = {f"u{i}" for i in wanted}
        replace = segments.SetMembersRequest(segment="friends", members=[user_named(name) for name in sorted(names)])
        response = await server.segments.SetMembers(replace)
        assert (response.added, response.removed) == (len(names - before), len(before - names))
        assert set(await _members(server, "friends")) == names


@served()
async def test_an_import_changes_nothing_before_its_end(server: Served) -> None:
    """A stream sets a list at its end; malformed members are named and left out."""
    await server.create("friends")

    async def parts() -> object:
        set_members = segments.MEMBER_OPERATION_SET
        yield segments.ImportMembersRequest(segment="friends", operation=set_members, ids=["u1", "", "u2"])
        yield segments.ImportMembersRequest(members=[user_named("u3"), common_pb2.Subject()])
        assert await _count(server, "friends") == [0]

    response = await server.segments.ImportMembers(parts())
    assert (response.read, response.added, response.member_count) == (5, 3, 3)
    assert [(e.index, e.field) for e in response.refused] == [(1, "ids[1]"), (4, "members[1].user_id")]
    assert sorted(await _members(server, "friends")) == ["u1", "u2", "u3"]


def test_numpy_packs_bits_as_promised() -> None:
    """The packing used is the one documented: lowest bit first."""
    assert np.packbits([1, 0, 0, 0, 0, 0, 0, 0, 1], bitorder="little").tobytes() == b"\x01\x01"
