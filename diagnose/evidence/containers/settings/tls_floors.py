"""The oldest TLS that a container's OpenSSL takes, for programs that complain of older peers."""

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.items import ByContainer
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

ROWS = ("tls-older-client", "tls-older-server")
"""The known failures that such a limit explains."""
_VARIABLE = "OPENSSL_CONF"
_PATHS = ("/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/usr/lib/ssl/openssl.cnf")
"""Of Debian and Alpine, of Red Hat, and where Debian's library itself looks."""
_FLOOR = LazyPattern(r"(?m)^[ \t]*(?P<setting>MinProtocol[ \t]*=[ \t]*(?P<version>[\w.]{1,12}))")
_LENIENT = frozenset({"None", "SSLv3", "TLSv1", "TLSv1.0"})


class TlsFloor(msgspec.Struct, frozen=True):
    """A line of an OpenSSL configuration that refuses older peers."""

    path: str
    """The path in the container."""
    setting: str
    """MinProtocol = TLSv1.2."""


class TlsFloors(ByContainer[TlsFloor], frozen=True):
    """The lowest TLS version that OpenSSL accepts, of containers that object to a peer's TLS."""


@evidence
def tls_floors(host: Host, repeated_errors: RepeatedErrors) -> TlsFloors:
    """The lowest TLS versions of containers that object to a peer's TLS, by their OpenSSL files."""
    floors = {}
    for error in repeated_errors:
        if error.failure is not None and error.failure.name in ROWS:
            floor = _floor(host, error.container)
            if floor is not None:
                floors[error.container.id] = floor
    return TlsFloors(floors)


def _floor(host: Host, container: Container) -> TlsFloor | None:
    """The limit in the first of the files that the container has."""
    variable = container.config.value_of(_VARIABLE)
    paths = (variable,) if variable.startswith("/") else _PATHS
    root = f"/proc/{container.state.pid}/root"
    for path in paths:
        answer = host.ask(ReadFile(path, root=root))
        if isinstance(answer, Failed):
            continue
        match = _FLOOR.search(answer.text)
        if match is None or match["version"] in _LENIENT:
            return None
        return TlsFloor(path, match["setting"])
    return None
