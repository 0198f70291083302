"""What kind of values a column holds, where the mapping does not say: as pyarrow's CSV reader would infer it.

The whole column decides, in Arrow's order: whole numbers, booleans, times, other numbers, else text. The file is
read once more for it, in batches, only the columns in question. Owns no state beyond one file's guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from coterie.server.cli.load.conversion import NULL_SPELLINGS
from coterie.server.cli.load.mapping import Kind

_EXACT_WHOLE = 2**53
"""Up to here a double holds every whole number."""
_NULLS = pa.array(sorted(NULL_SPELLINGS))
_BLOCK_BYTES = 4 << 20


class Guess:
    """The kinds one column may still have after what was seen of it."""

    def __init__(self) -> None:
        self._possible = dict(_READINGS)
        self._seen = False
        self.loses_digits = False

    def look(self, texts: pa.Array) -> None:
        """Rules out what does not fit these texts."""
        # Values repeat in files; each is looked at once a batch.
        texts = pc.utf8_trim_whitespace(texts.unique())
        texts = texts.filter(pc.invert(pc.is_in(texts, value_set=_NULLS)))
        if not len(texts):
            return
        self._seen = True
        for name, (_, fits) in list(self._possible.items()):
            if not fits(texts):
                del self._possible[name]
        if "whole" in self._possible and not self.loses_digits:
            range_seen = pc.min_max(texts.cast(pa.int64())).as_py()
            self.loses_digits = range_seen["max"] > _EXACT_WHOLE or range_seen["min"] < -_EXACT_WHOLE

    @property
    def kind(self) -> Kind:
        """The first kind in Arrow's order that everything seen fits."""
        if not self._seen:
            return Kind.STRING
        return next((kind for kind, _ in self._possible.values()), Kind.STRING)


def _casts_to(*types: pa.DataType) -> Callable[[pa.Array], bool]:
    def fits(texts: pa.Array) -> bool:
        return any(_casts(texts, to) for to in types)

    return fits


def _casts(texts: pa.Array, to: pa.DataType) -> bool:
    try:
        texts.cast(to)
    except pa.ArrowInvalid:
        return False
    return True


def _are_booleans(texts: pa.Array) -> bool:
    spelled = pa.array(("true", "True", "TRUE", "1", "false", "False", "FALSE", "0"))
    return bool(pc.all(pc.is_in(texts, value_set=spelled)).as_py())


_READINGS: dict[str, tuple[Kind, Callable[[pa.Array], bool]]] = {
    "whole": (Kind.NUMBER, _casts_to(pa.int64())),
    "boolean": (Kind.BOOLEAN, _are_booleans),
    "time": (
        Kind.TIME,
        _casts_to(pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("s", "UTC"), pa.timestamp("ns", "UTC")),
    ),
    "decimal": (Kind.NUMBER, _casts_to(pa.float64())),
}


def guess_csv(stream: BinaryIO, columns: Sequence[str], delimiter: str) -> dict[str, Guess]:
    """Reads the whole stream and guesses the kind of each of these columns."""
    guesses = {column: Guess() for column in columns}
    reader = pyarrow.csv.open_csv(
        stream,
        read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=lambda _row: "skip"
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=list(columns),
            # Binary: bytes that are no UTF-8 spoil their own row, not the file.
            column_types=dict.fromkeys(columns, pa.binary()),
        ),
    )
    for batch in reader:
        for column, guess in guesses.items():
            guess.look(_as_text(batch.column(column)))
    return guesses


def guess_rows(rows: Iterable[Sequence[Any]], columns: dict[str, int]) -> dict[str, Guess]:
    """Guesses from the first rows of what can be read only once; `columns` says where each column is."""
    kept = list(rows)
    guesses = {column: Guess() for column in columns}
    for column, index in columns.items():
        texts = [row[index] for row in kept if index < len(row)]
        guesses[column].look(pa.array([text.encode(errors="replace").decode() for text in texts], pa.string()))
    return guesses


def _as_text(values: pa.Array) -> pa.Array:
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([value.decode(errors="replace") for value in values.to_pylist()], pa.string())
