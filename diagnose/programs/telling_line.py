"""The line of a failed program's log that explains why it failed.

A program's last line is seldom the one that explains: stack frames, farewells, hints and banners
follow it. Each line gets a score from what it says (its level, an exception, words such as `denied`
or `too low`) and from what it is (a frame, a farewell, a hint). The best line wins; of equal lines
the first one does, for later errors follow from it. An exception stands for its own cause: the last
`Caused by` of Java, the innermost `--->` of .NET, the first traceback of a chain in Python.

The corpus in `tests/data/program_logs` holds the ends of real logs with the right line marked by
hand; the test beside it measures.
"""

import itertools
import re
from collections.abc import Callable, Sequence

import msgspec

from diagnose.foreign_words import in_english
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.programs.callers import lines_about_callers
from diagnose.programs.headings import with_levels_of_headings
from diagnose.programs.line_phrases import EXPLAINS, FAREWELL, GENERIC, PHRASES, STRONG, TOOL_ENDED
from diagnose.programs.log_message import (
    ERROR,
    INFO,
    WARNING,
    Message,
    message,
    plain,
    says_nothing,
    words_of,
)
from diagnose.programs.message_details import DETAIL_PART, OPENS_ISSUES, details_of, whole_last_line
from diagnose.programs.own_crashes import refused_before_crash
from diagnose.programs.passed_lines import passed_lines
from diagnose.programs.stack_traces import (
    CAUSE_LINE,
    CHAIN_NOTICE,
    ELIXIR_EXCEPTION,
    EXCEPTION_LINE,
    OUTER_EXCEPTIONS,
    QUOTED_EXCEPTION,
    RUBY_EXCEPTION,
    VAGUE_CAUSE,
    is_frame,
)
from diagnose.usage_texts import OPTION_ALONE, OPTION_HELP

DOUBT = 20
"""The loss of score of a line that its program calls a warning: the program continues after it."""
CLEAR = 20
"""From this score on, a line explains the failure."""
EXCEPTION = 18
"""The score of an exception above another error."""
BARE = 45
"""The loss of score of an exception that is only its class."""
UNREADABLE = -100
"""The score of a frame, a register, a line without words."""
CHAINED = 30
"""The loss of score of an exception to another one of its chain, which is its cause."""
PASSED = CLEAR // 2
"""The highest score of a complaint that the program got past, or that is about a caller."""


class TellingLine(msgspec.Struct, frozen=True):
    """The line of a log that best explains a failure, with the lines that belong to it."""

    text: str
    index: int = 0
    """Its place among the lines that were given."""
    explains: bool = True
    """Whether it explains the failure, or is only the best of lines that do not."""
    details: tuple[str, ...] = ()
    """The other lines of the same message (DETAIL, HINT, values that must be specified)."""
    neighbours: tuple[str, ...] = ()
    """Up to two lines before and after, for a reader who wants more."""

    @property
    def is_complaint(self) -> bool:
        """Whether the line objects to something around the program, rather than to itself."""
        lowered = in_english(self.whole).lower()
        return any(phrases.are_in(lowered) for phrases in (EXPLAINS, STRONG))

    @property
    def whole(self) -> str:
        """The line with the further lines of its message."""
        head = self.text.removesuffix("{").rstrip() if self.details else self.text
        return "; ".join((head, *self.details))


