"""A container as inspect shows it, and its project or service."""

import functools
from typing import Self

import msgspec

from diagnose.evidence.containers.inspect import (
    ApiObject,
    ContainerConfig,
    GraphDriver,
    HostConfig,
    ManifestDescriptor,
    Mount,
    NetworkSettings,
    State,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables, Subject
from diagnose.model import container as container_subject

COMPOSE = "com.docker.compose."
"""Prefix of the labels that compose sets on all its objects."""
_DEPENDENCY = LazyPattern(r"(?:^|,)(?P<service>[^:,]+)(?::(?P<condition>service_\w+))?")


class InspectedContainer(ApiObject, frozen=True, rename="pascal", dict=True):
    """A container as `GET /containers/ID/json` shows it (API 1.24 to 1.55).

    Includes the labels in which compose and swarm name the project and the service.
    """

    id: str
    raw_name: str = msgspec.field(name="Name", default="")
    """The name as the engine writes it, with a leading slash."""
    created: str = ""
    path: str = ""
    args: list[str] | None = None
    state: State = State()
    image: str = ""
    resolv_conf_path: str = ""
    hosts_path: str = ""
    log_path: str = ""
    restart_count: int = 0
    driver: str = ""
    graph_driver: GraphDriver | None = None
    platform: str = ""
    process_label: str = ""
    """The SELinux context of its processes; "" without SELinux."""
    host_config: HostConfig = HostConfig()
    config: ContainerConfig = ContainerConfig()
    raw_mounts: tuple[Mount, ...] | None = msgspec.field(name="Mounts", default=None)
    network_settings: NetworkSettings = NetworkSettings()
    image_manifest_descriptor: ManifestDescriptor | None = None

    def __str__(self) -> str:
        """The container for a sentence: `container "web"`."""
        return f'container "{self.name}"'

    @functools.cached_property
    def name(self) -> str:
        """The name as people type it, or the beginning of the id."""
        return self.raw_name.removeprefix("/") or self.id[:12]

    @functools.cached_property
    def subject(self) -> Subject:
        return container_subject(self.name)

    @property
    def labels(self) -> dict[str, str]:
        return self.config.labels or {}

    def compose_label(self, name: str) -> str:
        """The value of the compose label of this name; "" without it."""
        return self.labels.get(f"{COMPOSE}{name}", "")

    @property
    def compose_folder(self) -> str:
        """The folder of its project on the host; "" where compose does not say."""
        return self.compose_label("project.working_dir")

    @functools.cached_property
    def compose_files(self) -> list[str]:
        """The files of its project; old versions of compose name none."""
        return list(filter(None, self.compose_label("project.config_files").split(",")))

    @functools.cached_property
    def compose_project(self) -> str:
        return self.compose_label("project")

    def shares_project(self, other: Self) -> bool:
        """Whether both are of one compose project, or none of them is of any: what `docker run` has
        made may belong together. `Containers.in_project_of` wants a project."""
        return self.compose_project == other.compose_project

    @functools.cached_property
    def compose_dependencies(self) -> dict[str, str]:
        """The services that compose starts before it, each with the condition of the wait.

        The condition is "" where an old compose wrote none. Compose's label says
        `db:service_healthy:false,init:service_completed_successfully:false`.
        """
        label = self.compose_label("depends_on")
        return {match["service"]: match["condition"] or "" for match in _DEPENDENCY.finditer(label)}

    @functools.cached_property
    def compose_service(self) -> str:
        return self.compose_label("service")

    @functools.cached_property
    def is_one_off(self) -> bool:
        """Whether `docker compose run` created it, for one command."""
        return self.compose_label("oneoff").lower() == "true"

    @property
    def swarm_service(self) -> str:
        return self.labels.get("com.docker.swarm.service.name", "")

    @functools.cached_property
    def service(self) -> str:
        """Compose project and service, or swarm service; empty if neither."""
        if self.swarm_service:
            return f"swarm {self.swarm_service}"
        project = self.compose_project
        service = self.compose_service
        return f"compose {project}/{service}" if project and service else ""

    @property
    def page_variables(self) -> PageVariables:
        """The container's name, and its compose file and service if known, as page variables."""
        file = only(self.compose_files) or ""
        service = self.compose_service
        names = {"container": self.name}
        if file.startswith("/") and service:
            names |= {"project_file": file, "project_service": service}
        return names

    @property
    def made_by(self) -> str:
        """The swarm service or compose project that defines the container; "" without such labels.

        A change of the container by hand does not change that definition. Compose adds its files
        from 1.28 and 2.0 on.
        """
        if not self.service:
            return ""
        kind, _, name = self.service.partition(" ")
        if kind == "swarm":
            return f"swarm service {name}"
        project, _, service = name.partition("/")
        parts = [f"compose project {project}", f"service {service}", *self.compose_files]
        return ", ".join(parts)
