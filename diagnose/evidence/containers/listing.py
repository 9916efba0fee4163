"""All containers, running or not.

Listed and inspected through the engine, or read from its files where it is silent.
"""

from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.image_labels import without_labels_of_images
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Json, Unavailable, Unexamined
from diagnose.model import container as container_subject
from diagnose.questions import Host
from diagnose.questions.containers import InspectContainer, InspectRound, ListContainers
from diagnose.registry import evidence
from diagnose.shapes import convert

__all__ = ["Container", "Containers", "containers", "still_alive"]

_ASIDE = LazyPattern(r"(.+)-before-\d{14}")
"""The name that the script of `diagnose recreate` gives to what it has replaced."""
FEW = 4
"""So many containers are asked about once more: what is seen of more of them is no moment's
coincidence."""


@evidence
def containers(host: Host) -> Containers | Unavailable:
    """List, then inspect each.

    Only inspect has State.Error and ExitCode, also of those that were only created.

    Where the engine is silent, its files are read.
    """
    listed = host.ask(ListContainers())
    if isinstance(listed, Failed):
        from diagnose.evidence.containers.from_disk import from_disk  # rarely needed

        return from_disk(host, Unavailable.of(listed))
    names = {row.id: row.name for row in listed}
    inspected: list[Container] = []
    missing: list[Unexamined] = []
    for id, answer in _inspected_containers(host, names):
        if isinstance(answer, Failed):
            if answer.reason != "gone":
                missing.append(Unexamined(container_subject(names[id]), f"inspect: {answer}"))
            continue
        try:
            inspected.append(convert(answer, Container))
        except msgspec.ValidationError as error:
            missing.append(Unexamined(container_subject(names[id]), f"inspect: malformed: {error}"))
    names_in_use = {container.name for container in inspected}
    aside = tuple(container for container in inspected if _is_aside(container, names_in_use))
    ids_aside = {container.id for container in aside}
    kept = [container for container in inspected if container.id not in ids_aside]
    return Containers(
        tuple(sorted(without_labels_of_images(host, kept), key=lambda container: container.name)),
        tuple(sorted(missing, key=lambda unexamined: unexamined.subject)),
        aside=aside,
    )


def _is_aside(container: Container, names: set[str]) -> bool:
    """Whether a container was kept aside under a name that says so.

    Another was recreated in its place.
    """
    kept = _ASIDE.fullmatch(container.name)
    return kept is not None and kept[1] in names and not container.is_running


def _inspected_containers(host: Host, ids: Iterable[str]) -> Iterator[tuple[str, Json | Failed]]:
    """Each id with its inspect.

    The few that are silent where others answer are asked once more: a container's lock is held
    while it is started or stopped, which takes a busy host seconds.
    """
    wanted = tuple(ids)
    silent: dict[str, Failed] = {}
    for id, answer in host.ask_about(wanted, InspectContainer):
        if isinstance(answer, Failed) and answer.reason == "timed out":
            silent[id] = answer
        else:
            yield id, answer
    if len(silent) > FEW or len(silent) == len(wanted):
        yield from silent.items()
        return
    for id, answer in host.ask_about(silent, lambda id: InspectContainer(id, round="again")):
        is_silent_again = isinstance(answer, Failed) and answer.reason != "gone"
        yield id, silent[id] if is_silent_again else answer


def still_alive(host: Host, suspects: Iterable[Container]) -> tuple[Container, ...]:
    """The containers whose run is still the one that was inspected.

    The others ended or started again since.

    A few may have ended without the engine's notice yet, and are asked about later; many are no
    moment's coincidence.
    """
    containers = tuple(suspects)
    when: InspectRound = "settled" if len(containers) <= FEW else "again"
    answers = host.ask_about(
        containers, lambda container: InspectContainer(container.id, round=when)
    )
    return tuple(
        container
        for container, answer in answers
        if isinstance(answer, dict) and convert(answer, Container).life == container.life
    )
