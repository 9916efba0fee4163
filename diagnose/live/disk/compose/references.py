"""Commands of compose files in which a variable is replaced by nothing. Pure.

Only what is needed of YAML is read: blocks by their indentation, plain and quoted words, lists.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec

from diagnose.file_paths import is_yaml
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
_LONGEST = 1 << 14
"""Characters of a command; of a longer one nothing is said."""


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
    """The position of a reader in a compose file."""

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
            self.top = key["key"]
            self.service = ""
            self.depth = 0
        elif self.top == "services" and (not self.depth or indent <= self.depth):
            self.service = key["key"]
            self.depth = indent


def blank_commands(texts: Mapping[str, str]) -> list[Json]:
    """The commands that lose a variable so, by the texts of a project's files."""
    known_names = set(OF_SHELLS)
    for path, text in texts.items():
        if not is_yaml(path):
            known_names |= {
                match[1] for match in filter(None, map(ASSIGNED.match, text.splitlines()))
            }
    blank: list[Json] = []
    for path, text in texts.items():
        commands = _commands(text) if is_yaml(path) else ()
        for command in commands:
            if sum(map(len, command.texts)) > _LONGEST:
                continue
            written = _written_words(command.texts)
            if written is None:
                continue
            replaced = _replaced_texts(written.texts, known_names)
            if replaced is None or not replaced.names:
                continue
            words = _split(replaced.texts[0]) if written.is_one_text else replaced.texts
            if words is not None:
                place = {"path": path, "line": command.line, "service": command.service}
                result = {"names": replaced.names, "words": words}
                blank.append({**place, "key": command.key, **result})
    return blank


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


class _Written(msgspec.Struct, frozen=True):
    """A command as the file has it, with its variables."""

    texts: list[str]
    is_one_text: bool
    """Whether compose splits it into words, as a shell does; else each text is a word."""


def _written_words(lines: Sequence[str]) -> _Written | None:
    """A list in brackets, a list with a line for each word, or one text; None for anything else.

    A block (`>` or `|`) is one text over several lines.
    """
    first = lines[0].strip()
    below = lines[1:]
    if first.startswith("["):
        in_brackets = _FLOW_WORD.finditer(" ".join([first, *below]))
        return _Written([_plain_word(match) for match in in_brackets], is_one_text=False)
    if not first and below:
        entries = [_ENTRY.match(line) for line in below]
        words = [_unquoted_scalar(entry[1]) for entry in entries if entry is not None]
        return _Written(words, is_one_text=False) if len(words) == len(below) else None
    is_block = first[:1] in (">", "|")
    return _Written([" ".join(below) if is_block else _unquoted_scalar(first)], is_one_text=True)


def _split(text: str) -> list[str] | None:
    try:
        return shlex.split(text)
    except ValueError:
        return None


def _plain_word(match: re.Match[str]) -> str:
    return next(group for group in (*match.groups(), "") if group is not None).strip()


def _unquoted_scalar(text: str) -> str:
    """A scalar without the quotes around it; a comment behind a plain one goes."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return re.sub(r"(?<!\s)\s+#.*$", "", text)


class _Replaced(msgspec.Struct, frozen=True):
    """Texts as compose makes them, with nothing in the place of each unknown variable."""

    texts: list[str]
    names: list[str]
    """The unknown variables, each once."""


def _replaced_texts(texts: Sequence[str], known_names: Set[str]) -> _Replaced | None:
    """None where a known variable is in a text, whose value is not known here."""
    names: list[str] = []
    replaced = []
    for text in texts:
        referenced_names = [match[1] or match[2] for match in REFERENCE.finditer(text)]
        bare = REFERENCE.sub("", text)
        if not known_names.isdisjoint(referenced_names) or "${" in bare:
            return None
        names += referenced_names
        replaced.append(bare.replace("$$", "$"))
    return _Replaced(replaced, list(dict.fromkeys(names)))
