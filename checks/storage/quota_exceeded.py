"""storage.quota-exceeded: a quota is used up while the disk has room."""

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.said_errors import SaidErrors
from diagnose.evidence.images.pulls.pulls import Pulls
from diagnose.evidence.storage.backing_devices import Backing, Behind
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.evidence.storage.usage.quotas import has_quotas, limited_mount, quota_error_of_engine
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity, Subject
from diagnose.phrases import shortened, size
from diagnose.registry import check

REFUSED = ("disk quota exceeded", "edquot", "quota exceeded (errno 122)")
"""Names in programs for the error 122 of the kernel, in small letters."""


@check(
    "storage.quota-exceeded",
    severity=Severity.critical,
    causes=[
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.exits-at-start",
        "container.crashed",
        "image.pull-no-space",
    ],
)
def quota_exceeded(
    containers: Containers,
    log_tails: LogTails,
    backing: Backing,
    filesystems: Filesystems | None,
    info: Info | None,
    mounts: Mounts | None,
    said_errors: SaidErrors | None,
    pulls: Pulls | None,
) -> CheckResult:
    """A quota is used up, although the disk has free space.

    The kernel says "Disk quota exceeded" (EDQUOT): a quota of a user, a project or a subvolume, on
    this host or on the file server, or the size that the container's writable layer was given.
    Programs have quotas of their own, of mailboxes for example: the file system under the mount
    must know quotas. The engine itself meets one below its data root, as in a virtual server that
    is a container (LXC) or in a user's home; a container that was created since shows that it is
    over.
    """
    root = info.docker_root_dir if info is not None else ""
    told = quota_error_of_engine(root, said_errors, pulls)
    if told is not None and mounts is not None:
        mounted = mounts.of(root)
        is_over = any((container.created_at or 0.0) > told.at for container in containers)
        if mounted is not None and has_quotas(mounted) and not is_over:
            yield _data_root_finding(root, told.text, mounts.whole(mounted), filesystems)
    for container in containers:
        line = log_tails.of(container).find(*REFUSED)
        if line:
            yield from _container_findings(container, line, backing, filesystems)


def _container_findings(
    container: Container, line: str, backing: Backing, filesystems: Filesystems | None
) -> Iterator[Finding]:
    """Findings about the quota of a container's mounts, or else about the size of its writable
    layer."""
    limited = limited_mount(container, line, backing)
    if limited is not None:
        yield _mount_finding(limited, line, filesystems)
    elif limit := (container.host_config.storage_opt or {}).get("size", ""):
        yield Finding.about(
            container,
            f"{container} has used up the size of its writable layer, {limit}",
            {"log": shortened(line), "HostConfig.StorageOpt size": limit},
        )


def _data_root_finding(
    root: str, text: str, mounted: Mounted, filesystems: Filesystems | None
) -> Finding:
    disk = filesystems.of_data_root if filesystems is not None else None
    room = f", although df shows {size(disk.usage.available)} free" if disk is not None else ""
    kind = mounted.fstype
    place = {"btrfs": root, "zfs": mounted.source, "xfs": mounted.point, "ext4": mounted.point}
    variables = {"root": root}
    if kind in place:
        variables[f"root_{kind}"] = place[kind]
    return Finding(
        subject=DAEMON,
        summary=f"the quota of the engine's data root {root} ({kind}) is used up{room}: "
        "no image can be pulled and no container be created",
        evidence={
            "the engine's log": shortened(text),
            "file system": f"{kind} {mounted.source} at {mounted.point}",
        },
        variables=variables,
        discriminator="data root",
        touches=(Subject("filesystem", mounted.point),),
    )


def _mount_finding(limited: Behind, line: str, filesystems: Filesystems | None) -> Finding:
    container = limited.container
    mount = limited.mount
    mounted = limited.mounted
    disk = filesystems.by_point.get(mounted.point) if filesystems is not None else None
    room = f", which has {size(disk.usage.available)} free" if disk is not None else ""
    evidence: dict[str, Json] = {
        "log": shortened(line),
        "mount": str(mount),
        "file system": f"{mounted.fstype} {mounted.source} at {mounted.point}",
    }
    kind = mounted.fstype
    place = {"btrfs": mount.source, "xfs": mounted.point, "ext4": mounted.point}
    return Finding.about(
        container,
        f"{container} has used up a quota: its {mount.destination} is on "
        f"{mounted.point} ({mounted.fstype}){room}",
        evidence,
        discriminator=mount.destination,
        touches=(Subject("filesystem", mounted.point),),
        onset=container.failed_first,
        variables={kind: place[kind]} if kind in place else {},
    )
