"""How bad the end of a container is."""

from typing import NamedTuple

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.service import has_health_check
from diagnose.model import Severity


class EndOutcome(NamedTuple):
    """What became of a container, and how bad that is."""

    severity: Severity
    what: str
    """The predicate of a sentence about the container: `exits with code 0`."""


def severity_of_end(container: Container) -> Severity:
    """How bad it is that it does not run: ports or a health check make a service.

    A run in the foreground showed its end to somebody.
    """
    if container.wanted_ports or has_health_check(container):
        return Severity.critical
    return Severity.advice if container.was_watched else Severity.warning
