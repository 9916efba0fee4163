"""storage.quota-exceeded: a quota is used up while the disk has room."""

from __future__ import annotations

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.mounts import Mounted
from diagnose.mappings import only
from diagnose.model import CheckResult, Finding, Json, Severity, Subject
from diagnose.phrases import shortened, size
from diagnose.registry import check

REFUSED = ("disk quota exceeded", "edquot", "quota exceeded (errno 122)")
"""How programs name the error 122 of the kernel, in small letters."""
ALWAYS = frozenset({"btrfs", "zfs", "nfs", "nfs4", "cifs", "ceph"})
"""File systems whose quotas no mount option shows."""
OPTIONS = frozenset({"quota", "usrquota", "grpquota", "prjquota", "uquota", "gquota", "pquota"})


@check(
    "storage.quota-exceeded",
    severity=Severity.critical,
    causes=["container.restart-loop", "container.exits-at-start", "container.crashed"],
)
def quota_exceeded(
    containers: Containers,
    log_tails: LogTails,
    backing: Backing,
    filesystems: Filesystems | None,
) -> CheckResult:
    """A failed container has used up a quota, although its disk has free space.

    The kernel says "Disk quota exceeded" (EDQUOT): a quota of a user, a project or a subvolume, on
    this host or on the file server, or the size that the container's own layer was given. Programs
    have quotas of their own, of mailboxes for example: the file system under the mount must know
    quotas.
    """
    for container in containers:
        line = log_tails.of(container).find(*REFUSED)
        if not line:
            continue
        place = _place(container, line, backing)
        if place is not None:
            mount, mounted = place
            yield _mount_finding(container, line, mount, mounted, filesystems)
        elif limit := (container.host_config.storage_opt or {}).get("size", ""):
            yield Finding.about(
                container,
                f"{container} has used up the size of its own layer, {limit}",
                {"log": shortened(line), "HostConfig.StorageOpt size": limit},
            )
    return None


def _place(container: Container, line: str, backing: Backing) -> tuple[Mount, Mounted] | None:
    """The mount that the line names, or the only one on a file system with quotas."""
    able = [
        (behind.mount, behind.mounted)
        for behind in backing
        if behind.container.id == container.id and behind.mount.rw and _has_quotas(behind.mounted)
    ]
    path = named_path(container, line)
    if path is not None:
        return next((behind for behind in able if behind[0] == path.mount), None)
    return only(able)


def _has_quotas(mounted: Mounted) -> bool:
    options = {*mounted.options.split(","), *mounted.super.split(",")}
    return mounted.fstype in ALWAYS or bool(options & OPTIONS)


def _mount_finding(
    container: Container,
    line: str,
    mount: Mount,
    mounted: Mounted,
    filesystems: Filesystems | None,
) -> Finding:
    disk = filesystems.by_point.get(mounted.point) if filesystems is not None else None
    room = f", which has {size(disk.usage.available)} free" if disk is not None else ""
    evidence: dict[str, Json] = {
        "log": shortened(line),
        "mount": str(mount),
        "file system": f"{mounted.fstype} {mounted.source} at {mounted.point}",
    }
    kind = mounted.fstype if mounted.fstype in ("btrfs", "xfs", "ext4") else ""
    variables = {"btrfs": mount.source} if kind == "btrfs" else {}
    if kind in ("xfs", "ext4"):
        variables = {kind: mounted.point}
    finding = Finding.about(
        container,
        f"{container} has used up a quota: its {mount.destination} is on "
        f"{mounted.point} ({mounted.fstype}){room}",
        evidence,
        discriminator=mount.destination,
        touches=(Subject("filesystem", mounted.point),),
        onset=container.failed_first,
    )
    return finding.with_variables(variables)
