"""Workers of compose projects, each with the programs of the same image that give it jobs."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.workers.worker_roles import is_background
from diagnose.evidence.items import Items
from diagnose.mappings import by_key
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence


class ProgramsOfWorker(msgspec.Struct, frozen=True):
    """A worker, and the other services of its project that run from its image."""

    worker: Container
    programs: Sequence[Container]


class ProgramsOfWorkers(Items[ProgramsOfWorker], frozen=True):
    """The workers for which there is such a program."""


@evidence
def programs_of_workers(host: Host, containers: Containers) -> ProgramsOfWorkers:
    """Compares images of running containers; those that compose has built are asked about."""
    members = (
        container
        for container in containers.running
        if container.compose_project and not container.is_one_off
    )
    pairs: list[ProgramsOfWorker] = []
    for project in by_key((member.compose_project, member) for member in members).values():
        servers = [member for member in project if not is_background(member)]
        workers = [member for member in project if is_background(member)] if servers else []
        for worker in workers:
            programs = [other for other in servers if _is_same_program(host, worker, other)]
            if programs:
                pairs.append(ProgramsOfWorker(worker, programs))
    return ProgramsOfWorkers(tuple(pairs))


def _is_same_program(host: Host, worker: Container, other: Container) -> bool:
    """Whether both are of one image: compose builds one for each service, of equal layers."""
    if worker.image == other.image:
        return True
    project = worker.compose_project
    if not all(
        container.config.image.startswith((f"{project}-", f"{project}_"))
        for container in (worker, other)
    ):
        return False
    images = host.answers_about((worker.image, other.image), InspectImage)
    layers = [image.layers for image in images.values()]
    return len(layers) == 2 and bool(layers[0]) and layers[0] == layers[1]
