"""container.mount-unwritable: a running container's user cannot use what is mounted into it."""

from checks.container.access.whole_folders import is_alone, is_of_person
from checks.container.claims import is_failing
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.closed_entries import ClosedEntries, ClosedEntry
from diagnose.evidence.containers.mounts.access.closed_ways import ClosedWays
from diagnose.evidence.containers.mounts.access.folder_owners import FolderOwners
from diagnose.evidence.containers.mounts.access.mount_access import DeniedMount, MountAccess
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check

_OWNERS = 0o700
"""The mode bits by which the owner reads, writes and enters a folder."""


@check(
    "container.mount-unwritable",
    severity=Severity.advice,
    causes=["container.errors-in-log"],
    aloud=("cannot read what is mounted into it", "cannot read what is mounted into them"),
)
def mount_unwritable(
    mount_access: MountAccess,
    log_tails: LogTails | None,
    repeated_errors: RepeatedErrors | None,
    closed_entries: ClosedEntries | None,
    closed_ways: ClosedWays | None,
    folder_owners: FolderOwners | None,
    containers: Containers | None,
    clock: Clock,
) -> CheckResult:
    """A running container's user cannot use what is mounted into it.

    Owner and mode of the mounted folder do not let the container's user write, although it is
    mounted read-write: the first write will fail.

    It is advice while the container works, because it may only read there, and a warning while it
    is unhealthy, or was just restarted and its log says nothing, or while it repeats that it is
    denied a path there. A path that the user cannot even read is advice that the report shows. The
    same holds for a folder that a program may not enter which begins as root and becomes the user
    of PUID. A socket that the user cannot open is a warning: its mount has no other use. A file or
    folder is a warning too that another container has put into a folder of both, with a mode that
    keeps the user out.

    A refusal that the log already shows is container.mount-forbidden. Access lists and NFS's
    root_squash are not seen.
    """
    for denied in mount_access.denied:
        container = denied.container
        mount = denied.mount
        verb = _verb(denied)
        owner = f"{denied.source.uid}:{denied.source.gid}"
        mode = denied.source.permissions
        access = "read-write" if mount.rw else "read-only"
        refusal = _repeated_refusal(denied, repeated_errors)
        if any(closed_way.container.id == container.id for closed_way in closed_ways or ()):
            refusal = ""  # it is about a folder below the mount
        yield Finding.about(
            container,
            f"{container} cannot {verb} {mount.destination}: its user is "
            f"{denied.user.label}, and {mount.source} belongs to {owner} with mode {mode}",
            {
                "mount": f"{mount} ({access})",
                f"owner and mode of {mount.source}": f"{owner} {mode}",
                "Config.User": container.config.user,
                "HostConfig.GroupAdd": container.host_config.group_add or "none",
                **present({"log": refusal, "its owner": _owner(denied)}),
            },
            discriminator=mount.destination,
            severity=Severity.warning if refusal else _severity(denied, log_tails, clock),
            signs=frozenset({"permission"}),
            is_quiet=not (denied.is_unread or refusal),
            variables={**_variables(denied), **_folder_to_give(denied, folder_owners, containers)},
        )
    for closed in closed_entries or ():
        yield _closed_entry_finding(closed)


def _closed_entry_finding(closed: ClosedEntry) -> Finding:
    container = closed.container
    writer = closed.writer
    status = closed.status
    more = f" (and {closed.others} more there)" if closed.others else ""
    path = f"{closed.mount.source}/{closed.name}"
    return Finding.about(
        container,
        f"{container} cannot read {closed.path_inside}{more}, which {writer} has put there: its user is "
        f"{closed.user.label}, and the {status.type} belongs to {status.owner} with mode "
        f"{status.permissions}",
        {
            f"owner and mode of {path}": f"{status.owner} {status.permissions}",
            "mounted in both": closed.mount.source,
        },
        discriminator=closed.path_inside,
        variables={"shared": closed.mount.source},
    )


def _owner(denied: DeniedMount) -> str:
    """The clause about another container that has most likely given the folder to its own user;
    "" for none."""
    taken_by = denied.taken_by
    if taken_by is None:
        return ""
    return f"{taken_by} runs as user {denied.source.uid}, and has it mounted too"


def _verb(denied: DeniedMount) -> str:
    """The operation that the user of the denied mount cannot do, as a verb before its path."""
    if denied.is_socket:
        return "open the socket"
    return "read" if denied.is_unread else "write to"


def _repeated_refusal(denied: DeniedMount, errors: RepeatedErrors | None) -> str:
    """The line that the program repeats about a path below the mount that it may not use."""
    for error in errors or ():
        path = error.failure.values.get("path", "") if error.failure is not None else ""
        is_own = error.container.id == denied.container.id and denied.mount.holds(f"{path}/")
        if path and is_own and "permission" in signs(error.line.whole):
            return error.line.text
    return ""


def _severity(denied: DeniedMount, log_tails: LogTails | None, clock: Clock) -> Severity:
    """The severity of a mount without write access.

    A program that was restarted and prints why it ends would print a forbidden write too.
    """
    if denied.is_socket:
        return Severity.warning
    container = denied.container
    says_nothing = log_tails is not None and not log_tails.of(container).lines
    was_restarted = container.restart_count > 0 and is_failing(container, clock)
    is_loud = container.is_unhealthy or (was_restarted and says_nothing)
    return Severity.warning if is_loud else Severity.advice


def _folder_to_give(
    denied: DeniedMount, owners: FolderOwners | None, containers: Containers | None
) -> PageVariables:
    """The page variable of a folder that may be given to the user with everything in it."""
    source = denied.source
    if owners is None or containers is None or source.type != "folder":
        return {}
    if is_of_person(denied.mount.source):
        return {}
    is_of_one = owners.are_all(denied.mount.source, source) and source.mode & _OWNERS == _OWNERS
    is_own = is_of_one and is_alone(denied.container, denied.mount.source, containers)
    return {"whole": denied.mount.source} if is_own else {}


def _variables(denied: DeniedMount) -> PageVariables:
    """The page variables: another owner for a file or folder, and the group of a socket for the
    container."""
    if denied.is_socket:
        return {"group": str(denied.source.gid), "socket": denied.mount.source}
    if denied.is_unread:
        return {"closed": denied.mount.source, "owner": denied.user.owner}
    return {"source": denied.mount.source, "owner": denied.user.owner}
