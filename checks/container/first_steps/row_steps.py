"""What a known failure's row offers for one container: the variables of a page.

The row says what is to be changed (`diagnose/programs/failures/remedies.py`); here that is held
against the container. A row whose remedy has nothing to change there offers nothing.
"""

import functools
import posixpath
import re

import msgspec

from checks.container.first_steps.unlocked_database import unlocking_variables
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.containers.settings.changed_words import (
    commented_out,
    line_commented_out,
    line_with_text,
    preceded_by,
    with_entry,
    with_option,
    with_parameter,
    with_text,
    with_text_in_file,
    with_value,
    without_entries,
    without_option,
)
from diagnose.evidence.containers.settings.named_settings import named_setting
from diagnose.evidence.engine.info import Info
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import PageVariables
from diagnose.phrases import MIB
from diagnose.programs.failures import Recognised
from diagnose.programs.failures.remedies import (
    AddedUser,
    Assigned,
    AtServer,
    CommentedOut,
    Corrected,
    Dropped,
    Extended,
    Filtered,
    FreshContainer,
    Generated,
    Given,
    Heap,
    Inside,
    Job,
    NewVolume,
    NodeName,
    OfRunning,
    OwnFolder,
    Parameter,
    Preceded,
    Raised,
    Replaced,
    SetAside,
    Typed,
    TypedLike,
    TypedOption,
    Uncovered,
    UnixLineEnds,
    Unlocked,
    WholeFolder,
)
from diagnose.programs.telling_line import TellingLine

_SHARE = 0.75
"""The share of a container's memory that a heap gets: threads, code and buffers lie beside it."""
_MORE_PIDS = 4
"""How much a limit of processes is raised, as a multiple."""
_AMOUNT = LazyPattern(r"(?P<number>\d{1,15}(?:\.\d{1,9})?)\s{0,9}(?P<unit>[MG])", re.IGNORECASE)
_USER = LazyPattern(r"[a-z_][a-z0-9_-]{0,31}")
_SPARE = 1.25
"""How much more memory than a program asks for it is given, as a multiple."""
_OF_RUNNING = frozenset({"inside_change"})
_EITHER = "assignment"
"""A variable with another value: whether the program runs or not, its container is recreated."""

_BARE_ENTRYPOINTS = frozenset({"docker-php-entrypoint", "tini", "dumb-init", "--"})
"""The last words of entrypoints that run any command as it is."""


class _Case(msgspec.Struct, frozen=True):
    """A container, and the known failure that its log shows."""

    container: Container
    failure: Recognised
    containers: Containers | None
    host_memory: int

    def mount_at(self, *folders: str) -> Mount | None:
        """What is mounted at the first of these folders of the container that is a mount."""
        by_folder = {
            mount.destination.rstrip("/"): mount for mount in reversed(self.container.mounts)
        }
        return next((by_folder[folder] for folder in folders if folder in by_folder), None)


def row_steps(
    container: Container,
    failure: Recognised | None,
    containers: Containers | None,
    *,
    is_running: bool,
    info: Info | None = None,
) -> PageVariables:
    """The variables of the page that the row's own remedy fills; none without one.

    is_running: the program continues, so that its data is not touched from outside. info: of the
    host that has the memory.
    """
    remedy = failure.remedy if failure is not None else None
    if failure is None or remedy is None or isinstance(remedy, AtServer | OfRunning):
        return {}
    memory = info.mem_total if info is not None else 0
    steps = _steps(remedy, _Case(container, failure, containers, memory))
    return steps if is_running == bool(steps.keys() & _OF_RUNNING) or _EITHER in steps else {}


@functools.singledispatch
def _steps(remedy: object, _case: _Case) -> PageVariables:
    """By the kind of the remedy.

    Each kind is registered by its class, since reading 25 annotations takes 2 ms of each start.
    """
    raise TypeError(remedy)


@_steps.register(Dropped)
def _drop_option(remedy: Dropped, case: _Case) -> PageVariables:
    option = case.failure.filled(remedy.option)
    return without_option(case.container, option) or commented_out(case.container, option)


@_steps.register(CommentedOut)
def _comment_out(remedy: CommentedOut, case: _Case) -> PageVariables:
    setting = named_setting(case.container, TellingLine(case.failure.line))
    word = case.failure.filled(remedy.word)
    if setting is None or not setting.path or not word:
        return {}
    return line_commented_out(setting.path, setting.line, word)


@_steps.register(Corrected)
def _correct_text(remedy: Corrected, case: _Case) -> PageVariables:
    """A word such as `app` may be a host or a path in each other line."""
    line, word = case.failure.line, case.failure.filled(remedy.old)
    setting = named_setting(case.container, TellingLine(line))
    if not word or setting is None or setting.inside not in line:
        return {}
    if not (setting.path and setting.line):
        return {}
    return line_with_text(setting.path, setting.line, word, remedy.new)


