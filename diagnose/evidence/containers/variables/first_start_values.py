"""Variables that a start script reads only at the first start, and whose file has another value.

    if [ ! -f /data/server.ini ]; then
      sed "s/NAME/$SERVER_NAME/" /defaults/server.ini > /data/server.ini
    fi

The file is in a volume and was created by an earlier container. A new value of the variable has no
effect, however often the container is recreated.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.inspect import Mount, host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.ignored_commands import BYTES, IS_SCRIPT, script_path
from diagnose.evidence.containers.variables.shell_references import REFERENCE
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.programs.first_start_files import FIRST_START_FILES, FirstStartFile
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.file_answers import path_status
from diagnose.questions.file_texts import FindTexts
from diagnose.questions.images import InspectImage
from diagnose.redact import holds_token
from diagnose.registry import evidence

MOST = 24
"""Start scripts that are read."""
_MOST_BRANCHES = 12
"""Branches of one script that are looked at."""
_LARGEST = 256 << 10
"""Bytes of a file that are searched."""
_UNLESS = LazyPattern(
    r"^[ \t]*if[ \t]+(?:![ \t]*\[\[?[ \t]+|\[\[?[ \t]+![ \t]+|test[ \t]+![ \t]+)-[ef][ \t]++"
    r"[\"']?(?P<path>[^\s\"'\];]{2,200}+)[\"']?[ \t]*+(?:\]\]?+)?[ \t]*+(?:;[ \t]*+then)?[ \t]*+$"
)
"""if [ ! -f "$DATA/server.ini" ]; then"""
_BEGINS = LazyPattern(r"^[ \t]*if\b")
_ENDS = LazyPattern(r"^[ \t]*fi\b")
_OTHERWISE = LazyPattern(r"^[ \t]*(?:else|elif)\b")
_USED = LazyPattern(r"\$\{?(?P<name>[A-Z][A-Z0-9_]{3,60})\b")
_DEFAULT = LazyPattern(
    r"^[ \t]*(?::[ \t]+[\"']?\$\{[A-Z0-9_]+:?=|(?:export[ \t]+)?[A-Z][A-Z0-9_]{3,60}(?:=|[ \t]*$))"
)
"""A line that gives a variable its default, and has no effect of its own."""
_BRACED = LazyPattern(r"\$\{([A-Za-z_]\w{0,60})\}")
_ASSIGNED = LazyPattern(
    r"(?m)^[ \t]*(?:export[ \t]+|readonly[ \t]+)?(?P<name>[A-Za-z_]\w{0,60})="
    r"[\"']?(?P<value>/[\w./-]{1,150})[\"']?[ \t]*$"
)
"""DATA=/data"""
_SECRET = LazyPattern(r"(?i)pass|secret|token|key|hash|salt|auth|cred")
"""Names of variables whose values are stored in another form than they were given."""
_PLAIN = LazyPattern(r"[\w.@:/ -]{3,100}")
_SWITCH = LazyPattern(r"(?i)true|false|yes|no|on|off|none|null|enabled?|disabled?|\d{1,3}")
"""Values that a script may write in another form."""


class FirstStartValue(msgspec.Struct, frozen=True):
    """A variable that has no effect any more, and the file that was created without it."""

    container: Container
    variable: str
    value: str
    path: str
    """The file as the container calls it."""
    mount: Mount
    script: str
    """"" where the image is a well-known one."""

    @property
    def on_host(self) -> str:
        return self.mount.on_host(self.path)


class FirstStartValues(Items[FirstStartValue], frozen=True):
    """The first-start values by container; only the first one of each."""


class _Block(msgspec.Struct, frozen=True):
    """The part of a script that runs only where a file is missing."""

    path: str
    names: frozenset[str]
    """The variables that nothing else of the script reads."""


@evidence
def first_start_values(host: Host, containers: Containers) -> FirstStartValues:
    """The variables that a script reads only at the first start, whose file has another value.

    One script is read of each running container that mounts data and has variables.
    """
    candidates = [
        container
        for container in containers.running
        if script_path(container) and container.config.env and container.mounts
    ]
    values: dict[str, FirstStartValue] = {}
    for container in containers.running:
        for value in _values_of_known_file(host, container):
            values.setdefault(container.id, value)
    for container in host.first(candidates, MOST, "start scripts"):
        for value in _values(host, container):
            values.setdefault(container.id, value)
    return FirstStartValues(tuple(values.values()))


def _values_of_known_file(host: Host, container: Container) -> Iterator[FirstStartValue]:
    """The variables of a well-known image that its file of the first start does not have."""
    image = container.config.image
    known_file = next((file for file in FIRST_START_FILES if file.image.search(image)), None)
    if known_file is None:
        return
    set_values = {name: container.config.value_of(name) for name in known_file.marks}
    values = {name: value for name, value in set_values.items() if _is_kept_as_given(name, value)}
    if not values:
        return
    for path in known_file.paths:
        mount = host_mount(container.mounts, path)
        if mount is not None:
            for name in _names_with_another_value(host, known_file, mount, path, values):
                yield FirstStartValue(container, name, values[name], path, mount=mount, script="")


def _names_with_another_value(
    host: Host, known_file: FirstStartFile, mount: Mount, path: str, values: Mapping[str, str]
) -> Iterator[str]:
    """The variables for which a file has another value, unless it reads variables itself."""
    marked = {name: f"{known_file.marks[name]}{value}" for name, value in values.items()}
    signs = filter(None, (known_file.reads_variables, *known_file.marks.values()))
    inside = host.ask(_texts_in(mount, path, [*marked.values(), *signs]))
    if isinstance(inside, Failed) or known_file.reads_variables in inside:
        return
    for name, text in marked.items():
        mark = known_file.marks[name]
        is_there = not mark or mark in inside
        if is_there and text not in inside:
            yield name


def _values(host: Host, container: Container) -> Iterator[FirstStartValue]:
    """The variables whose values a script wrote at its first start, where the file has others."""
    path = script_path(container)
    file = host.ask(ReadContainerFile(container.id, path, bytes=BYTES))
    if isinstance(file, Failed) or len(file.text) >= BYTES or not IS_SCRIPT.match(file.text):
        return
    for block in _blocks(file.text, dict(container.config.environment)):
        mount = host_mount(container.mounts, block.path)
        if mount is None or not _is_older_than_container(
            host, container, mount.on_host(block.path)
        ):
            continue
        own_values = _own_values(host, container)
        values = {name: own_values[name] for name in sorted(block.names) if name in own_values}
        if not values:
            continue
        inside = host.ask(_texts_in(mount, block.path, _all_words(values)))
        if isinstance(inside, Failed):
            continue
        for name, value in values.items():
            if not set(_words(value)) & set(inside):
                yield FirstStartValue(container, name, value, block.path, mount=mount, script=path)


def _blocks(text: str, variables: Mapping[str, str]) -> Iterator[_Block]:
    """The branches of a script that run while a file is missing, and write it."""
    plain = _BRACED.sub(r"$\1", text)
    lines = [line for line in plain.splitlines() if not line.lstrip().startswith("#")]
    values = {match["name"]: match["value"] for match in _ASSIGNED.finditer(text)} | {**variables}
    begun = [(at, match) for at, line in enumerate(lines) if (match := _UNLESS.match(line))]
    uses = _uses(lines)
    for at, match in begun[:_MOST_BRANCHES]:
        body = _branch(lines[at + 1 :])
        path = _resolved_path(match["path"], values)
        if not path.startswith("/") or not any(match["path"] in written for written in body):
            continue
        uses_in_body = _uses(body)
        names = {name for name in _names_used(body) if uses[name] == uses_in_body[name]}
        yield _Block(path, frozenset(names))


def _uses(lines: Iterable[str]) -> Counter[str]:
    """The number of uses of each variable, in lines that have an effect of their own."""
    return Counter(
        match["name"]
        for line in lines
        if not _DEFAULT.match(line)
        for match in _USED.finditer(line)
    )


def _branch(lines: list[str]) -> list[str]:
    """The lines up to the `fi`, or the `else`, of a branch that has begun."""
    depth = 0
    for at, line in enumerate(lines):
        if depth == 0 and (_ENDS.match(line) or _OTHERWISE.match(line)):
            return lines[:at]
        if _BEGINS.match(line) and not re.search(r";[ \t]*fi[ \t]*$", line):
            depth += 1
        elif _ENDS.match(line):
            depth -= 1
    return []


def _names_used(lines: Iterable[str]) -> set[str]:
    return {match["name"] for line in lines for match in _USED.finditer(line)}


def _resolved_path(path: str, values: Mapping[str, str]) -> str:
    """A path with the variables of the script in it; "" where one is not known."""
    for _ in range(3):
        match = REFERENCE.search(path)
        if match is None:
            return path
        value = values.get(match["braced"] or match["plain"], "") or match["default"] or ""
        if not value:
            return ""
        path = f"{path[: match.start()]}{value}{path[match.end() :]}"
    return ""


def _texts_in(mount: Mount, path: str, texts: list[str]) -> FindTexts:
    """The question for a file below a mount: a link in it leads to nothing outside of the mount."""
    below = path.removeprefix(mount.destination.rstrip("/"))
    if not below:
        return FindTexts(mount.source, texts)
    return FindTexts(below, texts, root=mount.source)


def _is_older_than_container(host: Host, container: Container, path: str) -> bool:
    """Whether a file was written before the container's creation, and not since.

    Of a large file only the beginning is searched, and a link leads to a file of the container.
    """
    status = path_status(host, path, follow=False)
    created_at = container.created_at
    is_file = status.type == "file" and status.size <= _LARGEST
    is_known = is_file and status.mtime is not None and created_at is not None
    return is_known and (status.mtime or 0.0) < (created_at or 0.0)


def _own_values(host: Host, container: Container) -> dict[str, str]:
    """The variables with a plain value that its image does not set so."""
    image = host.ask(InspectImage(container.image))
    if isinstance(image, Failed) or image.config is None:
        return {}
    entries_of_image = frozenset(image.config.env or ())
    return {
        name: value
        for name, value in container.config.environment
        if f"{name}={value}" not in entries_of_image and _is_kept_as_given(name, value)
    }


def _is_kept_as_given(name: str, value: str) -> bool:
    """Whether a script writes a value into a file unchanged: no secret, and no switch."""
    is_plain = _PLAIN.fullmatch(value) is not None and not holds_token(value)
    return is_plain and not _SWITCH.fullmatch(value) and not _SECRET.search(name)


def _all_words(values: Mapping[str, str]) -> list[str]:
    return sorted({word for value in values.values() for word in _words(value)})


def _words(value: str) -> list[str]:
    """The words of a value, which a file may have in another order or with other signs between."""
    words = [word for word in re.split(r"[^\w]+", value) if len(word) > 2]
    return words or [value]
