"""container.worker-settings-differ: a worker looks elsewhere than the program that needs it."""

from __future__ import annotations

import shlex

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.settings.worker_settings import (
    WorkerDifference,
    WorkerDifferences,
)
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check


@check("container.worker-settings-differ", severity=Severity.warning)
def worker_settings_differ(worker_differences: WorkerDifferences) -> CheckResult:
    """A worker has another queue or database than the program of its image.

    A web server and its worker run from one image, in services of one compose project. The worker
    waits for jobs at another broker, in another database of Redis, on another connection of
    Laravel, or works on another database than the program: all run, and no job is done. Compared
    are the variables that name a broker or a database. Where one of both lacks the variable, the
    server that it names has no connection from it, and nothing else in its settings names that
    server. A worker that agrees with one of several programs of its image is well. Another host of
    the same database may be a pooler or a replica, and is left out.
    """
    for item in worker_differences:
        yield _finding(item)
    return None


def _finding(item: WorkerDifference) -> Finding:
    worker, program = item.worker, item.program
    about, other = (
        (program, worker) if item.server is not None and item.given else (worker, program)
    )
    place = "command" if item.command else item.name
    return Finding.about(
        about,
        _sentence(item),
        {
            f"{worker.name} {place}": item.given or "not set",
            f"{program.name} {item.name}": item.wanted or "not set",
            "image of both": worker.config.image,
            "worker's command": worker.shown_command,
        },
        discriminator=item.name,
        stable=(worker.life, program.life),
        touches=(other.subject,),
    ).with_variables(_steps(item, other))


def _sentence(item: WorkerDifference) -> str:
    worker, program, name = item.worker, item.program, item.name
    if item.server is not None and item.given:
        return (
            f"{program} gives {worker} no jobs: it has no {name}, which names {item.server} "
            "for the worker, and it has no connection to that one"
        )
    if item.server is not None:
        what = "queue" if item.is_of_queue else "data"
        return (
            f"{worker} does not work on the {what} of {program}: it has no {name}, which names "
            f"{item.server} there, and it has no connection to that one"
        )
    if item.command:
        return (
            f'{worker} waits for jobs on "{item.given}", as its command says, and {program} of the '
            f'same image puts them on "{item.wanted}" ({name})'
        )
    what = "waits for jobs elsewhere than" if item.is_of_queue else "uses another database than"
    return (
        f'{worker} {what} {program} of the same image: its {name} is "{item.given}", and there '
        f'it is "{item.wanted}"'
    )


def _steps(item: WorkerDifference, other: Container) -> PageVariables:
    """The command as it is to be, or the variable that both shall have."""
    if not item.command:
        return {"equalled": item.name, "example": other.name}
    words = list(item.worker.config.cmd or ())
    if words.count(item.command) != 1:
        return {"other_queue": item.wanted}
    words[words.index(item.command)] = item.wanted
    return {"queue_command": shlex.join(words)}
