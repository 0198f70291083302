"""The benchmarks run, and say what they claim to say: each at a tiny size, without peers unless they are installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import benchmarks
from bench.__main__ import main
from bench.aged import WINDOWS
from bench.data import random_ids
from bench.dataset import Dataset
from bench.measure import DifferentAnswers, Silent, checksum, interleaved, percentile
from bench.p3_algebra import SHARES
from bench.peers import ClickHouse, DuckDB, Redis
from bench.registry import Benchmark, Run
from bench.report import Goal, Report
from bench.shop import MEASURES, SEGMENTS, Shop, events_of, rules
from bench.wire import IngestMessage
from coterie.v1 import event_service_pb2

NAMES = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P10", "L1")


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_runs(name: str, tmp_path: Path) -> None:
    """A benchmark at the tiny size measures something, judges it, and sums up its answers."""
    report = benchmarks()[name].run(Run("tiny", tmp_path, Silent(), peers=False))
    assert report.name == name
    assert report.figures
    assert all(figure.least <= figure.median <= figure.most for figure in report.figures)
    assert report.goals
    assert len(report.checksum) == 16
    json.dumps(report.to_json())


def test_the_readme_shows_every_benchmark() -> None:
    """The result table has a line for each benchmark there is."""
    text = (Path(__file__).parent.parent / "bench" / "README.md").read_text(encoding="utf-8")
    assert list(benchmarks()) == list(NAMES)
    assert [name for name in NAMES if f"| {name} |" not in text] == []


def test_the_timed_count_is_the_right_one(tmp_path: Path) -> None:
    """P3 sums up the number that Python's own sets count."""
    a, b, c, d, e = (set(random_ids(share, 50_000, seed).tolist()) for seed, share in enumerate(SHARES.values()))
    report = benchmarks()["P3"].run(Run("tiny", tmp_path, Silent(), peers=False))
    assert report.checksum == checksum(len((a & b & (c | d)) - e))


@pytest.mark.skipif(bool(Redis.NEEDS or ClickHouse.NEEDS or DuckDB.NEEDS), reason="peers are not installed")
def test_peers_are_asked_where_they_are_installed(tmp_path: Path) -> None:
    """With peers installed every goal of P3 is judged, and all peers give the same answer."""
    report = benchmarks()["P3"].run(Run("tiny", tmp_path, Silent()))
    assert [goal.text for goal in report.goals if goal.met is None] == []


def test_missing_peers_are_named(tmp_path: Path) -> None:
    """A goal whose peer is left out is neither met nor missed, and a note says why."""
    report = benchmarks()["P3"].run(Run("tiny", tmp_path, Silent(), peers=False))
    assert [goal.met for goal in report.goals[1:]] == [None, None, None]
    assert all(any(peer in note for note in report.notes) for peer in ("Redis", "ClickHouse", "DuckDB"))


def test_the_shop_rests_on_forty_measures(tmp_path: Path) -> None:
    """The hundred segments of the ingest benchmarks share exactly the measures the target speaks of."""
    with Dataset(tmp_path) as dataset:
        dataset.create(rules(WINDOWS))
        status = dataset.engine.status()
        assert (status.segments, status.measures) == (SEGMENTS, MEASURES)


def test_equal_seeds_give_equal_events() -> None:
    """Two runs of a benchmark send the same events."""
    one, other = (events_of(Shop(100, seed=3).happenings(50), 0, 500, "e") for _ in range(2))
    assert one == other
    assert [event.time for event in one] == list(range(10, 510, 10))


def test_contestants_must_agree() -> None:
    """Nothing is said about the speed of two who answer differently."""
    with pytest.raises(DifferentAnswers, match="two answers 2, one answered 1"):
        interleaved({"one": lambda: 1, "two": lambda: 2}, 3, Silent())


def test_contestants_take_turns() -> None:
    """Nobody is always first: the order rotates with the rounds, after one that does not count."""
    asked: list[str] = []
    timings = interleaved({"a": lambda: asked.append("a"), "b": lambda: asked.append("b")}, 2, Silent())
    assert asked == ["a", "b", "b", "a", "a", "b"]
    assert [len(timing.seconds) for timing in timings.values()] == [2, 2]


def test_percentile_is_a_measured_value() -> None:
    """The 99th percentile of a hundred values is the largest, of the others the one that so many do not exceed."""
    assert percentile(list(range(100)), 0.99) == 99
    assert percentile(list(range(1000)), 0.99) == 990
    assert percentile([7.0], 0.99) == 7.0


def test_stamped_messages_are_ordinary_requests() -> None:
    """What is sent parses as an ingest request: ids of their own, now as time, everything else as it was made."""
    happenings = Shop(10).happenings(20)
    message = IngestMessage(happenings)
    first, second = (event_service_pb2.IngestEventsRequest.FromString(message.stamped(number)) for number in (1, 2))
    assert len({event.event_id for event in [*first.events, *second.events]}) == 40
    assert [event.user_id for event in first.events] == [one.user for one in happenings]
    assert all(event.time.seconds > 1_700_000_000 and 0 <= event.time.nanos < 10**9 for event in first.events)
    assert set(first.events[0].properties) == set(happenings[0].properties)


def test_goals_know_their_direction() -> None:
    """At most and at least are judged as such, at the very limit too; what was not measured is not judged."""
    assert [Goal("", value, 1.2, at_most=True).met for value in (1.2, 1.3, None)] == [True, False, None]
    assert [Goal("", value, 5.0).met for value in (5.0, 4.9, None)] == [True, False, None]


def test_an_unknown_benchmark_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The program names what there is."""
    assert main(["P99"]) == 2
    assert "P99" in capsys.readouterr().err


def test_json_lines_hold_the_verdicts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json every report is one line of JSON on standard output, with its goals judged."""
    report = Report("P3", "title", "setup", goals=[Goal("faster", 3.0, 2.0)], checksum="0" * 16)
    monkeypatch.setattr("bench.p3_algebra.BENCHMARK", Benchmark("P3", "title", lambda _: report))
    assert main(["p3", "--json", "--size", "tiny"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["name"], line["size"], line["goals"][0]["met"]) == ("P3", "tiny", True)


def test_an_interrupt_ends_the_program_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves with the exit status shells expect."""

    def interrupted(_: Run) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.p3_algebra.BENCHMARK", Benchmark("P3", "title", interrupted))
    assert main(["P3", "--size", "tiny"]) == 130
