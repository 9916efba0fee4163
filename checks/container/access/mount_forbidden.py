"""container.mount-forbidden: a container's user may not open what is mounted into it."""

from collections.abc import Collection, Iterator

from checks.container.access.dropped_user import dropped_user, refused_database
from checks.container.access.mount_filesystem import (
    change_of_owner,
    mount_options,
    mount_without_owners,
    ownerless_clause,
    unfit_filesystem,
)
from checks.container.access.selinux_labels import selinux_finding, unlabelled_finding
from checks.container.access.whole_folders import AccessRules, whole_steps
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.dropped_users import DroppedUsers
from diagnose.evidence.containers.mounts.access.file_access import (
    Denied,
    Undecided,
    access,
    host_user,
)
from diagnose.evidence.containers.mounts.access.locked_paths import LockedPath, LockedPaths
from diagnose.evidence.containers.mounts.access.paths_of_host import is_of_host
from diagnose.evidence.containers.mounts.access.refused_databases import RefusedDatabases
from diagnose.evidence.containers.mounts.access.refused_writes import READ_ONLY, RefusedWrites
from diagnose.evidence.containers.mounts.access.selinux_denials import SelinuxDenials, is_unlabelled
from diagnose.evidence.containers.mounts.access.unusable_files import UnusableFiles
from diagnose.evidence.containers.mounts.bind_mounts import NamedPath, refused_path
from diagnose.evidence.containers.programs.refused_programs import REFUSED
from diagnose.evidence.engine.info import Info
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.mappings import present
from diagnose.model import (
    CheckItem,
    CheckResult,
    EvidenceGroup,
    Finding,
    PageVariables,
    Severity,
    Unexamined,
)
from diagnose.phrases import sentence
from diagnose.registry import check


class OtherRefusals(EvidenceGroup, frozen=True):
    """Evidence of refusals that neither modes nor the container's own user explain."""

    dropped_users: DroppedUsers | None
    refused_databases: RefusedDatabases | None
    selinux_denials: SelinuxDenials | None
    locked_paths: LockedPaths | None
    refused_writes: RefusedWrites | None
    unusable_files: UnusableFiles | None


@check("container.mount-forbidden", severity=Severity.critical)
def mount_forbidden(
    containers: Containers, log_tails: LogTails, rules: AccessRules, others: OtherRefusals
) -> CheckResult:
    """A container's user has no access to what is mounted into it.

    Its last log lines name a path below a mount. They say "permission denied", and a mode on the
    way to the path denies the container's user, or SELinux is on and the mount was not relabelled.
    Or they say "read-only file system", and the container has that mount read-only. Or they say
    that an owner cannot be changed or a link cannot be made, and the host's file system keeps
    neither (CIFS, exFAT), or is NFS, whose server refuses root by default.

    Where the engine remaps users, the container's root is another user of the host. Where the
    container begins as root, its other processes, PUID or a user with the program's name show the
    user that counts. Root too is refused a file that chattr has made immutable. Access lists are
    not read.

    SQLite names no file: one below a writable mount is meant that the program's user may not write.
    Where a line says only that a file could not be read, its mode decides. Denials of SELinux are
    in the kernel log, or in the log of auditd: the container has the level of the process, whatever
    its own log says.

    It is a warning where the program continues, and repeats that it cannot write to what is mounted
    read-only.
    """
    locked_paths = others.locked_paths or ()
    denials = others.selinux_denials or ()
    yield from _other_user_findings(others, rules.mounts)
    yield from map(_locked_finding, locked_paths)
    yield from map(selinux_finding, denials)
    yield from _continuing_findings(others.refused_writes, log_tails)
    judged = {locked.container.id for locked in locked_paths}
    explained = {denial.container.id for denial in denials}
    yield from _unusable_findings(others.unusable_files, rules, judged)
    for container, named_path in _refused_paths(containers, log_tails):
        if container.id in judged:
            continue
        unfit = unfit_filesystem(container, named_path, rules.mounts)
        if READ_ONLY.search(named_path.line):
            yield from _read_only_findings(container, named_path)
        elif unfit is not None:
            yield unfit
        else:
            has_selinux = rules.has_selinux and container.id not in explained
            yield from _mode_items(
                container, named_path, containers, rules, has_selinux=has_selinux
            )


def _continuing_findings(
    refused_writes: RefusedWrites | None, log_tails: LogTails
) -> Iterator[Finding]:
    """Findings about programs that still run, and whose last lines no other check judges."""
    for write in refused_writes or ():
        if not log_tails.of(write.container).lines:
            yield _read_only_finding(write.container, write.named, Severity.warning)


def _unusable_findings(
    unusable_files: UnusableFiles | None, rules: AccessRules, judged: Collection[str]
) -> Iterator[Finding]:
    """Findings about files that a program could not use for a reason that it does not give, where a
    mode denies its user.

    judged: ids of containers of which more is known.
    """
    for unusable in unusable_files or ():
        container = unusable.container
        if container.id in judged or unusable.is_folder or not unusable.is_there:
            continue
        user = host_user(container, rules.info, rules.numbers)
        outcome = access(unusable.named, unusable.sources, user)
        if isinstance(outcome, Denied) and not (
            unusable.is_called_absent and outcome.path == unusable.named.on_host[-1]
        ):
            ownerless = mount_without_owners(unusable.named.on_host[-1], rules.mounts)
            yield _forbidden_path_finding(container, unusable.named, outcome, rules.info, ownerless)


