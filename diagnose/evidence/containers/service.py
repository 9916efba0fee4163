"""What makes a container a service rather than a job. Pure."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container, Containers


def has_health_check(container: Container) -> bool:
    """Whether a health check is defined and not switched off."""
    test = (container.config.healthcheck.test if container.config.healthcheck else None) or ["NONE"]
    return test[0] != "NONE"


def is_service(container: Container) -> bool:
    """Whether a container publishes ports, has a health check, or is of a compose service."""
    return bool(container.wanted_ports or has_health_check(container) or container.service)


def is_somebodys_job(container: Container) -> bool:
    """Whether a container's end concerns nobody but who started it.

    A swarm task (swarm replaces it), a one-off run of compose, a step of a build, a terminal that
    was watched.
    """
    was_watched = container.config.tty and container.was_watched
    is_run_once = container.is_one_off or is_build_step(container)
    return bool(container.swarm_service) or is_run_once or was_watched


def is_succeeded(container: Container, containers: Containers) -> bool:
    """Whether a later attempt of the same container of a Kubernetes pod runs.

    kubelet starts it again as another container, and keeps the one that has ended.
    """
    place = _place_in_pod(container)
    return bool(place) and any(
        other.is_running and _place_in_pod(other) == place and other.created > container.created
        for other in containers
    )


def _place_in_pod(container: Container) -> tuple[str, ...]:
    """Namespace, pod and name by the labels of cri-dockerd; empty for others."""
    parts = ("pod.namespace", "pod.name", "pod.uid", "container.name")
    place = tuple(container.labels.get(f"io.kubernetes.{part}", "") for part in parts)
    return place if place[1] and place[-1] else ()


def is_build_step(container: Container) -> bool:
    """Whether a container is a step of the classic builder, which keeps the one that failed.

    Made of an image without a name, with neither a log nor a health check (20.10 to 28.5).
    """
    probe = container.config.healthcheck
    is_bare = probe is not None and probe.test == ["NONE"]
    has_log = container.host_config.log_config.type != "none"
    return is_bare and not has_log and container.config.image.startswith("sha256:")
