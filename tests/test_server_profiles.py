"""ProfileService over gRPC: attributes, profiles, timelines, merges and deletions."""

from __future__ import annotations

from coterie.v1 import common_pb2
from coterie.v1 import profile_service_pb2 as v1
from coterie.v1.error_reason_pb2 import ErrorReason
from tests.serving import MINUTE, START, Served, event, fill, refused, served, user_named


def _update(user: str, **values: object) -> v1.AttributeUpdate:
    update = v1.AttributeUpdate(subject=user_named(user))
    for name, value in values.items():
        if value is None:
            update.attributes[name].SetInParent()
        else:
            fill(update.attributes[name], value)
    return update


async def _set(server: Served, *updates: v1.AttributeUpdate) -> v1.SetAttributesResponse:
    return await server.profiles.SetAttributes(v1.SetAttributesRequest(updates=updates))


async def _profile(server: Served, user: str, **fields: object) -> v1.GetProfileResponse:
    request = v1.GetProfileRequest(subject=user_named(user), **fields)  # type: ignore[arg-type]
    return await server.profiles.GetProfile(request)


@served()
async def test_attributes_decide_segments(server: Served) -> None:
    """Setting a value joins, removing it leaves; what is wrong with one update refuses that one."""
    await server.create("adults", "user.age >= 18")
    response = await _set(
        server,
        _update("u1", age=30, tags=["a", "b"]),
        _update("u2", age="forty"),
        v1.AttributeUpdate(subject=user_named("u3")),
        _update("u4", age=12, name="x"),
    )
    assert response.accepted == 2
    assert [(e.index, ErrorReason.Name(e.reason), e.field) for e in response.refused] == [
        (1, "ERROR_REASON_TYPE_CONFLICT", "updates[1].attributes.age"),
        (2, "ERROR_REASON_FIELD_INVALID", "updates[2].attributes"),
    ]
    assert [await server.check(user, "adults") for user in ("u1", "u4")] == [[True], [False]]
    await _set(server, _update("u1", age=None))
    assert await server.check("u1", "adults") == [False]
    profile = (await _profile(server, "u1")).profile
    assert list(profile.attributes) == ["tags"]


@served()
async def test_a_profile_shows_everything(server: Served) -> None:
    """Identifiers, attributes, newest context, segments with since when, totals and the timeline."""
    await server.create("viewers", "did view")
    for i in range(5):
        await server.ingest(
            event("view", "u1", START - i * MINUTE, anonymous_id="a1", properties={"n": i}, context={"os": "iOS"})
        )
    await server.ingest(event("purchase", "u1", START - 10 * MINUTE))
    await _set(server, _update("u1", plan="pro"))
    response = await _profile(server, "u1", page_size=4)
    profile = response.profile
    assert [(name.namespace, name.value) for name in profile.identifiers] == [("user_id", "u1"), ("anonymous_id", "a1")]
    assert profile.attributes["plan"].string == "pro"
    assert profile.current["os"].string == "iOS"
    assert [(e.segment, e.since.ToMilliseconds()) for e in profile.segments] == [("viewers", START)]
    assert [(t.type, t.count, t.first_time.ToMilliseconds()) for t in profile.totals] == [
        ("purchase", 1, START - 10 * MINUTE),
        ("view", 5, START - 4 * MINUTE),
    ]
    assert profile.first_seen.ToMilliseconds() == START - 10 * MINUTE
    assert profile.last_seen.ToMilliseconds() == START
    visit = profile.last_visit
    assert (visit.start_time.ToMilliseconds(), visit.end_time.ToMilliseconds()) == (START - 10 * MINUTE, START)
    assert (visit.events, visit.running) == (6, True)
    assert [entry.properties["n"].number for entry in response.timeline] == [0, 1, 2, 3]
    rest = await _profile(server, "u1", page_size=4, page_token=response.next_page_token)
    assert [entry.type for entry in rest.timeline] == ["view", "purchase"]
    assert not rest.next_page_token


