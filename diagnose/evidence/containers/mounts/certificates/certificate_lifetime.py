"""When a certificate should have been renewed, and how certbot names its files. Pure."""

import posixpath

from diagnose.evidence.machine.certificate import Validity
from diagnose.lazy_pattern import LazyPattern

_LATE = 0.1
"""The share of its lifetime below which a certificate should have been renewed long ago: certbot
renews with a third left."""
_LATE_S = 7 * 86400.0
"""Seconds above which no certificate is late: one of ten years is not late with one year left."""
_OF_CERTBOT = LazyPattern(r"/live/(?P<name>[^/]+)/[^/]+\.pem$")
_NUMBERED = LazyPattern(r"^(?P<stem>.*\D)(?P<number>\d{1,9})(?P<end>\.pem)$")
"""The names that certbot gives to the files behind its links."""


def is_late(validity: Validity, now: float) -> bool:
    """Whether a certificate has expired, or was not renewed in time. now: Unix time."""
    remaining_s = validity.end - now
    return remaining_s < min(_LATE_S, _LATE * (validity.end - validity.start))


def lineage_of(path: str) -> str:
    """The name by which certbot renews a certificate; "" where certbot does not keep it."""
    match = _OF_CERTBOT.search(path)
    return match["name"] if match else ""


def before_renewal(path: str, link: str) -> str:
    """The file with the certificate before this one, of which certbot keeps each.

    link: what the path leads to. "" where certbot does not keep it, or has never renewed it.
    """
    target = _NUMBERED.match(link)
    if target is None or int(target["number"]) < 2:
        return ""
    before = f"{target['stem']}{int(target['number']) - 1}{target['end']}"
    return posixpath.join(posixpath.dirname(path), before)
