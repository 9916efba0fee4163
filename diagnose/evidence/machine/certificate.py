"""From when to when a certificate of a PEM file is valid, and for which names.

The standard library reads those of a peer and of authorities, and not those of a file.
"""

import base64
import re
from datetime import UTC, datetime
from itertools import islice
from typing import Self

import msgspec

from diagnose.lazy_pattern import LazyPattern

_FIRST = LazyPattern(r"-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----")
_TIME = re.compile(rb"\x17\x0d(?P<short>\d{12})Z|\x18\x0f(?P<long>\d{14})Z")
"""A date in DER: UTCTime up to 2049, GeneralizedTime afterwards (RFC 5280, 4.1.2.5)."""


_NAMES = b"\x06\x03\x55\x1d\x11"
"""The object identifier of subjectAltName (2.5.29.17) in DER."""
_DNS_NAME = 0x82


class Validity(msgspec.Struct, frozen=True):
    """From when to when a certificate is valid, in Unix time."""

    start: float
    end: float


def validity_of(pem: str) -> Validity | None:
    """That of the first certificate: its first two dates. None where it cannot be read."""
    first = _FIRST.search(pem)
    try:
        der = base64.b64decode(first[1]) if first else b""
        dates = [_unix(date) for date in islice(_TIME.finditer(der), 2)]
    except ValueError:
        return None
    return Validity(dates[0], dates[1]) if len(dates) == 2 else None


def names_of(pem: str) -> tuple[str, ...]:
    """The DNS names of the first certificate (subjectAltName); none where it cannot be read."""
    first = _FIRST.search(pem)
    try:
        der = base64.b64decode(first[1]) if first else b""
    except ValueError:
        return ()
    rest = der.partition(_NAMES)[2]
    rest = rest.removeprefix(b"\x01\x01\xff")  # critical
    names = []
    for _ in range(2):  # an octet string, and the sequence in it
        rest = _Element.of(rest).content
    while rest:
        element = _Element.of(rest)
        if element.tag == _DNS_NAME:
            names.append(element.content.decode("ascii", "replace").lower())
        rest = rest[element.size :]
    return tuple(names)


class _Element(msgspec.Struct, frozen=True):
    """The first element of some DER: a tag, a length and the content (X.690, 8.1)."""

    tag: int
    content: bytes
    size: int
    """Bytes of the whole; never 0."""

    @classmethod
    def of(cls, der: bytes) -> Self:
        """An empty one where the bytes end too early."""
        if len(der) < 2:
            return cls(0, b"", max(len(der), 1))
        begin, length = 2, der[1]
        if length & 0x80:
            begin = 2 + (length & 0x7F)
            length = int.from_bytes(der[2:begin], "big")
        return cls(der[0], der[begin : begin + length], begin + length)


def _unix(date: re.Match[bytes]) -> float:
    text, form = date["short"], "%y%m%d%H%M%S"
    if text is None:
        text, form = date["long"], "%Y%m%d%H%M%S"
    return datetime.strptime(text.decode(), form).replace(tzinfo=UTC).timestamp()
