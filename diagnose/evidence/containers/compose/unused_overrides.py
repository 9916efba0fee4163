"""Settings of a compose override file that containers lack: they were created without it."""

from collections.abc import Iterator

from diagnose.evidence.containers.compose.written_parts import missing_parts
from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenService
from diagnose.evidence.containers.listing import Container

DAY_S = 86400.0


def is_usual(project: WrittenProject) -> bool:
    """Whether the project was started so on different days, and never otherwise."""
    override = project.written.override
    creation_times = [
        container.created_at for container in project.containers if container.created_at is not None
    ]
    uses_it = any(override in container.compose_files for container in project.containers)
    return (
        not uses_it and bool(creation_times) and max(creation_times) - min(creation_times) >= DAY_S
    )


def mounts_sources(service: WrittenService, folder: str, inside: str) -> bool:
    """Whether a service mounts the folder of the project, or a part over its program's own."""
    for mount in service.mounts:
        if mount.source == folder:
            return True
        is_own = mount.source.startswith(f"{folder}/")
        if is_own and inside and f"{mount.target}/".startswith(inside):
            return True
    return False


def lacking_parts(project: WrittenProject) -> Iterator[tuple[Container, list[str]]]:
    """The running containers, each with the settings that the override would have given it."""
    overridden = {service.name: service for service in project.written.overridden}
    for container in project.containers:
        service = overridden.get(container.compose_service)
        if service is None or not container.is_running:
            continue
        parts = list(missing_parts(container, service))
        names = {name for name, _ in container.config.environment}
        parts += [f"variable {name}" for name in service.variables if name not in names]
        if parts:
            yield container, parts
