"""From when to when a certificate of a PEM file is valid.

The standard library reads the dates of a peer and of authorities, and not those of a file.
"""

import base64
import re
from datetime import UTC, datetime
from itertools import islice

import msgspec

from diagnose.lazy_pattern import LazyPattern

_FIRST = LazyPattern(r"-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----")
_TIME = re.compile(rb"\x17\x0d(?P<short>\d{12})Z|\x18\x0f(?P<long>\d{14})Z")
"""A date in DER: UTCTime up to 2049, GeneralizedTime afterwards (RFC 5280, 4.1.2.5)."""


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


def _unix(date: re.Match[bytes]) -> float:
    text, form = date["short"], "%y%m%d%H%M%S"
    if text is None:
        text, form = date["long"], "%Y%m%d%H%M%S"
    return datetime.strptime(text.decode(), form).replace(tzinfo=UTC).timestamp()
