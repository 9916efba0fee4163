"""Programs of Python that print, and whose container has an empty log.

Python keeps output to a pipe until 8 KiB are full or it ends; on a terminal it writes each line.
The process itself shows how it was started, and its script what it prints.
"""

import posixpath
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.files import LogFiles
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.processes import InspectProcess, ProcessDetail
from diagnose.registry import evidence

UNBUFFERED = "PYTHONUNBUFFERED"
SETTLED_S = 60.0
"""A program that runs for less may have nothing to print yet."""
MOST = 8
"""Containers whose program is looked at."""
BYTES = 64 * 1024
"""Of a script."""
_PYTHON = LazyPattern(r"python[\d.]*")
_OPTIONS = LazyPattern(r"-[bBdEhiIOPqRsSvx]+")
"""Options of Python that take no word, without `-u`, which has it write at once."""
_PRINTS = LazyPattern(r"(?m)^print\((?![^\n]*\bfile ?=)[^#\n]*\)[ \t]*(?:#.*)?$")
"""A print to the output, on the outermost level."""
_MAY_LAST = LazyPattern(r"(?m)^(?:(?:async|for|if|try|while|with)\b|(?!print\b)[A-Za-z_][\w.]*\()")
"""A statement of that level that may run for hours: the lines below it run later."""
_TEXT = LazyPattern(r"(?s)\"\"\".*?\"\"\"|'''.*?'''")
"""A text of several lines, in which nothing runs."""
_WRITES_AT_ONCE = LazyPattern(r"flush|reconfigure\(|\blogging\b")


class HeldOutput(msgspec.Struct, frozen=True):
    """A container whose program prints into a buffer of its own."""

    container: Container
    command: str
    """The command line of the process."""
    script: str
    """The path of the script in the container."""
    line: str
    """A line of it that prints."""


class HeldOutputs(Items[HeldOutput], frozen=True):
    """The held outputs, at most one for each container."""


@evidence
def held_outputs(
    host: Host, containers: Containers, log_files: LogFiles, processes: Processes, clock: Clock
) -> HeldOutputs:
    """The running programs whose output is held in a buffer.

    A process and a script are read only of a container with an empty log.
    """
    silent: list[_SilentProgram] = []
    for container in containers.running:
        process = _first_of_python(processes.inside(container.id))
        if process is not None and _is_silent(container, log_files, clock):
            silent.append(_SilentProgram(container, process.pid))
    programs = host.first(silent, MOST, "programs of Python that print nothing")
    details = host.ask_about(programs, lambda program: InspectProcess(program.pid))
    scripts: list[_Script] = []
    for program, detail in details:
        if not isinstance(detail, ProcessDetail):
            continue
        path = _script(program.container, detail)
        if path:
            scripts.append(_Script(program.container, " ".join(detail.cmdline), path))
    outputs = []
    for script, answer in host.ask_about(scripts, lambda script: script.question):
        line = "" if isinstance(answer, Failed) else _print_in(answer.text)
        if line:
            outputs.append(HeldOutput(script.container, script.command, script.path, line))
    return HeldOutputs(tuple(outputs))


class _SilentProgram(msgspec.Struct, frozen=True):
    """A program of Python whose container has an empty log."""

    container: Container
    pid: int


class _Script(msgspec.Struct, frozen=True):
    """The script that such a program runs."""

    container: Container
    command: str
    path: str

    @property
    def question(self) -> ReadContainerFile:
        return ReadContainerFile(self.container.id, self.path, bytes=BYTES)


def _is_silent(container: Container, log_files: LogFiles, clock: Clock) -> bool:
    """Whether a container without a terminal has printed nothing for a while."""
    log = log_files.of(container)
    if container.config.tty or log is None or log.failed:
        return False
    is_empty = not (log.bytes or log.on_disk or log.missing)
    return is_empty and clock.has_passed(container.started_at, SETTLED_S)


def _first_of_python(processes: Sequence[Process]) -> Process | None:
    """The interpreter that began first."""
    python_processes = [process for process in processes if _PYTHON.fullmatch(process.comm)]
    return min(python_processes, key=lambda process: process.start, default=None)


def _script(container: Container, detail: ProcessDetail) -> str:
    """The script that the container runs with buffered output; "" for none, or direct output."""
    if detail.environ is None or detail.variables.get(UNBUFFERED):
        return ""
    words = iter(detail.cmdline[1:])
    word = next((word for word in words if not _OPTIONS.fullmatch(word)), "")
    path = posixpath.join(container.config.working_dir or "/", word)
    return posixpath.normpath(path) if word.endswith(".py") else ""


def _print_in(text: str) -> str:
    """A line of a script that prints at once; "" where the program may flush its output."""
    script = _TEXT.sub('""', text)
    lasting = _MAY_LAST.search(script)
    match = _PRINTS.search(script[: lasting.start()] if lasting is not None else script)
    return match[0].strip() if match is not None and not _WRITES_AT_ONCE.search(script) else ""
