"""Domain errors: one class per thing a caller can do wrong or must know, facts as fields.

Nothing here knows status codes or protobuf; the server has one table that translates. Invariant: the
message is a whole sentence a person can act on, and every fact in it is also a field. A class's
`reason` is the name callers match on; it never changes once released.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple


class CoterieError(Exception):
    """The base of every domain error. `metadata` gives its facts as text, in declaration order."""

    reason: ClassVar[str]

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies what was said; a class's own arguments are not kept, so it cannot be made from them again."""
        return _restored, (type(self), self.args), self.__dict__

    @property
    def metadata(self) -> dict[str, str]:
        """The error's facts as text (None left out)."""
        return {name: str(value) for name, value in self.facts.items() if value is not None}


def _restored(kind: type[CoterieError], arguments: tuple[object, ...]) -> CoterieError:
    return kind.__new__(kind, *arguments)


# ---------------------------------------------------------------- bad input


class InputError(CoterieError):
    """Something in the request is wrong; `field` is its path in the request (`events[3].time`).

    `line` and `column` say where in a text, both from 1; 0 where there is no text. `leaf` is the leaf of a rule that
    is at fault, counted from 0 in the order of the text, for whoever knows where the leaves stand.
    """

    reason = "FIELD_INVALID"
    line = column = 0
    leaf: int | None = None

    def __init__(self, field: str, message: str, **facts: object) -> None:
        super().__init__(message, **facts)
        self.field = field

    def place(self, line: int, column: int) -> None:
        """Says where in the text it is."""
        self.line, self.column = line, column
        self.message = f"line {line}, column {column}: {self.message}"
        self.args = (self.message,)
        self.facts = {"line": line, "column": column, **self.facts}

    def place_leaf(self, places: Sequence[tuple[int, int]]) -> None:
        """Says where the leaf at fault is, if one is: `places` are line and column of each (none: there is no text)."""
        if self.leaf is not None and places:
            self.place(*places[self.leaf])
            self.leaf = None


class Origin(NamedTuple):
    """Where a rule was said: the path of the request's field, and line and column of each leaf (none: it is no text)."""

    field: str
    places: Sequence[tuple[int, int]] = ()

    def tell(self, error: InputError) -> None:
        """Has an error about the rule say where in the request it is."""
        error.field = self.field
        error.place_leaf(self.places)


class FieldInvalid(InputError):
    """A field is missing, malformed or out of range."""


class LimitExceeded(InputError):
    """More was given than a documented limit allows."""

    reason = "LIMIT_EXCEEDED"

    def __init__(self, field: str, what: str, given: int, maximum: int) -> None:
        super().__init__(field, f"{what}: {given} given, at most {maximum} allowed", given=given, maximum=maximum)


class EventTimeInFuture(InputError):
    """An event lies further ahead of now than the allowed clock skew."""

    reason = "EVENT_TIME_IN_FUTURE"


class TypeConflict(InputError):
    """An attribute was given a value of another type than it has."""

    reason = "TYPE_CONFLICT"

    def __init__(self, field: str, attribute: str, expected: str, given: str) -> None:
        super().__init__(
            field,
            f"attribute {attribute!r} holds {expected} values; a {given} was given",
            attribute=attribute,
            expected=expected,
            given=given,
        )


class RuleInvalid(InputError):
    """A rule cannot be read or has no meaning."""

    reason = "RULE_INVALID"

    def __init__(
        self, field: str, message: str, line: int = 0, column: int = 0, expected: str = "", fix: str = ""
    ) -> None:
        super().__init__(
            field,
            message + (f"; expected {expected}" if expected else "") + (f"; {fix}" if fix else ""),
            expected=expected or None,
            fix=fix or None,
        )
        self.expected, self.fix = expected, fix
        if line:
            self.place(line, column)


class SegmentCycle(InputError):
    """The rule would make a segment depend on itself."""

    reason = "SEGMENT_CYCLE"

    def __init__(self, field: str, cycle: tuple[str, ...]) -> None:
        super().__init__(field, "segment cycle: " + " -> ".join(cycle), cycle=" -> ".join(cycle))


class RuleUnsupported(InputError):
    """The rule is well formed, but a leaf of it cannot be evaluated by this version."""

    reason = "RULE_UNSUPPORTED"

    def __init__(self, field: str, leaf: str, nearest: str = "") -> None:
        message = f"{leaf} cannot be evaluated" + (f"; nearest: {nearest}" if nearest else "")
        super().__init__(field, message, leaf=leaf, expected=nearest or None)


class HistoryTooShort(InputError):
    """The rule reaches past the history that is kept."""

    reason = "HISTORY_TOO_SHORT"


# ---------------------------------------------------------------- state


class NotFound(CoterieError):
    """Something named does not exist."""