def _refused_paths(
    containers: Containers, log_tails: LogTails
) -> Iterator[tuple[Container, NamedPath]]:
    """Each container with the path below a mount that is closed to it, by its last lines.

    A path that may not be executed has a check of its own.
    """
    for container in containers:
        named_path = refused_path(container, log_tails)
        if named_path is not None and not REFUSED.search(named_path.line):
            yield container, named_path


def _mode_items(
    container: Container,
    named_path: NamedPath,
    containers: Containers,
    rules: AccessRules,
    *,
    has_selinux: bool,
) -> Iterator[CheckItem]:
    """Findings about a path that the container's user was refused, by owner and mode on the host.

    has_selinux: whether SELinux is on, and its log has nothing about this container.
    """
    outcome = None
    if named_path.mount.has_host_path:
        user = host_user(container, rules.info, rules.numbers)
        outcome = access(named_path, rules.bind_sources, user)
    whole: PageVariables = {}
    if isinstance(outcome, Denied):
        ownerless = mount_without_owners(named_path.on_host[-1], rules.mounts)
        if ownerless is not None:
            yield _forbidden_path_finding(container, named_path, outcome, rules.info, ownerless)
            return
        whole = whole_steps(container, named_path, outcome, containers, rules)
    yield from _denied_items(
        container, named_path, outcome, whole, info=rules.info, has_selinux=has_selinux
    )


_FLAGS = {"i": "immutable", "a": "append-only"}


def _locked_finding(locked: LockedPath) -> Finding:
    container = locked.container
    named_path = locked.named
    return Finding.about(
        container,
        f"{container} cannot change {named_path.path_inside}: {locked.path} is {_FLAGS[locked.flag]} on the "
        f"host (chattr +{locked.flag}), which binds root too",
        {**named_path.evidence, f"lsattr {locked.path}": locked.flag},
        discriminator=named_path.mount.destination,
        touches=named_path.mount.volumes,
        onset=container.failed_first,
        variables={"locked": locked.path, "flag": f"-{locked.flag}"},
    )


def _other_user_findings(others: OtherRefusals, mounts: Mounts | None) -> Iterator[Finding]:
    """Findings about programs that run as another user than the container's own."""
    changed = others.dropped_users or ()
    for user in changed:
        yield dropped_user(user, mount_without_owners(user.denied.path, mounts))
    reported = {user.container.id for user in changed}
    for user in others.refused_databases or ():
        if user.container.id not in reported:
            yield refused_database(user, mount_without_owners(user.denied.path, mounts))


def _denied_items(
    container: Container,
    named_path: NamedPath,
    outcome: Denied | Undecided | None,
    whole: PageVariables,
    *,
    info: Info | None,
    has_selinux: bool,
) -> Iterator[CheckItem]:
    """The finding about a refusal: a mode or a missing label. Unexamined where neither is known.

    outcome: the judgement of the modes on the path for the container's user; None where they allow.

    whole: the page variable of a folder that may be given to that user with all that is in it.
    """
    if isinstance(outcome, Denied):
        yield _forbidden_path_finding(container, named_path, outcome, info).with_variables(whole)
    elif has_selinux and is_unlabelled(named_path.mount):
        yield unlabelled_finding(container, named_path)
    elif isinstance(outcome, Undecided):
        yield Unexamined(container.subject, outcome.why)


def _forbidden_path_finding(
    container: Container,
    named_path: NamedPath,
    denied: Denied,
    info: Info | None,
    ownerless: Mounted | None = None,
) -> Finding:
    """The finding about a path that the container's user may not open.

    ownerless: the mount of the path, if all files there have one owner and mode.
    """
    added = container.host_config.group_add
    refusal = f"{container} cannot {denied.what} {denied.path_inside}: {denied.why('user is')}"
    return Finding.about(
        container,
        sentence(refusal, ownerless_clause(ownerless)),
        {
            **named_path.evidence,
            **denied.evidence,
            "Config.User": container.config.user or "root",
            **present({"HostConfig.GroupAdd": added}),
            **mount_options(ownerless),
        },
        discriminator=named_path.mount.destination,
        touches=named_path.mount.volumes,
        onset=container.failed_first,
        variables=_access_variables(container, denied, info, ownerless),
    )


def _access_variables(
    container: Container, denied: Denied, info: Info | None, ownerless: Mounted | None
) -> PageVariables:
    """The page variables of another owner for the path; of another user or group where the host or
    the engine needs the path unchanged."""
    if denied.source.type == "socket" and denied.source.gid:
        return {"socket_group": str(denied.source.gid)}
    if is_of_host(denied.path, info):
        return {"as_root": container.name}
    return change_of_owner(denied, ownerless)


def _read_only_findings(container: Container, named_path: NamedPath) -> Iterator[Finding]:
    """The finding about a read-only mount; else another file system is read-only."""
    if not named_path.mount.rw:
        yield _read_only_finding(container, named_path)


def _read_only_finding(
    container: Container, named_path: NamedPath, severity: Severity | None = None
) -> Finding:
    mount = named_path.mount
    source = mount.name if mount.type == "volume" and mount.name else mount.source
    return Finding.about(
        container,
        f"{container} cannot write {named_path.path_inside}: it has {mount.destination} mounted read-only",
        {**named_path.evidence, "Mounts.RW": False},
        severity=severity,
        discriminator=mount.destination,
        touches=mount.volumes,
        onset=container.failed_first,
        variables={"read_only": mount.destination, "writable": f"{source}:{mount.destination}"},
    )
