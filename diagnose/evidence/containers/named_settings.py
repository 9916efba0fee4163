"""Where a setting was made that a failed program's log line names.

In a variable, a mounted file, or the command.

Most programs that end at their start object to a setting, and say which. The line alone leaves open
whether the value came from the environment, from a file of the host, or from the command. Pure.
"""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.containers.bind_mounts import named
from diagnose.evidence.containers.listing import Container
from diagnose.programs.telling_line import TellingLine

SHORTEST = 4
"""Characters of a value, a name or an option that a line does not repeat by chance."""
_ORDINARY = re.compile(r"(?:^|_)(?:PATH|HOME|HOSTNAME|LANG|TERM|PWD|TZ|USER|SHELL|VERSION|LC_\w+)$")
"""Variables that images and shells set, not people."""
_LINE_NUMBER = re.compile(r"^['\"]?(?::|, line |\(| at line | on line )(\d{1,6})\b")
_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]{2,}")


class NamedSetting(msgspec.Struct, frozen=True):
    """One setting to which a line leads; the fields of the other kinds are empty.

    variable: of the container's environment. path: a mounted file as the host has it. inside: the
    same file in the container. line: in that file, 0 where the log does not say. option: a word of
    the container's command.
    """

    variable: str = ""
    path: str = ""
    inside: str = ""
    line: int = 0
    option: str = ""

    @property
    def text(self) -> str:
        """Where the setting is made, as evidence says it."""
        if self.variable:
            return f"environment variable {self.variable}"
        if self.option:
            return f"option {self.option} of its command"
        at = f", line {self.line}" if self.line else ""
        return f"{self.inside} is {self.path} on the host{at}"

    @property
    def variables(self) -> dict[str, str]:
        """The variables of a page about it."""
        if self.variable:
            return {"setting": self.variable}
        if self.option:
            return {"option": self.option}
        return {"setting_file": self.path, "setting_line": str(self.line)}


def named_setting(container: Container, telling: TellingLine | None) -> NamedSetting | None:
    """The setting that the line names; None where it names none of this container's.

    A file comes first, for a line that names one is seldom about anything else; then a variable
    whose value or name the line repeats; then an option of the command.
    """
    if telling is None:
        return None
    text = telling.whole
    return _file(container, text) or _variable(container, text) or _option(container, text)


def setting_in(container: Container, cure: str) -> NamedSetting | None:
    """Where the container is given an option that the cure of a known failure names.

    In its command, or in a variable such as NODE_OPTIONS.
    """
    for option in _OPTION.findall(cure):
        if any(word.startswith(option) for word in container.config.words):
            return NamedSetting(option=option)
        for name, value in container.config.environment:
            if option in value:
                return NamedSetting(variable=name)
    return None


def _file(container: Container, text: str) -> NamedSetting | None:
    place = named(container, text)
    if place is None or not place.mount.source.startswith("/") or ".." in place.rest:
        return None
    inside = place.inside
    if "." not in inside.rpartition("/")[2]:
        return None  # a folder, mostly
    number = _LINE_NUMBER.match(text.partition(inside)[2])
    return NamedSetting(path=place.on_host[-1], inside=inside, line=int(number[1]) if number else 0)


def _variable(container: Container, text: str) -> NamedSetting | None:
    own = [
        (name, value.strip())
        for name, value in container.config.environment
        if not _ORDINARY.search(name)
    ]
    by_value = (
        name
        for name, value in own
        if len(value) >= SHORTEST and "redacted" not in value and _stands_in(value, text)
    )
    by_name = (name for name, _ in own if _is_named(name, text))
    name = next(by_value, "") or next(by_name, "")
    return NamedSetting(variable=name) if name else None


def _stands_in(value: str, text: str) -> bool:
    """Whether a line repeats a value whole."""
    # the plain test first: hundreds of containers have thousands of variables
    return value in text and bool(re.search(rf"(?<![\w./-]){re.escape(value)}(?![\w/-])", text))


def _is_named(name: str, text: str) -> bool:
    """Whether a line names a variable, or the setting that an image makes of it.

    KAFKA_ADVERTISED_LISTENERS becomes advertised.listeners.
    """
    if len(name) >= SHORTEST and _stands_in(name, text):
        return True
    parts = [part for part in name.lower().split("_") if part]
    endings = (".".join(parts[start:]) for start in range(len(parts) - 1))
    said = text.lower().replace("_", ".").replace("-", ".")
    return any(
        len(ending) > 2 * SHORTEST and ending in said and _stands_in(ending, said)
        for ending in endings
    )


def _option(container: Container, text: str) -> NamedSetting | None:
    for word in container.config.words:
        option = word.partition("=")[0]
        name = option.lstrip("-")
        is_option = word.startswith("-") and len(name) >= SHORTEST
        if is_option and _stands_in(name, text.replace(option, name)):
            return NamedSetting(option=option)
    return None
