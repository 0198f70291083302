"""P3: how many are in `a and b and (c or d) and not e`, of ten million users.

Coterie is given the text, which it parses once and remembers; the peers are given their own form of the same question.
The bare bitmaps are asked in the best order found by hand: no step's result is so thin that its containers
change form, and the last step is only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from bench.data import bitmap, make_list, make_users, random_ids
from bench.dataset import Dataset
from bench.measure import Timings, checksum, interleaved, paired_ratio
from bench.peers import ClickHouse, DuckDB, Ids, Redis
from bench.registry import Benchmark, Run
from bench.report import Goal, Report
from coterie.index.rules import parse_expression_of_names

EXPRESSION = "a and b and (c or d) and not e"
SHARES = {"a": 0.40, "b": 0.25, "c": 0.08, "d": 0.12, "e": 0.03}
WANTED = (("bare CRoaring", 1.2), ("Redis", 2.0), ("ClickHouse", 5.0), ("DuckDB", 50.0))

Count = Callable[[], int]
CLICKHOUSE = """
SELECT bitmapAndnotCardinality(bitmapAnd(bitmapAnd(a.bits, b.bits), bitmapOr(c.bits, d.bits)), e.bits)
FROM bench.a AS a, bench.b AS b, bench.c AS c, bench.d AS d, bench.e AS e"""
DUCKDB = """
SELECT count(*) FROM a SEMI JOIN b USING (id)
SEMI JOIN (SELECT id FROM c UNION ALL SELECT id FROM d) AS either USING (id) ANTI JOIN e USING (id)"""


def _bare(sets: dict[str, Ids]) -> Count:
    a, b, c, d, e = (bitmap(ids) for ids in sets.values())
    return lambda: (a & b).intersection_cardinality((c | d) - e)


@contextmanager
def _redis(run: Run, sets: dict[str, Ids], users: int) -> Iterator[Count]:
    with Redis(run.directory / "redis") as redis:
        for name, ids in sets.items():
            redis.store(name, ids, users + 1)

        def count() -> int:
            pipeline = redis.client.pipeline(transaction=False)
            pipeline.bitop("OR", "either", "c", "d")
            pipeline.bitop("NOT", "others", "e")
            pipeline.bitop("AND", "result", "a", "b", "either", "others")
            pipeline.bitcount("result")
            return int(pipeline.execute()[-1])

        yield count


@contextmanager
def _clickhouse(run: Run, sets: dict[str, Ids], users: int) -> Iterator[Count]:
    with ClickHouse(run.directory) as clickhouse:
        for name, ids in sets.items():
            clickhouse.store(name, ids, users)
        yield lambda: clickhouse.count(CLICKHOUSE)


@contextmanager
def _duckdb(_run: Run, sets: dict[str, Ids], users: int) -> Iterator[Count]:
    with DuckDB() as duckdb:
        for name, ids in sets.items():
            duckdb.store(name, ids, users)
        yield lambda: duckdb.count(DUCKDB)


_PEERS = (
    ("Redis", Redis.NEEDS, _redis),
    ("ClickHouse", ClickHouse.NEEDS, _clickhouse),
    ("DuckDB", DuckDB.NEEDS, _duckdb),
)


def run(run: Run) -> Report:
    """Counts, beside bare bitmaps, Redis, ClickHouse and DuckDB."""
    users = run.choose(50_000, 10_000_000, 10_000_000)
    rounds = run.choose(3, 30, 100)
    report = Report("P3", "count of a five-operand expression", f"{users:,} users, `{EXPRESSION}`")
    run.watch.phase("making sets")
    sets = {name: random_ids(share, users, seed) for seed, (name, share) in enumerate(SHARES.items())}
    with ExitStack() as stack:
        dataset = stack.enter_context(Dataset(run.directory / "p3"))
        make_users(dataset, users)
        for name, ids in sets.items():
            make_list(dataset, name, bitmap(ids))
        engine = dataset.engine
        parsed = parse_expression_of_names(EXPRESSION)
        contestants: dict[str, Count] = {
            "Coterie": lambda: engine.count(parse_expression_of_names(EXPRESSION)),
            "Coterie, already parsed": lambda: engine.count(parsed),
            "bare CRoaring": _bare(sets),
        }
        for name, needs, start in _PEERS:
            if needs or not run.peers:
                report.notes.append(f"{name} was left out" + (f": {needs} is not installed" if needs else ""))
            else:
                run.watch.phase(f"filling {name}")
                contestants[name] = stack.enter_context(start(run, sets, users))
        _judge(report, interleaved(contestants, rounds, run.watch))
    return report


def _judge(report: Report, timings: dict[str, Timings[int]]) -> None:
    report.figures = [timing.figure(name, "one count") for name, timing in timings.items()]
    ours = timings["Coterie"]
    report.checksum = checksum(ours.answer)
    for name, wanted in WANTED:
        theirs = timings.get(name)
        if name == "bare CRoaring":
            assert theirs is not None
            report.goals.append(
                Goal("time beside bare CRoaring", paired_ratio(ours.seconds, theirs.seconds), wanted, at_most=True)
            )
        else:
            ratio = paired_ratio(theirs.seconds, ours.seconds) if theirs is not None else None
            report.goals.append(Goal(f"times as fast as {name}", ratio, wanted))


BENCHMARK = Benchmark("P3", "count of a five-operand expression", run)
