"""The last lines of failed programs in log files of their own.

They are read where the container's log explains nothing. A container that has ended has no
processes, but its writable layer and its mounts are still there.
"""

from collections.abc import Iterable, Iterator, Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.own_files.own_log_files import OwnLogFile, folders_of
from diagnose.evidence.containers.logs.own_files.own_logs import OwnLogs
from diagnose.evidence.containers.logs.reading import MORE_LINES
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FileText
from diagnose.questions.log_files import FindLogFiles

MOST_FILES = 3
"""Maximum number of files of one container that are read, the latest first."""
SLACK_S = 2.0
"""The engine notes a start after the program has begun to write, and an end after it has ended."""


def own_tails(
    host: Host, silent: Sequence[Container], own_logs: OwnLogs | None, since_s: float
) -> dict[str, LogTail]:
    """By container id, the end of the file that explains; nothing where none does.

    silent: containers whose logs explain nothing. since_s: how long ago their failures may be.
    """
    ended = [container for container in silent if not container.is_running]
    running = (container for container in silent if container.is_running)
    tails = dict(_running_tails(running, own_logs)) if own_logs is not None else {}
    return tails | (dict(_ended_tails(host, ended, since_s)) if ended else {})


def _running_tails(
    containers: Iterable[Container], own_logs: OwnLogs
) -> Iterator[tuple[str, LogTail]]:
    for container in containers:
        lines = by_key((line.path, line.text) for line in own_logs.by_id.get(container.id, ()))
        tails = (LogTail(tuple(texts), path=path) for path, texts in lines.items())
        explaining = next((tail for tail in tails if tail.explains), None)
        if explaining is not None:
            yield container.id, explaining


def _ended_tails(
    host: Host, containers: Sequence[Container], since_s: float
) -> Iterator[tuple[str, LogTail]]:
    """By container id, the end of the newest log file of the last run that explains the failure."""
    places = by_key(
        (folder.path, folder) for container in containers for folder in folders_of(container)
    )
    answer = host.ask(FindLogFiles((), sorted(places), since_s))
    if isinstance(answer, Failed):
        return
    all_files = (
        folder.file(written)
        for written in answer.written
        for folder in places.get(written.folder, ())
    )
    files = by_key((file.container.id, file) for file in all_files if _is_of_last_run(file))
    for id, files_of_container in files.items():
        latest = sorted(files_of_container, key=lambda file: (-file.written, file.path))[
            :MOST_FILES
        ]
        ends = host.ask_in_order(latest, lambda file: file.end)
        tails = (_tail(file, text) for file, text in ends if not isinstance(text, Failed))
        explaining = next((tail for tail in tails if tail.explains), None)
        if explaining is not None:
            yield id, explaining


def _is_of_last_run(file: OwnLogFile) -> bool:
    """Whether the file was last written to while the container last ran."""
    started = file.container.started_at
    finished = file.container.finished_at
    return (
        started is not None
        and finished is not None
        and started - SLACK_S <= file.written <= finished + SLACK_S
    )


def _tail(file: OwnLogFile, text: FileText) -> LogTail:
    lines = tuple(line.rstrip() for line in text.lines_of_end if line.strip())
    return LogTail(lines[-MORE_LINES:], path=file.path)
