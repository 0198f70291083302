"""kill -9 at any moment, twenty times over one directory: nothing acknowledged is lost, nothing counts twice.

A follower watches through all of it and resumes by itself: it sees every join and leave once.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coterie.client import Change, Client, CoterieError, Event, Retries
from tests.test_drain import PROGRAM, ROOT, free_port

TRIALS = 20
BATCH = 25
USERS = 40
PATIENCE_S = 30.0
PATIENT, ONCE = Retries(attempts=1_000, longest_delay=0.1), Retries(attempts=1)
RULES = {"buyers": "did buy at least 3 times", "odd": "did buy exactly 5 times or in list chosen"}


class Victim:
    """A server process on one directory and port, started and killed again and again."""

    def __init__(self, folder: Path) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it says that it serves."""
        roots = os.pathsep.join(str(ROOT / part) for part in ("index", "server", "clients/python"))
        environment = {**os.environ, "PYTHONPATH": roots}
        command = [sys.executable, "-c", PROGRAM, str(self._folder), self.address]
        self._process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        assert self._process.stderr is not None
        assert any(b"serving on" in line for line in self._process.stderr)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class Follower:
    """Watches both segments from the beginning, in a thread, over every restart."""

    def __init__(self, address: str, since: str) -> None:
        self._client = Client(address, timeout=4 * PATIENCE_S, retries=PATIENT)
        self._watch = self._client.watch(*RULES, since=since)
        self.members: dict[str, set[str]] = {name: set() for name in RULES}
        self.wrong: list[Change] = []
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._moved = threading.Condition()
        self._thread.start()

    def _follow(self) -> None:
        try:
            for change in self._watch:
                assert isinstance(change, Change)
                with self._moved:
                    held = self.members[change.segment]
                    if (change.subject.value in held) == change.joined:
                        self.wrong.append(change)  # a repeat, or a gap before it
                    (held.add if change.joined else held.discard)(change.subject.value)
                    self._moved.notify_all()
        except CoterieError:
            return  # closed, or the last server is gone

    def agrees(self, members: dict[str, set[str]]) -> bool:
        """Waits until what was followed is what the server lists."""
        with self._moved:
            return self._moved.wait_for(lambda: self.members == members, PATIENCE_S)

    def close(self) -> None:
        """Stops following."""
        self._watch.close()
        self._client.close()
        self._thread.join(PATIENCE_S)


@contextmanager
def killing(victim: Victim, delay_s: float) -> Iterator[None]:
    """Kills the server after a moment, whatever it is doing."""
    timer = threading.Timer(delay_s, victim.kill)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def batches(rng: random.Random) -> Iterator[list[Event]]:
    """Endless batches of purchases, every event with an id of its own."""
    for number in itertools.count():
        yield [
            Event("buy", user_id=f"u{rng.randrange(USERS)}", event_id=f"e{number}-{index}") for index in range(BATCH)
        ]


def send_until_killed(client: Client, feed: Iterator[list[Event]], pending: list[Event]) -> tuple[int, list[Event]]:
    """Sends until the server is gone; returns how many events were acknowledged, and the batch that was not."""
    acknowledged = 0
    try:
        while True:
            pending = pending or next(feed)
            answer = client.ingest(pending)
            assert answer.accepted + answer.duplicates == len(pending)
            acknowledged += len(pending)
            pending = []
    except CoterieError:
        return acknowledged, pending


def listed(client: Client) -> dict[str, set[str]]:
    """Both segments' members as the server lists them, each also counted."""
    members = {name: {member.id for member in client.members(name)} for name in RULES}
    assert {name: client.count(name) for name in RULES} == {name: len(held) for name, held in members.items()}
    return members


@pytest.mark.parametrize("seed", [1])
def test_twenty_kills_lose_nothing_and_count_nothing_twice(tmp_path: Path, seed: int) -> None:
    """Every acknowledged event is there after each restart; a batch that was not is sent again and counts once."""
    rng = random.Random(seed)
    victim, feed = Victim(tmp_path), batches(rng)
    victim.start()
    acknowledged, pending = 0, list[Event]()
    follower = None
    try:
        with Client(victim.address, timeout=PATIENCE_S, retries=PATIENT) as client:
            client.create_list("chosen")
            client.set_members("chosen", ["u1", "u2"])
            since = client.status().revision.token
            for name, rule in RULES.items():
                client.create_segment(name, rule)
            follower = Follower(victim.address, since)
        for trial in range(TRIALS):
            with (
                Client(victim.address, timeout=PATIENCE_S, retries=PATIENT) as client,
                Client(victim.address, timeout=2, retries=ONCE) as hasty,
            ):
                assert client.status().counts.events >= acknowledged
                if trial % 5 == 4:
                    client.snapshot()
                with killing(victim, rng.uniform(0.05, 0.5)):
                    done, pending = send_until_killed(hasty, feed, pending)
                acknowledged += done
            victim.start()
        with Client(victim.address, timeout=PATIENCE_S, retries=PATIENT) as client:
            if pending:
                client.ingest(pending)
                acknowledged += len(pending)
            assert client.status().counts.events == acknowledged
            assert follower.agrees(listed(client))
            assert follower.wrong == []
        assert acknowledged > TRIALS * BATCH, "the kills left time for next to nothing: the test would prove nothing"
    finally:
        if follower is not None:
            follower.close()
        victim.kill()
