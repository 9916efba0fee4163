"""Workers that send mails and lack the address of their site, which the program of their image has.

The worker then writes the default of the program into the links of its mails: http://localhost.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.workers.programs_of_workers import ProgramsOfWorkers
from diagnose.evidence.containers.workers.worker_settings import share_settings
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.own_addresses import OWN_URL
from diagnose.registry import evidence

_OF_SITE = LazyPattern(
    r"https?://(?!localhost|127\.|0\.0\.0\.0|\[)[\w.-]{4,200}(?::\d{1,5})?(?:/\S*)?"
)
_OF_MAIL = LazyPattern(r"(?:^|_)(?:E?MAIL|SMTP)(?:_|$)")
_SCHEDULES = LazyPattern(r"\b(?:beat|celerybeat|cron|scheduler)\b")
"""Workers that give jobs to others, and send nothing themselves."""


class WorkerAddress(msgspec.Struct, frozen=True):
    """A worker, and the program whose address it lacks."""

    worker: Container
    program: Container
    name: str
    """The variable."""
    value: str
    """The program's value."""


class WorkerAddresses(Items[WorkerAddress], frozen=True):
    """At most one for each worker."""


@evidence
def worker_addresses(programs_of_workers: ProgramsOfWorkers) -> WorkerAddresses:
    """The workers with a setting for mails, and without the address of their site."""
    items = []
    for pair in programs_of_workers:
        if not _sends_mails(pair.worker):
            continue
        address = next(_lacking_addresses(pair.worker, pair.programs), None)
        if address is not None:
            items.append(address)
    return WorkerAddresses(tuple(items))


def _sends_mails(worker: Container) -> bool:
    """Whether a worker has a setting for mails, and does jobs itself."""
    called = " ".join((worker.compose_service, *worker.config.words))
    names = (name for name, _ in worker.config.environment)
    return _SCHEDULES.search(called) is None and any(map(_OF_MAIL.search, names))


def _lacking_addresses(worker: Container, programs: Sequence[Container]) -> Iterator[WorkerAddress]:
    """The addresses of the site that programs of its image have, and the worker has not."""
    for program in programs:
        if share_settings(worker, program):
            continue
        for name, value in program.config.environment:
            is_address = OWN_URL.search(name) and _OF_SITE.fullmatch(value)
            if is_address and not worker.config.sets(name):
                yield WorkerAddress(worker, program, name, value)
