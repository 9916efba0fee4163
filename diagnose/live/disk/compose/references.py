"""Commands of compose files in which a variable is replaced by nothing. Pure.

Only what is needed of YAML is read: blocks by their indentation, plain and quoted words, lists.
"""

import re
import shlex
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.live.disk.compose.dollars import ASSIGNED, OF_SHELLS, REFERENCE
from diagnose.model import Json

_KEY = re.compile(r"^(?P<indent> *)[\"']?(?P<key>[\w.-]+)[\"']?:(?:[ \t]+(?P<rest>.*))?$")
_ENTRY = re.compile(r"^ *- +(.*)$")
_FLOW_WORD = re.compile(
    r"""
    "( (?:[^"\\]|\\.)* )"             # a word in double quotes, with escapes
    | '( [^']* )'                       # in single quotes
    | ( [^\s,\[\]"'] [^,\[\]"']* )     # plain: up to a comma or the end of the list
    """,
    re.VERBOSE,
)
"""One word of a list in brackets."""
_KEYS = ("command", "entrypoint")


class _Command(msgspec.Struct):
    """The text of one `command` or `entrypoint`."""

    line: int
    service: str
    key: str
    texts: list[str]
    """Its own line behind the colon, and those below it."""
    indent: int
    """In front of the key, in spaces."""

    def goes_on_with(self, line: str) -> bool:
        """Whether a line belongs to it; a list may stand as far left as its key."""
        indent = _indent_of(line)
        is_entry = indent == self.indent and line.lstrip().startswith("- ")
        return indent > self.indent or is_entry


class _Place(msgspec.Struct):
    """Where a reader of a compose file is."""

    top: str = ""
    """The key of the whole file, such as `services`."""
    service: str = ""
    depth: int = 0
    """The indent of the names of services; 0 before the first one."""

    def is_at_command(self, key: re.Match[str]) -> bool:
        """Whether a key below a service is one whose value is a command."""
        is_of_service = bool(self.service) and len(key["indent"]) > self.depth
        return is_of_service and key["key"] in _KEYS

    def move_to(self, key: re.Match[str]) -> None:
        """Take note of a key of the file itself, or of the name of a service."""
        indent = len(key["indent"])
        if indent == 0:
            self.top, self.service, self.depth = key["key"], "", 0
        elif self.top == "services" and (not self.depth or indent <= self.depth):
            self.service, self.depth = key["key"], indent


def blank_commands(texts: Mapping[str, str]) -> list[Json]:
    """The commands that lose a variable so, by the texts of a project's files."""
    known = set(OF_SHELLS)
    for path, text in texts.items():
        if not _is_yaml(path):
            known |= {match[1] for line in text.splitlines() if (match := ASSIGNED.match(line))}
    found: list[Json] = []
    for path, text in texts.items():
        commands = _commands(text) if _is_yaml(path) else ()
        for command in commands:
            names: dict[str, None] = {}
            words = _words(command.texts, known, names)
            if names and words is not None:
                place = {"path": path, "line": command.line, "service": command.service}
                found.append({**place, "key": command.key, "names": list(names), "words": words})
    return found


def _commands(text: str) -> Iterator[_Command]:
    """The commands of all services, in the order of the file."""
    place = _Place()
    command: _Command | None = None
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if command is not None and command.goes_on_with(line):
            command.texts.append(bare)
            continue
        if command is not None:
            yield command
            command = None
        match = _KEY.match(line)
        if match is not None and place.is_at_command(match):
            command = _Command(
                number, place.service, match["key"], [match["rest"] or ""], _indent_of(line)
            )
        elif match is not None:
            place.move_to(match)
    if command is not None:
        yield command


def _indent_of(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _words(texts: list[str], known: set[str], names: dict[str, None]) -> list[str] | None:
    """The words with nothing in the place of unknown variables, whose names are added.

    None where a known variable is in it, or the text cannot be read.
    """
    first, below = texts[0].strip(), texts[1:]
    if first.startswith("["):
        words = [_plain_word(match) for match in _FLOW_WORD.finditer(" ".join([first, *below]))]
        return _replaced_references(words, known, names)
    if not first and below:
        entries = [_ENTRY.match(line) for line in below]
        if any(entry is None for entry in entries):
            return None
        return _replaced_references(
            [_unquoted_scalar(entry[1]) for entry in entries if entry], known, names
        )
    is_block = first[:1] in (">", "|")
    whole = _replaced_references(
        [" ".join(below) if is_block else _unquoted_scalar(first)], known, names
    )
    try:
        return shlex.split(whole[0]) if whole else None
    except ValueError:
        return None


def _plain_word(match: re.Match[str]) -> str:
    return next(group for group in (*match.groups(), "") if group is not None).strip()


def _unquoted_scalar(text: str) -> str:
    """A scalar without the quotes around it; a comment behind a plain one goes."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return re.sub(r"\s+#.*$", "", text)


def _replaced_references(
    texts: list[str], known: set[str], names: dict[str, None]
) -> list[str] | None:
    """The texts as compose makes them; None where the value of a variable is not known here."""
    result = []
    for text in texts:
        found = [match[1] or match[2] for match in REFERENCE.finditer(text)]
        if known.intersection(found) or "${" in REFERENCE.sub("", text):
            return None
        names.update(dict.fromkeys(found))
        result.append(REFERENCE.sub("", text).replace("$$", "$"))
    return result


def _is_yaml(path: str) -> bool:
    return path.endswith((".yml", ".yaml"))