@served()
async def test_an_unknown_profile_is_an_answer(server: Served) -> None:
    """Nobody has the identifier: `known` is false, and nobody is made by asking."""
    response = await _profile(server, "nobody")
    assert not response.known
    assert server.dataset.engine.status().subjects[1] == 0


@served()
async def test_events_are_listed_by_type_and_time(server: Served) -> None:
    """Filters hold on every page, and the pages together are complete."""
    events = [event("view" if i % 3 else "buy", "u1", START - i * MINUTE, event_id=f"e{i}") for i in range(40)]
    await server.ingest(*events)
    request = v1.ListEventsRequest(subject=user_named("u1"), types=["buy"], page_size=4)
    request.start_time.FromMilliseconds(START - 30 * MINUTE)
    request.end_time.FromMilliseconds(START - 3 * MINUTE)
    times: list[int] = []
    while True:
        page = await server.profiles.ListEvents(request)
        times += [(START - entry.time.ToMilliseconds()) // MINUTE for entry in page.events]
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert times == list(range(6, 31, 3))
    request.end_time.FromMilliseconds(START - 40 * MINUTE)
    assert (await refused(server.profiles.ListEvents(request))).field == "end_time"


@served()
async def test_a_merge_makes_two_subjects_one(server: Served) -> None:
    """The survivor has both histories; the absorbed one's identifier names it; merging again is refused."""
    await server.create("twice", "did view at least 2 times")
    await server.ingest(event("view", "u1"), event("view", "u2"))
    request = v1.MergeSubjectsRequest(absorbed=user_named("u1"), survivor=user_named("u2"))
    response = await server.profiles.MergeSubjects(request)
    assert {name.value for name in response.identifiers} == {"u1", "u2"}
    assert await server.check("u1", "twice") == [True]
    assert (await refused(server.profiles.MergeSubjects(request))).reason == "MERGE_REFUSED"


@served()
async def test_a_deleted_subject_is_gone(server: Served) -> None:
    """Nothing is known of a deleted subject; deleting again is no error; a new event makes a new subject."""
    await server.create("viewers", "did view")
    await server.ingest(event("view", "u1"))
    request = v1.DeleteSubjectRequest(subject=user_named("u1"))
    assert (await server.profiles.DeleteSubject(request)).known
    assert not (await server.profiles.DeleteSubject(request)).known
    assert not (await _profile(server, "u1")).known
    await server.ingest(event("other", "u1"))
    assert await server.check("u1", "viewers") == [False]


@served()
async def test_a_subject_is_named_in_many_ways(server: Served) -> None:
    """Shorthands and lists name the same subject; contradictions are refused by field."""
    await server.ingest(event("view", "u1", anonymous_id="a1", account_id="firm"))
    for subject, known in (
        (common_pb2.Subject(user_id="u1"), True),
        (common_pb2.Subject(anonymous_id="a1"), True),
        (common_pb2.Subject(identifiers=[common_pb2.Identifier(namespace="user_id", value="u1")]), True),
        (common_pb2.Subject(account_id="firm"), True),
        (common_pb2.Subject(kind=common_pb2.SUBJECT_KIND_ACCOUNT, account_id="u1"), False),
    ):
        response = await server.profiles.GetProfile(v1.GetProfileRequest(subject=subject))
        assert response.known == known
    for subject, field in (
        (common_pb2.Subject(), "subject.user_id"),
        (common_pb2.Subject(user_id="u1", account_id="firm"), "subject.account_id"),
        (common_pb2.Subject(kind=common_pb2.SUBJECT_KIND_ACCOUNT, user_id="u1"), "subject.user_id"),
        (common_pb2.Subject(kind=9, user_id="u1"), "subject.kind"),
        (common_pb2.Subject(identifiers=[common_pb2.Identifier(namespace="x")]), "subject.identifiers[0].value"),
    ):
        problem = await refused(server.profiles.GetProfile(v1.GetProfileRequest(subject=subject)))
        assert (problem.reason, problem.field) == ("FIELD_INVALID", field)
