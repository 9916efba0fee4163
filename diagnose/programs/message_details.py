"""The lines of a log that belong to one message: its details, its list, its hint.

Programs write them below their message, some above it, and some break a message in the middle.
"""

import itertools
import re
from collections.abc import Sequence

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.log_message import ERROR, INFO, Message, says_nothing
from diagnose.programs.stack_traces import (
    CAUSE_LINE,
    CHAIN_NOTICE,
    EXCEPTION_LINE,
    FRAME_LINE,
    is_frame,
)

MOST_DETAILS = 4
"""Lines of a message that follow its first one."""
BROKEN = 76
"""From this number of characters on, an indented line is taken to continue in the next one."""
LONG = 50
"""From this number of characters on, a sentence of a message is taken to continue in its next line.
"""
_DETAIL = LazyPattern(
    r"\b(?:DETAIL|HINT|CONTEXT):\s|^(?:\d+: )?Error found at \S+"
    r"|^\s{0,40}Is the server running on host|^\s{0,40}TCP/IP connections on port"
    r"|\bin \"[^\"]{1,300}\", line \d+, column \d+"
    r"|^\s{2,40}[-*>]?\s{0,40}(?:[A-Z][A-Z0-9_]{4,}\b|You (?:must|need)|Please"
    r"|HINT)|^\s{2,40}- [A-Z_]+|^[A-Z][a-z][\w ]{3,60} \(os error \d{1,3}\)$"
)
"""A line that belongs to the message before it."""
_REASON = LazyPattern(r"^[\w:\[\] ]{0,60}?\b[A-Z][a-z][\w ]{3,60} \(os error \d{1,3}\)$")
"""The kernel's reason alone, which says nothing without the message above it."""
DETAIL_PART = LazyPattern(r"\bDETAIL:\s")
"""A part of a message that explains nothing without its head, whatever level its words have."""
_GOES_ON = LazyPattern(r"\b\d+ validation errors?\b|\bpanicked at \S+:\d+:\d+:$")
"""A message whose next lines name the errors: Pydantic's, and the panics of Rust."""
_LISTS = LazyPattern(
    r"\b(?:following|these)\b.{0,60}\b(?:variables?|settings?|options?|keys?|fields?)\b.{0,80}:\s*$",
    re.IGNORECASE,
)
"""A message whose next lines name the settings."""
_MOST_ANNOUNCED = 3
"""Lines below one that ends in a colon, of which each announces the next one."""
_OF_A_LIST = LazyPattern(r"^\s*(?:[*•-]|\d+\.)\s")
"""An item of a list, with its bullet or number."""
_LISTED = LazyPattern(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_WRAPPED = LazyPattern(r"^\s{0,4}›\s+")
"""A line of a message that oclif (n8n, Heroku) has broken at the edge of its frame."""
_STAMPED = LazyPattern(r"\s*\[?(?:\d+:)?(?:\d{8}[:T ]|\d{4}[-/]\d\d|\d\d:\d\d:\d\d)")
"""A line that begins with its time is the rest of no other one."""
_OPENS_OBJECT = LazyPattern(r"\{\s{0,9}$")
"""A line behind which an object follows, one field a line, as Winston and Bunyan print an error."""
_CLOSES_OBJECT = LazyPattern(r"[}\]]")
_MODE = LazyPattern(r"[dl-](?:[r-][w-][xsStT-]){3}[.+@]? ")
"""The mode of a file at the beginning of a line, as `ls -l` has it."""
_OWN_MESSAGE = LazyPattern(
    r"\s{1,40}['\"]?(?:message|msg|errmsg|detail|reason)['\"]?: {0,4}(?P<quote>['\"`])"
    r"(?P<text>.+)(?P=quote),?$"
)
"""The field of an object that has its error message."""
_CAUSE_OBJECT = LazyPattern(r"\[CAUSE\] .{0,80}\{\s{0,9}$")
"""The line below a message of fern (Vaultwarden) behind which its cause follows as an object."""
OPENS_ISSUES = LazyPattern(
    r"\bZodError: \[\s{0,9}$|\b[Ii]nvalid (?:env\w*|config\w*)\b[^\n]{0,40}: \[\s{0,9}$"
)
"""The head of a list of issues, as Zod or a program that uses it prints it."""
_PATH_OF_ISSUE = LazyPattern(r"\"?\bpath\"?: \[(?P<path>[^\]]{1,200})\]")
_MESSAGE_OF_ISSUE = LazyPattern(
    r"\"?\bmessage\"?: (?P<quote>['\"])(?P<text>.{1,200}?)(?P=quote)(?:,|$| )"
)
_MOST_FIELDS = 40
"""Lines of an object: the frames of its stack are lines of their own in some."""
_OF_A_PROPERTY = LazyPattern(r"\s{2,8}(?:Property|Value|Origin|Reason): ")
"""Spring's lines below a complaint about one of its properties."""
_SAYS_WHY = LazyPattern(r"\s{2,8}(?:Value|Reason): ")
_CAUSES_FOLLOW = LazyPattern(r"\s{0,4}Caused by:\s{0,9}$")
"""The line of Rust's anyhow and eyre below their error, before the list of its causes."""
_CAUSE_OF_LIST = LazyPattern(r"\s{1,8}(?:\d{1,2}: |(?=\S))(?P<text>\S.{0,400})$")
_CAUSE_OF_TREE = LazyPattern(r"\s{0,8}[├╰]─▶ (?P<text>\S.{0,400})$")
"""A cause as miette draws it below the error."""
_OF_A_FIELD = LazyPattern(r"\s{1,8}[\w\"'].{0,200}[(\[]type=[a-z_.]{3,60}(?:[;,] .{0,200})?[)\]]$")
"""A complaint of Pydantic about one field, with its kind at the end."""
_QUOTED_SOURCE = LazyPattern(r"^\s*>>> ")
"""A line of a configuration file as its reader quotes it, before the error about it."""


def whole_last_line(upto: Sequence[Message]) -> str:
    """The last of these lines, with the lines before it that it continues.

    Symfony's console indents a message by two spaces and breaks it anywhere below 80 columns. An
    exception continues no other line.
    """
    last = upto[-1].text
    text = last.strip()
    if not last.startswith("  ") or _STAMPED.match(last) or EXCEPTION_LINE.match(last):
        return text
    for line in reversed(upto[:-1]):
        if not line.text.startswith("  ") or len(line.text) < BROKEN:
            break
        text = line.text.strip() + text
    return text


def details_of(messages: Sequence[Message], index: int) -> tuple[str, ...]:
    """The lines above and below a message that belong to it."""
    first = messages[index]
    following = messages[index + 1 :]
    readers = (
        _rest_of_exception,
        _issue_of_zod,
        _message_of_object,
        _listed_causes,
        _announced_settings,
        _about_property,
        _lines_in_frame,
        _announced_lines,
    )
    details = (read(first, following) for read in readers)
    below = next(filter(None, details), ()) or _hints(following)
    before = messages[:index]
    above = (
        _quoted_source(before) or _place_of_field(first, before) or _place_of_syntax(first, before)
    )
    return above + below


def _quoted_source(before: Sequence[Message]) -> tuple[str, ...]:
    """The line and its place that a reader of a configuration file writes above its complaint;
    empty for none."""
    if not before or not _QUOTED_SOURCE.match(before[-1].text):
        return ()
    return tuple(line.text.strip() for line in before[-2:])


_PLACE_OF_SYNTAX = LazyPattern(r"(?:^|\s)(?P<place>/[\w./@-]{1,200}\.\w{1,6}:\d{1,6})$")
"""The file and the line that Node.js prints above the quoted code and its error."""
_MOST_QUOTED = 5


def _place_of_syntax(first: Message, before: Sequence[Message]) -> tuple[str, ...]:
    """The place in a file that Node.js prints a few lines above a SyntaxError."""
    if not first.text.lstrip().startswith("SyntaxError: "):
        return ()
    matches = (
        _PLACE_OF_SYNTAX.search(line.text.rstrip()) for line in reversed(before[-_MOST_QUOTED:])
    )
    place = next(filter(None, matches), None)
    return (place["place"],) if place is not None else ()


def _place_of_field(first: Message, before: Sequence[Message]) -> tuple[str, ...]:
    """The place in the settings that Pydantic names in the line above its complaint."""
    is_complaint = _OF_A_FIELD.match(first.text) is not None
    return (before[-1].text.strip(),) if is_complaint and before else ()


def _rest_of_exception(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The further lines of an exception's message, which end where its frames begin."""
    goes_on = _GOES_ON.search(first.text)
    if not (goes_on or EXCEPTION_LINE.match(first.text) or CAUSE_LINE.match(first.text)):
        return ()
    frames = (place for place, line in enumerate(following) if FRAME_LINE.match(line.text))
    end = next(frames, min(len(following), MOST_DETAILS) if goes_on else 0)
    if goes_on:
        levels = (place for place, line in enumerate(following) if line.level is not None)
        end = min(end, next(levels, end))
    if not 0 < end <= 2 * MOST_DETAILS or any(line.level is not None for line in following[:end]):
        return ()
    rest = (line.text.strip() for line in following[:MOST_DETAILS][:end])
    return tuple(itertools.takewhile(lambda text: not CHAIN_NOTICE.match(text), rest))


def _message_of_object(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The first line of the message of an object that begins at the end of the line; empty for
    none."""
    if following and _CAUSE_OBJECT.match(following[0].text):
        return _message_of_object(following[0], following[1:])
    if not _OPENS_OBJECT.search(first.text):
        return ()
    for line in following[:_MOST_FIELDS]:
        if _CLOSES_OBJECT.match(line.text) or _STAMPED.match(line.text):
            break
        own_message = _OWN_MESSAGE.match(line.text)
        if own_message is not None:
            text = own_message["text"].replace('\\"', '"').partition("\\n")[0].strip()
            return (text,) if text and text not in first.text else ()
    return ()


def _issue_of_zod(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The first issue that Zod lists below its name: its place in the settings, and its message."""
    if not OPENS_ISSUES.search(first.text):
        return ()
    texts = [line.text.strip() for line in following[:_MOST_FIELDS]]
    issue = " ".join(itertools.takewhile(lambda text: text not in ("},", "}"), texts))
    path = _PATH_OF_ISSUE.search(issue)
    message = _MESSAGE_OF_ISSUE.search(issue)
    if path is None or message is None:
        return ()
    name = ".".join(part.strip(" '\"") for part in path["path"].split(","))
    what = "Required" if message["text"].endswith("received undefined") else message["text"]
    return (f"{name}: {what}",)


def _listed_causes(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The causes that Rust's libraries list below an error, without those that repeat one."""
    below = list(itertools.dropwhile(lambda line: not line.text.strip(), following[:_MOST_FIELDS]))
    pattern = _CAUSE_OF_TREE
    if below and _CAUSES_FOLLOW.match(below[0].text):
        pattern = _CAUSE_OF_LIST
        below = below[1:]
    causes: list[str] = []
    for line in below:
        match = pattern.match(line.text)
        if match is None:
            break
        text = match["text"].strip()
        if not any(text in other for other in (first.text, *causes)):
            causes.append(text)
    return tuple(causes[-MOST_DETAILS:])


def _announced_settings(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The lines with the settings that the first line announces."""
    if not _LISTS.search(first.text):
        return ()
    texts = (line.text.strip() for line in following[:MOST_DETAILS])
    return tuple(itertools.takewhile(_LISTED.search, texts))


def _about_property(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The value of Spring's property in the first line, and the reason why it is refused."""
    if "Failed to bind properties" not in first.text:
        return ()
    below = (line.text for line in following if line.text.strip())
    lines_of_property = itertools.takewhile(_OF_A_PROPERTY.match, below)
    return tuple(text.strip() for text in lines_of_property if _SAYS_WHY.match(text))


def _announced_lines(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The line below one that ends in a colon, and the rest of the list that begins there.

    A line with a time of its own belongs to another message, and so does one that is information.
    """
    announced: list[str] = []
    lines = following[:_MOST_ANNOUNCED] if first.text.rstrip().endswith(":") else ()
    for line in lines:
        goes_on = not announced or announced[-1].endswith(":") or _OF_A_LIST.match(line.text)
        is_report = line.level == INFO and not _OF_A_LIST.match(line.text)
        is_other = is_report or says_nothing(line.text) or _STAMPED.match(line.text)
        if not goes_on or is_other or is_frame(line.text):
            break
        announced.append(line.text.strip())
    return tuple(announced)


def _lines_in_frame(first: Message, following: Sequence[Message]) -> tuple[str, ...]:
    """The further lines of a message that is in a frame."""
    if not _WRAPPED.match(first.text):
        return ()
    inside = itertools.takewhile(lambda line: _WRAPPED.match(line.text), following[:MOST_DETAILS])
    return tuple(_WRAPPED.sub("", line.text).strip() for line in inside)


def _hints(following: Sequence[Message]) -> tuple[str, ...]:
    """The next lines whose first words show that they belong to the message above."""
    details: list[str] = []
    for line in following[:MOST_DETAILS]:
        is_place = "Error found at" in line.text
        is_reason = _REASON.match(line.text) is not None
        is_whole = is_place or is_reason or DETAIL_PART.search(line.text)
        is_told = is_reason or _DETAIL.search(line.text)
        is_new = is_told and ((line.level or 0) < ERROR or is_whole)
        if is_new:
            details.append(line.text)
        elif details and _belongs_to_hint(line, details[-1]):
            details[-1] += f" {line.text.strip()}"
        else:
            break
    return tuple(text.strip() for text in details)


def _belongs_to_hint(line: Message, hint: str) -> bool:
    """Whether a line continues the hint above it, or lists the file that the hint is about."""
    return _is_rest(line, of=hint) or _is_below(line, hint) or _MODE.match(line.text) is not None


def _is_rest(line: Message, of: str) -> bool:
    """Whether a line continues the sentence of the indented line above it."""
    indent = len(of) - len(of.lstrip())
    starts_below = line.text.startswith(" " * indent) and not line.text[indent:][:1].isspace()
    is_below = indent > 0 and starts_below
    is_open = len(of) >= LONG and of[-1].isalnum()
    is_plain = line.level is None and bool(line.text.strip())
    return is_below and is_open and is_plain


def _is_below(line: Message, heading: str) -> bool:
    """Whether a line is the hint that the line above it announces, in MinIO's form."""
    indent = len(line.text) - len(line.text.lstrip())
    is_deeper = indent > len(heading) - len(heading.lstrip())
    return heading.rstrip().endswith("HINT:") and is_deeper and line.level is None
