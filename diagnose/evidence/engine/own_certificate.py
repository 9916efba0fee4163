"""The certificate that the engine shows to clients of its TLS socket."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

SETTING = "tlscert"
_FIRST = LazyPattern(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_TIME = re.compile(rb"\x17\x0d(?P<short>\d{12})Z|\x18\x0f(?P<long>\d{14})Z")
"""A date in DER: UTCTime up to 2049, GeneralizedTime afterwards (RFC 5280, 4.1.2.5)."""


class OwnCertificate(msgspec.Struct, frozen=True):
    """The certificate of the engine's own TLS socket."""

    path: str = ""
    """The certificate's path; empty where the engine has no TLS socket."""
    ends: float | None = None
    """Unix time, None where not known."""


@evidence
def own_certificate(host: Host, config: DaemonConfig) -> OwnCertificate | Unavailable:
    """Read only where the configuration names it."""
    path = config.value(SETTING)
    if not isinstance(path, str) or not path.startswith("/"):
        return OwnCertificate()
    file = host.ask(ReadFile(path))
    if isinstance(file, Failed):
        return Unavailable.of(file)
    return OwnCertificate(path, _end(file.text))


def _end(text: str) -> float | None:
    """When the first certificate of a PEM text ends: the second date in it."""
    first = _FIRST.search(text)
    try:
        der = base64.b64decode(first[1]) if first else b""
    except ValueError:
        return None
    dates = list(_TIME.finditer(der))
    if len(dates) < 2:
        return None
    short, long = dates[1]["short"], dates[1]["long"]
    try:
        moment = datetime.strptime(
            (short or long).decode(), "%y%m%d%H%M%S" if short else "%Y%m%d%H%M%S"
        )
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp()
