"""The type of a known failure, and the search for the row that fits a log."""

import functools
import importlib
import itertools
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Literal

import msgspec

from diagnose.foreign_words import in_english
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import distinct, first_of
from diagnose.model import PageVariables
from diagnose.programs.callers import lines_about_callers
from diagnose.programs.failures.captured_values import captured_values
from diagnose.programs.failures.remedies import Remedy
from diagnose.programs.log_message import LONGEST, goes_on, message, plain
from diagnose.programs.passed_lines import passed_lines
from diagnose.programs.telling_line import TellingLine, says_what_is_wrong
from diagnose.required_words import required_words

_GROUP = LazyPattern(r"\{\w+\}")
_ESCAPED_QUOTE = LazyPattern(r"(?<!\\)\\+\"")
"""A quote in a message that is quoted itself, more than once where a log contains another log."""
_OF_AN_END = LazyPattern(r"\b(?:exited|gave up): \S")
"""supervisord's message about a program that has ended."""

ABOUT_SETTINGS = LazyPattern(
    r"config|\bsettings?\b|\boptions?\b|\bvariables?\b|\benv(?:ironment)?\b|\bdirective|--\w"
    r"|[A-Z]{2}_[A-Z]|\.(?:ya?ml|toml|json|conf|ini|cnf|cfg|properties|env)\b|/etc/|\brule file"
)
"""Words of a running program that refuses requests, which are also those about its settings."""


NEVER = LazyPattern(r"(?!)")
"""A running program prints this about one request or one job, and works."""


Look = Literal[
    "addresses",
    "builds",
    "certificate",
    "child",
    "data",
    "database",
    "devices",
    "encoding",
    "graphics",
    "image",
    "machine",
    "memory",
    "mounts",
    "networks",
    "scripts",
    "secrets",
    "sharing",
    "versions",
]
"""The kind of thing that decides between the causes of a failure: addresses that the program is
given, builds of the image on the host, certificates, the output of a child, files of data, a
database, devices of the host, the encoding of its files, the graphics card, files of the image, the
machine, memory, the mounts of its neighbours, networks, the commands of package.json, keys and
passwords, other users of its data and its file system, the version that wrote the data."""


class Failure(msgspec.Struct, frozen=True, dict=True):
    """A known failure: a row of a table."""

    name: str
    mark: str | tuple[str, ...]
    """Small letters that the line must hold, or several, one of which it must: a cheap test."""
    pattern: str
    """The pattern that decides; its named groups are the values of the failure. Several groups with
    the same value differ behind a `_`: `host_go` and `host_node` are both the host. One that ends
    in `_number` is a version of MySQL as a number: `data_number` makes 8.0.36 of 80036; one that
    ends in `_class` is the version of Java's class files, which makes 17 of 61, and one that ends
    in `_rdb` the format of Redis' dump, which makes 7.2 of 11."""
    cause: str
    """One plain sentence without a full stop; a value's name in braces stands for it."""
    cure: str
    """The remedy, in words or as a command."""
    source: str = "the program's own message"
    """A public thread or page that describes the failure, where the message does not explain it
    fully."""
    confirmed_by: str = ""
    """The check that compares it with the host, if one does."""
    needs: tuple[str, ...] = ()
    """The settings that this check looks for: a kernel setting with its least value, a capability,
    a variable."""
    turns_away: bool = False
    """A program that still runs with it turns its callers away: that is a warning, not advice."""
    at_any_level: bool = False
    """Programs report that they turn a caller away by this as a piece of information (INFO)."""
    explains_only: bool = False
    """The row counts in a line that explains a failure: elsewhere these words are advice by the
    way."""
    goes_on: bool = False
    """A program often continues after it: where another line explains the end, it counts only in
    that line."""
    follows: bool = False
    """The row only states that a program has ended, or waits: of two rows, the other one has the
    reason."""
    is_limit: bool = False
    """All workers or connections of the program are in use: its callers wait for that."""
    may_pass: bool = False
    """It may be over by now, so that another start is worth a try."""
    build: Literal["", "another", "earlier", "newer"] = ""
    """The other build of the image that may not have the failure, if one may. earlier: one that is
    on the host and was there before, for a pull of the same tag changes nothing."""
    page: Mapping[str, str] = {}
    """The page variables of the check: variable and value, with groups in braces."""
    of_running: LazyPattern | None = None
    """A pattern that a line of a running program must match too: the program uses the same words
    about a request."""
    about: LazyPattern | None = None
    """Patterns for values of the groups, of which one must match: elsewhere the row is about other
    things."""
    unlike: LazyPattern | None = None
    """A pattern that matches no line of this failure."""
    remedy: Remedy | None = None
    """The remedy as far as a command can apply it: the page shows it in place of the words."""
    look: Look | Literal[""] = ""
    """The thing to look at where no command heals; "" for the settings of the container."""

    @functools.cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.IGNORECASE)

    @property
    def marks(self) -> tuple[str, ...]:
        """The words of which every text that shows the failure has at least one."""
        return (self.mark,) if isinstance(self.mark, str) else self.mark

    @functools.cached_property
    def _needed_words(self) -> tuple[str, ...]:
        """The marks; of a row without one the words that its pattern needs, so that it is not
        compared with every line."""
        if "" not in self.marks:
            return self.marks
        return tuple(required_words(self.pattern, re.IGNORECASE) or self.marks)

    def may_be_in(self, lowered: str) -> bool:
        """Whether a text in small letters may show the failure."""
        if self.mark and isinstance(self.mark, str):
            return self.mark in lowered
        return any(word in lowered for word in self._needed_words)


