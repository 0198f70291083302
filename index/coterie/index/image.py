"""The engine's own part in snapshots: the catalogue, and the bitmaps that cannot be derived.

Expression nodes, cursors, reminders and universes are made anew from definitions, clock and bitmaps. Owns
nothing. Invariant: a state that was loaded answers and goes on exactly like the one that was saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple
from itertools import chain
from typing import Any

import msgpack
from pyroaring import BitMap

from coterie.index.conditions import ids_of
from coterie.index.measures.spec import Shape
from coterie.index.model import Mode, SegmentDefinition, SegmentKind, SubjectKind, Universe
from coterie.index.nodes import Members, Ref
from coterie.index.segments import Pending, Segment, SegmentVersion
from coterie.index.state import State
from coterie.index.storage.parts import Page, Part


class _BitsPart:
    """Bitmaps of conditions, of lists and frozen segments, and of those whom sticky and once segments keep."""

    def __init__(self, state: State) -> None:
        self._state = state

    def begin(self) -> Iterator[Page]:
        """Yields the bitmaps that changed."""
        state = self._state
        manual = [segment.members for segment in state.catalog if segment.members is not None]
        return state.pages.begin([*state.conditions.all(), *manual])

    def end(self, committed: bool) -> None:
        """Remembers what is durable."""
        self._state.pages.end(committed)

    def load(self, pages: Iterable[Page]) -> None:
        """Keeps the bitmaps until the catalogue, loaded next, asks for them."""
        held = {key: page for key, page in pages if page is not None}
        self._state.pages.loaded(held)
        self._state.conditions.restore(held)


class _CellsPart:
    """The tables of cells and deadlines, each as a whole: they hash all over, so nearly all of a table changes anyway."""

    def __init__(self, state: State) -> None:
        self._tables = {**state.cells.tables, "deadlines": state.latches.deadlines.table}
        self._codes = state.cells.codes
        self._pages: dict[str, int] = {}  # durable pages of each table

    def begin(self) -> Iterator[Page]:
        """Yields all rows that are not empty."""
        images = [(name, table.begin(), self._pages.get(name, 0)) for name, table in self._tables.items()]
        return chain(self._codes.begin(), chain.from_iterable(self._table(*image) for image in images))

    def _table(self, name: str, image: Iterator[bytes], before: int) -> Iterator[Page]:
        count = 0
        for page in image:
            yield _table_key(name, count), page
            count += 1
        for stale in range(count, before):
            yield _table_key(name, stale), None
        self._pages[name] = max(count, before)

    def end(self, committed: bool) -> None:
        """Ends all images."""
        for table in self._tables.values():
            table.end()
        self._codes.end(committed)

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        """Reads everything back."""
        by_table: dict[str, list[bytes]] = {name: [] for name in self._tables}
        values = []
        for key, page in pages:
            name = key.partition(b"/")[0].decode()
            if name in by_table and b"/" in key:
                by_table[name].append(page)
            else:
                values.append((key, page))
        self._codes.load(values)
        for name, held in by_table.items():
            self._tables[name].load(held)
            self._pages[name] = len(held)


def _table_key(table: str, number: int) -> bytes:
    return f"{table}/".encode() + number.to_bytes(4, "big")


class _CatalogPart:
    """Definitions, versions, measures, clock: one page."""

    def __init__(self, state: State) -> None:
        self._state = state

    def begin(self) -> Iterator[Page]:
        """Yields everything, packed at once: it is small."""
        state = self._state
        page = msgpack.packb(
            {
                "now": state.now,
                "revision": state.revision,
                "events": state.events_taken,
                "measures": state.measures.dump(),
                "segments": [_segment_row(segment) for segment in state.catalog],
            }
        )
        return iter([(b"catalog", page)])

    def end(self, committed: bool) -> None:
        """Nothing is kept: the page is always written."""

    def load(self, pages: Iterable[Page]) -> None:
        """Compiles every definition again; measures and conditions get back what they were."""
        state = self._state
        for _, page in pages:
            held = msgpack.unpackb(page)
            state.now, state.revision, state.events_taken = held["now"], held["revision"], held["events"]
            state.measures.reserve(tuple(row) for row in held["measures"])
            rows = [(row, _segment_of(row)) for row in held["segments"]]
            for _, segment in rows:
                state.catalog.add(segment)
            for kind, members in state.catalog.known.items():
                members.bits = BitMap(state.identity[kind].known)
            for row, segment in rows:
                _compile(state, row, segment)
            latches = {row["id"]: row.get("latch", 0) for row, _ in rows}  # none where an earlier version wrote it
            _put_to_work(state, {row["id"]: segment for row, segment in rows if row["ready"]}, latches)
        for measure in state.measures.give_up_reserved():
            for shape in Shape:
                state.cells.drop(measure, shape)
        state.derived.keep_only(state.workshop.derived_types())
        state.latches.deadlines.rebuild()
        state.cursors.forget_groups()
        state.builds.resume()
        state.schedule.rebuild(
            (condition, ids_of(state.identity[condition.kind].subjects)) for condition in state.conditions.all()
        )
        state.conditions.restore({})


def _segment_row(segment: Segment) -> dict[str, Any]:
    return {
        "id": segment.id,
        "created": segment.created_at,
        "updated": segment.updated_at,
        "versions": [(v.number, v.at, v.author, astuple(v.definition)) for v in segment.versions],
        "current": astuple(segment.definition),
        "pending": segment.pending and (segment.pending.version, astuple(segment.pending.definition)),
        "ready": segment.root is not None,
        "latch": segment.latch.number if segment.latch else 0,
    }


def _segment_of(row: dict[str, Any]) -> Segment:
    versions = [
        SegmentVersion(number, at, author, _definition_of(definition))
        for number, at, author, definition in row["versions"]
    ]
    return Segment(_definition_of(row["current"]), row["created"], row["updated"], versions)


def _definition_of(row: list[Any]) -> SegmentDefinition:
    segment_id, kind, subject_kind, rule, mode, ttl_ms, universe, display_name, description, labels = row
    return SegmentDefinition(
        segment_id,
        SegmentKind(kind),
        SubjectKind(subject_kind),
        rule,
        Mode(mode),
        ttl_ms,
        Universe(universe),
        display_name,
        description,
        tuple((key, value) for key, value in labels),
    )


def _compile(state: State, row: dict[str, Any], segment: Segment) -> None:
    if segment.definition.kind is not SegmentKind.RULE:
        segment.members = Members(segment.id)
        segment.members.bits = state.conditions.take_restored(segment.members.page_key)
        return
    if row["ready"]:
        segment.plan = state.plan_of(segment.definition)
    if row["pending"]:
        version, definition = row["pending"]
        pending = _definition_of(definition)
        segment.pending = Pending(pending, state.plan_of(pending), version)


def _put_to_work(state: State, segments: dict[str, Segment], latches: dict[str, int]) -> None:
    """Hangs the ready segments into the graph, the nested before those that nest them."""
    done: set[str] = set()

    def visit(segment: Segment) -> None:
        if segment.id in done:
            return
        done.add(segment.id)
        if segment.members is not None:
            state.catalog.put_to_work(segment, Ref(segment.members))
            return
        assert segment.plan is not None
        for name in segment.plan.segments:
            visit(segments[name])
        answer = state.catalog.expression(segment.plan.tree, segment.definition)
        if latches[segment.id]:
            answer = _latched(state, segment, answer, latches[segment.id])
        state.catalog.put_to_work(segment, answer)

    for segment in segments.values():
        visit(segment)


def _latched(state: State, segment: Segment, rule: Ref, number: int) -> Ref:
    kept = state.conditions.take_restored(Members(segment.id).page_key)
    segment.latch = state.latches.restore(segment.definition, rule, number, kept)
    segment.members = segment.latch.kept
    return state.latches.answer(segment.latch)


def parts_of(state: State) -> dict[str, Part]:
    """Returns every part of a state under its name, in the order in which they must be loaded."""
    subjects: dict[str, Part] = {}
    for kind in SubjectKind:
        subjects[f"identity-{kind.name.lower()}"] = state.identity[kind]
        subjects[f"attributes-{kind.name.lower()}"] = state.attributes[kind]
    return {
        **subjects,
        "history": state.history,
        "derived": state.derived,
        "seen": state.seen,
        "cells": _CellsPart(state),
        "changes": state.changes,
        "bits": _BitsPart(state),
        "catalog": _CatalogPart(state),
    }
