"""The message of a log line: its text without colours, and the worth of its level."""

import functools
import json
import re
from typing import Any

import msgspec

from diagnose.foreign_words import in_english
from diagnose.lazy_pattern import LazyPattern, RarePattern
from diagnose.word_sets import vocabulary

LONGEST = 1200
"""Characters of one line that are looked at."""

HEADING = 30
"""A first line with at most this many characters explains less than the lines below it."""
MOST_BELOW = 6
"""Lines of such a text: one with more is a stack."""

_ANSI = LazyPattern(r"\x1b\[[0-9;?]{0,40}[ -/]{0,9}[@-~]|\x1b\][^\x07]{0,200}\x07")

FATAL = 60
ERROR = 45
WARNING = 12
INFO = -25
"""The worth of a level."""

TAKES_ANOTHER = RarePattern(
    r"\bfall(?:s|ing)?[ -]?back\b|\busing (?:the )?defaults?\b|\bdefault(?:s|ing) to\b"
    r"|, creat(?:es|ing) (?:it|one)\b|\b(?:trying|using) (?:the )?next\b|\bnext (?:mirror|server|address|upstream)\b"
    r"|\bthen (?:completed|connected|delivered|succeeded|worked)\b",
    re.IGNORECASE,
)
"""A program that prints this gets its need from elsewhere."""
DOES_WITHOUT = RarePattern(
    r"(?<!\bcan be )(?<!\bmay be )(?<!\byou )\b(?:skipp|ignor)(?:ed|ing)\b", re.IGNORECASE
)
"""A program that prints this continues; whether anybody misses the part that it leaves out is not
known."""


WAS_EXPECTED = RarePattern(
    r"(?<!\bnot )\bas expected\b|\(expected\)|\bexpected by (?:an? |the |this )?tests?\b"
    r"|\b(?:caught|got|raised|received|saw|the|threw) (?:an? |the )?expected"
    r" (?:error|exception|failure|refusal|timeout)\b",
    re.IGNORECASE,
)
"""A program that looked for the failure, as tests do, prints this."""

_LETTERS = LazyPattern(r"[A-Za-z]{3}|[^\x00-\x7f\W\d_]{2}")
_LEVEL_ALONE = LazyPattern(
    r"^[\d\s:.,TZ+|/-]*\[(?:error|erro|err|crit|alert|emerg|warning|warn)\][\s<>\d.:=#*-]*$",
    re.IGNORECASE,
)
"""A line that has only its time, its level and its process, as above a heading."""


def goes_on(line: str) -> bool:
    """Whether a program itself reports that it continues without the thing of which it
    complains."""
    return bool(TAKES_ANOTHER.search(line) or DOES_WITHOUT.search(line))


def is_no_loss(line: str) -> bool:
    """Whether a program itself reports that it continues, or that it looked for the failure."""
    return goes_on(line) or WAS_EXPECTED.search(line) is not None


def says_nothing(text: str) -> bool:
    """Whether a line has no letters, or is only the name of a level."""
    return _LETTERS.search(text) is None or _LEVEL_ALONE.match(text) is not None


class Message(msgspec.Struct, frozen=True):
    """The text of a log line, and the worth of its level; None where it has no level."""

    text: str
    level: int | None = None


