"""Lines of compose files that have a text once their variables are replaced by nothing. Pure."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from diagnose.file_paths import is_yaml
from diagnose.live.disk.compose.dollars import ASSIGNED, REFERENCE
from diagnose.model import Json

_MOST = 40
_MOST_LINES = 2000
"""Lines with variables that are looked at."""
_LONGEST = 1000
_MOST_NAMES = 20
"""Variables of a line: more of them make the search slow."""
_MARK = "\0"
"""It stands in the place of a variable."""


def emptied_texts(texts: Mapping[str, str], sought: Sequence[str]) -> list[Json]:
    """Each such line, with its variables and the env files that give them a value now.

    texts: of the compose files and the env files beside them, by path.
    """
    env_files = {path: _assigned_values(text) for path, text in texts.items() if not is_yaml(path)}
    patterns = {wanted: _with_marks(wanted) for wanted in sought[:_MOST]}
    texts_found: list[Json] = []
    for line in itertools.islice(_lines_with_variables(texts), _MOST_LINES):
        names = [match[1] or match[2] for match in REFERENCE.finditer(line.text)]
        marked = REFERENCE.sub(_MARK, line.text).replace("$$", "$")
        for wanted, pattern in patterns.items():
            match = pattern.search(marked)
            if match is None or _MARK not in match[0]:
                continue
            before = marked.count(_MARK, 0, match.start())
            inside = names[before : before + match[0].count(_MARK)]
            once: list[Json] = [*dict.fromkeys(inside)]
            giving: list[Json] = [
                file for file, values in env_files.items() if all(map(values.get, inside))
            ]
            blank = any(_leaves_empty(values, inside) for values in env_files.values())
            place: dict[str, Json] = {"path": line.path, "line": line.number, "text": wanted}
            texts_found.append({**place, "names": once, "given_in": giving, "is_blank": blank})
    return texts_found[:_MOST]


def _leaves_empty(assigned: Mapping[str, str], names: Sequence[str]) -> bool:
    """Whether an env file assigns all of these variables, and none has a value there."""
    return assigned.keys() >= {*names} and not any(map(assigned.get, names))


class _Line(NamedTuple):
    """A line of a compose file."""

    path: str
    number: int
    text: str


def _lines_with_variables(texts: Mapping[str, str]) -> Iterator[_Line]:
    """The lines of the compose files that name a variable."""
    for path, text in texts.items():
        for number, line in enumerate(text.splitlines() if is_yaml(path) else (), 1):
            is_short = len(line) <= _LONGEST and 0 < line.count("$") <= _MOST_NAMES
            if is_short and not line.lstrip().startswith("#"):
                yield _Line(path, number, line.replace(_MARK, ""))


def _with_marks(text: str) -> re.Pattern[str]:
    """A text in which variables may stand anywhere."""
    marks = f"{_MARK}*"
    return re.compile(marks + marks.join(map(re.escape, text)) + marks)


def _assigned_values(text: str) -> dict[str, str]:
    """The variables of an env file and their values, without quotes and a comment."""
    matches = map(ASSIGNED.match, text.splitlines())
    return {
        match[1]: "" if match[2].startswith("#") else match[2].strip("\"'")
        for match in matches
        if match is not None
    }
