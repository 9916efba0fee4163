"""Recent package changes, by the package manager's own log.

dpkg writes local time without a zone: its offset is the one that lets the last line fall on the
moment at which the file was last written. dnf (dnf.rpm.log) and pacman write the offset themselves.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FileText, ReadFile

_DPKG = LazyPattern(
    r"(?m)^(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:upgrade|install|remove|purge)"
    r" (?P<name>[^\s:]{1,200})\S{0,40} (?P<old>\S+) (?P<new>\S+)$"
)
"""2026-11-30 10:11:12 upgrade docker-ce:amd64 5:28.0.1 5:28.5.1"""
_DPKG_TIME = LazyPattern(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_DNF = LazyPattern(
    r"(?m)^(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) \w+"
    r" (?:Upgrade|Downgrade|Installed|Erase): (?P<name>\S+?)-(?:\d+:)?(?P<new>\d[^\s-]*)-\S+$"
)
"""2026-11-30T10:11:12+0000 SUBDEBUG Upgrade: docker-ce-3:28.5.1-1.fc43.x86_64"""
_PACMAN = LazyPattern(
    r"(?m)^\[(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*)\] \[ALPM\]"
    r" (?:upgraded|downgraded|installed|removed) (?P<name>\S+)"
    r" \((?:(?P<old>\S+) -> )?(?P<new>\S+)\)$"
)
"""[2026-11-30T10:11:12+0000] [ALPM] upgraded docker (1:28.0-1 -> 1:28.5-1)"""
_VERSION = LazyPattern(r"(?:\d+:)?(?P<upstream>[^\s~+-]+)")
"""Debian's and Arch's versions: an epoch, the version of the program, what the packager adds."""
_QUARTER_S = 900
"""Offsets of time zones are multiples of 15 minutes."""
_NONE = "<none>"


class ChangedPackage(msgspec.Struct, frozen=True):
    """A package that was installed, upgraded or removed.

    at: Unix time. old and new: versions as far as the log has them, "" for none.
    """

    at: float
    name: str
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        """`docker-ce 28.4.0 to 28.5.1`; whole versions where those of the program are the same."""
        old = _upstream(self.old)
        new = _upstream(self.new)
        if old == new:
            old = self.old
            new = self.new
        if not new:
            return f"{self.name} (removed)"
        return f"{self.name} {old} to {new}" if old else f"{self.name} {new}"


def _upstream(version: str) -> str:
    match = _VERSION.match(version)
    return match["upstream"] if match else version


def _dpkg_changes(file: FileText) -> Iterator[ChangedPackage]:
    """The changes in dpkg's log, whose times are of the host's zone."""
    times = [at for text in _DPKG_TIME.findall(file.text) if (at := _unix(f"{text}Z")) is not None]
    if not times or file.mtime is None:
        return
    offset = round((file.mtime - times[-1]) / _QUARTER_S) * _QUARTER_S
    for line in _DPKG.finditer(file.text):
        old, new = (line[side].replace(_NONE, "") for side in ("old", "new"))
        at = _unix(f"{line['at']}Z")
        if at is not None:
            yield ChangedPackage(at + offset, line["name"], old, new)


def _dnf_changes(file: FileText) -> Iterator[ChangedPackage]:
    for line in _DNF.finditer(file.text):
        at = _unix(line["at"])
        if at is not None:
            yield ChangedPackage(at, line["name"], "", line["new"])


def _pacman_changes(file: FileText) -> Iterator[ChangedPackage]:
    for line in _PACMAN.finditer(file.text):
        at = _unix(line["at"])
        if at is not None:
            yield ChangedPackage(at, line["name"], line["old"] or "", line["new"])


def _unix(text: str) -> float | None:
    """The Unix time of a text; None for another text: a log may be damaged."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


READERS: dict[str, Callable[[FileText], Iterator[ChangedPackage]]] = {
    "/var/log/dpkg.log": _dpkg_changes,
    "/var/log/dnf.rpm.log": _dnf_changes,
    "/var/log/pacman.log": _pacman_changes,
}
"""By the path of the log."""

LOG_BYTES = 65536
"""The end of a package manager's log: 130 packages of dpkg."""


def read_logs(host: Host, paths: Iterable[str]) -> Iterator[tuple[ChangedPackage, ...]]:
    """The packages of each of these logs that can be read."""
    for path, file in host.ask_about(
        paths, lambda path: ReadFile(path, max_bytes=LOG_BYTES, tail=True)
    ):
        if not isinstance(file, Failed):
            yield changed_packages(path, file)


def changed_packages(path: str, file: FileText) -> tuple[ChangedPackage, ...]:
    """The packages of one log, oldest first; a line of another form is passed over."""
    return tuple(READERS[path](file))
