"""Values in compose files that lose a part, because compose takes `$...` for a variable. Pure."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.file_paths import is_yaml
from diagnose.model import Json

ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")
"""A line of an env file."""
_IN_YAML = re.compile(r"^\s*(?:-\s*[\"']?)?([A-Za-z_]\w*)\s*[:=]\s*(.*?)\s*$")
REFERENCE = re.compile(r"(?<![\\$])(?:\$\$)*\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
"""One that a default value follows (`${NAME:-x}`) is meant."""
_OF_ENV_FILES = re.compile(r"(?<!\\)\$\{?(?:[A-Z0-9_]+|[A-Za-z_]\w*)\}?")
"""A reference as older versions of compose take it in env files: digits are a name too."""
_NUMBER = re.compile(r"(?<![\\$])\$\d")
_PLAIN_LEFT = 2
"""So many characters of a value are left at least, where it was not one reference alone."""
_SHORTEST_NAME = 3
"""Fewer capitals behind a `$` are rather a part of a password than the name of a variable."""
OF_SHELLS = {"HOME", "HOSTNAME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "TZ", "USER"}
OF_SHELLS |= {"UID", "GID", "PUID", "PGID"}
"""What a shell has set for compose nearly always."""


class _Assignment(msgspec.Struct, frozen=True):
    """A line of a compose file or an env file that gives a variable its value."""

    path: str
    number: int
    name: str
    value: str

    @property
    def is_yaml(self) -> bool:
        return is_yaml(self.path)

    @property
    def references(self) -> list[str]:
        """The names behind a `$` of the value; none where a quote keeps compose from looking."""
        if self.value.startswith("'") and not self.is_yaml:
            return []
        return [match[1] or match[2] for match in REFERENCE.finditer(self.value)]

    @property
    def meant(self) -> set[str]:
        """The references of a compose file that look like it: in braces, or in capitals.

        The shell that called compose, or a file that `--env-file` names, may set them.
        """
        return {
            match[1] or match[2]
            for match in REFERENCE.finditer(self.value if self.is_yaml else "")
            if match[1] or (match[2].isupper() and len(match[2]) >= _SHORTEST_NAME)
        }

    @property
    def lefts(self) -> list[str]:
        """The values that are left where nothing sets the names: one for each way in which
        versions of compose read. Empty where more than one value is possible for a version."""
        value = self.value
        quotes = ("'",) if self.is_yaml else ()
        for quote in ('"', *quotes):
            if len(value) > 1 and value[0] == value[-1] == quote:
                value = value[1:-1]
        if {*value} & {"'", '"', "\\", "#", " "} or "$$" in value:
            return []
        remains = [REFERENCE.sub("", value)]
        if not self.is_yaml:
            remains.append(_OF_ENV_FILES.sub("", value))
        telling_remains = dict.fromkeys(
            remainder
            for remainder in remains
            if remainder != value and len(remainder) >= _PLAIN_LEFT
        )
        return [f"{self.name}={remainder}" for remainder in telling_remains]

    @property
    def has_other_signs(self) -> bool:
        """Whether a second `$` before each one of them would not be all that has to change."""
        hindering = set() if self.is_yaml else {"'", "\\", "#"}
        return bool(hindering & {*self.value}) or "$$" in self.value


def lost_variables(texts: Mapping[str, str]) -> list[Json]:
    """The variables that lose a part of their value, by the texts of a project's files.

    is_plain: no reference of the value is meant, and `$$` in place of `$` corrects it.
    """
    assignments = list(_assignments(texts))
    known_names = {
        assignment.name for assignment in assignments if not assignment.is_yaml
    } | OF_SHELLS
    variables: list[Json] = []
    for assignment in assignments:
        references = assignment.references
        unknown = [name for name in references if name not in known_names | assignment.meant]
        is_number = not references and _NUMBER.search(assignment.value) is not None
        if is_number and not assignment.is_yaml and assignment.lefts:
            place = {"path": assignment.path, "line": assignment.number, "name": assignment.name}
            is_plain = not assignment.has_other_signs
            variables.append(
                {**place, "is_plain": is_plain, "lefts": assignment.lefts, "is_number": True}
            )
        if unknown:
            is_plain = len(unknown) == len(references) and not assignment.has_other_signs
            place = {"path": assignment.path, "line": assignment.number}
            lefts = assignment.lefts if len(unknown) == len(references) else []
            row = {**place, "name": assignment.name, "is_plain": is_plain}
            variables.append({**row, "lefts": lefts} if lefts else row)
    return variables


def _assignments(texts: Mapping[str, str]) -> Iterator[_Assignment]:
    for path, text in texts.items():
        pattern = _IN_YAML if is_yaml(path) else ASSIGNED
        for number, line in enumerate(text.splitlines(), 1):
            match = pattern.match(line)
            if match is not None:
                yield _Assignment(path, number, match[1], match[2])