_BY_THE_WAY = LazyPattern(
    r"""
    ^(?:
          log4j:(?:WARN|ERROR) | SLF4J:
        | .{0,40}\bCRIT\ (?:reaped\ unknown\ pid|Supervisor\ (?:is\ )?running\ as\ root|Server\ '[^']{1,40}'\ running
            \ without\ any\ HTTP)\b
        | .{0,60}\bEmpty\ cli-password\b | \d{1,6}:\ :\ (?:ERROR|WARNING):\s*$
        | Xlib:\s{1,3}extension\ "[^"]{1,60}"\ missing\ on\ display
        | .{0,300}\bread\ (?:[\w-]{1,20}\ ){1,4}provisioning\ files\ from\ directory\b
        | .{0,120}\b
            (?:could\ not\ bind\ IPv6\ address\ "::1"|(?:CONTEXT|DETAIL|HINT|STATEMENT):\ {1,2})
        | .{0,80}\bAH00558:[ ]
        | Error\ in\ command\ line:\ ?the\ argument\ for\ option\ '--serverUuid'\ should\ follow
        | \+{1,4}\ \S
        | (?:\[pid\ +\d{1,9}\]\ |\d{1,9}\ +)?(?:[\d:.]{1,20}\ )?\w{2,30}\(.{0,300}
            \)\ +=\ -1\ E[A-Z]{2,12}\ \(
      )
    """,
    re.VERBOSE,
)
"""Lines that explain nothing: of supervisord, Java's loggers and Xlib about themselves, of coturn
about its password for an operator, of Grafana about folders that nobody has to make, of PostgreSQL
about a container without IPv6 or below a message, of Apache about its name, of the reporter that
Plex starts when it crashes, of a shell about the command that it runs next (set -x), and of strace
about a system call."""
TRIED_AGAIN = LazyPattern(
    r"\b(?:authentication|connection|login)\b.{0,60}\b(?:failed|refused)\b.{0,20}\bretrying\b",
    re.IGNORECASE,
)
"""An error that a program logs as information, since it calls its server again."""
_REASONED = LazyPattern(r"\bdenied[,.] (?:aborting|exiting|terminating)\b")
"""A farewell behind its reason."""


_UNREAD_SETTINGS = LazyPattern(
    r"\b(?:cannot|can't|could not|error|failed|invalid|unable)\b.{0,80}"
    r"\b(?:config\w*|settings?|ya?ml|json|toml|xml)\b.{0,200}\b(?:line|column|position):? \d"
    r"|\binvalid\b.{0,80}\bat /[\w./-]{1,200}:\d",
    re.IGNORECASE,
)
"""A file of settings that cannot be read, with the place of the fault in it."""
_LACKING_SETTING = LazyPattern(
    r"\b(?:is required|are required|missing|must be|not (?:configured|defined|set)|please provide)\b",
    re.IGNORECASE,
)


def telling_line(lines: Sequence[str], *, has_ended: bool = True) -> TellingLine | None:
    """The line that explains, of the last lines of a program that failed.

    None where there is no line at all. Where no line explains anything, the last one that is
    neither a frame nor a banner. has_ended: whether the program is at its end, which lines that it
    got past do not explain.
    """
    messages = with_levels_of_headings([message(line) for line in lines])
    if not messages:
        return None
    texts = [line.text for line in messages]
    scores = [_score(line) for line in messages]
    _leave_usage_out(messages, scores)
    _prefer_causes(texts, scores)
    _prefer_heads(messages, scores)
    _prefer_placed(messages, scores)
    _prefer_ends_of_chains(texts, scores)
    _prefer_unread_settings(texts, scores)
    _prefer_refused_files(texts, scores)
    if has_ended and max(scores) < CLEAR:
        _believe_last(messages, scores)
    places = _places_beside_the_end(messages) if has_ended else ()
    for place in places:
        scores[place] = min(scores[place], PASSED)
    best = max(scores)
    index = _first_best(texts, scores)
    return TellingLine(
        text=whole_last_line(messages[: index + 1]),
        index=index,
        explains=best >= CLEAR,
        details=(*links_before(texts, index), *details_of(messages, index)),
        neighbours=_neighbours(lines, index),
    )


def _places_beside_the_end(messages: Sequence[Message]) -> frozenset[int]:
    """The places of lines that explain no end: lines that the program got past, and those about its
    callers."""
    return passed_lines(messages) | lines_about_callers(line.text for line in messages)


def says_what_is_wrong(line: str) -> bool:
    """Whether a line by itself complains, rather than reporting, warning or advising."""
    return _score(message(line)) >= CLEAR


def _score(line: Message) -> int:
    """The score of a line: the higher it is, the better the line explains a failure."""
    text = OUTER_EXCEPTIONS.sub("", line.text)
    level = line.level
    exception = (
        EXCEPTION_LINE.match(text) or RUBY_EXCEPTION.match(text) or ELIXIR_EXCEPTION.match(text)
    )
    if says_nothing(text) or (is_frame(text) and not exception):
        return UNREADABLE
    if level == INFO and TRIED_AGAIN.search(text):
        level = None
    is_beside = level == INFO or OPTION_HELP.match(text)
    if (is_beside and not exception) or _BY_THE_WAY.match(text):
        return INFO
    if exception:
        return _worth_of_exception(line, exception.group()) + _worth_of_phrases(text)
    doubt = DOUBT if level == WARNING else 0
    score = (level or 0) - doubt
    if QUOTED_EXCEPTION.search(text):
        return max(score, ERROR) + _worth_of_phrases(text, without_generic=True)
    return score + _worth_of_phrases(text)


