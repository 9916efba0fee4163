"""All containers, running or not.

Listed and inspected through the engine, or read from its files where it is silent.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.image_labels import without_labels_of_images
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Json, Unavailable, Unexamined
from diagnose.model import container as container_subject
from diagnose.questions import Host
from diagnose.questions.containers import (
    InspectContainer,
    InspectRound,
    ListContainers,
    ListedContainer,
)
from diagnose.questions.run import Options, ReadOptions
from diagnose.registry import evidence
from diagnose.shapes import convert

__all__ = ["Container", "Containers", "containers", "still_alive"]

_ASIDE = LazyPattern(r"(.+)-before-\d{14}")
"""The name that the script of `diagnose recreate` gives to what it has replaced."""
AT_ONCE = 2_000
"""Number of containers that are asked about together. An engine answers about 2,500 in a second:
where the time has ended for one of them, the rest is not asked about. Questions about all of
100,000 containers held 100 MiB."""
MOST_INSPECTED = 8_000
"""In a run of the usual time: they and their report take 280 MiB, and 8 of 10 seconds."""
FEWEST_INSPECTED = 1_000
NAMES_OF_ONE = 50
"""Number of names that take the memory of one inspected container."""
USUAL_S = Options().budget_s
MOST_NAMED = 100
"""Of the containers that the time did not suffice for, so many are named."""
FEW = 4
"""Maximum number of containers that are asked about once more: an observation of more of them is
not a coincidence."""


@evidence
def containers(host: Host) -> Containers | Unavailable:
    """All containers, by the list and one inspect each.

    Only inspect has State.Error and ExitCode, also of containers that were only created. Where the
    engine is silent, its files are read.
    """
    rows = host.ask(ListContainers())
    if isinstance(rows, Failed):
        from diagnose.evidence.containers.from_disk import from_disk  # rarely needed

        return from_disk(host, Unavailable.of(rows))
    left_out = _LeftOut()
    names = _names_of_inspected(rows, _most_inspected(host), left_out)
    del rows  # where most are left out, their names would take 30 MiB until all are inspected
    inspected: list[Container] = []
    missing: list[Unexamined] = []
    unreached = dict.fromkeys(names, "not asked before the time limit")
    for id, answer in _inspected_containers(host, names):
        if isinstance(answer, Failed) and answer.reason == "budget":
            unreached[id] = answer.detail
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
    left_out.add((names[id], why) for id, why in unreached.items())
    names_in_use = {container.name for container in inspected}
    aside = tuple(container for container in inspected if _is_aside(container, names_in_use))
    ids_aside = {container.id for container in aside}
    present_containers = [container for container in inspected if container.id not in ids_aside]
    return Containers(
        tuple(
            sorted(
                without_labels_of_images(host, present_containers),
                key=lambda container: container.name,
            )
        ),
        tuple(sorted((*missing, *left_out.unexamined), key=lambda unexamined: unexamined.subject)),
        aside=aside,
    )


class _LeftOut:
    """The containers for which the time is too short: the first by name, the others as a number."""

    def __init__(self) -> None:
        self._first: list[tuple[str, str]] = []
        self._number = 0

    def add(self, containers: Iterable[tuple[str, str]]) -> None:
        """Count these, given by name and with the reason."""
        rows = list(containers)
        self._number += len(rows)
        self._first = heapq.nsmallest(MOST_NAMED, (*self._first, *rows))

    @property
    def unexamined(self) -> list[Unexamined]:
        """All of them."""
        uninspected = [
            Unexamined(container_subject(name), f"inspect: {Failed('budget', why)}")
            for name, why in self._first
        ]
        if uninspected:
            uninspected[-1] = replace(uninspected[-1], others=self._number - len(uninspected))
        return uninspected


def _names_of_inspected(
    rows: Sequence[ListedContainer], most: int, left_out: _LeftOut
) -> dict[str, str]:
    """The names of the containers to inspect, by id; running ones first if there are too many."""
    over = len(rows) - most
    if over > 0:
        most = max(most - over // NAMES_OF_ONE, FEWEST_INSPECTED)
        rows = sorted(rows, key=lambda row: not row.is_running)
        why = f"a run of this length inspects {most} of so many containers"
        left_out.add((row.name, why) for row in rows[most:])
    return {row.id: row.name for row in rows[:most]}


def _is_aside(container: Container, names: set[str]) -> bool:
    """Whether a container was set aside under a telling name.

    Another one was created in its place.
    """
    match = _ASIDE.fullmatch(container.name)
    return match is not None and match[1] in names and not container.is_running


def _inspected_containers(host: Host, ids: Iterable[str]) -> Iterator[tuple[str, Json | Failed]]:
    """Each id with its inspect.

    The few that are silent where others answer are asked once more: a container's lock is held
    while it is started or stopped, which takes a busy host seconds.
    """
    all_ids = tuple(ids)
    silent: dict[str, Failed] = {}
    for id, answer in _answers_until_the_end(host, all_ids):
        if isinstance(answer, Failed) and answer.reason == "timed out":
            silent[id] = answer
        else:
            yield id, answer
    if len(silent) > FEW or len(silent) == len(all_ids):
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


def _most_inspected(host: Host) -> int:
    """So many containers are inspected at most: more with more time, which takes more memory."""
    options = host.answer_or(ReadOptions(), Options())
    return round(MOST_INSPECTED * max(1.0, options.budget_s / USUAL_S))


def still_alive(host: Host, suspects: Iterable[Container]) -> tuple[Container, ...]:
    """The containers whose run is still the inspected one.

    The others ended or started again since. A few may have ended without the engine's notice yet,
    and are asked about later; many are not a coincidence.
    """
    containers = tuple(suspects)
    when: InspectRound = "settled" if len(containers) <= FEW else "again"
    answers = host.ask_about(
        containers, lambda container: InspectContainer(container.id, round=when)
    )
    return tuple(
        container
        for container, answer in answers
        if isinstance(answer, dict) and convert(answer, Container).run == container.run
    )
