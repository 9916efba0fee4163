"""The certificate that the engine shows to clients of its TLS socket."""

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.machine.certificate import validity_of
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

SETTING = "tlscert"


class OwnCertificate(msgspec.Struct, frozen=True):
    """The certificate of the engine's own TLS socket."""

    path: str = ""
    """The certificate's path; empty where the engine has no TLS socket."""
    ends: float | None = None
    """Unix time, None where not known."""


@evidence
def own_certificate(host: Host, config: DaemonConfig) -> OwnCertificate | Unavailable:
    """The certificate of the engine's TLS socket, read only where the configuration names it."""
    path = config.value(SETTING)
    if not isinstance(path, str) or not path.startswith("/"):
        return OwnCertificate()
    file = host.require(ReadFile(path))
    validity = validity_of(file.text)
    return OwnCertificate(path, validity.end if validity is not None else None)