NO_WORD = (
    r"(?!(?:an?|the|th(?:is|at|ese|ose)|its?|is|was|are|were|be|been|not|no|has|have|had|do(?:es)?|did|can(?:not)?|could"
    r"|may|must|will|would|should|to|of|in|on|at|for|by|from|with|and|or|but|if|as|which|you|your|named?)[.,:;]?(?:\s|$))"
)
"""In a pattern, before a name without quotes: a word of the sentence is not a name."""


class LateTable:
    """A table of failures that is imported when a line is first compared with its rows.

    A calm host has no line to compare, and the tables are 30 modules: 8 ms of every run.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    @functools.cached_property
    def _rows(self) -> tuple[Failure, ...]:
        rows: tuple[Failure, ...] = getattr(importlib.import_module(self._module), self._name)
        return rows

    def __iter__(self) -> Iterator[Failure]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class Recognised(msgspec.Struct, frozen=True):
    """A failure that a log shows: the line, and the values that the pattern captured in it."""

    failure: Failure
    line: str
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of the row."""
        return self.failure.name

    @property
    def needs(self) -> tuple[str, ...]:
        """The settings that the check looks for which confirms the row."""
        return self.failure.needs

    @property
    def remedy(self) -> Remedy | None:
        """The remedy as far as a command can apply it; None without one."""
        return self.failure.remedy

    @property
    def confirmed_by(self) -> str:
        """The check that compares the row with the host; "" for none."""
        return self.failure.confirmed_by

    @property
    def cause(self) -> str:
        """The cause in plain words with the log's own values."""
        return self.filled(self.failure.cause)

    @property
    def cure(self) -> str:
        return self.filled(self.failure.cure)

    def filled(self, text: str) -> str:
        """A text of the row with the log's own values in place of the braces."""
        return _filled_text(text, self.values)

    @property
    def holds_while_running(self) -> bool:
        """Whether the line means this failure also where the program that printed it runs on."""
        needed = self.failure.of_running
        return needed is None or needed.search(self.line) is not None

    def is_met_by(self, options: frozenset[str]) -> bool:
        """Whether the container has the option whose lack is the failure: then the failure is
        another one.

        A program may report that there is no graphics card where it cannot use the card.
        """
        return any(self.filled(option) in options for option in self.needs)

    def filled_for_shell(self, text: str) -> str:
        """A filled text for a command: each value is one word, whatever a log contains."""
        return _filled_text(text, {name: shlex.quote(value) for name, value in self.values.items()})

    def page_variables(self, further: Mapping[str, str]) -> PageVariables:
        """The variables of the page, without those for which a value is not known.

        further: values that are not in the text, such as the container's name.
        """
        values = {name: value for name, value in {**further, **self.values}.items() if value}
        filled = {name: _filled_text(text, values) for name, text in self.failure.page.items()}
        return {name: text for name, text in filled.items() if not _GROUP.search(text)}


