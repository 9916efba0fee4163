"""The daemon's own log: from the journal, or from the file that its standard error points to."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.engine import FindEndpoint, FindLocality
from diagnose.questions.files import ReadFile, StatPaths
from diagnose.questions.service import JournalEntry, ReadJournal
from diagnose.registry import evidence

UNIT = "docker.service"
JOURNAL_LINES = 1000
TAIL_BYTES = 256 * 1024
"""Some 1,500 lines: a day of an engine that does not debug; reading and redacting them takes 30 ms.
"""
FILES = ("/var/log/docker.log", "/var/log/docker/docker.log", "/var/log/upstart/docker.log")
"""Where init systems without a journal put it (OpenRC, sysvinit, upstart)."""

_PAIR = LazyPattern(r'(?<![\w.-])([A-Za-z_][\w.-]*+)=("(?:[^"\\]|\\.)*"|\S*)')
_TERMINAL = LazyPattern(
    r"(?:\x1b\[\d+m)?(TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)(?:\x1b\[0m)?\[([^\]]*)\]\s*(.*)"
)
_LEVELS = {
    "trac": "trace",
    "debu": "debug",
    "warn": "warning",
    "erro": "error",
    "fata": "fatal",
    "pani": "panic",
}
_BARE = LazyPattern(
    r"^(failed to |unable to |Error starting daemon|panic: |fatal error: |dockerd: )"
)
_OF_LIBRARY = LazyPattern(
    r"(?:\d{4}/\d\d/\d\d [\d:]+|\d{4}-\d\d-\d\d [\d:.]+ I \|) (http: TLS handshake error .*)"
)
"""Go's net/http writes past logrus (28.5, and by etcd's log in 20.10), in the local time of the
engine."""
_USAGE = LazyPattern(r"\s|, Code: \d|See 'dockerd --help'|Run 'dockerd --help'")
_STATUS = "Status: "
"""Stands before what dockerd says of a wrong command line; engine 28 prints all its flags behind
it."""
_NO_SENTENCE = LazyPattern(r"\d{4}[/-]\d\d|[^\w\"']")
_PRIORITY = {0: "panic", 1: "fatal", 2: "fatal", 3: "error", 4: "warning"}


class LogLine(msgspec.Struct, frozen=True):
    """One line of the daemon's log."""

    at: float | None
    """Unix time, None if neither it nor the one before it tells."""
    level: str
    """One of trace, debug, info, warning, error, fatal or panic."""
    message: str
    """Its text, unquoted."""
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)
    """What stands behind it (`error`, `container`, `module`)."""
    pid: int | None = None
    place: str = ""
    """The journal's cursor."""

    @property
    def text(self) -> str:
        """The message with its error.

        Engine 29 writes what a request was answered with as a field of its own.
        """
        error = self.fields.get("error") or self.fields.get("error-response", "")
        return f"{self.message}: {error}" if error and error not in self.message else self.message

    @property
    def is_error(self) -> bool:
        return self.level in ("error", "fatal", "panic")


ENDED = ("ignoring event", "received task-delete event from containerd")
"""What an engine writes of the end of a container's first process: 20.10 to 28.5, and 29.7."""
UP = ("API listen on", "Daemon has completed initialization")
"""What an engine writes when it has come up."""


class DaemonLog(msgspec.Struct, frozen=True, dict=True):
    """The newest lines, oldest first."""

    lines: tuple[LogLine, ...]
    source: str
    """A file's path, or "journal docker.service"."""
    truncated: bool = False
    """Whether there are older lines."""
    mtime: float | None = None
    """Unix time of the file's last line."""

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, line: LogLine) -> str:
        """The place of a line, as evidence names it.

        The source, and the time or the number in it.
        """
        return f"{self.source} {line.place}".strip()

    def evidence(self, line: LogLine | None) -> dict[str, str]:
        """The text of a line by its place; nothing for None."""
        return {self.where(line): line.text} if line is not None else {}

    @functools.cached_property
    def oldest(self) -> float | None:
        """Unix time from which on the log is known."""
        return next((line.at for line in self.lines if line.at is not None), None)

    def since(self, moment: float) -> tuple[LogLine, ...]:
        """The lines from this Unix time on; those without a time are left out."""
        return tuple(line for line in self.lines if line.at is not None and line.at >= moment)

    @functools.cached_property
    def shutdowns(self) -> tuple[float, ...]:
        """Unix times at which the engine was asked to stop.

        The words are the same in engines 20.10 to 29.
        """
        return tuple(
            line.at
            for line in self.lines
            if line.at and line.message.startswith("Processing signal")
        )

    @functools.cached_property
    def ends(self) -> Mapping[str, tuple[float, ...]]:
        """By container id, the Unix times at which its first process ended, asked for or not.

        As containerd reported to the engine, at the level info.
        """
        times_of: dict[str, list[float]] = {}
        for line in self.lines:
            if line.message in ENDED and line.fields.get("topic") == "/tasks/delete" and line.at:
                times_of.setdefault(line.fields.get("container", ""), []).append(line.at)
        return {id: tuple(times) for id, times in times_of.items()}

    @functools.cached_property
    def last_failure(self) -> LogLine | None:
        """The line with which the newest start attempt ended.

        None if that attempt came up, or if its end is not known.

        An engine that refuses its configuration writes that one line and not even "Starting up", so
        that the attempt begins behind the newest sign of a start.
        """
        for line in reversed(self.lines):
            if line.level in ("fatal", "panic"):
                return line
            if line.message.startswith(("Starting up", *UP)):
                return None
        return None

    @functools.cached_property
    def came_up(self) -> bool:
        """Whether the newest start attempt ended with an engine that listens."""
        return any(line.message.startswith(UP) for line in self.last_start)

    @functools.cached_property
    def last_start(self) -> tuple[LogLine, ...]:
        """The lines of the newest start attempt.

        "Starting up" is the first that every engine from 20.10 on writes.
        """
        for at in range(len(self.lines) - 1, -1, -1):
            if self.lines[at].message == "Starting up":
                return self.lines[at:]
        return self.lines

    @property
    def name(self) -> str:
        """What a command that shows it takes: a file's path, or a unit."""
        return self.source.removeprefix("journal ")


