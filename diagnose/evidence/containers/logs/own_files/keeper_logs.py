"""Log files of supervisors, and of the programs that they start, inside running containers."""

import posixpath
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.own_files.own_log_files import OwnLogFile, folders_of
from diagnose.evidence.containers.logs.own_files.own_logs import moments
from diagnose.evidence.containers.logs.reading import MORE_LINES
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FileText
from diagnose.questions.log_files import FindLogFiles

KEEPERS = frozenset({"supervisord", "PM2"})
"""Programs that write what they start into files, by the names of their processes."""
_OF_KEEPER = LazyPattern(r"/(?:supervisord?|pm2)\.log$")
_AROUND_S = 60.0
"""Seconds around the end of a program in which the file with its last words was written."""


class KeeperLogs(msgspec.Struct, frozen=True):
    """The files of containers with a supervisor, by container id, the latest first."""

    files: dict[str, list[OwnLogFile]] = {}

    def lines(self, host: Host, container: Container) -> list[tuple[float | None, str]]:
        """The times and texts of the supervisor's own log file; empty without a file."""
        keeper_files = (
            file for file in self.files.get(container.id, ()) if _OF_KEEPER.search(file.path)
        )
        file = next(keeper_files, None)
        if file is None:
            return []
        text = host.ask(file.end)
        lines = () if isinstance(text, Failed) else _lines(text)
        return list(zip(moments(lines, file.written), lines, strict=True))

    def explaining(
        self, host: Host, container: Container, program: str, at: float | None
    ) -> LogTail | None:
        """The end of the file of a program that says why it ended at this Unix time.

        The file has the program's name, or was written to at that time.
        """
        files = [
            file for file in self.files.get(container.id, ()) if not _OF_KEEPER.search(file.path)
        ]
        files_by_name = [
            file for file in files if program and program in posixpath.basename(file.path)
        ]
        files_of_the_moment = (
            file for file in files if at is not None and abs(file.written - at) < _AROUND_S
        )
        for file in files_by_name or files_of_the_moment:
            text = host.ask(file.end)
            tail = LogTail(() if isinstance(text, Failed) else _lines(text), path=file.path)
            if tail.explains:
                return tail
        return None


def keeper_logs(host: Host, containers: Sequence[Container], within_s: float) -> KeeperLogs:
    """The log files of supervisors, by container, newest first; no supervisor, no question."""
    places = by_key(
        (folder.path, folder) for container in containers for folder in folders_of(container)
    )
    if not places:
        return KeeperLogs()
    answer = host.ask(FindLogFiles((), sorted(places), within_s))
    if isinstance(answer, Failed):
        return KeeperLogs()
    files = sorted(
        (
            folder.file(written)
            for written in answer.written
            for folder in places.get(written.folder, ())
        ),
        key=lambda file: (-file.written, file.path),
    )
    return KeeperLogs(by_key((file.container.id, file) for file in files))


def _lines(text: FileText) -> tuple[str, ...]:
    lines = [line.rstrip() for line in text.lines_of_end if line.strip()]
    return tuple(lines[-MORE_LINES:])
