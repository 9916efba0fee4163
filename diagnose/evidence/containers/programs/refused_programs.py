"""Programs that could not be executed, with their first bytes, which show the reason.

The kernel refuses a program in runc's last step, or later, behind a wrapper: a shell, an entrypoint
script, an init such as tini or s6, a supervisor. Each writes the path and the reason in its own
words.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.file_capabilities import (
    demanded_capabilities,
    lacking_capabilities,
)
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.program_files import is_in_image, path_folders
from diagnose.evidence.containers.programs.shell_folders import from_root, path_for_shell
from diagnose.evidence.items import ByContainer
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence

_WHY = (
    "exec format error|no such file or directory|permission denied|operation "
    "not permitted|resource temporarily unavailable"
)
REFUSED = LazyPattern(
    rf"^exec (?P<path>/.+): (?P<why>{_WHY})$"
    rf"|exec user process caused[: \"]+(?P<legacy>{_WHY})"
    r"|^\[(?:FATAL tini \(\d+\)\] exec (?P<tini>.+) failed"
    rf"|dumb-init\] (?P<dumb>.+)): (?P<reason>{_WHY})$",
    re.IGNORECASE,
)
"""The line of runc in the container's log in its last step before the program (the second form
until runc 1.0.0-rc92), and the line of an init between the two: tini (`--init`), dumb-init."""
_BY_ENV = LazyPattern(
    r"^(?:/usr)?(?:/bin/)?env: (?:can't execute )?['\"‘]?"
    r"(?P<name>[^'\"’:]+)['\"’]?: No such file or directory$"
)
"""Errors of /usr/bin/env, of busybox and of coreutils, about the interpreter that a `#!` line
names."""
_SIGNS = ("exec", "dumb-init", "env: ")
"""Of the two, in small letters."""
_REASON = (
    r"(?:not found|no such file or directory|permission denied|exec format error"
    r"|cannot execute(?: binary file)?(?:: [a-z ]+)?"
    r"|required file not found)"
)
_BY_SHELL = LazyPattern(
    r"^(?:\S{0,200}?(?:sh|init|entrypoint|run|start)\S{0,200}: )?(?:exec: )?(?:line \d+: "
    r"|\d+: )?(?:exec: )?(?:line \d+: )?"
    rf"(?P<path>\.{{0,2}}/[^\s:'\"]+): (?:(?P<interpreter>\S+): bad interpreter: )?(?P<why>{_REASON})$",
    re.IGNORECASE,
)
"""dash: `sh: 1: /app/run: not found`; bash: `/start.sh: line 4: /app/run: Permission denied`,
`/app/run: /bin/python: bad interpreter: No such file or directory`, `/app/run: cannot execute:
required file not found` (5.2); busybox: `sh: /app/run: not found`."""
_BY_SUPERVISOR = LazyPattern(
    rf"(?:unable to exec|unable to spawn) (?P<s6>/[^\s:]+): (?P<s6_why>{_REASON})$"
    r"|spawnerr: can't find command '(?P<missing>/[^']+)'"
    r"|spawnerr: command at '(?P<closed>/[^']+)' is not executable"
    rf"|(?:exec|error): \"?(?P<gosu>/[^\s\":]+)\"?: (?:stat \S+: )?(?P<gosu_why>{_REASON})$",
    re.IGNORECASE,
)
"""s6 and execline; supervisord; gosu and su-exec."""
_BY_LOADER = LazyPattern(
    r"error while loading shared libraries: (?P<library>/[^\s:]{1,300}): "
    r"(?:file too short|invalid ELF header|cannot read file data)"
)
"""glibc's loader, of a library that is there and has not what it needs."""
_NOT_PERMITTED = LazyPattern(
    r"""
    ^(?:
          error:\ exec\ failed
        | su-exec:\ (?P<by_su_exec>[^\s:]{1,200})
        | setpriv:\ failed\ to\ execute\ (?P<by_setpriv>[^\s:]{1,200})
        | \S{1,200}:\ (?:exec:\ )?(?:line\ )?\d{1,5}:\ (?:exec:\ )?(?P<by_shell>[^\s:]{1,200})
      ):\ operation\ not\ permitted$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""gosu, which does not say which program; su-exec, setpriv, and the shells of start scripts."""
NO_FORMAT = "exec format error"
SHELL_CODES = (126, 127)
"""Exit codes of a shell for a command that cannot be executed, or is missing."""
_DENIED = LazyPattern(r"permission denied", re.IGNORECASE)

LINKS = 3
LOOPING = 3
"""A container that was restarted so often is taken to be in a loop while it runs."""
REFUSED_CODES = (1, 255)
"""Exit codes of runc, by its version, when the kernel refuses the program in its last step."""
REFUSED_WITHIN_S = 5.0
_HEAD_BYTES = 4096
"""Go writes the name of the loader at the end of the first page."""
_MUSL = "/lib/ld-musl-{machine}.so.1"
_MUSL_NAMES = {"amd64": "x86_64", "arm64": "aarch64", "386": "i386"}
MOST_NAMES = 4
"""Words of a command that are looked for as programs."""
_PLAIN = LazyPattern(r"[A-Za-z][\w.-]{1,60}")


class Programs(ByContainer[Program], frozen=True):
    """The refused programs that logs name, by container id."""

    unexamined: tuple[Unexamined, ...] = ()
    """The containers that ended as if a program had been refused, and whose log cannot be read."""


@evidence
def programs(host: Host, containers: Containers, log_tails: LogTails) -> Programs:
    """The log names the program.

    The file is read from the container's own file system through the engine, links followed
    there.
    """
    by_id = {}
    mute = []
    for container in containers:
        if container.id in log_tails.unread and _ended_as_if_refused(container):
            mute.append(Unexamined(container.subject, f"its log: {log_tails.unread[container.id]}"))
        tail = log_tails.of(container)
        program = (
            _refused_program(host, container, tail.last)
            or _program_behind_wrapper(host, container, tail.lines)
            or _not_permitted(host, container, tail.lines)
            or _empty_library(host, container, tail.lines)
        )
        if program is not None:
            by_id[container.id] = _with_origin(host, container, program)
    return Programs(by_id, tuple(mute))


def _with_origin(host: Host, container: Container, program: Program) -> Program:
    """The program with its origin: the container's writable layer, or the image's, for an empty
    file. Of a missing one, whether the image has it below the mount that hides it.

    An empty file in a mount is neither.
    """
    if program.missing:
        return msgspec.structs.replace(
            program, is_of_image=is_in_image(host, container, program.path)
        )
    data = (container.graph_driver.data if container.graph_driver else None) or {}
    upper = data.get("UpperDir")
    if not program.is_empty or not program.file or not upper:
        return program
    if innermost_mount(container.mounts, program.file) is not None:
        return program
    statuses = host.ask(StatPaths([f"{upper}{program.file}"]))
    if isinstance(statuses, Failed):
        return program
    failures = {status.failed for status in statuses.values()}
    if failures <= {"", "missing"}:
        return msgspec.structs.replace(program, is_of_image=failures == {"missing"})
    return program


def _ended_as_if_refused(container: Container) -> bool:
    if container.is_running or container.state.exit_code not in REFUSED_CODES:
        return False
    return (container.ran_for or 0.0) < REFUSED_WITHIN_S


def _refused_program(host: Host, container: Container, last: str) -> Program | None:
    """The refused program that the last line of runc, an init or `env` names; or None."""
    low = last.lower()
    if not any(sign in low for sign in _SIGNS):
        return None
    if match := REFUSED.search(last):
        path = from_root(container, _first_group(match, "path", "tini", "dumb") or container.path)
        why = _first_group(match, "why", "legacy", "reason").lower()
        return _read_program(host, container.id, path, why, last)
    if (match := _BY_ENV.search(last)) and container.state.exit_code == 127:
        name = match["name"].replace("\\r", "\r")
        return Program(
            container.path, "no such file or directory", last, interpreter=name, is_read=True
        )
    return None


def _program_behind_wrapper(
    host: Host, container: Container, lines: tuple[str, ...]
) -> Program | None:
    """The refused program that the last line of a shell or a supervisor names; or None."""
    for line in reversed(lines):
        program = _program_refused_to_shell(
            host, container, line
        ) or _program_refused_to_supervisor(host, container, line)
        if program is not None:
            return program
    return None


def _empty_library(host: Host, container: Container, lines: tuple[str, ...]) -> Program | None:
    """The library without content that the loader names; None for one that has some."""
    refused = next(filter(None, map(_BY_LOADER.search, reversed(lines))), None)
    if refused is None or container.state.exit_code == 0:
        return None
    library = _read_program(
        host, container.id, refused["library"], NO_FORMAT, refused.string, behind="the loader"
    )
    return library if library.is_empty else None


def _not_permitted(host: Host, container: Container, lines: tuple[str, ...]) -> Program | None:
    """The program that a start script may not execute, by the capabilities that its file demands.

    Where the line does not name it, it is one of the command, or is called as the image is.
    """
    refused = next(filter(None, map(_NOT_PERMITTED.search, reversed(lines))), None)
    if refused is None or (container.is_running and container.restart_count < LOOPING):
        return None
    program_name = refused["by_su_exec"] or refused["by_setpriv"] or refused["by_shell"]
    name_of_image = posixpath.basename(container.config.image).partition(":")[0]
    names = [program_name] if program_name else [*container.config.words, name_of_image]
    for place in _places(container, names):
        program = _read_program(
            host, container.id, place, "operation not permitted", refused.string
        )
        if lacking_capabilities(program.capabilities or (), container.host_config):
            return msgspec.structs.replace(program, behind="a start script")
    return None


def _places(container: Container, names: Sequence[str]) -> Iterator[str]:
    """Possible paths of programs with these names."""
    for name in names[:MOST_NAMES]:
        if "/" in name:
            yield from_root(container, name)
        elif _PLAIN.fullmatch(name):
            yield from (f"{folder}/{name}" for folder in path_folders(container))


def _program_refused_to_shell(host: Host, container: Container, line: str) -> Program | None:
    """The program that a shell reports as not executable; or None.

    The shell ended with 126 or 127 then; a script that continues after `Permission denied` ends
    with a code of its own.
    """
    shell = _BY_SHELL.search(line)
    if shell is None:
        return None
    # between two runs of a loop the last exit code is not known
    is_looping = container.is_running and container.restart_count >= LOOPING
    is_last = is_looping or container.state.exit_code in SHELL_CODES
    if not is_last and not _DENIED.search(shell["why"]):
        return None
    path = path_for_shell(host, container, line, shell["path"])
    program = _read_program(host, container.id, path, _reason(shell["why"]), line, behind="a shell")
    return msgspec.structs.replace(program, is_aside=not is_last)


def _program_refused_to_supervisor(host: Host, container: Container, line: str) -> Program | None:
    """The program that a supervisor could not execute, whatever the supervisor's own exit code."""
    match = _BY_SUPERVISOR.search(line)
    if match is None:
        return None
    if match["missing"]:
        why = "not found"
    elif match["closed"]:
        why = "permission denied"
    else:
        why = match["s6_why"] or match["gosu_why"]
    path = _first_group(match, "s6", "missing", "closed", "gosu")
    return _read_program(host, container.id, path, _reason(why), line, behind="a supervisor")


def _first_group(match: re.Match[str], *names: str) -> str:
    """The text of the first of these groups that matched; or ""."""
    return next((match[name] for name in names if match[name]), "")


def _reason(text: str) -> str:
    """The kernel's reason behind the words of a shell."""
    lowered = text.lower()
    if "format error" in lowered:
        return NO_FORMAT
    if "found" in lowered or "no such file" in lowered:
        return "no such file or directory"
    return "permission denied"


def _read_program(host: Host, id: str, path: str, why: str, line: str, behind: str = "") -> Program:
    """The program at a path in a container, links followed."""
    program = Program(path, why, line, behind=behind)
    if not path.startswith("/"):
        return msgspec.structs.replace(program, missing=why == "no such file or directory")
    at = path
    for _ in range(LINKS):
        file = host.ask(ReadContainerFile(id, at, bytes=_HEAD_BYTES))
        if isinstance(file, Failed):
            return msgspec.structs.replace(program, missing=file.reason == "gone")
        program = msgspec.structs.replace(
            program,
            mode=file.mode,
            is_folder=file.type == "directory",
            capabilities=demanded_capabilities(file.capabilities or ""),
        )
        if file.link_target:
            target = file.link_target
            at = target if target.startswith("/") else f"{at.rpartition('/')[0]}/{target}"
        elif file.data is not None:
            program = msgspec.structs.replace(program, file=at)
            return _with_other_libc(host, id, program.with_head(file.data))
        else:
            break
    return program


def _with_other_libc(host: Host, id: str, program: Program) -> Program:
    """The loader of musl, where a program misses another one."""
    name = _MUSL_NAMES.get(program.machine, "")
    lacks_other_loader = bool(program.loader) and "musl" not in program.loader
    if not name or not lacks_other_loader or "no such" not in program.why:
        return program
    path = _MUSL.format(machine=name)
    file = host.ask(ReadContainerFile(id, path, bytes=4))
    if isinstance(file, Failed):
        return program
    return msgspec.structs.replace(program, other_libc=path)