_LEVELS: tuple[tuple[LazyPattern, int], ...] = (
    (
        LazyPattern(
            r"""
            \bFATAL\b(?!\ state) | (?<!-)\bFTL\b | \bPANIC\b | \bpanic: | \bpanicked\ at\b | \bCRIT(?:ICAL)?\b
            | \bEMERG\b | \]\ ALERT:\   # PHP-FPM
            | \[(?:emerg|alert|crit|(?i:fatal))\] | \blevel=(?:fatal|panic|critical) | \[ALERT\]
            | <(?:Critical|Fatal)>  # ClickHouse
            | \[F\] | ^<F> | ^F\d{4}(?:\d{4})?\ \d\d: | ^F\ +[A-Z]+\ +\[ | \ [CF]\ \|\s
            | \b[Ff]atal:\ | ^fatal\ | \bFatal\ error\b | ^FailFast | ^Process\ terminated\.
            """,
            re.VERBOSE,
        ),
        FATAL,
    ),
    (
        LazyPattern(
            r"""
            \bLOG:\ \ (?:could\ not\ open|invalid\ (?:authentication\ method|connection\ type))
            | \bE(?:RR|R)OR\b | \bSEVERE\b | \[(?:[Ee]rror|err|ERR)\] | \blevel=(?:error|err)\b | \bERR\b
            | \ E!\  | ^E\d{4}(?:\d{4})?\ \d\d: | \[E\] | ^<[CE]> | <Error> | \ E\ \|\s
            | (?:^|[\s\]|])(?:Fatal\ )?[Ee]rror:\ | ^\s*Error\b | \blvl=e?error\b | \berror:\
            | ^Unhandled\ exception
            | ^error\ (?=[A-Z])  # Yarn
            | ^\w+\ +error\ (?=[A-Z])  # a logger with its name before the level
            | ^\S+:\ (?:exec:\ )?line\ \d+:\s(?!warning:)  # a shell, of its script
            | ^Exception\ in\ thread | \ spawnerr:\  | \(terminated\ by\ SIG
            | \bexited:\ .*;\ not\ expected\)
            """,
            re.VERBOSE,
        ),
        ERROR,
    ),
    (
        LazyPattern(
            r"\bWARN(?:ING)?\b|\[warn(?:ing)?\]|\blevel=warn|\[W\]|^<W>|<Warning>|\bwarning:| W \| "
            r"|^\W{0,3}DEPRECAT(?:ED|ION(?: NOTICE)?)\b(?= ?[\]:)])"
            r"|(?-i:\bWRN\b|^W\d{4}(?:\d{4})? \d\d:)",
            re.IGNORECASE,
        ),
        WARNING,
    ),
    (
        LazyPattern(
            r"(?<![\w.-])(?<!\bbackend )(?<!\bmore )(?<!\bthe )INFO\b(?!\.\w)"
            r"|\[(?:info|notice|Note|System|debug)\]|\blevel=(?:info|debug|trace)\b"
            r"|\blvl=info\b|(?<!\bthe )(?<!\buse )(?<!\ban )\bDEBUG\b|\[I\]|^<[IX]>|\bI! | [IDN] \| "
            r"|\bNOTICE\b|(?-i:\b(?:DBG|INF|TRACE|TRC|VRB)\b|^I\d{4}(?:\d{4})? \d\d:)"
            r"|<(?:Debug|Information|Notice|Trace)>|\[trace\]|: info: |^info:"
            r"|(?-i:\bLOG: )(?!.*(?:unrecognized|invalid value|syntax error|could not bind))",
            re.IGNORECASE,
        ),
        INFO,
    ),
)
"""Words of a line that give it a level, the gravest first."""

_OWN_LEVEL = LazyPattern(
    r"(?:\d[\d:.,TZ+/ -]{5,40}|\[[\d:.,TZ+/ -]{6,40}\] )?\[?(?:DEBUG|INFO)\]?[ :]"
)
"""A level at the beginning of a line."""
_BARE_WORD = LazyPattern(r"\b(?:CRITICAL|ERROR|FATAL|PANIC|SEVERE)\b(?!\s?[]:=|\d])")
"""A word behind a level that belongs to a sentence, and to no quoted line."""
_CROSS = LazyPattern(r"[\s\[(]{0,8}[✗✘✖❌🗙]")
"""A cross at the beginning of a line, which start scripts print where others write a level."""
_QUIET_REDIS = LazyPattern(r"\d+:[CMSX] \d\d? [A-Z][a-z]{2}(?: \d{4})? [\d:.]+ [*.-] ")
"""Redis and Valkey write a sign between time and text, and `#` for an error."""

_SEVERITY_NAMES = {
    "f": FATAL,
    "fatal": FATAL,
    "panic": FATAL,
    "critical": FATAL,
    "crit": FATAL,
    "emergency": FATAL,
    "alert": FATAL,
    "60": FATAL,
    "e": ERROR,
    "error": ERROR,
    "err": ERROR,
    "severe": ERROR,
    "50": ERROR,
    "w": WARNING,
    "warn": WARNING,
    "warning": WARNING,
    "40": WARNING,
    "i": INFO,
    "info": INFO,
    "debug": INFO,
    "trace": INFO,
    "notice": INFO,
    "30": INFO,
    "20": INFO,
}
"""Levels in the fields of JSON lines; the numbers are those of pino and bunyan. Serilog leaves the
level out where it is information."""

