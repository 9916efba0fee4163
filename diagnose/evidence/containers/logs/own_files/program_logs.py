"""Lines of a failing server in a log file of its own, instead of the container's log.

Frameworks of PHP open their log, write and close it: Laravel in storage/logs, Symfony in var/log,
Nextcloud in data, WordPress in wp-content. Rails, Tomcat and many more have a folder log or logs.
"""

from collections.abc import Callable, Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.own_files.log_folder import RECENT_S, LogFolder
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.files import FileText
from diagnose.registry import evidence

_ROOTS = ("/var/www/html", "/var/www", "/app", "/srv", "/usr/src/app", "/usr/local/tomcat")
"""Folders of the code in images of web programs."""
_BELOW = ("", "/log", "/logs", "/storage/logs", "/var/log", "/var/logs", "/data", "/wp-content")
"""Possible folders of the log below such a folder."""
_IS_LOG = LazyPattern(r"(?<!access)\.log$|^catalina\.out$")
_NOT_OURS = ("/proc", "/sys", "/dev", "/etc", "/usr/share", "/lib", "/bin")
MOST_ROOTS = 8
MOST_FILES = 8
"""Files of one container that are read."""


class ProgramLog(msgspec.Struct, frozen=True):
    """The end of a log file that a program inside a container writes."""

    container: Container
    path: str
    """The path in the container."""
    tail: LogTail


class ProgramLogs(ByContainer[ProgramLog], frozen=True):
    """The log that was written to last and shows the error, by container id."""


@evidence
def program_logs(host: Host, all_failed_answers: AllFailedAnswers, clock: Clock) -> ProgramLogs:
    """The last lines of servers' own log files that explain their errors.

    Only servers whose requests fail are looked into; an ordinary user of the host may not.
    """
    logs = (log_of(host, failed.container, clock, _explains) for failed in all_failed_answers)
    return ProgramLogs({log.container.id: log for log in logs if log is not None})


def _explains(tail: LogTail) -> bool:
    return tail.explains


def log_of(
    host: Host, container: Container, clock: Clock, tells: Callable[[LogTail], bool]
) -> ProgramLog | None:
    """The log below the folders of a container that was written to last and tells something."""
    root = f"/proc/{container.state.pid}/root"
    folders = [LogFolder(root, path) for path in _folders(container)]
    listings = host.answers_about(folders, lambda folder: folder.listing)
    files = [
        (folder, name)
        for folder in folders
        if folder in listings
        for name in sorted(filter(_IS_LOG.search, listings[folder].names), reverse=True)
    ][:MOST_FILES]
    texts = host.answers_about(files, lambda file: file[0].end_of(file[1]))
    recent = {
        f"{folder.below}/{name}": text
        for (folder, name), text in texts.items()
        if clock.is_within(text.mtime, RECENT_S)
    }
    latest = sorted(recent, key=lambda path: -(recent[path].mtime or 0))
    logs = (ProgramLog(container, path, _tail(recent[path])) for path in latest)
    return next((log for log in logs if tells(log.tail)), None)


def _folders(container: Container) -> Iterator[str]:
    """Possible log folders of a program: below its working directory, mounts and common places."""
    known_folders = [
        container.config.working_dir,
        *(mount.destination for mount in container.mounts),
    ]
    named_folders = [
        path.rstrip("/") for path in known_folders if path.startswith("/") and len(path) > 1
    ]
    roots = [path for path in named_folders if not path.startswith(_NOT_OURS)][:MOST_ROOTS]
    paths = (f"{root}{below}" for root in (*roots, *_ROOTS) for below in _BELOW)
    return iter(dict.fromkeys(paths))


def _tail(file: FileText) -> LogTail:
    """The end of the file, without a line that was cut."""
    return LogTail(tuple(line for line in file.lines_of_end if line.strip()))
