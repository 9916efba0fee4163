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

import itertools
import re
from collections.abc import Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.callers import lines_about_callers
from diagnose.programs.headings import with_levels_of_headings
from diagnose.programs.line_phrases import EXPLAINS, FAREWELL, GENERIC, PHRASES, STRONG
from diagnose.programs.log_message import (
    ERROR,
    INFO,
    WARNING,
    Message,
    message,
    plain,
    words_of,
)
from diagnose.programs.passed_lines import passed_lines

MOST_DETAILS = 4
"""Lines of a message that follow its first one."""
DOUBT = 20
"""What a line loses that its program calls a warning: the program continues after it."""
CLEAR = 20
"""From this score on a line says what is wrong."""
EXCEPTION = 18
"""What an exception is worth above another error."""
BARE = 45
"""What an exception loses that is its class alone."""
BROKEN = 76
"""Characters from which on an indented line is taken to go on in the next one."""
LONG = 50
"""Characters from which on a sentence of a message is taken to go on in its next line."""
UNREADABLE = -100
"""The score of a frame, a register, a line without words."""
CHAINED = 30
"""What an exception loses to another one of its chain, which is its cause."""
PASSED = CLEAR // 2
"""What a complaint is worth at most that the program got past, or that is about a caller."""


class TellingLine(msgspec.Struct, frozen=True):
    """The chosen line."""

    text: str
    index: int = 0
    """Its place among the lines that were given."""
    explains: bool = True
    """Whether it says what is wrong, rather than being the best of lines that do not."""
    details: tuple[str, ...] = ()
    """What belongs to the same message (DETAIL, HINT, what must be specified)."""
    neighbours: tuple[str, ...] = ()
    """Up to two lines before and after, for a reader who wants more."""

    @property
    def is_complaint(self) -> bool:
        """Whether it objects to something around the program, rather than to itself."""
        lowered = self.whole.lower()
        return any(phrases.pattern.search(lowered) for phrases in (EXPLAINS, STRONG))

    @property
    def whole(self) -> str:
        """The line with what belongs to its message."""
        return "; ".join((self.text, *self.details))


_EXCEPTION = LazyPattern(
    r"^(?:\d{4}-\d\d-\d\d[T ][\d:.,]{8,18}Z?\s{1,3}|\[v[\d.]{1,20}\] |\t)?"
    r"(?P<cause>\s*(?:Caused by: |---> ))?(?:Exception in thread \"[^\"]*\" "
    r"|Unhandled [Ee]xception[.:] )?"
    r"(?P<name>(?:[A-Za-z_$][\w$]*(?:\.|::))*[A-Z][\w$]*(?:Error|Exception|Exit|Interrupt|Warning"
    r"|Failed|NotFound|Timeout)\b|(?:[a-z_]\w*\.)*(?:exceptions|errors)\.[A-Z]\w+)"
    r"(?:[ \[(][^:]{0,40})?(?::|$)"
)
"""An exception by its class: Python, Java, Node, Ruby, .NET."""
_RUBY_EXCEPTION = LazyPattern(
    r"^\S{1,300}:\d{1,9}:in [`'][^'\n]{0,300}': .*\([A-Z]\w*(?:::\w+)*\)\s*$"
)
"""The exception that ends a Ruby program follows the place that raised it."""
_INNER_EXCEPTION = LazyPattern(r"\b(?:[a-z_]\w{0,60}\.){2,20}[A-Z]\w{0,80}(?:Exception|Error): \w")
"""An exception that a message of the program's own quotes."""
_BY_THE_WAY = LazyPattern(
    r"^(?:log4j:(?:WARN|ERROR)|SLF4J:|Xlib:\s{1,3}extension \"[^\"]{1,60}\" missing on display"
    r"|.{0,120}\b(?:could not bind IPv6 address \"::1\"|(?:CONTEXT|DETAIL|HINT|STATEMENT):  )"
    r")"
)
"""What Java's loggers and Xlib say of themselves, and PostgreSQL of a container without IPv6, or
below a message."""
_CAUSE = LazyPattern(r"^\s*(?:Caused by: | ?---> |Reason: |caused by: |Likely root cause: )")
_SAYS_NOTHING = LazyPattern(r": (?:Permission|Access) (?:is )?denied\.?$")
"""A cause that says less than its effect, which names the path: .NET's UnauthorizedAccess."""
_CHAINED = LazyPattern(
    r"^(?:The above exception was the direct cause|During handling of the above exception)"
)

