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
_HOST_NAME = LazyPattern(r"(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,20}")
_MOST_NAMES = 1000
"""Authorities sign no more names than a hundred or two."""
_VERSION = 0xA0
_MOST_PARTS = 8


class Validity(msgspec.Struct, frozen=True):
    """The begin and the end of a certificate's validity, in Unix time."""

    start: float
    end: float


def validity_of(pem: str) -> Validity | None:
    """The validity of the first certificate: its first two dates. None where it cannot be read."""
    first = _FIRST.search(pem)
    try:
        der = base64.b64decode(first[1]) if first else b""
        dates = [_unix(date) for date in islice(_TIME.finditer(der), 2)]
    except ValueError:
        return None
    return Validity(dates[0], dates[1]) if len(dates) == 2 else None


def names_of(pem: str) -> tuple[str, ...]:
    """The DNS names of the first certificate (subjectAltName); none where it cannot be read.

    Whoever wrote the file may have put anything there: what is not a name of a host is left out.
    """
    first = _FIRST.search(pem)
    try:
        der = base64.b64decode(first[1]) if first else b""
    except ValueError:
        return ()
    rest = der.partition(_NAMES)[2]
    rest = rest.removeprefix(b"\x01\x01\xff")  # critical
    for _ in range(2):  # an octet string, and the sequence in it
        rest = _Element.at(rest, 0).content
    names = []
    begin = 0
    for _ in range(_MOST_NAMES):
        element = _Element.at(rest, begin)
        name = element.content.decode("ascii", "replace").lower()
        if element.tag == _DNS_NAME and _HOST_NAME.fullmatch(name):
            names.append(name)
        begin = element.end
    return tuple(names)


class Parties(msgspec.Struct, frozen=True):
    """The issuer and the subject of a certificate, in DER; empty where it is unreadable."""

    issuer: bytes = b""
    subject: bytes = b""


def parties_of(pem: str) -> Parties:
    """Issuer and subject of the first certificate."""
    first = _FIRST.search(pem)
    try:
        rest = _Element.at(base64.b64decode(first[1]) if first else b"", 0).content
    except ValueError:
        return Parties()
    parts = _Element.at(rest, 0).parts
    if parts and parts[0].tag == _VERSION:
        parts = parts[1:]
    # serial number, algorithm, issuer, validity, subject (RFC 5280, 4.1)
    return Parties(parts[2].content, parts[4].content) if len(parts) >= 5 else Parties()


class _Element(msgspec.Struct, frozen=True):
    """An element of some DER: a tag, a length and the content (X.690, 8.1)."""

    tag: int
    content: bytes
    end: int
    """The offset of the next element."""

    @classmethod
    def at(cls, der: bytes, start: int) -> Self:
        """The element at an offset; an empty one where the bytes end too early."""
        if len(der) < start + 2:
            return cls(0, b"", len(der))
        begin = start + 2
        length = der[start + 1]
        if length & 0x80:
            begin += length & 0x7F
            length = int.from_bytes(der[start + 2 : begin], "big")
        return cls(der[start], der[begin : begin + length], begin + length)

    @property
    def parts(self) -> list[Self]:
        """The first elements of the content."""
        start = 0
        certificates: list[Self] = []
        while start < len(self.content) and len(certificates) < _MOST_PARTS:
            certificates.append(self.at(self.content, start))
            start = certificates[-1].end
        return certificates


def _unix(date: re.Match[bytes]) -> float:
    text = date["short"]
    form = "%y%m%d%H%M%S"
    if text is None:
        text = date["long"]
        form = "%Y%m%d%H%M%S"
    return datetime.strptime(text.decode(), form).replace(tzinfo=UTC).timestamp()