def _worth_of_exception(line: Message, name: str) -> int:
    """The score of a line that begins with an exception. name: the class, as it is printed."""
    text = line.text
    is_bare = name == text.strip() and not text.rstrip().endswith(":")
    return max(line.level or 0, ERROR) + EXCEPTION - (BARE if is_bare else 0)


def _worth_of_phrases(text: str, *, without_generic: bool = False) -> int:
    """The sum that the phrases in a line add to its score.

    without_generic: phrases that any error may have do not count.
    """
    text = in_english(text)
    lowered = text.lower()
    words = words_of(text)
    groups = [phrases for phrases in PHRASES if not (without_generic and phrases is GENERIC)]
    matches = [phrases for phrases in groups if phrases.are_in_words(lowered, words)]
    is_reasoned = TOOL_ENDED in matches or (STRONG in matches and _REASONED.search(lowered))
    return sum(phrases.worth for phrases in matches if not (is_reasoned and phrases is FAREWELL))


def _first_best(texts: Sequence[str], scores: Sequence[int]) -> int:
    """The place of the best line; of equal ones the first, or the first one with an absolute path
    where that has none."""
    best = max(scores)
    if best <= 0:
        return _last_readable(scores)
    places = [place for place, score in enumerate(scores) if score == best]
    is_placeless = best >= CLEAR and not _PATH.search(texts[places[0]])
    named = [place for place in places if _PATH.search(texts[place])] if is_placeless else []
    return first_of(named, places[0])


def _last_readable(scores: Sequence[int]) -> int:
    """The last line that is not a frame; one that its program calls information only if there is no
    other."""
    readable = [index for index, score in enumerate(scores) if score > UNREADABLE]
    better = [index for index in readable if scores[index] > INFO]
    return (better or readable or [len(scores) - 1])[-1]


def _leave_usage_out(messages: Sequence[Message], scores: list[int]) -> None:
    """Lowers the score of an explanation below an option of a usage text. Changes the scores."""
    for index in range(1, len(messages)):
        if messages[index].text[:1].isspace() and OPTION_ALONE.match(messages[index - 1].text):
            scores[index] = min(scores[index], INFO)


def _prefer_causes(texts: Sequence[str], scores: list[int]) -> None:
    """Raises the score of the first cause in a chain of exceptions. Changes the scores.

    The first cause is the last `Caused by` below an exception, or the first traceback above it.
    """
    exceptions = _places(texts, EXCEPTION_LINE.match)
    heads = sorted({*exceptions, *_places(texts, QUOTED_EXCEPTION.search)})
    for index, text in enumerate(texts):
        effect = max((place for place in heads if place < index), default=None)
        if effect is not None and _is_cause(text, scores[index]):
            scores[index] = max(scores[index], scores[effect] + 1)
            scores[effect] -= CHAINED
        is_vague = CAUSE_LINE.match(text) and VAGUE_CAUSE.search(text)
        if index and is_vague and scores[index - 1] >= CLEAR:
            scores[index] = min(scores[index], scores[index - 1] - 1)
        below = min((place for place in exceptions if place > index), default=None)
        if below is not None and CHAIN_NOTICE.match(text):
            scores[below] -= CHAINED


def _places(texts: Sequence[str], matches: Callable[[str], object]) -> list[int]:
    """The places of the lines that match."""
    return [index for index, text in enumerate(texts) if matches(text)]


def _prefer_heads(messages: Sequence[Message], scores: list[int]) -> None:
    """Moves the score of a DETAIL, as of PostgreSQL, to the error above it, and the score of the
    issues that Zod lists to the head of their list. Changes the scores."""
    for index, line in enumerate(messages):
        if OPENS_ISSUES.search(line.text):
            scores[index] = max(scores[index:]) + 1
    for index, (head, line) in enumerate(itertools.pairwise(messages)):
        is_part = DETAIL_PART.search(line.text) and (head.level or 0) >= ERROR
        if is_part and scores[index + 1] > scores[index]:
            scores[index], scores[index + 1] = scores[index + 1], scores[index]


