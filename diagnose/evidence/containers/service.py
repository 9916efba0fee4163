"""Signs that a container is a service rather than a job. Pure."""

from diagnose.evidence.containers.listing import Container, Containers


def has_health_check(container: Container) -> bool:
    """Whether a health check is defined and not switched off."""
    test = (container.config.healthcheck.test if container.config.healthcheck else None) or ["NONE"]
    return test[0] != "NONE"


def is_service(container: Container) -> bool:
    """Whether a container publishes ports, has a health check, or is of a compose service."""
    return bool(container.wanted_ports or has_health_check(container) or container.service)


def is_somebodys_job(container: Container) -> bool:
    """Whether a container's end concerns only the person or program that started it.

    A swarm task (swarm replaces it), a one-off run of compose, a step of a build, a terminal that
    was watched.
    """
    was_watched = container.config.tty and container.was_watched
    is_run_once = container.is_one_off or is_build_step(container)
    return bool(container.swarm_service) or is_run_once or was_watched


def is_succeeded(container: Container, containers: Containers) -> bool:
    """Whether a later attempt of the same work of Kubernetes, Nomad or ECS runs.

    They start it again as another container, and keep the one that has ended for a while.
    """
    place = _place_of_attempt(container)
    return bool(place) and any(
        other.is_running and other.created > container.created and _place_of_attempt(other) == place
        for other in containers.running
    )


_ATTEMPTS = (
    ("io.kubernetes.container.name", "io.kubernetes.pod.name", "io.kubernetes.pod.namespace"),
    ("com.amazonaws.ecs.container-name", "com.amazonaws.ecs.task-definition-family"),
)
"""Labels of cri-dockerd and of the agent of ECS that all attempts of one container share."""
_ALLOCATION = "com.hashicorp.nomad.alloc_id"
"""Nomad's label, whose value ends the name of the container."""


def _place_of_attempt(container: Container) -> tuple[str, ...]:
    """The key of the work for which an orchestrator created a container; empty for others."""
    labels = container.labels
    for names in _ATTEMPTS:
        if names[0] in labels:
            return tuple(labels.get(name, "") for name in names)
    allocation = labels.get(_ALLOCATION, "")
    return ("nomad", container.name.removesuffix(f"-{allocation}")) if allocation else ()


def is_build_step(container: Container) -> bool:
    """Whether a container is a step of the classic builder, which keeps the one that failed.

    Made of an image without a name, with neither a log nor a health check (20.10 to 28.5).
    """
    probe = container.config.healthcheck
    is_bare = probe is not None and probe.test == ["NONE"]
    has_log = container.host_config.log_config.type != "none"
    return is_bare and not has_log and container.config.image.startswith("sha256:")
