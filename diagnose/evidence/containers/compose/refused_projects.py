"""Compose projects whose present files compose refuses, or whose names are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.compose.taken_subnets import (
    ADDRESSED,
    SUBNET,
    TakenSubnet,
    taken_subnets,
)
from diagnose.evidence.containers.compose.unstarted_projects import (
    UnstartedProject,
    UnstartedProjects,
)
from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenProjects
from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.subnets.described_routes import unused_subnet
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.compose import ComposeFault, NeededPart
from diagnose.questions.images import ListVolumes
from diagnose.registry import evidence

__all__ = ["ComposeFault", "RefusedProject", "RefusedProjects", "TakenName"]

LATEST = (2, 40)
"""The last version of compose whose keys are known here."""
FRESH_S = 3600.0
"""A file that is not older belongs to somebody who is at work."""
OF_EACH_VERSION = ("yaml", "empty", "doubled", "env-file", "file-missing", "undefined", "off")
"""Faults that no version of compose can learn to take."""
_COMPLETED = ("empty", "no-image", "undefined")
"""Faults of one file that another file of the project may mend."""
_VERSION = LazyPattern(r"v?(\d{1,3})\.(\d{1,3})")


class TakenName(msgspec.Struct, frozen=True):
    """A name that a service gives its container, and that another container has."""

    part: NeededPart
    holder: Container


class RefusedProject(msgspec.Struct, frozen=True):
    """A project of which the next `docker compose up` starts nothing."""

    name: str
    folder: str
    paths: tuple[str, ...]
    container: Container | None = None
    """A container of the project, preferably a stopped one; None where it has none."""
    runs: bool = False
    """Whether one of its containers runs."""
    faults: tuple[ComposeFault, ...] = ()
    lacking: tuple[NeededPart, ...] = ()
    """External networks and volumes that the engine does not have."""
    taken: tuple[TakenName, ...] = ()
    subnets: tuple[TakenSubnet, ...] = ()
    """The subnets of its networks that others have."""
    free: str = ""
    """A subnet that no network and no route of the host overlaps."""
    is_old: bool = False
    """Whether nothing shows that somebody tries to start it now."""
    version: str = ""
    """Of the compose that made containers of it, or of others here."""
    network: str = ""
    """The network that compose created before it gave up; "" where that is not known."""

    @property
    def is_refused(self) -> bool:
        return bool(self.faults or self.lacking or self.taken or self.subnets)


class RefusedProjects(Items[RefusedProject], frozen=True):
    """The refused projects that were changed since, or of which nothing was started."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def refused_projects(
    host: Host,
    written_projects: WrittenProjects,
    unstarted_projects: UnstartedProjects | None,
    containers: Containers,
    networks: Networks | None,
    routes: Routes | None = None,
    clock: Clock | None = None,
) -> RefusedProjects:
    """The refused projects, by their files and by names that are already taken.

    The engine is asked for its volumes only where a project needs one that it does not create. A
    file from which compose has created containers was accepted: only one that was changed since is
    judged. A node of a swarm does not list each overlay network that it could use.
    """
    newest = max(map(_version_of, containers), default="", key=_numbers)
    changed_or_unread = (*written_projects, *written_projects.unread)
    places = [_Place.of_made(project) for project in changed_or_unread if _is_changed(project)]
    places += [_Place.of_file(project, newest) for project in unstarted_projects or ()]
    kinds = {part.kind for place in places for part in place.needs}
    present = {
        "volume": _volumes(host) if "volume" in kinds else None,
        "network": _network_names(networks),
    }
    projects = (
        _with_subnets(_judged_project(place, present, containers), place, networks, routes, clock)
        for place in places
    )
    refused = tuple(project for project in projects if project.is_refused)
    return RefusedProjects(refused, written_projects.unexamined)


def _judged_project(
    place: _Place, present: Mapping[str, Set[str] | None], containers: Containers
) -> RefusedProject:
    """The project with its faults, and with what it lacks of what the engine has.

    present: the names that the engine has, by kind; None where they are not known.
    """
    lacking = [part for part in place.needs if _lacks(part, present.get(part.kind))]
    return replace(
        place.project,
        faults=tuple(_faults_of_version(place.faults, place.project.version)),
        lacking=tuple(lacking),
        taken=tuple(_taken_names(place, containers)) if place.was_tried else (),
    )


def _with_subnets(
    project: RefusedProject,
    place: _Place,
    networks: Networks | None,
    routes: Routes | None,
    clock: Clock | None,
) -> RefusedProject:
    """The project with the subnets of it that others have, and one that is free."""
    subnets = tuple(_subnets_of(place, networks))
    if not subnets or networks is None:
        return project
    return replace(
        project,
        subnets=subnets,
        free=unused_subnet(routes, networks) if routes is not None else "",
        is_old=not (place.was_tried or place.is_here or place.is_fresh(clock)),
    )