_NEXTCLOUD_LEVELS = {"0": INFO, "1": INFO, "2": WARNING, "3": ERROR, "4": FATAL}
"""Levels of Nextcloud and ownCloud, whose lines have a `reqId`."""

_LEVEL_FIELDS = (
    *("level", "log.level", "severity", "s", "lvl"),
    *("levelname", "level_name", "LogLevel", "Level", "@l"),
)
_MESSAGE_FIELDS = (
    *("msg", "message", "event", "log", "detail"),
    *("@m", "RenderedMessage", "Message", "@mt", "MessageTemplate"),
)
_REASON_FIELDS = (
    *("error", "err", "error.message", "exception", "reason", "cause", "BADKEY"),
    *("exc_info", "stack_trace", "@x", "Exception"),
)
_ROUND_NAMES = " :!"
"""Names that callers of Go's slog put around a name by mistake; `!BADKEY` is its own for a value
without one."""
_TRACE_FIELDS = (
    *("error.stack_trace", "stack_trace", "stacktrace", "stackTrace", "stack", "exc_info"),
    *("exception", "trace", "@x", "err", "error"),
)
"""Where a trace may stand, or an object that has one; its last cause says more than its head."""
_PATH_FIELDS = ("path", "file", "filename")
_INNER_FIELDS = ("message", "msg", "errmsg", "detail", "info", "error")
"""Where an object of one of these fields has its message: MongoDB has `errmsg`, Hasura `info`."""
_DEEPEST = 3
"""The depth to which objects inside each other are read."""


_LEVEL_WORDS = vocabulary(
    """
    fatal ftl panic panicked crit critical emerg alert error err severe c e f i w warn warning
    info inf information notice note system debug dbg trace trc vrb wrn x log lvl level line failfast
    terminated exception spawnerr exited deprecated deprecation
    """
)
"""Words of which a line with a level has at least one."""

_WORD = LazyPattern(r"[a-z']+")


_CHANGING = LazyPattern(r"(?<=/tmp/)[\w.-]+|\btmp[a-z0-9_]{8}\b|\b[0-9a-f]{8,}\b|\d+")
"""Names that programs make up for temporary files, ids and numbers."""

_CR_IN_WORD = LazyPattern(r"\r(?=['\"’)]|: )")
"""The end of a line of a file with the line ends of Windows, in the message of its reader."""


_ERLANG_TEXT = LazyPattern(r"<<(?P<bytes>\d{1,3}(?:,\d{1,3}){7,2000})>>")
"""A text as Erlang prints it in a term: the numbers of its bytes."""
_WORDS_ALONE = LazyPattern(r"[A-Za-z][A-Za-z0-9_ ,.'()-]{7,200}")
"""No address and no value: nobody has looked for a password in such numbers."""


def _first_line_of_bytes(match: re.Match[str]) -> str:
    """The first line of the text, quoted; the numbers where it is not plain words."""
    line = "".join(chr(int(number)) for number in match["bytes"].split(",")).partition("\n")[0]
    return f'"{line}"' if _WORDS_ALONE.fullmatch(line) else match[0]


_OF_PROCESS = LazyPattern(r"(?:\d\d:\d\d:\d\d )?[\w-]{1,40}\.\d{1,3} {0,20}\| ")
"""The prefix that foreman and honcho put before each line of the processes that they start."""


def plain(line: str) -> str:
    """A line without colours and control characters; a carriage return in a word is shown.

    The name of its process is removed too, where one program prints the lines of several.
    """
    text = _CR_IN_WORD.sub(r"\\r", line) if "\r" in line else line
    if "<<" in text:
        text = _ERLANG_TEXT.sub(_first_line_of_bytes, text)
    bare = _ANSI.sub("", text).replace("\r", "").rstrip()[:LONGEST]
    prefix = _OF_PROCESS.match(bare) if "| " in bare else None
    return bare[prefix.end() :] if prefix is not None else bare


def words_of(text: str) -> frozenset[str]:
    """The words of a line in small letters.

    A search for them in a set costs a twentieth of the patterns, which are then tried on the few
    lines that have one of their words.
    """
    return frozenset(_WORD.findall(text.lower()))


