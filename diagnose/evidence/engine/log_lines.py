"""The lines of the daemon's log, by dockerd and its service manager. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.phrases import unix
from diagnose.questions.service import JournalEntry

UNIT = "docker.service"
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
"""Levels in full, by their first four letters."""
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
"""The text before dockerd's error about a wrong command line; engine 28 prints all its flags behind
it."""
_NO_SENTENCE = LazyPattern(r"\d{4}[/-]\d\d|[^\w\"']")
_PRIORITY = {0: "panic", 1: "fatal", 2: "fatal", 3: "error", 4: "warning"}
"""Levels, by the priority that journald keeps: 0 is the gravest."""


class LogLine(msgspec.Struct, frozen=True):
    """A line of the daemon's log."""

    at: float | None
    """Unix time, None if neither this line nor the one before has one."""
    level: str
    """The level: trace, debug, info, warning, error, fatal or panic."""
    message: str
    """The message of the line, unquoted."""
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The fields behind the message (`error`, `container`, `module`)."""
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


def parse_line(text: str) -> LogLine | None:
    """A parsed line of dockerd; None for text that is not a line of a log, as a goroutine's stack.

    Logrus text, its form for a terminal, JSON (`log-format`), a TLS handshake that failed, or the
    bare last words.
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
        at = unix(pairs.pop("time", ""))
        level = pairs.pop("level", "info")
        return LogLine(at, level, pairs.pop("msg", ""), pairs)
    of_terminal = _TERMINAL.match(line)
    if of_terminal:
        level = of_terminal[1].lower()
        # logrus pads the message to 44 columns before its fields (text_formatter.go)
        message, _, tail = of_terminal[3].partition("   ")
        fields = {name: _unquote(value) for name, value in _PAIR.findall(tail)}
        return LogLine(unix(of_terminal[2]), _LEVELS.get(level, level), message.rstrip(), fields)
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


class _LastWords(msgspec.Struct, frozen=True):
    """The bare line with which the writer of a log ended."""

    index: int
    text: str


def _last_words(texts: Sequence[str]) -> _LastWords | None:
    """The last words of the writer; None if it continued as usual.

    dockerd prints the error for which it gives up without a format, in any words (20.10, 26.1 and
    28.5). A dump of goroutines is none.
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
    return _LastWords(at, text.strip().removeprefix(_STATUS))


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
    all_texts = list(texts)
    last = _last_words(all_texts)
    line: LogLine | None
    for index, text in enumerate(all_texts):
        if last is not None and index == last.index:
            line = LogLine(None, "fatal", last.text)
        else:
            line = parse_line(text)
        if line is None:
            continue
        if line.at is None:
            line = msgspec.structs.replace(line, at=at)
        at = line.at
        parsed.append(_with_stack(line, all_texts, index))
    return tuple(parsed)


def parse_entries(entries: Sequence[JournalEntry], unit: str = UNIT) -> tuple[LogLine, ...]:
    """The lines of a journal; the words with which the daemon ended are fatal."""
    # systemd writes about the unit from the new process too, before that becomes the daemon
    of_engine = [
        entry for entry in entries if entry.pid != 1 and not entry.message.startswith(f"{unit}: ")
    ]
    last = _last_words([entry.message for entry in of_engine])
    last_entry = of_engine[last.index] if last else None
    texts = [entry.message for entry in entries]
    lines = []
    for index, entry in enumerate(entries):
        if last and entry is last_entry:
            lines.append(LogLine(entry.at, "fatal", last.text, {}, entry.cursor))
        else:
            lines.append(_with_stack(_line_of_entry(entry), texts, index))
    return tuple(lines)


def _line_of_entry(entry: JournalEntry) -> LogLine:
    """systemd and dockerd both write here.

    What is not a line of dockerd's is the service manager's own word.
    """
    line = parse_line(entry.message)
    if line is None:
        level = _PRIORITY.get(entry.priority, "info")
        return LogLine(entry.at, level, entry.message, {}, entry.cursor)
    return LogLine(entry.at, line.level, line.message, line.fields, entry.cursor)
