"""Programs of containers that are files of the host which nobody may execute."""

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.linked_files import linked_paths, steps_from
from diagnose.evidence.containers.mounts.program_places import ProgramPlace, place_of_program
from diagnose.evidence.containers.programs.missing_programs import own_program
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.items import ByContainer
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.registry import evidence

_EXECUTE = 0o111
_DENIED = "permission denied"


class ShutScripts(ByContainer[str], frozen=True):
    """The paths on the host, by container id."""


@evidence
def shut_scripts(host: Host, containers: Containers, programs: Programs | None) -> ShutScripts:
    """The refused programs in mounts that lack the execute bit, by two questions.

    A file to which a link below the mount leads is left out: it is another one on the host.
    """
    places = dict(_places(containers, programs))
    if not places:
        return ShutScripts()
    steps = {place.path: steps_from(place.mount.source, place.path) for place in places.values()}
    statuses = path_statuses(host, sorted(steps))
    links = linked_paths(host, steps) if statuses else ()
    not_executable = {
        path
        for path, status in statuses.items()
        if status.type == "file" and not status.mode & _EXECUTE and path not in links
    }
    return ShutScripts(
        {id: place.path for id, place in places.items() if place.path in not_executable}
    )


def _places(
    containers: Containers, programs: Programs | None
) -> Iterator[tuple[str, ProgramPlace]]:
    """The places of refused programs on the host, by container id."""
    for container in containers:
        path = _refused_path(container, programs)
        place = place_of_program(container, path, None) if path else None
        if place is not None:
            yield container.id, place


def _refused_path(container: Container, programs: Programs | None) -> str:
    """The program that may not be executed: of the runtime's refusal, or of a line of the log."""
    if own_program(container) == _DENIED:
        return container.path
    refused = programs.of(container) if programs is not None else None
    if refused is None or refused.why != _DENIED or not refused.lacks_execute_bit:
        return ""
    return refused.path
