"""Compose files without any started container, on which a person works."""

import posixpath

import msgspec

from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, NoEvidenceError, Unavailable
from diagnose.questions import Host
from diagnose.questions.compose import (
    ComposeProject,
    FindComposeFiles,
    FoundComposeFile,
    ReadComposeProject,
)
from diagnose.registry import evidence

__all__ = ["UnstartedProject", "UnstartedProjects"]

FOLDERS = ("/srv", "/opt", "/root", "/docker", "/opt/stacks", "/srv/docker", "/opt/docker")
"""Common folders of projects, besides the folders of running ones."""
HOMES = ("/home", "/home/*")
MOST = 10
"""Projects that are read."""


class UnstartedProject(msgspec.Struct, frozen=True):
    """A compose file, and why it matters."""

    path: str
    written: ComposeProject
    is_here: bool
    """Whether the tool was called in its folder."""
    has_others: bool = False
    """Whether other compose files beside it may complete it."""
    network: str = ""
    """A network that compose has created for it."""
    changed: float = 0.0
    """Unix time of its last change."""

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.path)

    @property
    def name(self) -> str:
        return posixpath.basename(self.folder)


class UnstartedProjects(Items[UnstartedProject], frozen=True):
    """The newest first."""


class _Unstarted(msgspec.Struct, frozen=True):
    """A compose file without a container, and the network that compose has created for it."""

    file: FoundComposeFile
    network: str

    def question(self) -> ReadComposeProject:
        return ReadComposeProject([self.file.path], posixpath.dirname(self.file.path))

    def written_as(self, written: ComposeProject) -> UnstartedProject:
        """The project with what its file says."""
        return UnstartedProject(
            self.file.path,
            written,
            is_here=self.file.is_here,
            has_others=self.file.has_others,
            network=self.network,
            changed=self.file.mtime,
        )


@evidence
def unstarted_projects(
    host: Host, containers: Containers, networks: Networks | None, clock: Clock, options: Options
) -> UnstartedProjects:
    """Compose projects without a container: in this folder, changed lately, or with a network.

    The files take one question, and each of at most ten projects one more. Compose creates a
    project's network before its containers. A folder that any container was created from is known,
    and so is a project of that name.
    """
    folders_in_use = {container.compose_folder for container in containers} - {""}
    names = {container.compose_project for container in containers} - {""}
    parents = sorted({posixpath.dirname(folder) for folder in folders_in_use} - {"/", ""})
    answer = host.ask(FindComposeFiles(list(dict.fromkeys([*FOLDERS, *HOMES, *parents[:10]]))))
    if isinstance(answer, Failed):
        raise NoEvidenceError(Unavailable.of(answer))
    network_by_project = {
        (network.labels or {}).get(f"{COMPOSE}project"): network.name for network in networks or ()
    }
    unstarted = []
    for file in sorted(answer, key=lambda file: (not file.is_here, -file.mtime)):
        folder = posixpath.dirname(file.path)
        name = posixpath.basename(folder)
        network = network_by_project.get(name, "")
        is_known = folder in folders_in_use or name in names
        is_recent = clock.wall - file.mtime <= options.since_s
        if not is_known and (file.is_here or network or is_recent):
            unstarted.append(_Unstarted(file, network))
    read = host.first(unstarted, MOST, "compose files that nobody has started")
    answers = host.ask_in_order(read, _Unstarted.question)
    return UnstartedProjects(
        tuple(
            project.written_as(answer)
            for project, answer in answers
            if not isinstance(answer, Failed)
        )
    )
