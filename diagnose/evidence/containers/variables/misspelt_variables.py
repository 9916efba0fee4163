"""Variables of a container that almost have the name of one that its image's start script reads."""

import re
from collections.abc import Collection, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.ignored_commands import BYTES, IS_SCRIPT, script_path
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.programs.word_slips import is_one_slip, letters
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

MOST = 24
"""Start scripts that are read."""
_NAME = LazyPattern(r"[A-Za-z][A-Za-z0-9_.-]{5,60}")
_READ = LazyPattern(
    r"\$\{?!?(?P<used>[A-Z][A-Z0-9_]{4,60})\b"
    r"|\bfile_env[ \t]{1,4}[\"']?(?P<filed>[A-Z][A-Z0-9_]{4,60})\b"
)
"""Uses of a variable in a start script: with a dollar sign, or by the function of the official
images that takes a file in its place."""
_SET = LazyPattern(
    r"(?m)^[ \t]*(?:local[ \t]+|declare[ \t]+|export[ \t]+)?(?P<name>[A-Z][A-Z0-9_]{4,60})="
)
_LONG = 5
"""Number of letters of a word from which on a changed letter makes no other word as a rule."""
_SHORT = LazyPattern(r"(?:PASSWD|PASS|PWD)$")
_OF_BOTH = LazyPattern(r"(?i)^(?:https?|ftp|all|no)_proxy$")
"""Variables that programs read in both cases."""


class MisspeltVariable(msgspec.Struct, frozen=True):
    """A variable that the start script does not know, and the similar one that it reads."""

    container: Container
    variable: str
    meant: str
    script: str
    """The path of the script in the container."""


class MisspeltVariables(Items[MisspeltVariable], frozen=True):
    """The misspelt variables by container; only the first one of each."""


@evidence
def misspelt_variables(host: Host, containers: Containers) -> MisspeltVariables:
    """The variables with a name that no start script reads, and the similar name that it reads.

    A script is read of each container that has variables beside those of its image. A variable that
    another container of the project has too, of another image, may be meant for that one.
    """
    variables = []
    images_by_variable = _images_by_variable(containers)
    with_script = [
        container
        for container in containers
        if not container.never_ran and script_path(container) and container.config.env
    ]
    for container in host.first(with_script, MOST, "start scripts"):
        images_with = images_by_variable[container.compose_project]
        candidates = [
            name
            for name in _own_variables(host, container)
            if images_with[name] == {container.image}
        ]
        misspelt = (
            next(_misspelt_of_image(host, container, candidates), None) if candidates else None
        )
        if misspelt is not None:
            variables.append(misspelt)
    return MisspeltVariables(tuple(variables))


def _images_by_variable(containers: Containers) -> Mapping[str, Mapping[str, set[str]]]:
    """The images whose containers have each variable, by project and by name of the variable."""
    images: dict[str, dict[str, set[str]]] = {}
    for container in containers:
        of_project = images.setdefault(container.compose_project, {})
        for name, _ in container.config.environment:
            of_project.setdefault(name, set()).add(container.image)
    return images


def _own_variables(host: Host, container: Container) -> list[str]:
    """The names of the variables that its image does not set."""
    image = host.ask(InspectImage(container.image))
    if isinstance(image, Failed) or image.config is None:
        return []
    names_of_image = {entry.partition("=")[0] for entry in image.config.env or ()}
    names = (name for name, value in container.config.environment if value)
    return [name for name in names if name not in names_of_image and _NAME.fullmatch(name)]


def _misspelt_of_image(
    host: Host, container: Container, candidates: Collection[str]
) -> Iterator[MisspeltVariable]:
    """The variables that no start script reads, where one of almost that name is missed."""
    path = script_path(container)
    file = host.ask(ReadContainerFile(container.id, path, bytes=BYTES))
    if isinstance(file, Failed) or len(file.text) >= BYTES or not IS_SCRIPT.match(file.text):
        return
    text = "\n".join(line for line in file.text.splitlines() if not line.lstrip().startswith("#"))
    missing = [name for name in _read_variables(text) if not _is_set(container, name)]
    for name in candidates:
        is_known = re.search(rf"\b{re.escape(name)}\b", text) is not None
        if is_known or _OF_BOTH.search(name):
            continue
        right_name = only([read_name for read_name in missing if is_almost(name, read_name)])
        if right_name is not None:
            yield MisspeltVariable(container, name, right_name, path)


def _read_variables(script: str) -> list[str]:
    """The variables that a script reads and does not set itself."""
    set_names = {match["name"] for match in _SET.finditer(script)}
    read_names = {match["used"] or match["filed"] for match in _READ.finditer(script)}
    return sorted(read_names - set_names)


def _is_set(container: Container, name: str) -> bool:
    return any(container.config.value_of(form) for form in (name, f"{name}_FILE"))


def is_almost(name: str, right_name: str) -> bool:
    """Whether a name is another one with a slip: a letter, two letters swapped, the case, a dash.

    A plural, a number, another protocol (HTTP, HTTPS) and another short word (URI, URL; HOST, PORT)
    are names of their own.
    """
    if name == right_name:
        return False
    if letters(name) == letters(right_name) or _SHORT.sub("PASSWORD", name) == right_name:
        return True
    words, right_words = (re.split(r"[^A-Z0-9]+", text.upper()) for text in (name, right_name))
    if len(words) != len(right_words):
        return False
    different = [pair for pair in zip(words, right_words, strict=True) if pair[0] != pair[1]]
    return len(different) == 1 and _is_slip(*different[0])


def _is_slip(word: str, other: str) -> bool:
    """Whether two words differ by one slip of the keyboard."""
    if any(char.isdigit() for char in word + other):
        return False
    if sorted(word) == sorted(other):
        return is_one_slip(word, other)
    is_plural = word.rstrip("S") == other.rstrip("S")
    return min(len(word), len(other)) >= _LONG and not is_plural and is_one_slip(word, other)
