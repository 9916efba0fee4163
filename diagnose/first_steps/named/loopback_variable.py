"""The one variable by which a program calls its own container, where its line says only that a call
was refused."""

import re
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import host_of, is_itself
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

_NAMES_SERVER = LazyPattern(
    r"(?:ADDR(?:ESS)?|BROKER|DSN|HOST(?:NAME)?|SERVER|UR[IL])S?$", re.IGNORECASE
)
_OWN = LazyPattern(
    r"(?:^|_)(?:BIND|LISTEN|PUBLIC|EXTERNAL|BASE|SITE|ROOT|ORIGIN|APP|SELF)(?:_|$)", re.IGNORECASE
)
"""Variables that give a program its own address."""


class LoopbackVariable(msgspec.Struct, frozen=True):
    """A variable that names localhost, and the neighbour that may be meant."""

    name: str
    value: str
    neighbour: str = ""
    """The only running container on its networks; "" where there are none or several."""

    @property
    def clause(self) -> str:
        """The end of a sentence about the container."""
        return f"its variable {self.name} leads to {self.value}, which is the container itself"

    @property
    def steps(self) -> PageVariables:
        """The page variables with the neighbour's name, or with a value that a person types."""
        if self.neighbour and is_itself(self.value):
            return {"assignment": f"{self.name}={self.neighbour}"}
        return {"setting": self.name, "typed": self.name}


def loopback_variable(
    container: Container, failure: Recognised | None, containers: Containers
) -> LoopbackVariable | None:
    """The only variable that names localhost; None where several do, or where the line names a
    place."""
    is_nameless = failure is not None and failure.name == "some-peer-refused"
    if not is_nameless or container.shares_network:
        return None
    variables = [
        (name, _without_login(value))
        for name, value in container.config.environment
        if _NAMES_SERVER.search(name) and not _OWN.search(name) and is_itself(host_of(value))
    ]
    if len(variables) != 1:
        return None
    ((name, value),) = variables
    neighbours = [other for other in containers.beside(container) if other.is_running]
    neighbour = only(neighbours)
    return LoopbackVariable(name, value, neighbour.name if neighbour is not None else "")


def _without_login(value: str) -> str:
    """The value without a login: host and port of an address, or of a place such as me:x@host:1."""
    return urlsplit(value if "://" in value else f"//{value}").netloc.rpartition("@")[2]
