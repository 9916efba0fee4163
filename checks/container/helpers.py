"""The outcome of a container's end, and its severity."""

from typing import NamedTuple

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.service import has_health_check
from diagnose.model import Severity


class EndOutcome(NamedTuple):
    """The state of a container after a failure, and its severity."""

    severity: Severity
    what: str
    """The predicate of a sentence about the container: `exits with code 0`."""


def severity_of_end(container: Container) -> Severity:
    """The severity of a container that does not run: critical with ports or a health check.

    A run in the foreground showed its end to somebody, and is only advice.
    """
    if container.wanted_ports or has_health_check(container):
        return Severity.critical
    return Severity.advice if container.was_watched else Severity.warning
