"""Programs of the host that the engine does not find although they are there, by its PATH."""

import posixpath
from collections.abc import Iterable, Mapping

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.programs.start_refusals import STOCK, TOOL
from diagnose.evidence.engine.daemon import Daemon
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import PathStatus
from diagnose.questions.processes import ProcessDetail
from diagnose.registry import evidence

FOLDERS = (
    "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin",
    "/usr/libexec/docker", "/opt/bin",
)  # fmt: skip
"""Folders of the programs that the engine calls, from packages or people."""
_SHIM = LazyPattern(r'binary not installed "(?P<name>[\w.-]+)"')
_BY_ENGINE = frozenset({"docker-init", "docker-proxy"})
"""Programs that dockerd itself looks for; containerd looks for a shim and a runtime, and the shim
inherits containerd's variables."""
_EXECUTABLE = 0o111


class UnfoundProgram(msgspec.Struct, frozen=True):
    """A program in a folder that the PATH of its caller leaves out."""

    name: str
    folder: str
    """The folder with the program."""
    caller: str
    pid: int
    search: str
    """The caller's PATH."""
    searched: str = ""
    """A folder of that PATH which exists; "" for none."""
    companion: str = ""
    """The runtime, where the shim that has to find it next does not find it either."""

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}"


class UnfoundPrograms(msgspec.Struct, frozen=True):
    """The unfound programs by name; empty where none is missing, or a missing one is nowhere."""

    by_name: Mapping[str, UnfoundProgram] = {}


@evidence
def unfound_programs(host: Host, containers: Containers, daemon: Daemon) -> UnfoundPrograms:
    """The programs that a refused start names as missing, with their folders on this host.

    The collector asks nothing where no start names one.
    """
    errors = (container.state.error for container in containers if container.start_failed)
    names = set(filter(None, map(missed_program, errors)))
    programs: dict[str, UnfoundProgram] = {}
    for name in sorted(names):
        program = _program(host, name, daemon)
        if program is not None:
            programs[name] = program
    return UnfoundPrograms(programs)


def missed_program(error: str) -> str:
    """The name of the host's program that an error misses; "" for none, or for an absolute path."""
    match = _SHIM.search(error) or TOOL.search(error)
    name = (match["name"] or "") if match else ""
    return "" if "/" in name else name


def _program(host: Host, name: str, daemon: Daemon) -> UnfoundProgram | None:
    """The folder of a missing program; None where its caller finds it, or in no known folder.

    A missing shim needs the runtime next, so the runtime is searched too.
    """
    processes = daemon.processes
    caller = processes.engine if name in _BY_ENGINE else processes.containerd
    if caller is None or caller.environ is None or not daemon.same_host:
        return None
    search = caller.variables.get("PATH", "")
    searched_folders = [
        folder.rstrip("/") for folder in search.split(":") if folder.startswith("/")
    ]
    own_folders = [_folder_of(process) for process in (processes.engine, processes.containerd)]
    known_folders = list(dict.fromkeys([*FOLDERS, *filter(None, own_folders)]))
    programs = (name,) if name in _BY_ENGINE else (name, STOCK)
    folders = dict.fromkeys([*known_folders, *searched_folders])
    paths = [f"{folder}/{program}" for folder in folders for program in programs]
    statuses = path_statuses(host, [*paths, *searched_folders])
    found_in = {
        program: _holding_folder(program, known_folders, searched_folders, statuses)
        for program in programs
    }
    if not found_in[name]:
        return None
    folder_of_runtime = found_in.get(STOCK, "") if name != STOCK else ""
    return UnfoundProgram(
        name,
        folder=found_in[name],
        caller=caller.comm,
        pid=caller.pid,
        search=search,
        searched=_first_folder(searched_folders, statuses),
        companion=f"{folder_of_runtime}/{STOCK}" if folder_of_runtime else "",
    )


def _holding_folder(
    name: str,
    places: Iterable[str],
    searched_folders: Iterable[str],
    statuses: Mapping[str, PathStatus],
) -> str:
    """The first folder that has the program; "" for none, or where the PATH finds it."""
    if any(_is_program(statuses.get(f"{folder}/{name}")) for folder in searched_folders):
        return ""
    holding = (place for place in places if _is_program(statuses.get(f"{place}/{name}")))
    return next(holding, "")


def _folder_of(process: ProcessDetail | None) -> str:
    """The folder of a process's own program: containerd looks for its shim there too."""
    return posixpath.dirname(process.exe or "") if process is not None else ""


def _is_program(status: PathStatus | None) -> bool:
    return status is not None and status.type == "file" and bool(status.mode & _EXECUTABLE)


def _first_folder(folders: Iterable[str], statuses: Mapping[str, PathStatus]) -> str:
    """The first of them that exists."""
    for folder in folders:
        status = statuses.get(folder)
        if status is not None and status.type == "folder":
            return folder
    return ""