class SegmentNotFound(NotFound):
    """No segment has that id."""

    reason = "SEGMENT_NOT_FOUND"

    def __init__(self, segment: str) -> None:
        super().__init__(f"no segment {segment!r}", segment=segment)


class DatasetNotFound(NotFound):
    """No dataset has that id."""

    reason = "DATASET_NOT_FOUND"

    def __init__(self, dataset: str) -> None:
        super().__init__(f"no dataset {dataset!r}", dataset=dataset)


class SubjectNotFound(NotFound):
    """No subject has that identifier (only where an operation needs one; reads answer `known = false`)."""

    reason = "SUBJECT_NOT_FOUND"

    def __init__(self, namespace: str, value: str) -> None:
        super().__init__(f"no subject with {namespace} {value!r}", namespace=namespace, value=value)


class Exists(CoterieError):
    """Something of that name exists already."""


class SegmentExists(Exists):
    """A segment has that id already."""

    reason = "SEGMENT_EXISTS"

    def __init__(self, segment: str) -> None:
        super().__init__(f"segment {segment!r} exists already", segment=segment)


class DatasetExists(Exists):
    """A dataset has that id already."""

    reason = "DATASET_EXISTS"

    def __init__(self, dataset: str) -> None:
        super().__init__(f"dataset {dataset!r} exists already", dataset=dataset)


class PreconditionFailed(CoterieError):
    """The call is right, the state is not."""


class SegmentInUse(PreconditionFailed):
    """Other segments use it."""

    reason = "SEGMENT_IN_USE"

    def __init__(self, segment: str, dependents: tuple[str, ...]) -> None:
        super().__init__(
            f"segment {segment!r} is used by {', '.join(dependents)}", segment=segment, dependents=",".join(dependents)
        )


class SegmentBuilding(PreconditionFailed):
    """The segment has never been ready; reads must wait for its first build."""

    reason = "SEGMENT_BUILDING"

    def __init__(self, segment: str, progress: float) -> None:
        super().__init__(
            f"segment {segment!r} is still being built ({progress:.0%})", segment=segment, progress=f"{progress:.4f}"
        )


class WrongSegmentKind(PreconditionFailed):
    """The operation is for another kind of segment (members can be added only to a list)."""

    reason = "WRONG_SEGMENT_KIND"

    def __init__(self, segment: str, kind: str, needed: str) -> None:
        super().__init__(
            f"segment {segment!r} is a {kind}; this needs a {needed}", segment=segment, kind=kind, needed=needed
        )


class MergeRefused(PreconditionFailed):
    """The two subjects cannot be merged (they are the same one, or of different kinds)."""

    reason = "MERGE_REFUSED"


class EtagMismatch(CoterieError):
    """The segment was changed since the caller read it."""

    reason = "ETAG_MISMATCH"

    def __init__(self, segment: str, given: str, current: str) -> None:
        super().__init__(
            f"segment {segment!r} was changed meanwhile (etag {given} given, {current} current)",
            segment=segment,
            given=given,
            current=current,
        )


class RevisionCompacted(CoterieError):
    """Changes that old are no longer kept; `oldest` is the oldest revision one can follow from."""

    reason = "REVISION_COMPACTED"

    def __init__(self, oldest: str) -> None:
        super().__init__("changes of that revision are no longer kept", oldest=oldest)


class RevisionUnavailable(CoterieError):
    """An exact revision was asked for that the answer cannot be given at."""

    reason = "REVISION_UNAVAILABLE"


# ---------------------------------------------------------------- the service's own state


class Exhausted(CoterieError):
    """A resource is used up; waiting or reading faster helps. `retry_after_ms` says how long, where known."""

    retry_after_ms: int | None = None


class IngestSaturated(Exhausted):
    """The write queue is full."""

    reason = "INGEST_SATURATED"
    retry_after_ms = 100


class WatchLagged(Exhausted):
    """A watcher read too slowly and was cut; it can resume from its last revision."""

    reason = "WATCH_LAGGED"


class ScansSaturated(Exhausted):
    """As many calls as may be are scanning history already."""

    reason = "SCANS_SATURATED"
    retry_after_ms = 500


class StorageFull(Exhausted):
    """The disk or the map is full; reads go on, writes resume by themselves when there is room."""

    reason = "STORAGE_FULL"
    retry_after_ms = 1000


class Unavailable(CoterieError):
    """The server is draining or its storage failed."""

    reason = "UNAVAILABLE"
    retry_after_ms: int | None = 500


class DataLoss(CoterieError):
    """A checksum failed; names the dataset's database and key. Never answered wrongly."""

    reason = "DATA_LOSS"

    def __init__(self, database: str, key: str) -> None:
        super().__init__(f"checksum mismatch in {database} at {key}", database=database, key=key)


class FormatTooNew(CoterieError):
    """The directory was written by a newer version."""

    reason = "FORMAT_TOO_NEW"
