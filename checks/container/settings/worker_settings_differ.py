"""container.worker-settings-differ: a worker looks elsewhere than the program that needs it."""

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
    for difference in worker_differences:
        yield _finding(difference)


def _finding(difference: WorkerDifference) -> Finding:
    worker, program = difference.worker, difference.program
    about, other = worker, program
    if difference.server is not None and difference.given:
        about, other = program, worker
    place = "command" if difference.command else difference.name
    return Finding.about(
        about,
        _sentence(difference),
        {
            f"{worker.name} {place}": difference.given or "not set",
            f"{program.name} {difference.name}": difference.wanted or "not set",
            "image of both": worker.config.image,
            "worker's command": worker.shown_command,
        },
        discriminator=difference.name,
        stable=(worker.life, program.life),
        touches=(other.subject,),
    ).with_variables(_steps(difference, other))


def _sentence(difference: WorkerDifference) -> str:
    """The sentence about the setting that differs between worker and program, and its effect."""
    worker, program, name = difference.worker, difference.program, difference.name
    if difference.server is not None and difference.given:
        return (
            f"{program} gives {worker} no jobs: it has no {name}, which names {difference.server} "
            "for the worker, and it has no connection to that one"
        )
    if difference.server is not None:
        what = "queue" if difference.is_of_queue else "data"
        return (
            f"{worker} does not work on the {what} of {program}: it has no {name}, which names "
            f"{difference.server} there, and it has no connection to that one"
        )
    if difference.command:
        return (
            f'{worker} waits for jobs on "{difference.given}", as its command says, and {program} of the '
            f'same image puts them on "{difference.wanted}" ({name})'
        )
    what = (
        "waits for jobs elsewhere than" if difference.is_of_queue else "uses another database than"
    )
    return (
        f'{worker} {what} {program} of the same image: its {name} is "{difference.given}", and there '
        f'it is "{difference.wanted}"'
    )


def _steps(difference: WorkerDifference, other: Container) -> PageVariables:
    """The command as it is to be, or the variable that both shall have."""
    if not difference.command:
        return {"equalled": difference.name, "example": other.name}
    words = list(difference.worker.config.cmd or ())
    if words.count(difference.command) != 1:
        return {"other_queue": difference.wanted}
    words[words.index(difference.command)] = difference.wanted
    return {"queue_command": shlex.join(words)}