_FRAME = LazyPattern(
    r"""
    ^\s+at\ \S | ^\*\*\ (?:Callback\ mode|Last\ (?:event|message)|Postponed|Queued|Stacktrace|When\ )
    | ^\s*File\ "[^"]*",\ line\ \d+ | ^\s+from\ \S+:\d+ | ^\s+from\ <internal:
    | ^\s*\#\d+\ (?!.*\bERROR\b)
    | ^goroutine\ \d+ | ^created\ by\ | ^\s+\S+\.go:\d+ | ^\s*\.\.\.\ \d+\ (?:more|common)
    | ^\s*\d+:\ 0x[0-9a-f]+
    | ^(?:github\.com|main|runtime|golang\.org|go\.[\w.]+)[/.][^\s]*(?:\(|$)
    | ^[a-z0-9]{2,6}\s+0x[0-9a-f]+$ | ^\s*-{3}\ End\ of
    | ^\s*stack\ backtrace: | ^\s+\d+:\s+(?:\w+::|0x) | ^PC=0x | ^stack:\ frame | ^runtime:
    | ^Stack\ trace: | ^\s+thrown\ in\ /
    | ^Traceback\ \(most | ^\s*\[signal\ SIG | ^\s+\^+\s*$ | ^\s*[~^]+\s*$
    | ^\s*throw\ (?:err|er|new)\b | ^node:internal | ^node:events
    | ^\s+(?:cmd|code|errno|killed|signal|syscall):\s\S+,?$ | ^\s*rflags\b | ^-+\ Native\ stack | ^\s+in\ `
    """,
    re.VERBOSE,
)
"""A frame of a stack, a register, a caret under source text."""
_OF_ERLANG = LazyPattern(
    r"(?:^|[>\]])\s{1,80}(?:[\w']{1,80}:['\w/-]{1,120}/\d{1,3} line \d"
    r"|(?:crasher|errorContext|initial call|offender|pid|registered_name|supervisor):(?:\s|$)"
    r"|(?:reason:\s{1,9})?[\[{][^\s\"]*$|[a-z]\w*,[^\s\"]*[\]}),]$)"
)
"""A frame of Erlang, where in its tree of processes a failure was, or a part of a term without any
text; a process or a level stands before."""
_LEVEL_ALONE = LazyPattern(
    r"^[\d\s:.,TZ+|/-]*\[(?:error|erro|err|crit|alert|emerg|warning|warn)\][\s<>\d.:=#*-]*$",
    re.IGNORECASE,
)
"""A line of which nothing is left but its time, its level and its process, as above a heading."""

