"""Settings, clock and tokens: what can be judged without a running server."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from pathlib import Path

import pytest

from coterie.index.errors import FieldInvalid, LimitExceeded
from coterie.server.clock import ClockRefused, SystemClock, check_start
from coterie.server.config import ConfigurationError, ServerSettings, load_settings
from coterie.server.requests import RequestMemory
from coterie.server.tokens import Tokens

DAY_MS = 86_400_000


def test_every_setting_says_what_it_is() -> None:
    """Every setting has a sentence of documentation."""
    for setting in fields(ServerSettings):
        assert setting.metadata["doc"], setting.name


def test_later_sources_win(tmp_path: Path) -> None:
    """The file beats the default, the environment the file, the command line the environment."""
    file = tmp_path / "coterie.toml"
    file.write_text('listen = "127.0.0.1:1"\nqueue_calls = 7\nwatch_buffer = 5\n[engine]\ntimezone = "Europe/Paris"\n')
    environment = {"COTERIE_LISTEN": "127.0.0.1:2", "COTERIE_QUEUE_CALLS": "8", "COTERIE_TARGET": "not the server's"}
    settings = load_settings(file, environment, listen="127.0.0.1:3", data=None)
    assert (settings.listen, settings.queue_calls, settings.watch_buffer) == ("127.0.0.1:3", 8, 5)
    assert settings.engine.timezone == "Europe/Paris"
    assert settings.data == "coterie-data"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("qeue_calls = 1", "qeue_calls"),
        ("queue_calls = '1'", "queue_calls"),
        ("queue_calls = true", "queue_calls"),
        ("queue_calls = 0", "queue_calls"),
        ("listen = 'nowhere'", "listen"),
        ("[engine]\nrecord_events = 1000", "record_events"),
        ("[engine]\nrecord = 1", "record"),
        ("queue_calls = ", "coterie.toml"),
    ],
)
def test_a_bad_file_is_refused_by_key(tmp_path: Path, text: str, key: str) -> None:
    """An unknown key, a wrong type, a value out of range: the error names the key."""
    file = tmp_path / "coterie.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=key):
        load_settings(file, {})


@pytest.mark.parametrize(("name", "value"), [("COTERIE_QUEUE_CALLS", "many"), ("COTERIE_ACCEPT_CLOCK", "perhaps")])
def test_a_bad_variable_is_refused_by_name(name: str, value: str) -> None:
    """A malformed environment variable is named."""
    with pytest.raises(ConfigurationError, match=name):
        load_settings(None, {name: value})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A configuration file that is not there is named."""
    with pytest.raises(ConfigurationError, match=r"absent\.toml"):
        load_settings(tmp_path / "absent.toml", {})


# ---------------------------------------------------------------- clock


def test_the_clock_never_goes_back() -> None:
    """Readings never decrease."""
    clock = SystemClock()
    readings = [clock.now() for _ in range(1000)]
    assert readings == sorted(readings)


def test_a_timer_never_fires_early() -> None:
    """A callback comes when the clock has reached the instant, not before."""

    async def wait() -> tuple[int, int]:
        clock = SystemClock()
        called: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        instant = clock.now() + 3
        clock.call_at(instant, lambda: called.set_result(clock.now()))
        return instant, await called

    instant, called_at = asyncio.run(wait())
    assert called_at >= instant


def test_a_start_long_after_the_last_record_is_refused() -> None:
    """More than the gap past the last record needs to be accepted; an empty dataset has no last record."""
    check_start("d", 1000, 1000 + 7 * DAY_MS, 7 * DAY_MS, accept=False)
    check_start("d", 0, 10**12, 7 * DAY_MS, accept=False)
    check_start("d", 1000, 1001 + 7 * DAY_MS, 7 * DAY_MS, accept=True)
    with pytest.raises(ClockRefused, match="accept-clock"):
        check_start("d", 1000, 1001 + 7 * DAY_MS, 7 * DAY_MS, accept=False)


# ---------------------------------------------------------------- tokens


def test_a_revision_token_comes_back() -> None:
    """A token means the revision it was made of, and equal revisions have equal tokens."""
    tokens = Tokens("shop", "origin")
    for revision in (0, 1, 250, 2**40):
        token = tokens.revision(revision)
        assert tokens.read_revision(token, "f") == revision
        assert Tokens("shop", "origin").revision(revision) == token
        assert len(token) <= 128


@pytest.mark.parametrize("other", [Tokens("shop", "another"), Tokens("store", "origin")])
def test_a_foreign_token_is_refused(other: Tokens) -> None:
    """A token of another dataset or origin is FIELD_INVALID, naming the field."""
    with pytest.raises(FieldInvalid, match="another dataset") as caught:
        Tokens("shop", "origin").read_revision(other.revision(7), "after.token")
    assert caught.value.field == "after.token"


def test_any_damage_to_a_token_is_noticed() -> None:
    """No token with one character changed, added or taken away is read."""
    tokens = Tokens("shop", "origin")
    token = tokens.revision(123_456)
    damaged = {token[:-1], token + "A", "", "é", "!" * 20, "A" * 5000, " " + token}
    damaged |= {token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :] for i in range(len(token))}
    for text in damaged:
        with pytest.raises(FieldInvalid):
            tokens.read_revision(text, "f")


def test_a_page_token_serves_one_question_only() -> None:
    """A page token is refused by another listing, another query and another dataset."""
    tokens = Tokens("shop", "origin")
    token = tokens.page("members", "vip", [17, "x"])
    assert tokens.read_page("members", "vip", token) == [17, "x"]
    for reader, listing, query in (
        (tokens, "segments", "vip"),
        (tokens, "members", "buyers"),
        (Tokens("shop", "new"), "members", "vip"),
    ):
        with pytest.raises(FieldInvalid):
            reader.read_page(listing, query, token)
    with pytest.raises(FieldInvalid):
        tokens.read_page("members", "vip", tokens.revision(3))


# ---------------------------------------------------------------- request ids


def test_a_repeated_request_gets_the_first_answer() -> None:
    """The work is done once, also when the repeat comes while it is under way; a mix-up is refused."""

    async def run() -> None:
        memory = RequestMemory(2, 1000, lambda: 0)
        done = []

        async def work() -> int:
            done.append(1)
            await asyncio.sleep(0)
            return len(done)

        first, second = await asyncio.gather(memory.once("r", "Call", b"x", work), memory.once("r", "Call", b"x", work))
        assert (first, second, await memory.once("r", "Call", b"x", work), len(done)) == (1, 1, 1, 1)
        with pytest.raises(FieldInvalid, match="another request"):
            await memory.once("r", "Call", b"y", work)
        with pytest.raises(LimitExceeded):
            await memory.once("r" * 200, "Call", b"x", work)
        assert await memory.once("", "Call", b"x", work) == 2

    asyncio.run(run())


def test_a_failed_request_may_be_tried_again() -> None:
    """A failure is not remembered, and the oldest answers make room."""

    async def run() -> None:
        memory = RequestMemory(2, 1000, lambda: 0)
        attempts: list[int] = []

        async def work() -> int:
            attempts.append(1)
            if len(attempts) == 1:
                raise FieldInvalid("f", "first time")
            return len(attempts)

        with pytest.raises(FieldInvalid):
            await memory.once("r", "Call", b"x", work)
        assert await memory.once("r", "Call", b"x", work) == 2
        for name in ("a", "b"):
            await memory.once(name, "Call", b"x", work)
        assert await memory.once("r", "Call", b"x", work) == 5, "forgotten, so done anew"

    asyncio.run(run())
