"""The calls of SegmentService that change lists: adding, removing, replacing, and imports of any length."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from coterie.index.errors import FieldInvalid, InputError, LimitExceeded
from coterie.server.binding import Context
from coterie.server.convert.answers import Refusals, stamp_written
from coterie.server.lists import ADD, REMOVE, SET, MemberList, Names
from coterie.server.service import Service, check_count
from coterie.v1 import segment_service_pb2 as v1

Changed = TypeVar("Changed", v1.AddMembersResponse, v1.RemoveMembersResponse, v1.SetMembersResponse)
_NAMED_REFUSALS = 1_000
_OPERATIONS = {v1.MEMBER_OPERATION_ADD: ADD, v1.MEMBER_OPERATION_REMOVE: REMOVE, v1.MEMBER_OPERATION_SET: SET}


class ListCalls(Service):
    """Changes who is on a list."""

    async def add_members(self, request: v1.AddMembersRequest, _context: Context) -> v1.AddMembersResponse:
        """Puts subjects on a list."""
        return await self._change(request, ADD, v1.AddMembersResponse(), least=1)

    async def remove_members(self, request: v1.RemoveMembersRequest, _context: Context) -> v1.RemoveMembersResponse:
        """Takes subjects off a list."""
        return await self._change(request, REMOVE, v1.RemoveMembersResponse(), least=1)

    async def set_members(self, request: v1.SetMembersRequest, _context: Context) -> v1.SetMembersResponse:
        """Replaces all members of a list."""
        return await self._change(request, SET, v1.SetMembersResponse(), least=0)

    async def _change(self, request: Any, operation: Any, response: Changed, least: int) -> Changed:
        dataset = self._catalogue.get(request.dataset)
        check_count(request.members, "members", "members in one call", self._settings.max_members_per_call, least)
        members = MemberList(dataset, request.segment)
        names = [members.named(member, f"members[{index}]") for index, member in enumerate(request.members)]

        async def work() -> Changed:
            tally = await members.change(operation, names)
            for counted in ("added", "removed"):
                if counted in response.DESCRIPTOR.fields_by_name:
                    setattr(response, counted, getattr(tally, counted))
            response.member_count = members.size
            stamp_written(dataset.tokens, tally, response)
            return response

        return await self._once(dataset, request, work)

    async def import_members(
        self, requests: AsyncIterator[v1.ImportMembersRequest], _context: Context
    ) -> v1.ImportMembersResponse:
        """Changes a list by a stream; nothing changes before its end."""
        importing: _Import | None = None
        async for request in requests:
            if importing is None:
                importing = _Import(self, request)
            elif request.segment or request.dataset or request.operation:
                raise FieldInvalid("segment", "dataset, segment and operation belong in the first message only")
            importing.add(request)
        if importing is None:
            raise FieldInvalid("segment", "the stream ended before its first message")
        return await importing.finish()


class _Import:
    """An import, as far as it has been read."""

    def __init__(self, service: Service, request: v1.ImportMembersRequest) -> None:
        self._dataset = service.dataset(request.dataset)
        operation = _OPERATIONS.get(request.operation)
        if operation is None:
            raise FieldInvalid(
                "operation", "must be MEMBER_OPERATION_ADD, MEMBER_OPERATION_REMOVE or MEMBER_OPERATION_SET"
            )
        self._operation = operation
        self._members = MemberList(self._dataset, request.segment)
        self._names: list[Names] = []
        self._refused = Refusals(_NAMED_REFUSALS)
        self._read = 0

    def add(self, request: v1.ImportMembersRequest) -> None:
        """Takes the members of one message."""
        settings = self._dataset.settings
        for items, what in ((request.members, "members"), (request.ids, "ids")):
            check_count(items, what, f"{what} in one message", settings.max_members_per_call)
        total = self._read + len(request.members) + len(request.ids)
        if total > settings.max_import_members:
            raise LimitExceeded("members", "members in one import", total, settings.max_import_members)
        for index, member in enumerate(request.members):
            self._take(self._members.named, member, f"members[{index}]")
        for index, value in enumerate(request.ids):
            self._take(self._members.named_by_id, value, f"ids[{index}]")

    def _take(self, read: Callable[[Any, str], Names], item: Any, path: str) -> None:
        try:
            self._names.append(read(item, path))
        except InputError as error:
            self._refused.add(self._read, error)
        self._read += 1

    async def finish(self) -> v1.ImportMembersResponse:
        """Writes the change and answers."""
        tally = await self._members.change(self._operation, self._names)
        response = v1.ImportMembersResponse(read=self._read, added=tally.added, removed=tally.removed)
        self._refused.write(response.refused)
        response.member_count = self._members.size
        stamp_written(self._dataset.tokens, tally, response)
        return response
