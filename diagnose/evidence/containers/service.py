"""What makes a container a service rather than a job. Pure."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container


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
