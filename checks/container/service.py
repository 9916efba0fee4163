"""What makes a container a service rather than a job, and how bad its end is."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container
from diagnose.model import Severity


def has_health_check(container: Container) -> bool:
    """Whether a health check is defined and not switched off."""
    test = (container.config.healthcheck.test if container.config.healthcheck else None) or ["NONE"]
    return test[0] != "NONE"


def is_service(container: Container) -> bool:
    """Whether it publishes ports, has a health check, or belongs to a compose service."""
    return bool(container.wanted_ports or has_health_check(container) or container.service)


def is_somebodys_job(container: Container) -> bool:
    """Whether its end concerns nobody else.

    A swarm task (swarm replaces it), a one-off run of compose, a terminal that was watched.
    """
    was_watched = container.config.tty and container.was_watched
    return bool(container.swarm_service) or container.is_one_off or was_watched


def severity_of_end(container: Container) -> Severity:
    """How bad it is that it does not run: ports or a health check make a service.

    A run in the foreground showed its end to somebody.
    """
    if container.wanted_ports or has_health_check(container):
        return Severity.critical
    return Severity.advice if container.was_watched else Severity.warning