@_steps.register(UnixLineEnds)
def _end_lines_as_unix(remedy: UnixLineEnds, case: _Case) -> PageVariables:
    named = case.failure.filled(remedy.script)
    script = named if named.startswith("/") else case.container.path
    place = named_path(case.container, script) if script.startswith("/") else None
    if place is None or place.inside != script or not place.mount.has_host_path:
        return {}
    return {"edit": r"s/\r$//", "edited": place.on_host[-1]}


@_steps.register(Given)
def _give_option(remedy: Given, case: _Case) -> PageVariables:
    return with_option(case.container, case.failure.filled(remedy.option))


@_steps.register(Preceded)
def _put_steps_first(remedy: Preceded, case: _Case) -> PageVariables:
    """Nothing where the image has an entrypoint of its own: it leaves its steps out for a shell."""
    own = (case.container.config.entrypoint or [])[-1:]
    if any(posixpath.basename(word) not in _BARE_ENTRYPOINTS for word in own):
        return {}
    return preceded_by(case.container, remedy.command)


@_steps.register(Replaced)
def _replace(remedy: Replaced, case: _Case) -> PageVariables:
    container, old = case.container, case.failure.filled(remedy.old)
    if not old:
        return {}
    return with_text(container, old, remedy.new) or with_text_in_file(container, old, remedy.new)


@_steps.register(Assigned)
def _assign_variable(remedy: Assigned, case: _Case) -> PageVariables:
    """Nothing where a neighbour has the value: its data is mounted here then."""
    own = [name for name in remedy.variables if case.container.config.sets(name)]
    value = case.failure.filled(remedy.value)
    beside = case.containers.beside(case.container) if case.containers is not None else []
    if not own or any(other.config.value_of(own[0]) == value for other in beside):
        return {}
    return with_value(case.container, own[0], value)


@_steps.register(Extended)
def _extend_list(remedy: Extended, case: _Case) -> PageVariables:
    return with_entry(case.container, remedy.variables, case.failure.filled(remedy.entry))


@_steps.register(Parameter)
def _parametrise(remedy: Parameter, case: _Case) -> PageVariables:
    return _with_warned_variable(with_parameter(case.container, remedy.scheme, remedy.parameter))


@_steps.register(Filtered)
def _filter(remedy: Filtered, case: _Case) -> PageVariables:
    return _with_warned_variable(
        without_entries(case.container, remedy.variable, remedy.begin, remedy.separator)
    )


def _with_warned_variable(steps: PageVariables) -> PageVariables:
    """A variable with a value that protects less, which its page has to say."""
    return {"unprotected": steps["assignment"]} if steps else {}


@_steps.register(Typed)
def _type_variable(remedy: Typed, case: _Case) -> PageVariables:
    """One that the log names counts if the container has it: elsewhere a file may set it."""
    variable = case.failure.filled(remedy.variable)
    is_named = variable != remedy.variable
    return {} if is_named and not case.container.config.sets(variable) else {"typed": variable}


@_steps.register(TypedLike)
def _type_variable_like(remedy: TypedLike, case: _Case) -> PageVariables:
    names = {name for name, _ in case.container.config.environment}
    alike = [name for name in sorted(names) if re.search(remedy.pattern, name)]
    return present({"typed": only(alike)})


@_steps.register(TypedOption)
def _type_option(remedy: TypedOption, _case: _Case) -> PageVariables:
    return {"typed_option": remedy.option}


@_steps.register(NodeName)
def _rename_node(remedy: NodeName, case: _Case) -> PageVariables:
    mount = case.mount_at(*remedy.folders)
    if mount is None or not mount.has_host_path:
        return {}
    own = case.container.config.hostname or case.container.id[:12]
    return {"nodes": f"{mount.source}/mnesia", "own_name": own}


@_steps.register(Generated)
def _generate_value(remedy: Generated, case: _Case) -> PageVariables:
    is_set = case.container.config.sets(remedy.variable)
    return {} if is_set else {"generated": remedy.variable}


@_steps.register(Heap)
def _enlarge_heap(remedy: Heap, case: _Case) -> PageVariables:
    """The variable with the heap of a runtime: a share of the memory limit, or of the host's."""
    container = case.container
    settings = (*container.config.words, *container.config.variable_values)
    if any(mark in text for mark in remedy.marks for text in settings):
        return {}
    limit = container.host_config.memory
    size = int(limit * _SHARE) // MIB or (_heap_of_host(case.host_memory) if remedy.of_host else 0)
    option = remedy.option.replace("{mib}", str(size))
    before = container.config.value_of(remedy.variable)
    value = f"{before} {option}" if before else option
    return with_value(container, remedy.variable, value) if size else {}