NO_LOG = DaemonLog((), "")
"""For a check that can do without the log: one in which no line is found."""


def parse_line(text: str) -> LogLine | None:
    """A line as dockerd writes it.

    Logrus text, its form for a terminal, JSON (`log-format`), a TLS handshake that failed, or the
    bare last words.

    None for what is no line of a log, such as a goroutine's stack.
    """
    line = text.strip()
    if line.startswith("{"):
        try:
            decoded = json.loads(line)
        except ValueError:
            return None
        if not isinstance(decoded, dict):
            return None
        rest = {
            name: str(value)
            for name, value in decoded.items()
            if name not in ("time", "level", "msg")
        }
        return LogLine(
            unix(str(decoded.get("time", ""))),
            str(decoded.get("level", "info")),
            str(decoded.get("msg", "")),
            rest,
        )
    if line.startswith(("time=", "level=")):
        pairs = {name: _unquote(value) for name, value in _PAIR.findall(line)}
        at, level = unix(pairs.pop("time", "")), pairs.pop("level", "info")
        return LogLine(at, level, pairs.pop("msg", ""), pairs)
    shown = _TERMINAL.match(line)
    if shown:
        level = shown[1].lower()
        message, fields = _split_fields(shown[3])
        return LogLine(unix(shown[2]), _LEVELS.get(level, level), message, fields)
    if of_library := _OF_LIBRARY.match(line):
        return LogLine(None, "info", of_library[1])
    return LogLine(None, "fatal", line) if _BARE.match(line) else None


_FRAME = LazyPattern(r"(?<![\w.\-/])[\w.\-]+(?:/[\w.\-]+)+\.[\w.*()\-]{1,200}(?=\()")
_STACK_LINES = 120
_STACK_FRAMES = 40


def stack_below(texts: Sequence[str], index: int) -> str:
    """The functions of the goroutine's stack that Go prints below a panic, the innermost first.

    "" if there is none.
    """
    frames: list[str] = []
    for text in texts[index + 1 : index + 1 + _STACK_LINES]:
        if text.startswith(("time=", "panic:")) or (frames and not text.strip()):
            break
        if frame := _FRAME.match(text.strip()):
            frames.append(frame[0])
    return " ".join(frames[:_STACK_FRAMES])


def _with_stack(line: LogLine, texts: Sequence[str], index: int) -> LogLine:
    """A panic with the stack below it as the field `stack`."""
    if not line.message.startswith(("panic: ", "fatal error: ")):
        return line
    stack = stack_below(texts, index)
    return msgspec.structs.replace(line, fields={**line.fields, "stack": stack}) if stack else line


def _split_fields(text: str) -> tuple[str, dict[str, str]]:
    """The message and the fields of a line in the terminal's form.

    The message is padded to 44 columns before its fields (logrus text_formatter.go).
    """
    message, gap, tail = text.partition("   ")
    return message.rstrip(), {
        name: _unquote(value) for name, value in _PAIR.findall(tail)
    } if gap else {}


def _ended_with(texts: Sequence[str]) -> tuple[int, str] | None:
    """The bare line with which the writer of these texts ended: its index, and what it says.

    None if it wrote on as usual.

    dockerd prints the error for which it gives up as it is, in any words (20.10, 26.1 and 28.5). A
    dump of goroutines is none.
    """
    start = next(
        (at + 1 for at in range(len(texts) - 1, -1, -1) if parse_line(texts[at]) is not None), 0
    )
    numbered = [(at, texts[at]) for at in range(start, len(texts)) if texts[at].strip()]
    if not numbered or any(text.startswith("goroutine ") for _, text in numbered):
        return None
    if _USAGE.match(numbered[-1][1]):
        numbered = [(at, text) for at, text in numbered if text.startswith(_STATUS)]
    if not numbered or _NO_SENTENCE.match(numbered[-1][1]):
        return None
    at, text = numbered[-1]
    return at, text.strip().removeprefix(_STATUS)


