"""`coterie load`: how maps are read, and how the text of cells becomes values."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow.parquet
import pytest

from coterie.server.cli.load.conversion import BadValue, instant_of, read_boolean, read_number, time_reader
from coterie.server.cli.load.inference import guess_csv
from coterie.server.cli.load.mapping import (
    Kind,
    Mapping,
    MappingInvalid,
    Part,
    check_columns,
    check_complete,
    parse_mapping,
    parse_mappings,
)
from tests.loading import (
    NOON_MS,
)

# ---------------------------------------------------------------- maps


def test_maps_are_read_as_documented() -> None:
    """KEY=COLUMN[:TYPE], KEY==CONSTANT; a layout may hold colons, a column too."""
    assert parse_mapping("user_id=CustomerID") == Mapping(Part.USER_ID, "", column="CustomerID")
    assert parse_mapping("type==purchase") == Mapping(Part.TYPE, "", constant="purchase")
    assert parse_mapping("prop.unit.price=Price:number") == Mapping(
        Part.PROPERTY, "unit.price", column="Price", kind=Kind.NUMBER
    )
    assert parse_mapping("time=at:time:%Y-%m-%d %H:%M:%S UTC") == Mapping(
        Part.TIME, "", column="at", kind=Kind.TIME, layout="%Y-%m-%d %H:%M:%S UTC"
    )
    assert parse_mapping("prop.x=a:b:c").column == "a:b:c"
    assert parse_mapping("context.note==a=b") == Mapping(Part.CONTEXT, "note", constant="a=b")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["user_id"], "expected KEY=COLUMN"),
        (["usr=x"], "unknown key 'usr'"),
        (["prop=x"], "prop needs a name"),
        (["type.x=x"], "type takes no name"),
        (["user_id=x:number"], "always text"),
        (["time=x:number"], "only be of type time"),
        (["prop.x=y:string:%d"], "takes a layout"),
        (["prop.x=y:time:dd/mm"], "no %-field"),
        (["user_id=a", "user_id=b"], "mapped twice"),
        (["type==view"], "no subject is mapped"),
        (["user_id=u", "time=t"], "time: only events have these"),
        (["user_id=u"], "nothing to load"),
        (["user_id=u", "type=nope"], "no such column; the file has u, n"),
        (["user_id=u", "type=n:int"], "unknown type 'int'"),
    ],
)
def test_a_wrong_map_is_refused_before_the_first_row(options: list[str], complaint: str) -> None:
    """The message names the option and what is the matter."""

    def check() -> None:
        mappings = parse_mappings(options)
        check_complete(mappings)
        check_columns(mappings, ["u", "n"])

    with pytest.raises(MappingInvalid, match=complaint):
        check()


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1.0), (" -2.50 ", -2.5), ("1e3", 1000.0), ("", None), ("NA", None), ("nan", None)]
)
def test_numbers_are_read_and_blanks_are_missing(text: str, number: float | None) -> None:
    """The null spellings are those of pyarrow's CSV reader."""
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["1,000", "1_000", "abc", "0x10", "--1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Python's own spellings are not read either."""
    with pytest.raises(BadValue, match="is not a number"):
        read_number(text)


def test_booleans_are_read() -> None:
    """As pyarrow's CSV reader spells them."""
    assert [read_boolean(text) for text in ("true", "FALSE", "1", "0", "")] == [True, False, True, False, None]
    with pytest.raises(BadValue):
        read_boolean("yes")


@pytest.mark.parametrize(
    ("layout", "text", "instant"),
    [
        (None, "2026-05-01T12:00:00Z", NOON_MS),
        (None, "2026-05-01 12:00:00", NOON_MS),
        (None, "2026-05-01T14:00:00+02:00", NOON_MS),
        (None, "2026-05-01T12:00:00.123", NOON_MS + 123),
        (None, "2026-05-01", NOON_MS - 12 * 3_600_000),
        (None, "", None),
        ("%Y-%m-%d %H:%M:%S UTC", "2026-05-01 12:00:00 UTC", NOON_MS),
        ("%Y-%m-%d %H:%M:%S", "2026-05-01 12:00:00", NOON_MS),
        ("%d/%m/%Y %H:%M", "01/05/2026 12:00", NOON_MS),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-05-01T13:00:00+0100", NOON_MS),
        ("s", "1777636800.5", NOON_MS + 500),
        ("ms", "1777636800000", NOON_MS),
        ("s", "-1", -1000),
    ],
)
def test_times_are_read_in_any_layout(layout: str | None, text: str, instant: int | None) -> None:
    """Whole milliseconds since the epoch; local ones are UTC here."""
    assert time_reader(layout, UTC)(text) == instant


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (None, "01/05/2026"),
        ("%Y-%m-%d %H:%M:%S UTC", "2026-13-01 00:00:00 UTC"),
        ("%Y-%m-%d %H:%M:%S UTC", "2026-05-01 12:00:00"),
        ("s", "x"),
    ],
)
def test_what_is_no_time_of_the_layout_is_refused(layout: str | None, text: str) -> None:
    """Never guessed."""
    with pytest.raises(BadValue):
        time_reader(layout, UTC)(text)


def test_local_times_are_placed_by_the_zone() -> None:
    """Of two instants the first; a skipped local time is the first instant after the gap; a named UTC stays UTC."""
    paris = ZoneInfo("Europe/Paris")
    at = time_reader("%Y-%m-%d %H:%M:%S", paris)
    assert at("2026-05-01 14:00:00") == NOON_MS
    assert at("2026-10-25 02:30:00") == int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp() * 1000)
    gap_end = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp() * 1000)
    assert [at(f"2026-03-29 {clock}") for clock in ("02:00:00", "02:30:00", "03:00:00")] == [gap_end] * 3
    assert instant_of(datetime(2026, 3, 29, 1, 59, 59), paris) == gap_end - 1000
    assert time_reader("%Y-%m-%d %H:%M:%S UTC", paris)("2026-05-01 12:00:00 UTC") == NOON_MS


def test_kinds_are_inferred_as_pyarrow_reads_the_whole_column() -> None:
    """One text among numbers makes a column text, however late it comes."""
    rows = [("1", "1.5", "2026-05-01 12:00:00", "true", "1", "x", "")] * 5000
    rows.append(("2", "NA", "2026-05-01", "", "C5", "1", "NA"))
    text = "whole,decimal,time,boolean,mixed,text,blank\n" + "\n".join(",".join(row) for row in rows)
    columns = text.partition("\n")[0].split(",")
    kinds = {name: guess.kind for name, guess in guess_csv(io.BytesIO(text.encode()), columns, ",").items()}
    expected = [Kind.NUMBER, Kind.NUMBER, Kind.TIME, Kind.BOOLEAN, Kind.STRING, Kind.STRING, Kind.STRING]
    assert kinds == dict(zip(columns, expected, strict=True))
    inferred = pyarrow.csv.read_csv(io.BytesIO(text.encode()))
    assert [str(inferred.schema.field(name).type) for name in ("whole", "decimal", "mixed")] == [
        "int64",
        "double",
        "string",
    ]
