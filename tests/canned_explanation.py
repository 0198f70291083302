"""An explanation with something of every kind in it, for tests of the client and the command line."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import ParseDict

from coterie.v1 import membership_service_pb2 as memberships

_BOUGHT = {
    "kind": "EXPLANATION_KIND_LEAF",
    "text": "did purchase at least 3 times in the last 30 days",
    "holds": True,
    "condition": "at least 3 times",
    "value": {"number": 5},
    "threshold": {"number": 3},
    "newestEventTime": "2026-05-01T11:00:00Z",
    "newestEventType": "purchase",
    "newestEventId": "e17",
    "nextFlip": "2026-05-20T09:30:00.250Z",
}
_LAPSED = {
    "kind": "EXPLANATION_KIND_LEAF",
    "text": "last(login) more than 30 days ago",
    "holds": False,
    "condition": "more than 30 days ago",
    "value": {"timestamp": "2026-04-20T08:00:00Z"},
    "threshold": {"timestamp": "2026-04-01T12:00:00Z"},
    "newestEventTime": "2026-04-20T08:00:00Z",
    "newestEventType": "login",
    "nextFlip": "2026-05-20T08:00:00Z",
}
_LOYAL = {
    "kind": "EXPLANATION_KIND_SEGMENT",
    "text": "in loyal",
    "segment": "loyal",
    "holds": True,
    "nextFlip": "2026-05-20T09:30:00.250Z",
    "children": [_BOUGHT],
}
_PLAN = {"kind": "EXPLANATION_KIND_LEAF", "text": "user.plan in ('pro', 'team')", "condition": "in ('pro', 'team')"}
_PLAN |= {"threshold": {"list": {"values": ["pro", "team"]}}}
_SPENT = {
    "kind": "EXPLANATION_KIND_LEAF",
    "text": "sum(purchase.price) between 10 and 99.5",
    "condition": "between 10 and 99.5",
    "holds": True,
    "value": {"number": 60.25},
    "threshold": {"number": 10},
    "upperThreshold": {"number": 99.5},
}
_RULE = {
    "kind": "EXPLANATION_KIND_AND",
    "text": "in loyal and not (…) and at least 1 of (…)",
    "holds": True,
    "nextFlip": "2026-05-20T08:00:00Z",
    "children": [
        _LOYAL,
        {
            "kind": "EXPLANATION_KIND_NOT",
            "text": "not (last(login) more than 30 days ago)",
            "holds": True,
            "nextFlip": "2026-05-20T08:00:00Z",
            "children": [_LAPSED],
        },
        {
            "kind": "EXPLANATION_KIND_AT_LEAST",
            "text": "at least 1 of (user.plan in ('pro', 'team'), sum(purchase.price) between 10 and 99.5)",
            "holds": True,
            "children": [_PLAN, _SPENT],
        },
    ],
}


def explanation(request: memberships.ExplainMembershipRequest) -> Any:
    """Explains `vip` as a rule, `may` as too long to look ahead, `stays` as sticky, `strangers` as others', anything else as a list."""
    said: dict[str, Any] = {
        "known": True,
        "member": True,
        "universe": "UNIVERSE_ALL",
        "inUniverse": True,
        "mode": "SEGMENT_MODE_LIVE",
    }
    if request.subject.identifiers[0].value == "nobody":
        said = {"universe": "UNIVERSE_ALL"}
    elif request.segment == "vip":
        said |= {"explanation": _RULE, "nextFlip": "2026-05-20T08:00:00Z"}
    elif request.segment == "may":
        said |= {"explanation": _SPENT, "lookedUntil": "2026-05-08T00:00:00Z"}
    elif request.segment == "stays":
        said |= {"explanation": _LAPSED, "mode": "SEGMENT_MODE_STICKY", "nextFlip": "2026-05-08T00:00:00Z"}
    elif request.segment == "strangers":
        said |= {"explanation": _SPENT, "member": False, "inUniverse": False, "universe": "UNIVERSE_ANONYMOUS"}
    else:
        on_list = {"kind": "EXPLANATION_KIND_SEGMENT", "text": f"in {request.segment}", "segment": request.segment}
        said |= {"explanation": on_list, "member": False}
    stamp = {"revision": {"token": "QE2inOE_Qw4"}, "now": "2026-05-01T12:00:00Z"}
    return ParseDict({**stamp, **said}, memberships.ExplainMembershipResponse())