def _subnets_of(place: _Place, networks: Networks | None) -> Iterator[TakenSubnet]:
    """The subnets of a project that others have; those of its own copy only where somebody tries.

    A site and its trial have one file in two folders, and one of both runs.
    """
    for clash in taken_subnets(place.project.name, place.needs, networks):
        if place.was_tried or place.is_here or not clash.is_of_copy:
            yield clash


class _Place(msgspec.Struct, frozen=True):
    """A project before anything is known of its faults."""

    project: RefusedProject
    faults: Sequence[ComposeFault]
    needs: Sequence[NeededPart]
    services: frozenset[str] = frozenset()
    """Those that have a container."""
    changed: float = 0.0
    """Unix time of its newest file."""
    is_here: bool = False
    """Whether the tool was called in its folder."""

    def is_fresh(self, clock: Clock | None) -> bool:
        """Whether somebody has just written a file of it."""
        return clock is not None and clock.is_within(self.changed, FRESH_S)

    @property
    def was_tried(self) -> bool:
        """Whether compose created any part of it.

        A copy of a folder has the names of the original.
        """
        return self.project.container is not None or bool(self.project.network)

    @classmethod
    def of_made(cls, project: WrittenProject) -> _Place:
        """The place of a project that has containers."""
        standing = [container for container in project.containers if not container.is_running]
        refused = RefusedProject(
            project.name,
            project.folder,
            project.paths,
            container=[*standing, *project.containers][0],
            runs=len(standing) < len(project.containers),
            version=max(map(_version_of, project.containers), default="", key=_numbers),
        )
        made_services = frozenset(container.compose_service for container in project.containers)
        changed = max(project.written.changed.values(), default=0.0)
        faults = [fault for fault in project.written.faults if _was_met(fault, made_services)]
        return cls(refused, faults, project.written.needs, made_services, changed)

    @classmethod
    def of_file(cls, project: UnstartedProject, version: str) -> _Place:
        """The place of a file of which nothing was started."""
        refused = RefusedProject(
            project.name, project.folder, (project.path,), version=version, network=project.network
        )
        faults = [fault for fault in project.written.faults if fault.kind != "off"]
        needs = project.written.needs
        if project.has_others:
            faults = [fault for fault in faults if fault.kind not in _COMPLETED]
            needs = [part for part in needs if part.kind not in (SUBNET, ADDRESSED)]
        return cls(refused, faults, needs, changed=project.changed, is_here=project.is_here)


def _was_met(fault: ComposeFault, made_services: frozenset[str]) -> bool:
    """Whether a fault counts for a project with containers of these services.

    A profile that the caller of compose names is in no file. Where it was named, the service of
    that profile has a container.
    """
    return fault.kind != "off" or made_services.isdisjoint(
        (fault.name, fault.place.removeprefix("services."))
    )


def _is_changed(project: WrittenProject) -> bool:
    """Whether one of its files is newer than all of its containers."""
    last_created = max(
        (container.created_at or 0.0 for container in project.containers), default=0.0
    )
    return 0.0 < last_created < max(project.written.changed.values(), default=0.0)


def _volumes(host: Host) -> set[str] | None:
    answer = host.ask(ListVolumes())
    return None if isinstance(answer, Failed) else {volume.name for volume in answer.volumes or ()}


def _network_names(networks: Networks | None) -> set[str] | None:
    """The names of all networks; None on a node of a swarm, which does not list all."""
    if networks is None or any(network.is_overlay for network in networks):
        return None
    return set(networks.by_name)


def _lacks(part: NeededPart, present: Set[str] | None) -> bool:
    return present is not None and part.name not in present


def _taken_names(place: _Place, containers: Containers) -> Iterator[TakenName]:
    """The names of services without a container that a container of another project has."""
    by_name = {container.name: container for container in containers}
    for part in place.needs:
        holder = by_name.get(part.name) if part.kind == "container" else None
        if holder is None or part.service in place.services:
            continue
        if holder.compose_project != place.project.name:
            yield TakenName(part, holder)


def _faults_of_version(faults: Iterable[ComposeFault], version: str) -> Iterator[ComposeFault]:
    """The faults that this version of compose finds.

    A newer version may know more keys and kinds of values, so that these never count there. Without
    a known version, a key counts that is almost a known one. Compose 1 and podman-compose accept
    most of what compose 2 refuses.
    """
    numbers = _numbers(version)
    is_old = (0, 0) < numbers < (2, 0)
    for fault in faults:
        if is_old and fault.kind != "yaml":
            continue
        if fault.kind == "new-key":
            if (0, 0) < numbers < _numbers(fault.detail):
                yield fault
        elif numbers > LATEST:
            if fault.kind in OF_EACH_VERSION:
                yield fault
        elif fault.kind != "unknown-key" or numbers != (0, 0) or fault.detail:
            yield fault


def _version_of(container: Container) -> str:
    """The version of the compose that created it; "1.0" for podman-compose, which is as lenient."""
    if "io.podman.compose.project" in container.labels:
        return "1.0"
    return container.labels.get(f"{COMPOSE}version", "")


def _numbers(version: str) -> tuple[int, int]:
    match = _VERSION.match(version)
    return (int(match[1]), int(match[2])) if match is not None else (0, 0)
