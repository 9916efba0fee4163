"""Interpreters that an image has elsewhere than the `#!` line of its program says.

The images of Python, Node.js and PHP have theirs in /usr/local/bin; an init such as dumb-init names
the real interpreter behind it.
"""

import posixpath
import shlex
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.program_files import path_folders, programs_at
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.containers.secrets import MARK
from diagnose.evidence.items import ByContainer
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.registry import evidence

_HEAD_BYTES = 4096
_INITS = frozenset({"catatonit", "docker-init", "dumb-init", "tini"})
"""Programs that run another one, and only reap its children and pass signals on."""
_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
_ALIKE = {"bash": "sh", "python": "python3", "nodejs": "node"}
"""Other interpreters that may run the same script."""


class OtherInterpreter(msgspec.Struct, frozen=True):
    """Another interpreter that the image has."""

    path: str
    words: str
    """The script and its arguments, for a shell."""
    is_behind_init: bool
    """Whether the `#!` line names an init before it."""


class OtherInterpreters(ByContainer[OtherInterpreter], frozen=True):
    """The interpreter that may run a container's own program."""


@evidence
def other_interpreters(host: Host, containers: Containers, programs: Programs) -> OtherInterpreters:
    """The other interpreters in images of containers whose own program lacks its interpreter."""
    interpreters = {}
    for container in containers:
        program = programs.of(container)
        if program is None or not _lacks_interpreter(container, program):
            continue
        interpreter = _other_interpreter(host, container, program)
        if interpreter is not None:
            interpreters[container.id] = interpreter
    return OtherInterpreters(interpreters)


def _lacks_interpreter(container: Container, program: Program) -> bool:
    """Whether the container's first word is a script whose interpreter is missing."""
    words = container.command
    is_own = bool(words) and not program.behind and program.path == words[0]
    is_plain = not program.has_carriage_return and not any(MARK in word for word in words)
    lacks_interpreter = program.interpreter.startswith("/") and not program.missing
    return is_own and is_plain and lacks_interpreter


def _other_interpreter(
    host: Host, container: Container, program: Program
) -> OtherInterpreter | None:
    """Another interpreter of the image that can replace the missing one."""
    words = shlex.join(container.command)
    name = posixpath.basename(program.interpreter)
    behind = _interpreter_behind_init(host, container, program) if name in _INITS else ""
    if behind:
        there = programs_at(host, container, [behind])
        return OtherInterpreter(there[0], words, is_behind_init=True) if there else None
    for interpreter in filter(None, (name, _ALIKE.get(name, ""))):
        there = programs_at(host, container, _places(container, interpreter))
        if there and name not in _INITS:
            return OtherInterpreter(there[0], words, is_behind_init=False)
    return None


def _interpreter_behind_init(host: Host, container: Container, program: Program) -> str:
    """The interpreter behind an init in the `#!` line."""
    file = host.ask(ReadContainerFile(container.id, program.path, bytes=_HEAD_BYTES))
    if isinstance(file, Failed):
        return ""
    first = file.text.partition("\n")[0]
    words = first.removeprefix("#!").split()[1:]
    return words[0] if words and words[0].startswith("/") else ""


def _places(container: Container, name: str) -> Iterator[str]:
    for folder in dict.fromkeys((*path_folders(container), *_FOLDERS)):
        yield f"{folder}/{name}"
