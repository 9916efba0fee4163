"""Secrets of containers that complain, of which compose has taken a part for a variable."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.compose.compose_files import project_files
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails, suspicious
from diagnose.evidence.containers.secrets import same_value
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.compose_variables import FindLostDollars, LostDollar
from diagnose.redact.names import kind_of
from diagnose.registry import evidence

__all__ = ["LostDollar", "LostDollars", "lost_dollars"]

MOST = 20
"""Projects whose files are read though no log mentions a secret."""
SECRET = LazyPattern(
    r"pass(?:word|phrase|wd)|credential|decrypt|authenticat|unauthori[sz]ed|access denied"
    r"|\blog ?in\b|\btoken\b|\bsecret\b|\bapi.?key\b|\bhash\b|bcrypt|\b40[13]\b"
)
"""Words of programs that refuse a secret, in small letters."""


class CutSecrets(msgspec.Struct, frozen=True):
    """The secrets of one container that lack a part."""

    variables: list[LostDollar]
    line: str
    """The complaint in the container's log; "" where the value alone shows the cut."""


class LostDollars(ByContainer[CutSecrets], frozen=True):
    """Values that lost a dollar sign, of containers whose log objects to a secret.

    Other containers count where their value is the rest that compose leaves of the value in the
    file.
    """


@evidence
def lost_dollars(
    host: Host,
    containers: Containers,
    log_tails: LogTails,
    repeated_errors: RepeatedErrors | None,
    clock: Clock,
    options: Options,
) -> LostDollars:
    """The values that lost a dollar sign in compose, of containers with secrets.

    Files are read of a project with a container that fails, or repeats an error, whose log mentions
    a secret, and of others with a running container that has a secret in a variable.
    """
    by_id: dict[str, CutSecrets] = {}
    questions: dict[FindLostDollars, None] = {}
    repeated = {error.container.id: error.line.whole for error in repeated_errors or ()}
    for container in containers:
        is_failing = suspicious(container, clock.wall, options.since_s)
        repeated_line = repeated.get(container.id, "")
        line = _complaint(log_tails.of(container)) if is_failing else _if_of_secret(repeated_line)
        files = project_files(container)
        if not files or not (line or _has_secrets(container)):
            continue
        question = FindLostDollars([files[-1], *files[:-1]], folder=container.compose_folder)
        if not line and question not in questions and len(questions) >= MOST:
            continue
        questions[question] = None
        answer = host.ask(question)
        lost = list(_own_secrets(container, [] if isinstance(answer, Failed) else answer))
        if not line:
            lost = [cut for cut in lost if _is_left(container, cut)]
        if lost:
            by_id[container.id] = CutSecrets(lost, line)
    return LostDollars(by_id)


def _has_secrets(container: Container) -> bool:
    """Whether a running container has a variable whose name is that of a secret."""
    names = (name for name, _ in container.config.environment)
    return container.is_running and any(kind_of(name) is not None for name in names)


def _is_left(container: Container, cut: LostDollar) -> bool:
    """Whether a container's value is the rest that compose leaves: equal secrets have equal
    tokens."""
    value = container.config.value_of(cut.name)
    return any(same_value(value, assignment.partition("=")[2]) for assignment in cut.lefts)


def _complaint(tail: LogTail) -> str:
    """The newest line that mentions a secret."""
    lines = [*tail.earlier, *tail.lines]
    return next(filter(_if_of_secret, reversed(lines)), "")


def _if_of_secret(line: str) -> str:
    """The line, where it mentions a secret."""
    return line if SECRET.search(line.lower()) else ""


def _own_secrets(container: Container, lost_list: list[LostDollar]) -> Iterator[LostDollar]:
    """The found names that are secrets, and variables of this container."""
    variable_names = {name for name, _ in container.config.environment}
    for lost in lost_list:
        if lost.name not in variable_names or kind_of(lost.name) is None:
            continue
        if not lost.is_number or _is_left(container, lost):
            yield lost
