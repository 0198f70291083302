"""Opaque tokens: revisions of a dataset, and places in a listing.

A token names the dataset and origin it was given out by (as a hash) and carries a checksum, so one of
another dataset, of an earlier life of this one, or one that was cut short is refused as bad input, never misread.

Revision: origin hash (8 bytes), revision (u64), CRC-32; big-endian, base64url without padding.
Page: origin hash, CRC-32, then a JSON array of the listing's name, the hash of its query, and the place.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import struct
import zlib

from coterie.index.errors import FieldInvalid

_REVISION = struct.Struct(">8sQ")
_CHECK = struct.Struct(">I")
MAX_TOKEN_CHARACTERS = 2048


class Tokens:
    """Makes and reads the tokens of one dataset's origin."""

    def __init__(self, dataset: str, origin: str) -> None:
        self._origin = hashlib.blake2b(f"{dataset}\0{origin}".encode(), digest_size=8).digest()
        self._latest = (-1, "")

    def revision(self, revision: int) -> str:
        """Returns the token of a revision; the newest one is kept, since most answers carry it."""
        kept, token = self._latest
        if kept != revision:
            body = _REVISION.pack(self._origin, revision)
            token = _encode(body + _CHECK.pack(zlib.crc32(body)))
            self._latest = (revision, token)
        return token

    def read_revision(self, token: str, field: str) -> int:
        """Returns the revision of a token; FieldInvalid names the field where it is foreign or malformed."""
        raw = _decode(token, field, "revision token")
        if len(raw) != _REVISION.size + _CHECK.size:
            raise FieldInvalid(field, "not a revision token")
        body = raw[: _REVISION.size]
        self._check(body, _CHECK.unpack(raw[_REVISION.size :])[0], field, "revision token")
        revision: int = _REVISION.unpack(body)[1]
        return revision

    def page(self, listing: str, query: str, place: list[str | int]) -> str:
        """Returns the token of the page that begins after `place` in a listing of that query."""
        body = self._origin + json.dumps([listing, _fingerprint(query), place]).encode()
        return _encode(_CHECK.pack(zlib.crc32(body)) + body)

    def read_page(self, listing: str, query: str, token: str, field: str = "page_token") -> list[str | int]:
        """Returns the place a page token names; FieldInvalid where it belongs to another listing or query."""
        raw = _decode(token, field, "page token")
        if len(raw) < _CHECK.size + len(self._origin):
            raise FieldInvalid(field, "not a page token")
        body = raw[_CHECK.size :]
        self._check(body, _CHECK.unpack(raw[: _CHECK.size])[0], field, "page token")
        given_listing, fingerprint, place = json.loads(body[len(self._origin) :])
        if given_listing != listing or fingerprint != _fingerprint(query):
            raise FieldInvalid(field, "this page token belongs to another request; repeat the request it came from")
        assert isinstance(place, list), "a page token with a valid checksum holds what was put in"
        return place

    def _check(self, body: bytes, check: int, field: str, what: str) -> None:
        if zlib.crc32(body) != check:
            raise FieldInvalid(field, f"not a {what}, or one that was cut short or changed")
        if body[: len(self._origin)] != self._origin:
            raise FieldInvalid(field, f"this {what} belongs to another dataset, or to an earlier one of this name")


def _fingerprint(query: str) -> str:
    return hashlib.blake2b(query.encode(), digest_size=8).hexdigest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(token: str, field: str, what: str) -> bytes:
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise FieldInvalid(field, f"not a {what}: longer than {MAX_TOKEN_CHARACTERS} characters")
    try:
        return base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise FieldInvalid(field, f"not a {what}") from error
