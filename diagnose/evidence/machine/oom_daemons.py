"""Kills by programs that free memory before the kernel does: systemd-oomd, earlyoom."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import ByContainer
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.service import JournalEntry, ReadJournal
from diagnose.registry import evidence

SYSTEMD = "systemd-oomd"
EARLY = "earlyoom"
_KILLED = frozenset({137, 143})
"""Exit codes of a first process that was killed, or asked to end."""
SAME_MOMENT_S = 15.0
"""earlyoom asks first and kills after some seconds; the engine hears of the end later still."""
_OF_CGROUP = LazyPattern(r"Killed (?P<cgroup>\S*\b(?P<id>[0-9a-f]{64})\b\S*) due to (?P<why>.+)")
_OF_PROCESS = LazyPattern(
    r"(?:sending SIG(?:TERM|KILL) to process|Killing process) (?P<pid>\d+)"
    r"(?: uid \d+)? \"?(?P<comm>[^\":]{1,15})\"?"
)
"""src/oom/oomd-manager.c of systemd 248 to 260; main.c of earlyoom 1.2 to 1.8."""


class EarlyKill(msgspec.Struct, frozen=True):
    """A container whose first process such a program has killed."""

    daemon: str
    """The name of the program that killed it."""
    at: float
    line: str


class EarlyKills(ByContainer[EarlyKill], frozen=True):
    """The early kills by container id."""


@evidence
def early_kills(host: Host, containers: Containers) -> EarlyKills:
    """The journals of both are read only where a container was killed, and not by the kernel.

    systemd-oomd names the cgroup. earlyoom names a process, which counts for a container whose
    command has its name and that ended in the same moment. A host without systemd has no such
    journal: nothing is known then, and nothing said.
    """
    killed = [
        container
        for container in containers
        if container.state.exit_code in _KILLED
        and not container.state.oom_killed
        and container.finished_at
    ]
    if not killed:
        return EarlyKills({})
    kills: dict[str, EarlyKill] = {}
    for daemon in (SYSTEMD, EARLY):
        answer = host.ask(ReadJournal(f"{daemon}.service"))
        if isinstance(answer, Failed):
            continue
        for entry in answer.entries:
            for container in _killed_by(entry, killed):
                kills[container.id] = EarlyKill(daemon, entry.at, entry.message.strip())
    return EarlyKills(kills)


def _killed_by(entry: JournalEntry, killed: list[Container]) -> Iterator[Container]:
    """The killed container that a daemon's line names, by its cgroup or by its program."""
    candidates = [
        container
        for container in killed
        if abs((container.finished_at or 0.0) - entry.at) <= SAME_MOMENT_S
    ]
    if match := _OF_CGROUP.search(entry.message):
        yield from (container for container in candidates if container.id == match["id"])
    elif match := _OF_PROCESS.search(entry.message):
        name = match["comm"].strip()
        with_program = [container for container in candidates if name in container.process_names]
        if len(with_program) == 1:
            yield with_program[0]
