"""Options of a container, or of the engine, that keep a program from its work."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.options.tmpfs_options import noexec_tmpfs
from diagnose.evidence.containers.ulimits import ulimit
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.model import Json
from diagnose.phrases import duration, size

PARALLEL = 16
"""A program with so many busy threads uses its CPU time so many times faster than a clock."""
_PRIVILEGES = "no-new-privileges"
_FILE_SIZE = "fsize"
_CPU_TIME = "cpu"
NO_EXEC = "noexec"
_USER = "user"


class RestrictingOption(msgspec.Struct, frozen=True):
    """An option that is in force."""

    source: str
    """The place where the option was set."""
    value: Json
    undone: str
    """The option that takes it back."""
    what: str
    """The restriction of the container, as a predicate."""
    variable: str
    """The page's name of `undone`."""


def option_in_force(
    name: str, container: Container, path: str, config: DaemonConfig | None
) -> RestrictingOption | None:
    """The option of this name that restricts a container; None where it is not in force.

    path: what the program could not execute.
    """
    if name == _FILE_SIZE:
        return file_size_limit(container, config)
    if name == NO_EXEC:
        return _tmpfs_without_exec(container, path)
    if name == _USER:
        return _root_by_option(container)
    return _no_new_privileges(container, config)


def _root_by_option(container: Container) -> RestrictingOption | None:
    """The option that makes the program root; None for an image whose own user is root."""
    user = container.config.user
    if not user or not container.config.starts_as_root:
        return None
    effect = f"runs as user {user}, and its program refuses to run as root"
    return RestrictingOption("Config.User", user, _USER, effect, "given")


def _tmpfs_without_exec(container: Container, path: str) -> RestrictingOption | None:
    """The option that creates a file system in memory whose files may not be executed."""
    point = noexec_tmpfs(container, path)
    if not point:
        return None
    options = (container.host_config.tmpfs or {})[point]
    other_options = [option for option in options.split(",") if option and option != NO_EXEC]
    return RestrictingOption(
        f"HostConfig.Tmpfs {point}",
        options or "no options",
        f"--tmpfs={point}:{','.join([*other_options, 'exec'])}",
        f"cannot run code from {point}: that is a tmpfs, which Docker mounts noexec",
        "executable",
    )


def _no_new_privileges(
    container: Container, config: DaemonConfig | None
) -> RestrictingOption | None:
    """The option, of the container or of the engine, which the program cannot undo."""
    effect = (
        f"cannot become another user: it runs with {_PRIVILEGES}, and sudo, su and the like fail"
    )
    undone = f"--security-opt={_PRIVILEGES}=false"
    privilege_options = [
        opt for opt in container.host_config.security_opt or () if opt.startswith(_PRIVILEGES)
    ]
    if privilege_options and privilege_options[-1].endswith("false"):
        return None
    if privilege_options:
        return RestrictingOption(
            "HostConfig.SecurityOpt", privilege_options[-1], undone, effect, "privileges"
        )
    if config is not None and config.value(_PRIVILEGES) is True:
        return RestrictingOption(
            config.where(_PRIVILEGES), value=True, undone=undone, what=effect, variable="privileges"
        )
    return None


def cpu_time_limit(container: Container, config: DaemonConfig | None) -> RestrictingOption | None:
    """The ulimit that ends a program which has used so much CPU time since its start."""
    limit = ulimit(container, _CPU_TIME, config)
    if limit is None or limit.soft < 0 or _ended_before_limit(container, limit.soft):
        return None
    return RestrictingOption(
        limit.source,
        {_CPU_TIME: limit.soft},
        f"--ulimit={_CPU_TIME}=-1:-1",
        f"is ended after {duration(limit.soft)} of CPU time: its ulimit cpu ends programs that use "
        "more, however long that takes",
        "cpu_limit",
    )


def _ended_before_limit(container: Container, cpu_seconds: int) -> bool:
    """Whether a program cannot have used so much CPU time: something else has killed it."""
    return container.ran_for is not None and container.ran_for * PARALLEL < cpu_seconds


def file_size_limit(container: Container, config: DaemonConfig | None) -> RestrictingOption | None:
    """The ulimit that ends a program whose file becomes too large."""
    limit = ulimit(container, _FILE_SIZE, config)
    if limit is None or limit.soft < 0:
        return None
    return RestrictingOption(
        limit.source,
        {_FILE_SIZE: limit.soft},
        f"--ulimit={_FILE_SIZE}=-1:-1",
        f"cannot write a file larger than {size(limit.soft)}: its ulimit fsize stops programs that "
        "do",
        "limit",
    )
