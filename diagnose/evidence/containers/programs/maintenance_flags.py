"""Web applications that answer with 503 because they were put into maintenance."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.code_folders import code_folders
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers
from diagnose.evidence.network.proxies.pages.front_pages import FrontPages
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.programs.maintenance import MAINTENANCE_MODES, MaintenanceMode
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import PathStatus, ReadFile
from diagnose.registry import evidence

_UNAVAILABLE = 503
_SAYS_SO = LazyPattern(r"(?i)maint[ea]n|wartung|mantenim|manuten")
"""A page that mentions its maintenance."""
_COLOUR = LazyPattern(
    r"(?<![a-z0-9])(?:a|b|black|blue|canary|green|live|new|next|old|red|stable|standby)(?![a-z0-9])"
)
"""Words that distinguish two containers of which one serves the visitors."""
_MOST_BEHIND = 4
"""Containers behind a web server that are looked into."""
_BEHIND = frozenset({"php-fpm", "php", "apache2", "httpd", "puma", "ruby"})
"""Programs that run the code behind a web server that only passes requests on."""


class MaintenanceFlag(msgspec.Struct, frozen=True):
    """A flag, and the container whose program it concerns."""

    container: Container
    served_by: Container
    """The one that answers with 503: the same, or a web server before it."""
    mode: MaintenanceMode
    folder: str
    """The folder of the code in the container."""
    status: PathStatus
    """Of the file with the flag."""
    twin: Container | None = None
    """The other container of a blue and a green one, which runs without the flag."""

    @property
    def path(self) -> str:
        """The file with the flag, in the container."""
        return f"{self.folder}/{self.mode.flag}"


class MaintenanceFlags(Items[MaintenanceFlag], frozen=True):
    """The maintenance flags, at most one for each server that answers with 503."""


@evidence
def maintenance_flags(
    host: Host,
    all_failed_answers: AllFailedAnswers,
    front_pages: FrontPages | None,
    containers: Containers,
    processes: Processes,
) -> MaintenanceFlags:
    """The maintenance flags of servers that answer with 503, and of the programs behind them.

    A first page counts from the start on: the flag shows that the program does not just begin.
    """
    failed = [failed.container for failed in all_failed_answers if failed.status == _UNAVAILABLE]
    failed += [page.container for page in front_pages or () if page.status == _UNAVAILABLE]
    servers = {server.id: server for server in failed}
    saying_so = {
        page.container.id
        for page in front_pages or ()
        if page.status == _UNAVAILABLE and _SAYS_SO.search(page.reply.body)
    }
    flags: dict[tuple[str, str], MaintenanceFlag] = {}
    for server in servers.values():
        for container in (server, *_programs_behind(server, containers, processes)):
            flag = _flag(host, container, server, is_any=server.id in saying_so)
            if flag is not None:
                twin = _other_colour(host, container, containers, servers)
                flag = msgspec.structs.replace(flag, twin=twin)
                flags.setdefault((container.id, flag.path), flag)
                break
    return MaintenanceFlags(tuple(flags.values()))


def _programs_behind(
    server: Container, containers: Containers, processes: Processes
) -> list[Container]:
    """The programs that a web server passes requests on to, by their networks."""
    neighbours = [
        other
        for other in containers.running
        if other.id != server.id
        and set(other.shared_networks(server)) - {"bridge"}
        and _runs_programs(processes.names_inside(other.id))
    ]
    return neighbours[:_MOST_BEHIND]


def _runs_programs(names: Iterable[str]) -> bool:
    """Whether one of these processes runs a web program, with a version in its name or without."""
    return any(name.rstrip("0123456789.") in _BEHIND for name in names)


def _other_colour(
    host: Host, container: Container, containers: Containers, failed: Mapping[str, Container]
) -> Container | None:
    """The other colour of a container, which runs, answers otherwise, and has no flag."""
    own_name = container.name.lower()
    stem = _COLOUR.sub("", own_name)
    if stem == own_name:
        return None
    for other in containers.running:
        is_other = other.id != container.id and other.id not in failed
        if is_other and _COLOUR.sub("", other.name.lower()) == stem:
            return other if _flag(host, other, other, is_any=True) is None else None
    return None


def _flag(
    host: Host, container: Container, server: Container, *, is_any: bool
) -> MaintenanceFlag | None:
    """The first flag in the folders of the code; links are resolved within the container.

    is_any: whether a file without a program that reads it counts, for the page mentions it.
    """
    root = f"/proc/{container.state.pid}/root"
    modes = [mode for mode in MAINTENANCE_MODES if mode.mark or is_any]
    places = [(folder, mode) for folder in code_folders(container) for mode in modes]
    paths = {f"{root}{path}" for folder, mode in places for path in _paths(folder, mode)}
    statuses = path_statuses(host, sorted(paths), follow=False)
    for folder, mode in places:
        if not all(_is_file(statuses, f"{root}{path}") for path in _paths(folder, mode)):
            continue
        if mode.setting is None or _says_so(host, root, folder, mode):
            status = statuses[f"{root}{folder}/{mode.flag}"]
            return MaintenanceFlag(container, server, mode, folder, status)
    return None


def _paths(folder: str, mode: MaintenanceMode) -> Iterator[str]:
    """The files that must exist: the flag, and a file that identifies the program."""
    yield f"{folder}/{mode.flag}"
    if mode.mark:
        yield f"{folder}/{mode.mark}"


def _is_file(statuses: dict[str, PathStatus], path: str) -> bool:
    return path in statuses and statuses[path].type == "file"


def _says_so(host: Host, root: str, folder: str, mode: MaintenanceMode) -> bool:
    """Whether the file has the setting: of a file with passwords no other part is kept."""
    text = host.ask(ReadFile(f"{folder}/{mode.flag}", root=root, parts="maintenance"))
    if isinstance(text, Failed) or mode.setting is None:
        return False
    return mode.setting.search(text.text) is not None