_DETAIL = LazyPattern(
    r"\b(?:DETAIL|HINT|CONTEXT):\s|^(?:\d+: )?Error found at \S+"
    r"|^\s{0,40}Is the server running on host|^\s{0,40}TCP/IP connections on port"
    r"|\bin \"[^\"]{1,300}\", line \d+, column \d+"
    r"|^\s{2,40}[-*>]?\s{0,40}(?:[A-Z][A-Z0-9_]{4,}\b|You (?:must|need)|Please"
    r"|HINT)|^\s{2,40}- [A-Z_]+"
)
"""What belongs to the message before it."""
_PART = LazyPattern(r"\bDETAIL:\s")
"""A part of a message that says nothing without its head, whatever level its words have."""
_GOES_ON = LazyPattern(r"\b\d+ validation errors?\b|\bpanicked at \S+:\d+:\d+:$")
"""A message whose next lines say which errors they are: Pydantic's, and the panics of Rust."""
_LISTS = LazyPattern(
    r"\b(?:following|these)\b.{0,60}\b(?:variables?|settings?|options?|keys?|fields?)\b.{0,80}:\s*$",
    re.IGNORECASE,
)
"""A message that says which settings it means in its next lines."""
_MOST_ANNOUNCED = 3
"""Lines below one that ends in a colon, of which each announces the next one."""
_OF_A_LIST = LazyPattern(r"^\s*(?:[*•-]|\d+\.)\s")
"""An item of a list, with its bullet or number."""
_LISTED = LazyPattern(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_WRAPPED = LazyPattern(r"^\s{0,4}›\s+")
"""A line of a message that oclif (n8n, Heroku) has broken at the edge of its frame."""
_STAMPED = LazyPattern(r"\s*\[?(?:\d+:)?(?:\d{8}[:T ]|\d{4}[-/]\d\d|\d\d:\d\d:\d\d)")
"""A line that begins with its time is the rest of no other one."""
_QUOTED_SOURCE = LazyPattern(r"^\s*>>> ")
"""A line of a configuration file as its reader quotes it, before it says what is wrong with it."""

_OPTION_HELP = LazyPattern(r"^\s+--?[A-Za-z][\w-]*(?:[ ,=][^\t]{0,40}?)?(?:\t+|\s{2,})\S")
"""A line of a usage text, which says what an option is for."""

_REASONED = LazyPattern(r"\bdenied[,.] (?:aborting|exiting|terminating)\b")
"""A farewell behind its reason."""
_LETTERS = LazyPattern(r"[A-Za-z]{3}")


def telling_line(lines: Sequence[str], *, has_ended: bool = True) -> TellingLine | None:
    """The line that explains, of the last lines of a program that failed.

    None where there is no line at all. Where no line explains anything, it is the last one that is
    no frame and no banner. has_ended: whether the program is at its end, which what it got past
    does not explain.
    """
    messages = with_levels_of_headings([message(line) for line in lines])
    if not messages:
        return None
    scores = [_score(line) for line in messages]
    _prefer_causes([line.text for line in messages], scores)
    _prefer_heads(messages, scores)
    for place in _beside_the_end(messages) if has_ended else ():
        scores[place] = min(scores[place], PASSED)
    best = max(scores)
    index = scores.index(best) if best > 0 else _last_readable(scores)
    return TellingLine(
        text=_whole_last_line(messages[: index + 1]),
        index=index,
        explains=best >= CLEAR,
        details=(
            *_quoted_source(messages[:index]),
            *(
                _rest_of_exception(messages[index], messages[index + 1 :])
                or _announced_settings(messages[index], messages[index + 1 :])
                or _lines_in_frame(messages[index], messages[index + 1 :])
                or _announced(messages[index], messages[index + 1 :])
                or _details(messages[index + 1 :])
            ),
        ),
        neighbours=_neighbours(lines, index),
    )


def _beside_the_end(messages: Sequence[Message]) -> frozenset[int]:
    """The places of lines that explain no end: what the program got past, and its callers."""
    return passed_lines(messages) | lines_about_callers(line.text for line in messages)


def says_what_is_wrong(line: str) -> bool:
    """Whether a line by itself complains, rather than reporting, warning or advising."""
    return _score(message(line)) >= CLEAR


def _whole_last_line(upto: Sequence[Message]) -> str:
    """The last of these lines, with those before it of which it is the rest.

    Symfony's console indents a message by two spaces and breaks it anywhere below 80 columns.
    """
    text = upto[-1].text.strip()
    if not upto[-1].text.startswith("  ") or _STAMPED.match(upto[-1].text):
        return text
    for line in reversed(upto[:-1]):
        if not line.text.startswith("  ") or len(line.text) < BROKEN:
            break
        text = line.text.strip() + text
    return text


def _score(line: Message) -> int:
    """How well a line explains a failure."""
    text, level = line.text, line.level
    exception = _EXCEPTION.match(text) or _RUBY_EXCEPTION.match(text)
    if _says_nothing(text) or (is_frame(text) and not exception):
        return UNREADABLE
    is_beside = level == INFO or _OPTION_HELP.match(text)
    if (is_beside and not exception) or _BY_THE_WAY.match(text):
        return INFO
    if exception:
        return _worth_of_exception(line, exception.group()) + _worth_of_phrases(text)
    doubt = DOUBT if level == WARNING else 0
    score = (level or 0) - doubt
    if _INNER_EXCEPTION.search(text):
        return max(score, ERROR) + _worth_of_phrases(text, without_generic=True)
    return score + _worth_of_phrases(text)


def _says_nothing(text: str) -> bool:
    """Whether a line has no letters, or is the name of a level alone."""
    return _LETTERS.search(text) is None or _LEVEL_ALONE.match(text) is not None


def is_frame(text: str) -> bool:
    """Whether a line is a part of a stack trace."""
    return _FRAME.match(text) is not None or _OF_ERLANG.search(text) is not None


def _worth_of_exception(line: Message, name: str) -> int:
    """What a line is worth that begins with an exception. name: the class, as it is printed."""
    text = line.text
    is_bare = name == text.strip() and not text.rstrip().endswith(":")
    return max(line.level or 0, ERROR) + EXCEPTION - (BARE if is_bare else 0)


def _worth_of_phrases(text: str, *, without_generic: bool = False) -> int:
    """What the phrases in a line add.

    without_generic: those that any error may have do not count.
    """
    lowered, words = text.lower(), words_of(text)
    found = [
        phrases
        for phrases in PHRASES
        if not (without_generic and phrases is GENERIC)
        and words & phrases.words
        and phrases.pattern.search(lowered)
    ]
    is_reasoned = STRONG in found and _REASONED.search(lowered)
    return sum(phrases.worth for phrases in found if not (is_reasoned and phrases is FAREWELL))


def _last_readable(scores: Sequence[int]) -> int:
    """The last line that is no frame; one that its program calls information only if need be."""
    readable = [index for index, score in enumerate(scores) if score > UNREADABLE]
    better = [index for index in readable if scores[index] > INFO]
    return (better or readable or [len(scores) - 1])[-1]


def _prefer_causes(texts: Sequence[str], scores: list[int]) -> None:
    """In a chain of exceptions the first cause counts; changes the scores.

    The first cause is the last `Caused by` below an exception, or the first traceback above it.
    """
    exceptions = [index for index, text in enumerate(texts) if _EXCEPTION.match(text)]
    for index, text in enumerate(texts):
        above = [place for place in exceptions if place < index]
        below = [place for place in exceptions if place > index]
        if above and _is_cause(text, scores[index]):
            effect = above[-1]
            scores[index] = max(scores[index], scores[effect] + 1)
            scores[effect] -= CHAINED
        if below and _CHAINED.match(text):
            scores[below[0]] -= CHAINED


def _prefer_heads(messages: Sequence[Message], scores: list[int]) -> None:
    """What PostgreSQL and its like say in a DETAIL counts for the error above it; changes the
    scores."""
    for index, (head, line) in enumerate(itertools.pairwise(messages)):
        is_part = _PART.search(line.text) and (head.level or 0) >= ERROR
        if is_part and scores[index + 1] > scores[index]:
            scores[index], scores[index + 1] = scores[index + 1], scores[index]


def _is_cause(text: str, score: int) -> bool:
    """Whether a line is a cause that says something."""
    if not _CAUSE.match(text) or score <= UNREADABLE:
        return False
    return not (_SAYS_NOTHING.search(text) or GENERIC.pattern.search(text.lower()))


def _quoted_source(before: Sequence[Message]) -> tuple[str, ...]:
    """What a reader of a configuration file writes above its complaint: the line, and its place."""
    if not before or not _QUOTED_SOURCE.match(before[-1].text):
        return ()
    return tuple(line.text.strip() for line in before[-2:])


def _rest_of_exception(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The further lines of an exception's message, which end where its frames begin."""
    goes_on = _GOES_ON.search(first.text)
    if not (goes_on or _EXCEPTION.match(first.text) or _CAUSE.match(first.text)):
        return ()
    frames = (place for place, line in enumerate(following) if _FRAME.match(line.text))
    end = next(frames, min(len(following), MOST_DETAILS) if goes_on else 0)
    if not 0 < end <= 2 * MOST_DETAILS or any(line.level is not None for line in following[:end]):
        return ()
    rest = (line.text.strip() for line in following[:MOST_DETAILS][:end])
    return tuple(itertools.takewhile(lambda text: not _CHAINED.match(text), rest))


def _announced_settings(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The lines with the settings that the first line announces."""
    if not _LISTS.search(first.text):
        return ()
    texts = (line.text.strip() for line in following[:MOST_DETAILS])
    return tuple(itertools.takewhile(_LISTED.search, texts))


def _announced(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """What stands below a line that ends in a colon, and the rest of the list that begins there.

    A line with a time of its own says something else, and so does one that is information.
    """
    found: list[str] = []
    for line in following[:_MOST_ANNOUNCED] if first.text.rstrip().endswith(":") else ():
        goes_on = not found or found[-1].endswith(":") or _OF_A_LIST.match(line.text)
        is_report = line.level == INFO and not _OF_A_LIST.match(line.text)
        is_other = is_report or _says_nothing(line.text) or _STAMPED.match(line.text)
        if not goes_on or is_other or is_frame(line.text):
            break
        found.append(line.text.strip())
    return tuple(found)


def _lines_in_frame(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The further lines of a message that stands in a frame."""
    if not _WRAPPED.match(first.text):
        return ()
    inside = itertools.takewhile(lambda line: _WRAPPED.match(line.text), following[:MOST_DETAILS])
    return tuple(_WRAPPED.sub("", line.text).strip() for line in inside)


def _details(following: Sequence[Message]) -> tuple[str, ...]:
    """The next lines, as far as they belong to the same message."""
    details: list[str] = []
    for line in following[:MOST_DETAILS]:
        is_place = "Error found at" in line.text
        is_whole = is_place or _PART.search(line.text)
        is_new = _DETAIL.search(line.text) and ((line.level or 0) < ERROR or is_whole)
        if is_new:
            details.append(line.text)
        elif details and (_is_rest(line, of=details[-1]) or _is_below(line, details[-1])):
            details[-1] += f" {line.text.strip()}"
        else:
            break
    return tuple(text.strip() for text in details)


def _is_rest(line: Message, of: str) -> bool:
    """Whether a line continues with the sentence of the indented line above it."""
    indent = len(of) - len(of.lstrip())
    is_below = line.text.startswith(" " * indent) and not line.text[indent:][:1].isspace()
    is_open = len(of) >= LONG and of[-1].isalnum()
    return indent > 0 and is_below and is_open and line.level is None and bool(line.text.strip())


def _is_below(line: Message, heading: str) -> bool:
    """Whether a line says what the hint is that the line above it announces, as MinIO writes it."""
    indent = len(line.text) - len(line.text.lstrip())
    is_deeper = indent > len(heading) - len(heading.lstrip())
    return heading.rstrip().endswith("HINT:") and is_deeper and line.level is None


def _neighbours(lines: Sequence[str], index: int) -> tuple[str, ...]:
    around = [plain(line) for line in lines[max(0, index - 2) : index + 3]]
    return tuple(line for line in around if line)
