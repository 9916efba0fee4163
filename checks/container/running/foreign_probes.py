"""Probes of an image's server in containers that run another program of the image.

A worker of the same image inherits the health check of its web server (HEALTHCHECK in the
Dockerfile), and a compose file hands it on with the rest of an anchor.
"""

from checks.container.running.probe_words import sockets_evidence
from diagnose.evidence.containers.health_check import HealthCheck
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.model import Finding, Severity
from diagnose.phrases import QUOTED


def probed_server(probe: HealthCheck, containers: Containers) -> Container | None:
    """The healthy container that the probe is made for.

    It has the same probe and another command, and is of the same image or compose project.
    """
    container = probe.container
    own_test = container.config.healthcheck and container.config.healthcheck.test
    if not probe.unserved_port or not own_test:
        return None
    for other in containers:
        test = other.config.healthcheck and other.config.healthcheck.test
        health = other.state.health
        is_well = health is not None and health.status == "healthy"
        has_probe = test == own_test and other.command != container.command
        if has_probe and is_well and _is_related(container, other):
            return other
    return None


def _is_related(container: Container, other: Container) -> bool:
    project = container.compose_project
    is_of_project = bool(project) and project == other.compose_project
    return is_of_project or container.config.image == other.config.image


def foreign_probe_finding(probe: HealthCheck, server: Container) -> Finding:
    """The finding of a container whose probe asks for the server of another one."""
    container = probe.container
    health = probe.health
    return Finding.about(
        container,
        f"{container} is unhealthy because it has the health check of {server}: the probe calls port "
        f"{probe.unserved_port}, where {server} listens and {container}, which runs another command, does not",
        {
            "probe": probe.text,
            "last output": probe.output[-QUOTED:] or "(empty)",
            "command": container.shown_command,
            f"command of {server.name}": server.shown_command,
            "State.Health": f"{health.status}, FailingStreak {health.failing_streak}",
            **sockets_evidence(probe),
        },
        severity=Severity.warning,
        onset=probe.failing_since,
        variables={"unserving": container.name},
    )
