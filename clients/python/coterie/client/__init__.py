"""The Python client of Coterie: `Client` for threads, `AsyncClient` for asyncio.

from coterie.client import Client, Event

with Client("localhost:7443") as coterie:
taken = coterie.ingest([Event("purchase", user_id="u1", properties={"price": 30.0})])
coterie.create_segment("buyers", "did purchase in the last 30 days")
coterie.check("u1", "buyers", at_least=taken)
"""

from coterie.client.asynchronous import AsyncClient
from coterie.client.errors import (
    AlreadyExists,
    CoterieError,
    DataLoss,
    EtagMismatch,
    Exhausted,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    RecordsRefused,
    RevisionCompacted,
    RuleError,
    Unavailable,
    Unimplemented,
)
from coterie.client.pipeline import EventPipeline
from coterie.client.profiles import (
    CurrentSegment,
    EventTotal,
    ExplainedNode,
    Explanation,
    Member,
    NewestEvent,
    Profile,
    Visit,
)
from coterie.client.retries import Retries
from coterie.client.synchronous import Client
from coterie.client.types import (
    Acknowledged,
    Change,
    Event,
    Identifier,
    Ingested,
    ListChanged,
    ParsedRule,
    Preview,
    Refusal,
    ScanProgress,
    Segment,
    SegmentVersion,
    Subject,
    SubjectGone,
    SubjectLike,
    Trend,
    TrendPoint,
    account,
    anonymous,
    identified,
    user,
)
from coterie.client.watching import AsyncWatch, ResyncRequired, Watch

__all__ = [
    "Acknowledged",
    "AlreadyExists",
    "AsyncClient",
    "AsyncWatch",
    "Change",
    "Client",
    "CoterieError",
    "CurrentSegment",
    "DataLoss",
    "EtagMismatch",
    "Event",
    "EventPipeline",
    "EventTotal",
    "Exhausted",
    "ExplainedNode",
    "Explanation",
    "Identifier",
    "Ingested",
    "InvalidRequest",
    "ListChanged",
    "Member",
    "NewestEvent",
    "NotFound",
    "ParsedRule",
    "PreconditionFailed",
    "Preview",
    "Profile",
    "RecordsRefused",
    "Refusal",
    "ResyncRequired",
    "Retries",
    "RevisionCompacted",
    "RuleError",
    "ScanProgress",
    "Segment",
    "SegmentVersion",
    "Subject",
    "SubjectGone",
    "SubjectLike",
    "Trend",
    "TrendPoint",
    "Unavailable",
    "Unimplemented",
    "Visit",
    "Watch",
    "account",
    "anonymous",
    "identified",
    "user",
]
