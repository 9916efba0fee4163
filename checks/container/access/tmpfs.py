"""File systems in memory (`--tmpfs`) that a container's user may write."""

from collections.abc import Iterator

from checks.container.claims import compose_variables, is_broken
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.options.tmpfs_options import (
    denied_tmpfs,
    noexec_tmpfs,
    tmpfs_option,
)
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Finding
from diagnose.phrases import quoted
from diagnose.programs.exit_codes import CANNOT_EXECUTE


def tmpfs_of_root(
    containers: Containers, clock: Clock, log_tails: LogTails, numbers: UserNumbers | None
) -> Iterator[Finding]:
    """The findings about containers that are denied a tmpfs of their own: it belongs to root, and
    their user is another."""
    for container in containers:
        if container.config.starts_as_root or not is_broken(container, clock, log_tails):
            continue
        denied = denied_tmpfs(container, log_tails)
        if denied is None or _is_to_be_run(container, denied.folder):
            continue
        option = tmpfs_option(container, denied.folder, numbers)
        if "uid=" not in option:
            continue
        yield Finding.about(
            container,
            f"{container} needs {option}: the tmpfs at {denied.folder} belongs to root, "
            f"and its user is {container.config.user}",
            {
                LINE: quoted(denied.line),
                "HostConfig.Tmpfs": container.host_config.tmpfs,
                "Config.User": container.config.user,
            },
            signs=log_tails.of(container).signs,
            onset=container.failed_first,
            variables={
                "option": option,
                "image": container.config.image,
                **compose_variables(container),
            },
        )


def _is_to_be_run(container: Container, folder: str) -> bool:
    """Whether a shell tried to run a file in a tmpfs: that is refused whoever owns it."""
    is_noexec = bool(noexec_tmpfs(container, f"{folder}/"))
    return is_noexec and container.state.exit_code == CANNOT_EXECUTE
