"""container.file-mode-refused: a program refuses a mounted file because of its owner or mode."""

import posixpath

from checks.container.access.mount_filesystem import (
    mount_options,
    mount_without_owners,
    ownerless_clause,
)
from checks.container.claims import is_failing
from diagnose.evidence.containers.mounts.access.refused_files import (
    CHECK,
    RefusedFile,
    RefusedFiles,
)
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import sentence
from diagnose.registry import check

_COOKIE = ".erlang.cookie"
_DATA = "mnesia"
"""RabbitMQ's secret file, and its data beside that."""


@check(CHECK, severity=Severity.critical)
def file_mode_refused(
    clock: Clock, refused_files: RefusedFiles, mounts: Mounts | None
) -> CheckResult:
    """A program refuses a mounted file because of its owner or mode.

    PostgreSQL wants its data directory for itself (0700), Traefik its acme.json, MongoDB and SSH
    their keys, Beats their configuration. The log of a failed container names the file, and its
    owner or mode on the host is still the refused one. Traefik continues without its certificates,
    and cron without the jobs of a crontab that is not root's: for a running container such a file
    is a warning. On a file system where all files have the owner and the mode of the mount (CIFS,
    exFAT, rclone) neither can be changed, and the mount is at fault. The rules are those of the
    programs; see the table of failures for their sources.
    """
    for refused in refused_files:
        if refused.line and not is_failing(refused.container, clock):
            continue
        yield _finding(refused, mount_without_owners(refused.path, mounts))


def _finding(refused: RefusedFile, ownerless: Mounted | None) -> Finding:
    """The finding about a file whose mode the program refuses.

    ownerless: the mount of the file, if all files there have one owner and mode.
    """
    container = refused.container
    source = refused.source
    has = f"{source.owner}, mode {source.permissions}"
    if refused.is_folder_for_a_file:
        reason = f"{refused.path} is a folder, but the program needs a file there"
        variables = {"folder": refused.path_inside}
    elif refused.mode:
        reason = (
            f"others may use {refused.path}, "
            f"which has mode {source.mode & 0o777:o} and may have {refused.mode:o} at most"
        )
        variables = {"source": refused.path, "mode": f"{source.mode & 0o7777 & refused.mode:o}"}
    else:
        reason = (
            f"{refused.path} belongs to user {source.uid}, "
            f"but the program runs as user {refused.owner.partition(':')[0]}"
        )
        variables = {"source": refused.path, "owner": refused.owner}
    if ownerless is not None:
        variables = {"unfit": ownerless.point, **_cookie_beside_mount(refused)}
    return Finding.about(
        container,
        sentence(
            f"{container} refuses {refused.path_inside}: {reason}", ownerless_clause(ownerless)
        ),
        {
            **present({LINE: refused.line}),
            f"owner and mode of {refused.path}": has,
            **mount_options(ownerless),
        },
        discriminator=refused.path_inside,
        severity=Severity.critical if refused.line else Severity.warning,
        onset=container.failed_first if refused.line else None,
        variables=variables,
    )


def _cookie_beside_mount(refused: RefusedFile) -> PageVariables:
    """Page variables that keep only RabbitMQ's data on the mount, and not its cookie."""
    folder, name = posixpath.split(refused.path_inside)
    on_host = posixpath.dirname(refused.path)
    is_mounted = any(mount.destination == folder for mount in refused.container.mounts)
    if name != _COOKIE or not is_mounted:
        return {}
    return {"covering": folder, "narrowed": f"{on_host}/{_DATA}:{folder}/{_DATA}"}
