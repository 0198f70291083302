"""What a snapshot says of itself, and what a newer or older program makes of it.

Invariant: `format` can be read whatever else has changed, so a directory written by a newer version is
refused by name, not misread.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from typing import Final

import msgpack

from coterie.index.errors import DataLoss, FormatTooNew

STATE_FORMAT: Final = 1
# What `apply` makes of records: raised whenever the same journal would lead to other members or changes.
ENGINE_VERSION: Final = 1
TIME_ZONES: Final = version("tzdata")


@dataclass(frozen=True, slots=True)
class Header:
    """The committed state: which generation of pages, as of which revision and time, written by whom.

    `origin` names the line of revisions: tokens of another one mean nothing here.
    """

    origin: str
    generation: int = 0
    revision: int = 0
    now: int = 0
    format: int = STATE_FORMAT
    engine: int = ENGINE_VERSION
    tzdata: str = TIME_ZONES

    def of_generation(self, generation: int) -> Header:
        """Returns the same header for another generation."""
        return replace(self, generation=generation)

    def is_current(self) -> bool:
        """Tells whether this program gives records the meaning they had for the one that wrote the state."""
        return self.engine == ENGINE_VERSION and self.tzdata == TIME_ZONES


def pack_header(header: Header) -> bytes:
    """Packs a header as a msgpack map by field name."""
    packed: bytes = msgpack.packb(asdict(header))
    return packed


def unpack_header(packed: bytes) -> Header:
    """Unpacks a header; raises FormatTooNew for one a newer version wrote, DataLoss for one that says too little."""
    values = msgpack.unpackb(packed)
    if values["format"] > STATE_FORMAT:
        raise FormatTooNew(
            f"the state has format {values['format']}; this version reads up to {STATE_FORMAT}",
            found=values["format"],
            supported=STATE_FORMAT,
        )
    known = {field.name for field in fields(Header)}
    if not known <= set(values):
        raise DataLoss("meta", "header")
    return Header(**{name: values[name] for name in known})
