"""The question for log files that programs inside containers write themselves."""

from collections.abc import Sequence

import msgspec

from diagnose.questions.question import Policy, Question


class OpenLog(msgspec.Struct, frozen=True):
    """A log file that a process has open for writing."""

    pid: int
    path: str
    """As the container calls it."""
    mtime: float


class WrittenLog(msgspec.Struct, frozen=True):
    """A log file below one of the folders."""

    folder: str
    below: str
    """The path below the folder, with a slash at its beginning."""
    mtime: float
    uid: int = 0


class LogFileList(msgspec.Struct, frozen=True):
    """The log files that were found, and the places that could not be read."""

    open: list[OpenLog] = []
    written: list[WrittenLog] = []
    unseen: list[int] = []
    """Processes whose descriptors the caller may not see."""
    unread: list[str] = []
    """Folders that the caller may not list, or for which no time was left."""


class FindLogFiles(Question[LogFileList], frozen=True):
    """Log files, by their names, that were written to lately: open ones, and those below folders.

    Frameworks of PHP open their log, write and close it, so that no descriptor shows it. A network
    volume is left out: its server may not answer.
    """

    POLICY = Policy(
        "log_files",
        what="the log files that programs write themselves",
        collector="disk.log_files:log_files",
        lane="probe",
        deadline=2,
        in_helper=True,
    )
    pids: Sequence[int]
    folders: Sequence[str]
    within_s: float
    """Seconds since the last writing, at most."""
