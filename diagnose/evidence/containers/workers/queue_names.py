"""Names of queues that differ between a worker and the program of its project.

QUEUE_NAME=orders       QUEUE_NAME=order
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.workers.worker_roles import is_background
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_IS_NAME = LazyPattern(r"(?:^|_)QUEUE(?:_?NAME)?$")
_OF_ANOTHER = LazyPattern(
    r"(?:^|_)(?:CALLBACK|DEAD|DLQ|DLX|ERROR|FAIL(?:ED|URE)?|LETTER|OUT|OUTPUT|REPLY|RESPONSE|RESULTS?"
    r"|RETRY)(?:_|$)"
)
"""Words for a queue into which a program writes, or that it has for itself."""
_NAME = LazyPattern(r"[A-Za-z][\w.:-]{1,80}")
"""A name, and neither a number nor an address."""
_SWITCHES = frozenset({"true", "false", "yes", "no", "on", "off", "sync", "redis", "database"})


class OtherQueueName(msgspec.Struct, frozen=True):
    """A worker and a program, and the queues in a variable that both have."""

    worker: Container
    program: Container
    variable: str
    given: str
    """The worker's value, which no other container of the project has."""
    wanted: str
    """The program's value, which no worker of the project has."""


class OtherQueueNames(Items[OtherQueueName], frozen=True):
    """At most one for each worker."""


@evidence
def other_queue_names(containers: Containers) -> OtherQueueNames:
    """By variables alone; two services of one image are compared elsewhere."""
    workers = [
        container
        for container in containers.running
        if container.compose_project and is_background(container)
    ]
    names = (next(_other_names(worker, containers), None) for worker in workers)
    return OtherQueueNames(tuple(filter(None, names)))


def _other_names(worker: Container, containers: Containers) -> Iterator[OtherQueueName]:
    """The programs whose queue no worker reads, where nobody fills that of this worker."""
    neighbours = containers.in_project_of(worker)
    for variable, worker_value in _names(worker).items():
        if any(_mentions(other, worker_value) for other in neighbours):
            continue
        for program in neighbours:
            program_value = _names(program).get(variable, worker_value)
            is_apart = program_value != worker_value and program.image != worker.image
            if not is_apart or is_background(program):
                continue
            readers = [other for other in (worker, *neighbours) if is_background(other)]
            if not any(_mentions(reader, program_value) for reader in readers):
                yield OtherQueueName(worker, program, variable, worker_value, program_value)


def _names(container: Container) -> dict[str, str]:
    """The variables with the name of a queue."""
    return {
        name: value
        for name, value in container.config.environment
        if _IS_NAME.search(name) and not _OF_ANOTHER.search(name)
        if _NAME.fullmatch(value) and value.lower() not in _SWITCHES
    }


def _mentions(container: Container, name: str) -> bool:
    """Whether a variable or a word of the command has the name of a queue in it."""
    texts = (*container.config.variable_values, *container.config.words)
    return any(name in text for text in texts)
