"""Secrets of failed containers of which compose has taken a part for a variable."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTail, LogTails, suspicious
from diagnose.evidence.containers.settings.compose_files import project_files
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FindLostDollars, LostDollar, ReadFile
from diagnose.redact.names import kind_of
from diagnose.registry import evidence

__all__ = ["LostDollar", "LostDollars", "lost_dollars"]

SECRET = LazyPattern(
    r"pass(?:word|phrase|wd)|credential|decrypt|authenticat|unauthori[sz]ed|access denied"
    r"|\blog ?in\b|\btoken\b|\bsecret\b|\bapi.?key\b|\bhash\b|bcrypt|\b40[13]\b",
)
"""What a program says, in small letters, that does not like a secret."""
_ENV_FILE = LazyPattern(
    r"^\s*(?:-\s*)?(?:env_file:\s*|path:\s*|-\s+)[\"']?(?P<path>[^\s\"'#\[\]]*\benv\b[^\s\"'#\[\]]*)",
)
"""The name of an env file in a compose file, on a line of its own."""
_MOST = 5
"""Env files of one project that are read."""


class LostDollars(msgspec.Struct, frozen=True):
    """Such variables of each container that has some, by its id."""

    by_id: dict[str, tuple[list[LostDollar], str]] = {}
    """With the line of the container's log that complains."""


@evidence
def lost_dollars(
    host: Host, containers: Containers, log_tails: LogTails, clock: Clock, options: Options
) -> LostDollars:
    """Files are read only of a project with a failed container whose log mentions a secret."""
    by_id: dict[str, tuple[list[LostDollar], str]] = {}
    for container in containers:
        line = _complaint(log_tails.of(container))
        files = project_files(container)
        if line and files and suspicious(container, clock.wall, options.since_s):
            answer = host.ask(FindLostDollars(_with_env_files(host, container, files)))
            lost = list(_own(container, [] if isinstance(answer, Failed) else answer))
            if lost:
                by_id[container.id] = (lost, line)
    return LostDollars(by_id)


def _complaint(tail: LogTail) -> str:
    """The newest line that mentions a secret."""
    lines = [*tail.earlier, *tail.lines]
    return next((line for line in reversed(lines) if SECRET.search(line.lower())), "")


def _with_env_files(host: Host, container: Container, files: tuple[str, ...]) -> list[str]:
    """The project's files and the env files that its compose files name, `.env` first."""
    named: dict[str, None] = {}
    for path in files[:-1]:
        text = host.ask(ReadFile(path))
        if isinstance(text, Failed):
            continue
        for line in text.text.splitlines():
            if match := _ENV_FILE.match(line):
                relative = match["path"].removeprefix("./")
                folder = "" if relative.startswith("/") else f"{container.compose_folder}/"
                named[f"{folder}{relative}"] = None
    return [files[-1], *(path for path in list(named)[:_MOST] if path != files[-1]), *files[:-1]]


def _own(container: Container, found: list[LostDollar]) -> Iterator[LostDollar]:
    """Those that are secrets, and variables of this container."""
    own = {name for name, _ in container.config.environment}
    for lost in found:
        if lost.name in own and kind_of(lost.name) is not None:
            yield lost