_PLACE_IN_SETTINGS = LazyPattern(r"\bCONTEXT:\s{1,4}line \d{1,7} of configuration file ")
"""PostgreSQL's line below a complaint about its file of clients (pg_hba.conf)."""


def _prefer_placed(messages: Sequence[Message], scores: list[int]) -> None:
    """Raises the score of the first complaint whose next line has its place in a file of settings:
    PostgreSQL logs it below the level of an error. Changes the scores."""
    for index, (_, line) in enumerate(itertools.pairwise(messages)):
        if _PLACE_IN_SETTINGS.search(line.text):
            scores[index] = max(*scores, CLEAR) + 1
            return


_LINK = LazyPattern(r"^\s*(?P<number>\d{1,2}): (?=\S)")
"""One of the errors that Rust's anyhow and eyre number, from the outermost to the first cause."""
_OPERAND = LazyPattern(r"['\"`]|(?<!\d)/[A-Za-z]|\b[A-Za-z]\w*\.[a-z]\w+")
"""Something that a line names: a path, a file, a text in quotes."""
_PATH = LazyPattern(r"(?:^|[\s\"'(=\[])/[a-z][\w.-]*/")
"""An absolute path of two folders or more."""
_FEW_WORDS = 8


def links_before(texts: Sequence[str], index: int) -> tuple[str, ...]:
    """The numbered errors whose first cause is the line at this place; the outermost first."""
    link = _LINK.match(texts[index])
    number = int(link["number"]) if link is not None else 0
    start = index - number
    links = [_LINK.match(text) for text in texts[max(start, 0) : index]]
    numbers = [int(match["number"]) for match in links if match is not None]
    is_listed = start > 0 and texts[start - 1].strip() == "Caused by:"
    is_chain = number > 0 and numbers == list(range(number)) and not is_listed
    return tuple(text.strip() for text in texts[start:index]) if is_chain else ()


def _prefer_ends_of_chains(texts: Sequence[str], scores: list[int]) -> None:
    """Raises the score of the last of numbered errors, which is the cause of the others; and that
    of an error which names a thing above the end right behind it that names none. Changes the
    scores."""
    for index in range(1, len(texts)):
        above = links_before(texts, index)
        if above and CLEAR <= scores[index] < max(scores):
            scores[index] = max(scores) + 1
        is_bare = not _OPERAND.search(texts[index]) and len(texts[index].split()) <= _FEW_WORDS
        has_thing = _OPERAND.search(texts[index - 1]) is not None
        if is_bare and has_thing and CLEAR <= scores[index - 1] < scores[index]:
            scores[index - 1], scores[index] = scores[index], scores[index - 1]


def _prefer_unread_settings(texts: Sequence[str], scores: list[int]) -> None:
    """Raises the score of a line about a file of settings that cannot be read, where the best line
    behind it misses one of its settings. Changes the scores."""
    best = scores.index(max(scores))
    for index, text in enumerate(texts[:best]):
        is_unread = scores[index] >= CLEAR and _UNREAD_SETTINGS.search(text) is not None
        if is_unread and _LACKING_SETTING.search(texts[best]):
            scores[index] = scores[best] + 1
            return


def _prefer_refused_files(texts: Sequence[str], scores: list[int]) -> None:
    """Raises the score of a refused file above that of the crash behind it. Changes the scores."""
    best = scores.index(max(scores))
    place = refused_before_crash(texts, best)
    if place is not None and scores[place] >= CLEAR:
        scores[place] = scores[best] + 1


def _believe_last(messages: Sequence[Message], scores: list[int]) -> None:
    """Raises the score of a warning that is the last line: it counts as an error where no other
    line explains the end, for no program continues after its last line. The same holds for the last
    warning that complains, whatever the program reports below it. Changes the scores."""
    if messages[-1].level == WARNING:
        scores[-1] += DOUBT
        return
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].level == WARNING and scores[place] + DOUBT >= CLEAR + WARNING:
            scores[place] += DOUBT
            return


def _is_cause(text: str, score: int) -> bool:
    """Whether a line is a cause that explains something."""
    if not CAUSE_LINE.match(text) or score <= UNREADABLE:
        return False
    return not (VAGUE_CAUSE.search(text) or GENERIC.pattern.search(text.lower()))


def _neighbours(lines: Sequence[str], index: int) -> tuple[str, ...]:
    lines_around = [plain(line) for line in lines[max(0, index - 2) : index + 3]]
    return tuple(line for line in lines_around if line)