def _unquote(value: str) -> str:
    """Go's %q is JSON's string but for \\x and \\U escapes."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    if "\\" not in value:
        return value[1:-1]
    try:
        return str(json.loads(value, strict=False))
    except ValueError:
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def parse(texts: Iterable[str]) -> tuple[LogLine, ...]:
    """The lines of a log; one without a time has that of the line before."""
    parsed: list[LogLine] = []
    at: float | None = None
    listed = list(texts)
    last = _ended_with(listed)
    for index, text in enumerate(listed):
        line = LogLine(None, "fatal", last[1]) if last and index == last[0] else parse_line(text)
        if line is None:
            continue
        if line.at is None:
            line = LogLine(at, line.level, line.message, line.fields)
        at = line.at
        parsed.append(_with_stack(line, listed, index))
    return tuple(parsed)


@evidence
def daemon_log(host: Host) -> DaemonLog | Unavailable:
    """The journal where there is one.

    Otherwise the file behind the daemon's standard error, or where init systems put it. All but
    the second are the system's engine's: a rootless one writes to its user's journal.
    """
    endpoint = host.ask(FindEndpoint())
    if not isinstance(endpoint, Failed) and endpoint.rootless is not None:
        unread = Failed("missing", "a rootless engine's log is in its user's journal")
        return _first_readable(host, _own_file(host), unread)
    journal = host.ask(ReadJournal(UNIT, JOURNAL_LINES))
    if isinstance(journal, Failed) and journal.reason == "remote":
        return Unavailable.of(journal)
    if not isinstance(journal, Failed) and journal.entries:
        is_cut = len(journal.entries) >= JOURNAL_LINES
        return DaemonLog(_of_entries(journal.entries), f"journal {UNIT}", is_cut)
    nowhere = Failed(
        "missing",
        "the daemon's log was not found: neither a journal nor a file that its output goes to",
    )
    if isinstance(journal, Failed) and journal.reason != "missing":
        nowhere = journal
    return _first_readable(host, (*_own_file(host), *((path, path) for path in FILES)), nowhere)


def _first_readable(
    host: Host, files: Iterable[tuple[str, str]], journal: Failed
) -> DaemonLog | Unavailable:
    """The first of these files that can be read.

    files: path, and the path that is shown. journal: why there is none; a file that may not be read
    explains more than a journal that is missing.
    """
    refusals = [journal] if journal.reason != "missing" else []
    for path, shown in files:
        file = host.ask(ReadFile(path, max_bytes=TAIL_BYTES, tail=True))
        if not isinstance(file, Failed):
            texts = file.text.splitlines()[1 if file.truncated else 0 :]
            return DaemonLog(parse(texts), shown, file.truncated, file.mtime)
        if file.reason != "missing":
            refusals.append(file)
    return Unavailable.of(refusals[0] if refusals else journal)


def _of_entries(entries: Sequence[JournalEntry]) -> tuple[LogLine, ...]:
    # systemd writes about the unit from the new process too, before that becomes dockerd
    own = [
        entry for entry in entries if entry.pid != 1 and not entry.message.startswith(f"{UNIT}: ")
    ]
    last = _ended_with([entry.message for entry in own])
    last_entry = own[last[0]] if last else None
    texts = [entry.message for entry in entries]
    lines = []
    for index, entry in enumerate(entries):
        if last and entry is last_entry:
            lines.append(LogLine(entry.at, "fatal", last[1], {}, entry.pid, entry.cursor))
        else:
            lines.append(_with_stack(_of_entry(entry), texts, index))
    return tuple(lines)


def _of_entry(entry: JournalEntry) -> LogLine:
    """systemd and dockerd both write here.

    What is no line of dockerd's is the service manager's own word.
    """
    line = parse_line(entry.message)
    if line is None:
        return LogLine(
            entry.at,
            _PRIORITY.get(entry.priority, "info"),
            entry.message,
            {},
            entry.pid,
            entry.cursor,
        )
    return LogLine(entry.at, line.level, line.message, line.fields, entry.pid, entry.cursor)


def _own_file(host: Host) -> Iterator[tuple[str, str]]:
    """(path to read, path to show) of the running daemon's standard error, if it is a file."""
    place = host.ask(FindLocality())
    pid = None if isinstance(place, Failed) else place.engine_pid
    if pid:
        link = f"/proc/{pid}/fd/2"
        statuses = host.ask(StatPaths([link], follow=False))
        status = None if isinstance(statuses, Failed) else statuses.get(link)
        target = (status.link if status else None) or ""
        if target.startswith("/") and not target.startswith("/dev/"):
            gone = target.endswith(" (deleted)")
            yield (link if gone else target), target
