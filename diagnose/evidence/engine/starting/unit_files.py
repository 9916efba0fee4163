"""The engine's unit as systemd reads it, and the reason why systemd refuses it."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log_lines import UNIT
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.service import ReadJournal
from diagnose.registry import evidence

__all__ = ["UnitFiles", "unit_files"]

LINES = 40
MAX_BYTES = 64 * 1024
SAME_LOAD_S = 1.0
"""Seconds within which systemd logs all lines about one reading of a unit."""
_COMMAND = LazyPattern(r"^\s*ExecStart\s*=\s*(?P<command>.*?)\s*$")
_REFUSAL = LazyPattern(
    rf"(?:{UNIT}: (?P<setting>Service .+)|(?P<place>/\S{{1,300}}:\d{{1,6}}: .+))"
)
"""The lines of systemd about a unit that it does not load: about its settings, or one line of a
file."""


class UnitFiles(msgspec.Struct, frozen=True):
    """The defects in the files of the engine's unit."""

    is_refused: bool = False
    """systemd cannot use the unit."""
    words: str = ""
    """The reason, as systemd logged it; "" where not known."""
    doubled: str = ""
    """The drop-in that adds a command where the unit has one already."""
    emptied: str = ""
    """The drop-in that takes the command away and gives no other. Both are "" for files that fit
    together."""


@evidence
def unit_files(host: Host, daemon: Daemon) -> UnitFiles | Unavailable:
    """The drop-ins are read where systemd refuses the unit, or has not read them as they are now.

    A drop-in adds its `ExecStart=` command to those of the unit; an empty line `ExecStart=` removes
    the commands before it. Only a unit of the type oneshot may have several commands, and no
    engine's unit is of that type (systemd.service).
    """
    unit = daemon.installation.unit
    if unit is None or not (unit.is_refused or unit.need_daemon_reload == "yes"):
        return UnitFiles()
    files = []
    for path in unit.drop_ins:
        file = host.ask(ReadFile(path, max_bytes=MAX_BYTES))
        files.append(file)
    words = _refusal_of_systemd(host) if unit.is_refused else ""
    closed = [file for file in files if isinstance(file, Failed) and file.reason != "missing"]
    if closed:
        if unit.is_refused:
            return UnitFiles(is_refused=True, words=words)
        return Unavailable.of(closed[0])
    texts = ["" if isinstance(file, Failed) else file.text for file in files]
    commands = _commands(unit.drop_ins, texts)
    return UnitFiles(unit.is_refused, words, commands.doubled, commands.emptied)


class _Commands(msgspec.Struct, frozen=True):
    """The drop-in with a command too many, and the one that leaves none; "" without one."""

    doubled: str
    emptied: str


def _commands(paths: Sequence[str], texts: Sequence[str]) -> _Commands:
    """The drop-in that gives a unit its second command, and the one that removes its last one."""
    count = 1
    doubled = ""
    emptied = ""
    for path, text in zip(paths, texts, strict=True):
        for line in text.splitlines():
            match = _COMMAND.match(line)
            if match is None:
                continue
            if match["command"]:
                count += 1
                doubled = path if count > 1 else doubled
            else:
                count = 0
                doubled = ""
                emptied = path
    return _Commands(doubled, emptied if not count else "")


class _Objection(msgspec.Struct, frozen=True):
    """A line of systemd about a unit that it does not load."""

    at: float
    place: str
    """The file and the line in it; "" where the log names none."""
    setting: str


def _refusal_of_systemd(host: Host) -> str:
    """The file and line to which systemd objected most recently; the setting where it names no
    place, "" where it objected to nothing."""
    answer = host.ask(ReadJournal(UNIT, LINES))
    entries = [] if isinstance(answer, Failed) else answer.entries
    objections = []
    for entry in entries:
        match = _REFUSAL.search(entry.message) if entry.pid in (1, None) else None
        if match is not None:
            objections.append(_Objection(entry.at, match["place"] or "", match["setting"] or ""))
    if not objections:
        return ""
    newest = objections[-1]
    places = [
        objection.place
        for objection in objections
        if objection.place and newest.at - objection.at < SAME_LOAD_S
    ]
    return places[-1] if places else newest.setting
