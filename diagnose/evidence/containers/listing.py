"""All containers, running or not.

Listed and inspected through the engine, or read from its files where it is silent.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

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
AT_ONCE = 2_000
"""So many containers are asked about together. An engine answers about 2,500 in a second: where the
time has ended for one of them, the rest is not asked about. Questions about all of 100,000
containers held 100 MiB."""
MOST_NAMED = 100
"""Of the containers that the time did not suffice for, so many are named."""
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
    unreached = dict.fromkeys(names, _NOT_ASKED)
    for id, answer in _inspected_containers(host, names):
        if isinstance(answer, Failed) and answer.reason == "budget":
            unreached[id] = answer
            continue
        del unreached[id]
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
        tuple(
            sorted(
                (*missing, *_out_of_time(names, unreached)),
                key=lambda unexamined: unexamined.subject,
            )
        ),
        aside=aside,
    )


_NOT_ASKED = Failed("budget", "not asked before the time limit")


def _out_of_time(names: Mapping[str, str], unreached: Mapping[str, Failed]) -> list[Unexamined]:
    """The containers that the time did not suffice for: the first of them by name, the others as a
    number."""
    first = heapq.nsmallest(MOST_NAMED, ((names[id], id) for id in unreached))
    left_out = [
        Unexamined(container_subject(name), f"inspect: {unreached[id]}") for name, id in first
    ]
    others = len(unreached) - len(left_out)
    if others:
        left_out[-1] = replace(left_out[-1], others=others)
    return left_out


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
    for id, answer in _answers_until_the_end(host, wanted):
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


def _answers_until_the_end(host: Host, ids: Sequence[str]) -> Iterator[tuple[str, Json | Failed]]:
    """Ids with their inspect; those after the end of the time are left out."""
    for start in range(0, len(ids), AT_ONCE):
        is_over = False
        for id, answer in host.ask_about(ids[start : start + AT_ONCE], InspectContainer):
            is_over = is_over or (isinstance(answer, Failed) and answer.reason == "budget")
            yield id, answer
        if is_over:
            return


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