def _filled_text(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def recognise_family(telling: TellingLine | None, families: Iterable[Failure]) -> Recognised | None:
    """The first family of complaints to which the line that explains belongs."""
    if telling is None or not telling.explains:
        return None
    return _failure_in_line(telling.whole, families)


def family_of_running(
    telling: TellingLine | None, families: Iterable[Failure]
) -> Recognised | None:
    """The family of a failure that a running program reports."""
    family = recognise_family(telling, families)
    return family if family is not None and family.holds_while_running else None


def _failure_in_line(
    text: str, table: Iterable[Failure], *, is_passed: bool = False
) -> Recognised | None:
    """The first row of the table that a line shows.

    is_passed: the program got past the line, which counts only for rows that mean just that.
    """
    forms = _forms(text)
    lowered = "\n".join(forms).lower()
    for failure in table:
        match = _first_match(failure.compiled, forms) if failure.may_be_in(lowered) else None
        if match is None or (is_passed and not goes_on(match.group())):
            continue
        if not _is_about_the_same(failure, match, text):
            continue
        if not failure.explains_only or says_what_is_wrong(text):
            return Recognised(failure, text.strip(), captured_values(match))
    return None


def _forms(text: str) -> tuple[str, ...]:
    """A line in three forms: unchanged, without the backslashes that logfmt and C put before
    quotes, and in English."""
    line = text[:LONGEST]
    bare = _ESCAPED_QUOTE.sub('"', line)
    return distinct((line, bare, in_english(bare)))


def _first_match(pattern: re.Pattern[str], forms: Sequence[str]) -> re.Match[str] | None:
    return next(filter(None, map(pattern.search, forms)), None)


def _is_about_the_same(failure: Failure, match: re.Match[str], text: str) -> bool:
    """Whether a line with the words of a row is about the row's subject."""
    if failure.unlike is not None and failure.unlike.search(text):
        return False
    values = " ".join(filter(None, match.groupdict().values()))
    return failure.about is None or failure.about.search(values) is not None


def recognise(
    lines: Sequence[str],
    telling: TellingLine | None,
    table: Iterable[Failure],
    *,
    has_ended: bool = True,
) -> Recognised | None:
    """The first row of the table that the line that explains shows.

    Otherwise the row of the latest of the other lines that the program did not get past. A row that
    only follows from another one comes last, and not at all where another line explains. has_ended:
    whether the program is at its end, which no line about one of its callers explains.
    """
    texts = [plain(line) for line in lines]
    candidates = _candidates(texts, table)
    if not candidates:
        return None
    about_callers = lines_about_callers(texts) if has_ended else frozenset()
    passed = passed_lines([message(line) for line in lines]) | about_callers
    explaining = _explaining_texts(telling, texts, passed)
    in_other_lines = [failure for failure in candidates if not (explaining and failure.goes_on)]
    rows = itertools.chain(
        filter(None, (_failure_in_line(text, candidates) for text in explaining)),
        _shown_rows(texts, reversed(range(len(texts))), in_other_lines, passed),
    )
    first_row = first_of(rows, None)
    if first_row is None or not first_row.failure.follows:
        return first_row
    # what the program got past may be what the others follow from
    in_passed = _shown_rows(texts, sorted(passed - about_callers), in_other_lines, frozenset())
    reason = _first_reason(itertools.chain(rows, in_passed))
    if reason is None and explaining and _says_more(telling, first_row):
        return None
    return reason or first_row


def _first_reason(rows: Iterable[Recognised]) -> Recognised | None:
    """The first row that does not only follow from another one; None where all do."""
    return first_of((row for row in rows if not row.failure.follows), None)


def _candidates(texts: Iterable[str], table: Iterable[Failure]) -> list[Failure]:
    """The rows of which a word is in the lines: a cheap test."""
    lowered = "\n".join(form for text in texts for form in _forms(text)).lower()
    return [failure for failure in table if failure.may_be_in(lowered)]


def _explaining_texts(
    telling: TellingLine | None, texts: Sequence[str], passed: Set[int]
) -> tuple[str, ...]:
    """The line that explains, with those that belong to it and alone; empty where the program got
    past it."""
    if telling is None or telling.index >= len(texts) or telling.index in passed:
        return ()
    return (telling.whole, texts[telling.index])


def _shown_rows(
    texts: Sequence[str], places: Iterable[int], table: Sequence[Failure], passed: Set[int]
) -> Iterator[Recognised]:
    """The rows that lines show, in the order of these places. passed: the lines that the program
    got past."""
    for place in places:
        row = _failure_in_line(texts[place], table, is_passed=place in passed)
        if row is not None:
            yield row


def _says_more(telling: TellingLine | None, following: Recognised) -> bool:
    """Whether another line explains the end, which this row only reports."""
    if telling is None or not telling.explains or following.line in telling.whole:
        return False
    return not _OF_AN_END.search(telling.text)


def shown_by_any(lines: Sequence[str], table: Iterable[Failure]) -> Recognised | None:
    """The row that the latest line shows, even where a program would have got past it.

    For a message that a user pastes, who has not got past it.
    """
    in_lines = (_failure_in_line(plain(line), table) for line in reversed(lines))
    return next(filter(None, in_lines), None)