@functools.lru_cache(4096)
def message(line: str) -> Message:
    """The text and the level of a log line; a JSON line is read by its fields.

    Each line of a tail is read several times.
    """
    text = plain(line)
    fields = _fields(text if len(text) < LONGEST else line)
    if fields is None:
        return Message(text, _level(text))
    text_field = _field(fields, *_MESSAGE_FIELDS)
    why = _last_cause(fields) or _field(fields, *_REASON_FIELDS) or _attribute(fields)
    why = why or _reason_inside(fields)
    place = _field(fields, *_PATH_FIELDS) if why else ""
    which = place if place.startswith("/") and place not in f"{text_field} {why}" else ""
    texts = [part for part in (text_field, which, why) if part]
    return Message(": ".join(texts) or text, _level_of_fields(fields))


def without_numbers(line: str) -> str:
    """The text of a log line, without the parts that differ from one time to the next: times,
    numbers, ids."""
    return _CHANGING.sub("#", message(line).text)


def _level(text: str) -> int | None:
    text = in_english(text)
    if _CROSS.match(text):
        return ERROR
    if text[:1].isdigit() and _QUIET_REDIS.match(text):
        return INFO
    if not words_of(text) & _LEVEL_WORDS:
        return None
    if _OWN_LEVEL.match(text):
        text = _BARE_WORD.sub("", text)
    return next((worth for pattern, worth in _LEVELS if pattern.search(text)), None)


def _level_of_fields(fields: dict[str, Any]) -> int | None:
    names = [str(fields[name]).lower() for name in _LEVEL_FIELDS if fields.get(name) is not None]
    if names and "reqId" in fields:
        return _NEXTCLOUD_LEVELS.get(names[0])
    if names:
        return next((_SEVERITY_NAMES[name] for name in names if name in _SEVERITY_NAMES), None)
    if "@t" in fields:
        return INFO
    tags = fields.get("tags")
    tag_names = [str(tag).lower() for tag in tags] if isinstance(tags, list) else []
    return next((_SEVERITY_NAMES[name] for name in tag_names if name in _SEVERITY_NAMES), None)


def _fields(text: str) -> dict[str, Any] | None:
    """The fields of a JSON line with a message; None for any other line."""
    if not text.startswith("{"):
        return None
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    if not isinstance(fields, dict):
        return None
    by_name = {name.strip(_ROUND_NAMES): value for name, value in fields.items()}
    return by_name if any(name in by_name for name in _MESSAGE_FIELDS) else None


def _telling_part(value: str) -> str:
    """The first line of a text, or the last one below a short heading; of a trace its cause."""
    lines = value.strip().split("\n")
    causes = [line for line in lines if line.startswith("Caused by: ")]
    if causes or lines[0].startswith("Traceback "):
        return (causes or lines)[-1]
    is_heading = len(lines[0]) <= HEADING and 1 < len(lines) <= MOST_BELOW
    return lines[-1] if is_heading else lines[0]


def _last_cause(fields: dict[str, Any]) -> str:
    """The last `Caused by` of a trace in a field; "" where none has one."""
    for name in _TRACE_FIELDS:
        value = fields.get(name)
        trace = value
        if isinstance(value, dict):
            trace = next(filter(None, map(value.get, _TRACE_FIELDS)), "")
        if isinstance(trace, str) and "\nCaused by: " in trace:
            return _telling_part(trace)
    return ""


def _reason_inside(fields: dict[str, Any]) -> str:
    """The error of an object below another name, as `context.exception.message`; "" for none."""
    inner = [value for value in fields.values() if isinstance(value, dict)]
    return next(filter(None, (_field(value, *_REASON_FIELDS) for value in inner)), "")


def _attribute(fields: dict[str, Any]) -> str:
    """The message inside MongoDB's attributes, as of WiredTiger, or the condition that failed."""
    attributes = fields.get("attr")
    if not isinstance(attributes, dict):
        return ""
    return _field({"log": attributes.get("message") or attributes.get("expr")}, "log")


def _field(fields: dict[str, Any], *names: str) -> str:
    """The first of these fields that exists; where it is an object, its own message.

    The fields of `attr` are searched too, as in MongoDB's lines.
    """
    places = [fields, fields["attr"]] if isinstance(fields.get("attr"), dict) else [fields]
    for place in places:
        for name in names:
            value = place.get(name)
            for _ in range(_DEEPEST):
                if isinstance(value, dict):
                    inner = value
                    value = next((inner[key] for key in _INNER_FIELDS if inner.get(key)), "")
            if isinstance(value, str) and value:
                return _telling_part(value)
    return ""
