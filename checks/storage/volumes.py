"""Volumes that cannot be mounted, and disks under containers' mounts that are not."""

import posixpath

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.storage.unmounted_disks import UnmountedDisk, UnmountedDisks
from diagnose.evidence.storage.volumes.refused_volumes import FILESYSTEMS, RefusedVolumes
from diagnose.evidence.storage.volumes.volume_sources import VolumeSource, VolumeSources
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, container
from diagnose.phrases import agree, named, shortened
from diagnose.registry import check

MODULES = {
    "nfs": "nfs",
    "nfs4": "nfs",
    "cifs": "cifs",
    "smb3": "cifs",
    "ceph": "ceph",
    "glusterfs": "fuse",
}
"""The kernel module of a file system, where its name is another."""


@check(
    "storage.filesystem-unsupported",
    severity=Severity.critical,
    causes=["container.start-refused", "daemon.errors-in-log"],
)
def filesystem_unsupported(volumes: RefusedVolumes) -> CheckResult:
    """A volume needs a file system that the kernel does not know.

    mount(2) answers "no such device": the module is not installed, or cannot be loaded. Slim cloud
    kernels and minimal installations lack nfs and cifs. A volume whose file system the kernel knows
    by now is left out.
    """
    for volume in volumes:
        kind = volume.fstype or "its file system"
        effect = f": {named('container', volume.waiting)} cannot start" if volume.waiting else ""
        evidence: dict[str, Json] = {
            "the engine": shortened(volume.text),
            FILESYSTEMS: f"{kind} is not listed",
        }
        yield Finding(
            subject=volume.subject,
            summary=(
                f'volume "{volume.name}" cannot be mounted, '
                f"because the kernel does not know {kind}{effect}"
            ),
            evidence=evidence,
            variables=present({"module": MODULES.get(volume.fstype, volume.fstype)}),
            severity=Severity.critical if volume.waiting else Severity.warning,
            touches=tuple(container(name) for name in volume.waiting),
            onset=volume.at,
        )


@check(
    "storage.volume-source-missing",
    severity=Severity.critical,
    causes=[
        "container.start-refused",
        "container.restart-loop",
        "container.restarts-exhausted",
        "daemon.errors-in-log",
    ],
)
def volume_source_missing(volume_sources: VolumeSources) -> CheckResult:
    """A volume refers to a folder of the host that does not exist.

    A volume of the driver `local` with `o=bind` is mounted from the path in `device`, which the
    engine does not make. It is critical where the engine has refused a container for it recently; a
    refused `docker run` leaves no container, only a line in the engine's log. It is a warning while
    containers have the volume, whose next start will fail, and advice for a volume without one.
    """
    for source in volume_sources.missing:
        users = names_of(source.users)
        yield Finding(
            subject=source.subject,
            summary=(
                f'volume "{source.name}" cannot be mounted: '
                f"{_missing_reason(source)}{_users_clause(source, users)}"
            ),
            evidence=_source_evidence(source, users),
            variables=_volume_cure(source, users),
            severity=_severity(source),
            touches=tuple(container(name) for name in users),
            onset=source.at,
        )


def _missing_reason(source: VolumeSource) -> str:
    if source.is_relative:
        meant = f"; {source.meant} is most likely meant" if source.meant else ""
        return (
            f"its folder {source.device} is a relative path, and no such folder is below /{meant}"
        )
    if source.moved_to:
        return f"its folder {source.device} is gone, and was most likely moved to {source.moved_to}"
    return f"its folder {source.device} does not exist on the host"


def _volume_cure(source: VolumeSource, users: list[str]) -> PageVariables:
    """The page variables of the volume. No empty folder replaces one that was moved: a program
    would begin without data."""
    starts = {"waiting": "\n".join(users)} if users else {}
    if source.is_relative:
        above = posixpath.dirname(source.place)
        linked = {"linked": source.place, "above": above, "meant": source.meant}
        return {**linked, **starts} if source.meant else {}
    if not source.moved_to:
        return {"device": source.device}
    moved = {"gone": source.device, "above": posixpath.dirname(source.device.rstrip("/"))}
    return {**moved, "moved_to": source.moved_to, "volume": source.name, **starts}


def _users_clause(source: VolumeSource, users: list[str]) -> str:
    if source.text:
        return "; the engine has refused a container for it"
    return f"; {named('container', users)} cannot be started again" if users else ""


def _source_evidence(source: VolumeSource, users: list[str]) -> dict[str, Json]:
    evidence: dict[str, Json] = {"Options": f"o=bind, device={source.device}"}
    if source.text:
        evidence["the engine"] = shortened(source.text)
    if users:
        evidence["containers with it"] = list(users)
    return evidence


def _severity(source: VolumeSource) -> Severity:
    if source.text:
        return Severity.critical
    return Severity.warning if source.users else Severity.advice


@check(
    "storage.disk-not-mounted",
    severity=Severity.critical,
    causes=[
        "container.errors-in-log",
        "container.exits-at-start",
        "container.failing-inside",
        "container.mount-forbidden",
        "container.mount-source-missing",
        "container.mount-unwritable",
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.start-refused",
        "container.unhealthy",
    ],
)
def disk_not_mounted(disks: UnmountedDisks) -> CheckResult:
    """A disk that containers use is not mounted: they see the folder beneath it.

    fstab or a mount unit of systemd names the disk, and nothing is mounted there: the disk was not
    ready at boot, or somebody unmounted it. The engine does not wait for disks of volumes. A
    container finds an empty folder, and what it writes there disappears under the disk at the next
    mount. It is a warning while no container that uses the disk runs or is restarted. Lines with
    `noauto` are left to the person who mounts them.
    """
    for disk in disks:
        planned = disk.planned
        names = names_of(disk.users)
        running = [container for container in disk.users if container.writes_to_its_log]
        evidence: dict[str, Json] = {
            planned.declared_in: f"{planned.source or 'a disk'} on {planned.point}",
            "/proc/self/mountinfo": f"nothing is mounted at {planned.point}",
        }
        if disk.entries is not None:
            evidence["entries in the folder"] = disk.entries
        evidence["containers that mount it"] = list(names)
        yield Finding(
            subject=disk.subject,
            summary=(
                f"the disk of {planned.point} is not mounted: "
                f"{named('container', names)} {_seen_folder_clause(disk, running)}"
            ),
            evidence=evidence,
            variables={"point": planned.point, "container": (running or disk.users)[0].name},
            severity=Severity.critical if running else Severity.warning,
            touches=subjects_of(disk.users),
        )


def _seen_folder_clause(disk: UnmountedDisk, running: list[Container]) -> str:
    if not running:
        return "cannot use it"
    folder = "an empty folder" if disk.entries == 0 else "the folder beneath it"
    return f"{agree(disk.users, 'sees', 'see')} {folder} instead"
