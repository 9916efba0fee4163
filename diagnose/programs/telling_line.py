"""The line of a failed program's log that explains why it failed.

A program's last line is seldom the one that explains: stack frames, farewells, hints and banners
follow it. Each line gets a score from what it says (its level, an exception, words such as `denied`
or `too low`) and from what it is (a frame, a farewell, a hint). The best line wins; of equal lines
the first one does, for later errors follow from it. An exception stands for its own cause: the last
`Caused by` of Java, the innermost `--->` of .NET, the first traceback of a chain in Python.

The corpus in `tests/data/program_logs` holds the ends of real logs with the right line marked by
hand; the test beside it measures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from diagnose.lazy_pattern import LazyPattern

LONGEST = 1200
"""Characters of one line that are looked at."""
MOST_DETAILS = 4
"""Lines of a message that follow its first one."""


class TellingLine(msgspec.Struct, frozen=True):
    """The chosen line.

    index: its place among the lines that were given. explains: whether it says what is wrong,
    rather than being the best of lines that do not. details: what belongs to the same message
    (DETAIL, HINT, what must be specified). neighbours: up to two lines before and after, for a
    reader who wants more.
    """

    text: str
    index: int = 0
    explains: bool = True
    details: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """The line with what belongs to its message."""
        return "; ".join((self.text, *self.details))


_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")

FATAL, ERROR, WARNING, INFO = 60, 45, 12, -25
"""What a level is worth."""
DOUBT = 20
"""What a line loses that its program calls a warning: the program goes on after it."""
CLEAR = 20
"""From this score on a line says what is wrong."""
UNREADABLE = -100
"""The score of a frame, a register, a line without words."""

_LEVELS: tuple[tuple[LazyPattern, int], ...] = (
    (
        LazyPattern(
            r"""
            \bFATAL\b(?!\ state) | \bPANIC\b | \bpanic: | \bpanicked\ at\b | \bCRIT(?:ICAL)?\b
            | \bEMERG\b
            | \[(?:emerg|alert|crit|fatal)\] | \blevel=(?:fatal|panic|critical) | \[ALERT\]
            | \[F\] | ^F\ +[A-Z]+\ +\[
            | \bfatal:\ | ^fatal\ | \bFatal\ error\b | ^FailFast | ^Process\ terminated\.
            """,
            re.VERBOSE,
        ),
        FATAL,
    ),
    (
        LazyPattern(
            r"""
            \bERROR\b | \bSEVERE\b | \[(?:error|err|ERR)\] | \blevel=(?:error|err)\b | \bERR\b
            | \ E!\  | ^E\d{4}\ | \[E\]
            | (?:^|[\s\]|])(?:Fatal\ )?[Ee]rror:\ | ^\s*Error\b | \blvl=e?error\b | \berror:\
            | ^Unhandled\ exception
            | ^Exception\ in\ thread | \ spawnerr:\  | \(terminated\ by\ SIG
            | \bexited:\ .*;\ not\ expected\)
            """,
            re.VERBOSE,
        ),
        ERROR,
    ),
    (
        LazyPattern(
            r"\bWARN(?:ING)?\b|\[warn(?:ing)?\]|\blevel=warn|\[W\]|\bwarning:", re.IGNORECASE
        ),
        WARNING,
    ),
    (
        LazyPattern(
            r"\bINFO\b|\[(?:info|notice|Note|System|debug)\]|\blevel=(?:info|debug|trace)\b"
            r"|\blvl=info\b|\bDEBUG\b|\[I\]|\bI! "
            r"|\bNOTICE\b|\bTRACE\b|: info: |\bLOG: |^info:",
            re.IGNORECASE,
        ),
        INFO,
    ),
)

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
"""Levels in the fields of JSON lines; the numbers are those of pino and bunyan."""

_EXPLAINS = LazyPattern(
    r"""
    \b(?:permission|access)\b[^.]{0,30}\bdenied\b | \beacces\b | \boperation\ not\ permitted\b
    | \beperm\b | \bnot\ writ[ae]ble\b
    | \bno\ such\ (?:file|host|device|container|module|table|command)\b | \benoent\b
    | \bnot\ found\b | \bcan(?:not|'t|\ not)\b | \bcould\ not\b | \bcouldn't\b | \bunable\ to\b
    | \bdoes(?:\ not|n't)\ (?:exist|match|support|have)\b
    | \bis\ not\ (?:set|specified|supported|installed|running|a\ directory)\b
    | \btoo\ (?:low|old|new|small|many|large|big)\b
    | \bmust\ (?:be|specify|set|provide|have|contain)\b | \byou\ need\ to\b
    | \bplease\ (?:set|provide|configure|accept|run|specify)\b
    | \brequire[sd]?\b | \bmissing\b | \bincompatible\b | \bmismatch | \bnot\ compatible\b
    | \bunsupported\b | \bunrecogni[sz]ed\b
    | \bin\ use\b | \balready\ (?:been|running|exists|allocated|in)\b | \blocked\b
    | \block\ file\b | \bunable\ to\ lock\b
    | \binvalid\b | \bunknown\b | \bunexpected\b | \bsyntax\ error\b | \bexpected\b | \bcorrupt
    | \bmalformed\b | \bdowngrad
    | \brefused\b | \btimed?\ ?out\b | \bunreachable\b | \bno\ route\b | \bname\ resolution\b
    | \bname\ or\ service\b
    | \bno\ space\ left\b | \bout\ of\ memory\b | \bcannot\ allocate\b
    | \bread-only\ file\ ?system\b | \bquota\b
    | \bnot\ (?:enough|allowed|valid|provided|configured|specified|initialized)\b
    | \bunbound\ variable\b | \bundefined\b
    | \bonly\ run\ as\b | \bnil\ pointer\b | \bnull\b
    | \bno\ (?:\w+\ ){0,3}(?:specified|provided|configured|given)\b
    | \bexpired\b | \bnot\ yet\ valid\b | \bcertificate\b | \bunauthorized\b
    | \bauthentication\ failed\b
    | \bversion\b.{0,60}\b(?:higher|lower|newer|older)\b | \bnewer\b | \bterminated\ by\ sig
    | \bmultiple\b | \bno\ outputs\b
    | \bterminating\b.{0,20}\buncaught\b
    | \bwrong\ (?:signature|owner\w*|type|format|version)\b
    | \bfail(?:ed|ure)\ (?:to|in|with|opening|at)\b | \bassertion\b
    """,
    re.VERBOSE,
)
"""Words of a line that says what is wrong. These patterns are for lines in small letters."""

_STRONG = LazyPattern(
    r"""
    \bdenied\b | \bnot\ permitted\b | \btoo\ (?:low|old|new|many)\b | \bno\ such\ (?:file|host)\b
    | \bcommand\ not\ found\b
    | \bmust\ (?:be|specify|set)\b | \balready\ in\ use\b | \bin\ use\b | \bunable\ to\ lock\b
    | \bincompatible\b | \brefused\b
    | \bcould\ not\ (?:translate|resolve|connect|find|locate|bind|open|reserve)\b
    | \bcannot\ find\b | \bcan't\ find\b
    | \bunable\ to\ exec\b | \bno\ space\ left\b | \bnot\ found\ in\ upstream\b
    | \bdoes\ not\ support\b | \bdoesn't\ match\b
    | \bcan(?:not|'t)\ (?:start|open|create|touch|handle|load|bind|downgrade)\b
    | \bname\ or\ service\ not\ known\b
    """,
    re.VERBOSE,
)
"""Words that seldom stand in a line that does not explain."""

_EXCEPTION = LazyPattern(
    r"^(?P<cause>\s*(?:Caused by: |---> ))?(?:Exception in thread \"[^\"]*\" "
    r"|Unhandled exception\. )?"
    r"(?P<name>(?:[A-Za-z_$][\w$]*(?:\.|::))*[A-Z][\w$]*(?:Error|Exception|Exit|Interrupt|Warning"
    r"|Failed|NotFound|Timeout)\b)"
    r"(?:[ \[(][^:]{0,40})?(?::|$)"
)
"""An exception by its class: Python, Java, Node, Ruby, .NET."""
_CAUSE = LazyPattern(r"^\s*(?:Caused by: | ?---> |Reason: |caused by: )")
_CHAINED = LazyPattern(
    r"^(?:The above exception was the direct cause|During handling of the above exception)"
)

_FRAME = LazyPattern(
    r"""
    ^\s+at\ \S | ^\s*File\ "[^"]*",\ line\ \d+ | ^\s+from\ \S+:\d+ | ^\s+from\ <internal:
    | ^\s*\#\d+\ (?!.*\bERROR\b)
    | ^goroutine\ \d+ | ^created\ by\ | ^\s+\S+\.go:\d+ | ^\s*\.\.\.\ \d+\ (?:more|common)
    | ^\s*\d+:\ 0x[0-9a-f]+
    | ^(?:github\.com|main|runtime|golang\.org|go\.[\w.]+)[/.][^\s]*(?:\(|$)
    | ^[a-z0-9]{2,6}\s+0x[0-9a-f]+$ | ^\s*-{3}\ End\ of
    | ^\s*stack\ backtrace: | ^\s+\d+:\s+(?:\w+::|0x) | ^PC=0x | ^stack:\ frame | ^runtime:
    | ^Stack\ trace: | ^\s+thrown\ in\ /
    | ^Traceback\ \(most | ^\s*\[signal\ SIG | ^\s+\^+\s*$ | ^\s*[~^]+\s*$
    | ^\s*throw\ (?:err|er|new)\b | ^node:internal | ^node:events
    | ^\s*rflags\b | ^-+\ Native\ stack | ^\s+in\ `
    """,
    re.VERBOSE,
)
"""A frame of a stack, a register, a caret under source text."""

_FAREWELL = LazyPattern(
    r"""
    \b(?:aborting|exiting|shutting\ down|shut\ ?down|stopping|stopped
        |terminating|terminated|closing|closed|goodbye|bye)\b\.?\s*$
    | \bshut(?:ting)?\ ?down\b | ^exiting\b
    | \bexit(?:ed|ing)?\ (?:with\ )?(?:status|code|value|abnormally)\b | ^exit\ status
    | ^node\.js\ v\d | \bnow\ exiting\b | \bi\ have\ to\ go\b | \bstopping\ server\b
    | \bworker\ failed\ to\ boot\b
    | \bentered\ fatal\ state\b | \baborting\.?$ | ^aborted\b | ^segmentation\ fault
    | \bcore\ dumped\b | ^sigabrt\b
    | ^failed\ running\ " | \bgave\ up\b
    | ^npm\ (?:err!|error)\ (?:code|errno|exit|failed|this|a\ complete|\s|$)
    | \bterminating\ in\ do_boot\b | \bcrash\ dump\b | ^crash\ dump | \breceived\ signal\b
    """,
    re.VERBOSE,
)
"""What programs say at their end, whatever ended them."""

_HINT = LazyPattern(
    r"""
    ^\s*https?://\S+\s*$ | \bfor\ (?:more|further)\ (?:details|information|help)\b
    | \bcheck\ the\ logs\b | \bsee\ '.*-h' | ^see\ \S+\ for
    | ^note:\ run\ with | \bfor\ help\b | ^\s*usage: | ^\s*flags: | ^\s*hint:
    | \bcommunity\b.*https?:// | \bmay\ need\ to\b
    | \byou\ may\ (?:have|also)\b | ^reason:\ (?:worker|failed\ to\ determine)
    | \bthis\ is\ probably\ not\b | ^consider\b
    | \bplease\ follow\b | ^\s*action: | ^\s*description:\s*$ | \berror\ report\ file\b
    | \bsearch\ for\ solutions\b
    | \bcheck\ that\ you\ do\ not\ already\b | \bwhich\ might\ have\b
    | ^\s*\#\ there\ is\ insufficient | \bthis\ is\ ignored\ for\ now\b
    | \bour\ fatalactions\b | \bdocumentation\ at\b
    """,
    re.VERBOSE,
)
"""Advice and pointers beside the reason."""

_GENERIC = LazyPattern(
    r"""
    \b(?:bootstrap\ checks?\ failed|unexpected\ error|application\ run\ failed
        |application\ failed\ to\ start|boot\ failed)\b
    | \bexception\ (?:in\ worker\ process|during\ startup|on\ startup)\b
    | \binit\ function\ returned\ error\b
    | \bfailed\ to\ start\ (?:quarkus|server|application)\b
    | \berror\ (?:starting|initiali[sz]ing)\ (?:tomcat|neo4j|application)
    | \bduring\ \w*\ ?startup\b | \bwas\ not\ specified\ correctly\b | \bstartup\ process\b
    | \baborting\ startup\b
    | \bregistration\ as\ a\ storage\ engine\b | \bunknown/unsupported\ storage\ engine\b
    | \bfailed\ to\ initiali[sz]e\ dd\b
    | \bdata\ dictionary\ initiali[sz]ation\b | \bcould\ not\ run\b
    | \bconnection\ attempt\ failed\b | \binvocation\ of\ init\ method\b
    | \binvalid\ config,\ exiting\b | \bcommand\ execution\ failed\b
    | \berror\ executing\ action\b | \bthere\ was\ an\ error\b
    | \bfatal\ error\ loading\b | \bunable\ to\ open\ (?:logs|the\ first\ data\ file)\b
    | \bwas\ shut\ down\b
    | \bfailed\ to\ initiali[sz]e\ server
    | \bno\ listening\ sockets\b | \bnot\ running\b\s*$
    | \bstopped\ processing\ because\ of\ an\ error\b | \bapp\ crashed\b
    | ^\s*error\ id: | ^\s*error\ code:\s*$ | ^\*+\ ?error\ found\ | ^\S*\s*error\ found\ at\b
    | \bunknown\ database\ error\b
    | \bwhen\ starting\ dev\ server\b | \berror\ occurred\ during\ initialization\b
    | \berror\ initialising\ module\b
    | \bprotocol\ handler\ initiali[sz]ation\ failed\b | \ban\ error\ occurred\b
    | \bfatal\ error\b\s*$
    | \bfatal\ config\ file\ error\b | \bconditionevaluationreport
    | \bunable\ to\ create\ mmap-ed\b | \bwarning:?\ overcommit_memory\b
    | \bmemory\ overcommit\ must\ be\ enabled\b
    """,
    re.VERBOSE,
)
"""Errors that say that there was one, not which."""

_WORD = re.compile(r"[a-z']+")
_LETTERS = re.compile(r"[A-Za-z]{3}")
_LEVEL_WORDS = frozenset(
    [
        "fatal",
        "panic",
        "panicked",
        "crit",
        "critical",
        "emerg",
        "alert",
        "error",
        "err",
        "severe",
        "e",
        "f",
        "i",
        "w",
        "warn",
        "warning",
        "info",
        "notice",
        "note",
        "system",
        "debug",
        "trace",
        "log",
        "lvl",
        "level",
        "failfast",
        "terminated",
        "exception",
        "spawnerr",
        "exited",
    ]
)
_PHRASES: tuple[tuple[frozenset[str], LazyPattern, int], ...] = (
    (
        frozenset(
            [
                "denied",
                "permission",
                "eacces",
                "eperm",
                "permitted",
                "writable",
                "no",
                "enoent",
                "not",
                "cannot",
                "can't",
                "can",
                "could",
                "couldn't",
                "unable",
                "doesn't",
                "isn't",
                "too",
                "must",
                "need",
                "please",
                "require",
                "required",
                "requires",
                "missing",
                "incompatible",
                "mismatch",
                "mismatched",
                "mismatching",
                "compatible",
                "unsupported",
                "unrecognized",
                "unrecognised",
                "in",
                "already",
                "locked",
                "lock",
                "invalid",
                "unknown",
                "unexpected",
                "syntax",
                "expected",
                "corrupt",
                "corrupted",
                "malformed",
                "downgrade",
                "downgrading",
                "refused",
                "time",
                "timed",
                "timeout",
                "unreachable",
                "name",
                "space",
                "memory",
                "allocate",
                "read",
                "quota",
                "enough",
                "unbound",
                "undefined",
                "only",
                "nil",
                "null",
                "expired",
                "certificate",
                "unauthorized",
                "authentication",
                "version",
                "newer",
                "terminated",
                "multiple",
                "terminating",
                "fail",
                "failed",
                "failure",
                "assertion",
                "wrong",
                "gave",
            ]
        ),
        _EXPLAINS,
        22,
    ),
    (
        frozenset(
            [
                "denied",
                "permitted",
                "too",
                "such",
                "command",
                "must",
                "use",
                "lock",
                "incompatible",
                "refused",
                "could",
                "find",
                "exec",
                "space",
                "found",
                "support",
                "match",
                "open",
                "create",
                "start",
                "touch",
                "handle",
                "load",
                "bind",
                "downgrade",
                "name",
            ]
        ),
        _STRONG,
        22,
    ),
    (
        frozenset(
            [
                "bootstrap",
                "unexpected",
                "application",
                "boot",
                "exception",
                "init",
                "failed",
                "error",
                "startup",
                "specified",
                "engine",
                "data",
                "run",
                "connection",
                "invocation",
                "config",
                "command",
                "executing",
                "fatal",
                "unable",
                "shut",
                "sockets",
                "running",
                "stopped",
                "crashed",
                "id",
                "code",
                "database",
                "occurred",
                "protocol",
                "conditionevaluationreport",
                "overcommit",
            ]
        ),
        _GENERIC,
        -45,
    ),
    (
        frozenset(
            [
                "aborting",
                "exiting",
                "shutting",
                "shut",
                "shutdown",
                "stopping",
                "stopped",
                "terminating",
                "terminated",
                "closing",
                "closed",
                "goodbye",
                "bye",
                "exit",
                "exited",
                "exits",
                "node",
                "now",
                "go",
                "worker",
                "entered",
                "aborted",
                "segmentation",
                "core",
                "sigabrt",
                "running",
                "gave",
                "npm",
                "crash",
                "received",
            ]
        ),
        _FAREWELL,
        -40,
    ),
    (
        frozenset(
            [
                "http",
                "https",
                "for",
                "check",
                "see",
                "note",
                "usage",
                "flags",
                "hint",
                "community",
                "may",
                "you",
                "reason",
                "this",
                "consider",
                "please",
                "action",
                "description",
                "report",
                "search",
                "which",
                "there",
                "our",
                "documentation",
                "help",
            ]
        ),
        _HINT,
        -35,
    ),
)
"""What lines say: words of which at least one is there, the pattern that decides, and its worth."""


_DETAIL = LazyPattern(
    r"\b(?:DETAIL|HINT|CONTEXT):\s|^\s{2,}[-*>]?\s*(?:[A-Z][A-Z0-9_]{4,}\b|You (?:must|need)|Please"
    r"|HINT)|^\s{2,}- [A-Z_]+"
)
"""What belongs to the message before it."""


def plain(line: str) -> str:
    """A line without colours and control characters."""
    return _ANSI.sub("", line).replace("\r", "").rstrip()[:LONGEST]


def message(line: str) -> tuple[str, int | None]:
    """What a line says, and what its level is worth; None where it has no level.

    A JSON line is read by its fields.
    """
    text = plain(line)
    fields = _fields(text)
    if fields is None:
        return text, _level(text)
    level = fields.get(
        "level", fields.get("log.level", fields.get("severity", fields.get("s", fields.get("lvl"))))
    )
    if level is None and isinstance(fields.get("tags"), list):
        level = next((tag for tag in fields["tags"] if str(tag).lower() in _SEVERITY_NAMES), None)
    parts = [
        _field(fields, *names)
        for names in (("msg", "message", "event", "log"), ("error", "err", "exception", "reason"))
    ]
    return ": ".join(part for part in parts if part) or text, _SEVERITY_NAMES.get(
        str(level).lower()
    )


def _level(text: str) -> int | None:
    words = _words(text)
    if not words & _LEVEL_WORDS:
        return None
    return next((worth for pattern, worth in _LEVELS if pattern.search(text)), None)


def _words(text: str) -> frozenset[str]:
    """The words of a line in small letters.

    Looking them up in a set is some twenty times cheaper than the patterns, which are then
    tried on the few lines that hold one of their words.
    """
    return frozenset(_WORD.findall(text.lower()))


def _fields(text: str) -> dict[str, Any] | None:
    """The fields of a JSON line that carries a message; None for any other line."""
    if not text.startswith("{"):
        return None
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    if isinstance(fields, dict) and fields.keys() & {"msg", "message", "event", "log"}:
        return fields
    return None


def _field(fields: dict[str, Any], *names: str) -> str:
    """The first of these fields that is there, its own message where it is an object.

    Looked for in `attr` too, as MongoDB has it.
    """
    places = [fields, fields["attr"]] if isinstance(fields.get("attr"), dict) else [fields]
    for place in places:
        for name in names:
            value = place.get(name)
            if isinstance(value, dict):
                value = value.get("message") or value.get("msg") or ""
            if isinstance(value, str) and value:
                return value.strip().split("\n", 1)[0]
    return ""


def _score(text: str, level: int | None) -> int:
    """How well a line explains a failure."""
    exception = _EXCEPTION.match(text)
    if not _LETTERS.search(text) or (_FRAME.match(text) and not exception):
        return UNREADABLE
    if level == INFO and not exception:
        return INFO
    score = level or 0
    if level == WARNING:
        score -= DOUBT
    if exception:
        score = max(score, ERROR) + 18
    lowered = text.lower()
    words = _words(text)
    for vocabulary, pattern, worth in _PHRASES:
        if words & vocabulary and pattern.search(lowered):
            score += worth
    return score


def telling_line(lines: Sequence[str]) -> TellingLine | None:
    """The line that explains, of the last lines of a program that failed.

    None where there is no line at all.

    Where no line explains anything, it is the last one that is no frame and no banner.
    """
    said = [message(line) for line in lines]
    scores = [_score(text, level) for text, level in said]
    _prefer_causes([text for text, _ in said], scores)
    if not scores:
        return None
    best = max(scores)
    if best <= 0:
        readable = [index for index, score in enumerate(scores) if score > UNREADABLE]
        index = max(
            readable, key=lambda place: (scores[place] > INFO, place), default=len(scores) - 1
        )
    else:
        index = scores.index(best)
    return TellingLine(
        said[index][0].strip(),
        index,
        best >= CLEAR,
        _details(said, index),
        _neighbours(lines, index),
    )


def _prefer_causes(texts: Sequence[str], scores: list[int]) -> None:
    """Of a chain of exceptions its own first cause counts.

    The last `Caused by` below it, the first traceback above it.
    """
    for index, text in enumerate(texts):
        if _CAUSE.match(text):
            above = max(
                (place for place in range(index) if _EXCEPTION.match(texts[place])), default=None
            )
            if above is not None and scores[index] > UNREADABLE:
                scores[index] = max(scores[index], scores[above] + 1)
                scores[above] -= 30
        if _CHAINED.match(text):
            for place in range(index + 1, len(texts)):
                if _EXCEPTION.match(texts[place]):
                    scores[place] -= 30
                    break


def _details(said: Sequence[tuple[str, int | None]], index: int) -> tuple[str, ...]:
    following = said[index + 1 : index + 1 + MOST_DETAILS]
    found: list[str] = []
    for text, level in following:
        if not _DETAIL.search(text) or (level or 0) >= ERROR:
            break
        found.append(text.strip())
    return tuple(found)


def _neighbours(lines: Sequence[str], index: int) -> tuple[str, ...]:
    around = [plain(line) for line in lines[max(0, index - 2) : index + 3]]
    return tuple(line for line in around if line)