def _heap_of_host(memory: int) -> int:
    """MiB for a program of Node.js without a limit, 0 where the host's memory is not known.

    Twice what it gives itself (2 GiB, and 4 GiB on hosts from 15 GiB on), or what the host has.
    """
    return min(int(memory * _SHARE), max(4096 * MIB, memory // 2), 8192 * MIB) // MIB


@_steps.register(SetAside)
def _set_aside(remedy: SetAside, case: _Case) -> PageVariables:
    for folder in remedy.folders:
        mount = case.mount_at(folder)
        if mount is not None and mount.has_host_path:
            return {"aside": f"{mount.source}/{remedy.file}"}
    return {}


@_steps.register(Job)
def _run_job(remedy: Job, case: _Case) -> PageVariables:
    """A command in a container of its own, in the first of the folders that a mount covers."""
    config = case.container.config
    folders = [folder or config.working_dir for folder in remedy.folders]
    folder = next((folder for folder in folders if folder and _covers(case, folder)), "")
    if not folder:
        return {}
    return {
        "job_command": case.failure.filled_for_shell(remedy.command),
        "job_folder": folder,
        "job_image": remedy.image or config.image,
        "job_user": remedy.user or config.user or "0",
    }


def _covers(case: _Case, folder: str) -> bool:
    """Whether a folder lies in what is mounted and can be written."""
    return any(mount.rw and mount.holds(f"{folder}/") for mount in case.container.mounts)


@_steps.register(AddedUser)
def _add_user(remedy: AddedUser, case: _Case) -> PageVariables:
    """Nothing where the files of users cannot be changed in the container."""
    container = case.container
    is_fixed = container.host_config.readonly_rootfs or case.mount_at("/etc", "/etc/passwd")
    user = case.failure.filled(remedy.user)
    return {} if is_fixed or not _USER.fullmatch(user) else {"unknown_user": user}


@_steps.register(FreshContainer)
def _renew_container(_remedy: FreshContainer, case: _Case) -> PageVariables:
    """Nothing where what the first start left lies in a mount: a new container has it too."""
    left = case.failure.values.get("name", "")
    if any(mount.holds(left) or mount.destination == left for mount in case.container.mounts):
        return {}
    return {"fresh": case.container.name}


@_steps.register(NewVolume)
def _begin_anew(remedy: NewVolume, case: _Case) -> PageVariables:
    mount = case.mount_at(*remedy.folders)
    if mount is None:
        return {}
    at = mount.destination
    return {"emptied": at, "new_volume": f"{case.container.name}-new:{at}"}


@_steps.register(Uncovered)
def _uncover_folder(remedy: Uncovered, case: _Case) -> PageVariables:
    folders = (case.failure.filled(folder) for folder in remedy.folders)
    covered = (folder for folder in folders if case.mount_at(folder) is not None)
    return present({"covering": next(covered, "")})


@_steps.register(WholeFolder)
def _mount_whole_folder(remedy: WholeFolder, case: _Case) -> PageVariables:
    mount = case.mount_at(remedy.folder)
    last = posixpath.basename(remedy.folder)
    if mount is None or mount.type != "bind" or posixpath.basename(mount.source) != last:
        return {}
    if not case.failure.values.get("path", "").startswith(f"{remedy.folder}/"):
        return {}
    above, source = (path.rpartition("/")[0] for path in (mount.destination, mount.source))
    return {"unmounted": mount.destination, "mounted": f"{source}:{above}:ro"} if source else {}


@_steps.register(OwnFolder)
def _keep_own_folder(remedy: OwnFolder, case: _Case) -> PageVariables:
    """A module that the line names by a path is the application's own: no image keeps that."""
    folder = case.container.config.working_dir
    if case.failure.values.get("module", "/")[0] in "./" or case.mount_at(folder) is None:
        return {}
    own = f"{folder.rstrip('/')}/{remedy.name}"
    return {"added": f"--volume={own}"} if folder and case.mount_at(own) is None else {}


@_steps.register(Raised)
def _raise_limit(remedy: Raised, case: _Case) -> PageVariables:
    """A larger limit of processes, or of memory where the log says how much is needed."""
    config = case.container.host_config
    if remedy.limit == "pids":
        limit = config.pids_limit or 0
        return {"pids": str(limit * _MORE_PIDS)} if limit > 0 else {}
    amount = _AMOUNT.search(case.failure.filled(remedy.least))
    if amount is None or not config.memory:
        return {}
    factor = 1024 if amount["unit"] in "gG" else 1
    enough = int(float(amount["number"]) * factor * _SPARE)
    return {"memory": f"{enough}m"} if enough * MIB > config.memory else {}


@_steps.register(Unlocked)
def _unlock_database(remedy: Unlocked, case: _Case) -> PageVariables:
    return unlocking_variables(remedy.statement, case.container, case.failure, case.containers)


@_steps.register(Inside)
def _change_inside(remedy: Inside, case: _Case) -> PageVariables:
    """Nothing for a web server that passes on what the program behind it has printed."""
    if "FastCGI sent in stderr" in case.failure.line:
        return {}
    most = case.failure.values.get("most", "")
    more = max(2 * int(most), remedy.least) if most.isdigit() else remedy.least
    return {"inside_change": remedy.command.replace("{more}", str(more))}
