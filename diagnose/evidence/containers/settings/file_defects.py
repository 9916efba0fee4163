"""Invisible defects of a file to which a failed program objects.

A last line without its end, a byte order mark, a tab, a space that is none, a quotation mark of a
text, the marks of a merge. The line itself looks right then.
"""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.settings.named.named_settings import NamedSetting, named_setting
from diagnose.evidence.items import ByContainer
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Json, PageVariables
from diagnose.programs.telling_line import TellingLine
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

_LONGEST = 256 * 1024
_MISSES_END = LazyPattern(
    r"(?i)\b(?:missing|no|without|expected|needs?) (?:a )?(?:LF|newline|new line|end of line|EOL)\b"
    r"|\bpremature EOF\b|\btruncated\b"
)
"""Errors of programs about a last line without its end."""
_BELOW = 3
"""Lines below the one that explains the failure."""
_YAML = (".yaml", ".yml")
_SPACE = r"\xC2\xA0"
_DOUBLE = r"\xE2\x80[\x9C\x9D]"
_SINGLE = r"\xE2\x80[\x98\x99]"
"""The bytes of these characters as sed takes them."""


class _Kind(msgspec.Struct, frozen=True):
    """The name of a kind of defect, and the sed command that removes it."""

    what: str
    edit: str = ""
    """`{at}` is the line; "" where a person has to decide."""
    everywhere: bool = False
    """Whether it counts whatever line the program names."""


_KINDS: Mapping[str, _Kind] = {
    "empty": _Kind("it is empty", everywhere=True),
    "page": _Kind("it is a web page: a download got another answer", everywhere=True),
    "utf-16": _Kind("it is not UTF-8, but UTF-16 or no text at all", everywhere=True),
    "conflict": _Kind("it has the marks of a merge that nobody finished", everywhere=True),
    "mark": _Kind("it begins with a byte order mark", r"1s/^\xEF\xBB\xBF//"),
    "tab": _Kind("a tab stands where YAML takes spaces alone", r"{at}s/\t/  /g"),
    "space": _Kind(
        "a space that is none (no-break space) stands there", "{at}s/" + _SPACE + "/ /g"
    ),
    "quotes": _Kind(
        "quotation marks of a text stand there, not those of a keyboard",
        "{at}s/" + _DOUBLE + '/"/g;{at}s/' + _SINGLE + "/'/g",
    ),
    "open": _Kind("its last line has no newline at its end", "$a\\"),
}
"""The defects of a settings file, by their kinds."""


class FileDefect(msgspec.Struct, frozen=True):
    """A defect of a mounted file."""

    path: str
    """On the host."""
    kind: str
    line: int
    """0 for the whole file."""

    @property
    def clause(self) -> str:
        at = f", line {self.line}" if self.line else ""
        return f"{self.path}{at}: {_KINDS[self.kind].what}"

    @property
    def evidence(self) -> dict[str, Json]:
        """Evidence that replaces the general meaning of the log line."""
        return {
            "this means": self.clause,
            "what fixes it": "correct the file: an editor does not show it",
        }

    @property
    def steps(self) -> PageVariables:
        """The change of the file, for the page."""
        edit = _KINDS[self.kind].edit.replace("{at}", str(self.line))
        return {"edit": edit, "edited": self.path} if edit else {}


class FileDefects(ByContainer[FileDefect], frozen=True):
    """The defect of the file to which a failed container objects."""


@evidence
def file_defects(host: Host, containers: Containers, log_tails: LogTails) -> FileDefects:
    """The defects of the mounted file to which a failed container objects.

    One file of each such container is read, and only its defects are kept.
    """
    defects = {}
    for container in containers:
        tail = log_tails.of(container)
        if container.restart_count == 0 and container.is_running:
            continue
        if "permission" in signs(tail.telling_text):
            continue  # the program has not read its content
        setting = _named_file(container, tail)
        defect = _defect(host, container, tail, setting) if setting and setting.path else None
        if defect is not None:
            defects[container.id] = defect
    return FileDefects(defects)


def _named_file(container: Container, tail: LogTail) -> NamedSetting | None:
    """The file that the telling line names, or one of the next lines; or None.

    Parsers of YAML name the file below the error.
    """
    if tail.telling is None:
        return None
    at = tail.telling.index
    lines = (tail.telling, *map(TellingLine, tail.lines[at + 1 : at + 1 + _BELOW]))
    settings = (named_setting(container, line) for line in lines)
    return next((setting for setting in settings if setting and setting.path), None)


def _defect(
    host: Host, container: Container, tail: LogTail, setting: NamedSetting
) -> FileDefect | None:
    """The first defect of the file to which the program may object; None where it has none."""
    mount = innermost_mount(container.mounts, setting.path_inside)
    if mount is None or not mount.has_host_path:
        return None
    rest = setting.path_inside.removeprefix(mount.destination.rstrip("/"))
    # the container may have put a link to a file of the host in its place
    root = mount.source if rest else None
    answer = host.ask(ReadFile(rest or mount.source, _LONGEST, root=root, parts="hidden"))
    if isinstance(answer, Failed):
        return None
    line = tail.telling_text
    defects = _relevant_defects(answer.text, line, setting)
    return next((FileDefect(setting.path, kind, at) for kind, at in defects), None)


def _relevant_defects(rows: str, line: str, setting: NamedSetting) -> Iterator[tuple[str, int]]:
    """The defects to which the program may object: at the line that it names, as a rule."""
    for row in rows.splitlines():
        kind, _, number = row.partition(" ")
        at = int(number)
        if kind not in _KINDS or (kind == "tab" and not setting.path.endswith(_YAML)):
            continue
        if kind == "open":
            counts = bool(_MISSES_END.search(line))
        else:
            counts = _KINDS[kind].everywhere or not setting.line or abs(setting.line - at) <= 1
        if counts:
            yield kind, at
