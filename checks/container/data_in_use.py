"""The checks container.data-locked and container.data-version-mismatch.

A program finds its data in use, or of another version.
"""

from __future__ import annotations

from checks.container.confirmed import Claim, claims
from diagnose.evidence.containers.data_files import DataFiles, DataVersion
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTails
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Severity
from diagnose.registry import check

LOCKED = "container.data-locked"
MISMATCH = "container.data-version-mismatch"


@check(LOCKED, severity=Severity.critical)
def data_locked(containers: Containers, clock: Clock, log_tails: LogTails) -> CheckResult:
    """A container's data is in use by another running container.

    The program's log says that a file of its data is locked, and another running container has the
    same volume or the same folder of the host mounted for writing. Where no other container has it,
    a process of the host or a former run left the lock: that is only what the program says.
    """
    for claim in claims(LOCKED, containers, log_tails, clock):
        holder, mount = _holder(claim.container, containers)
        if holder is None or mount is None:
            continue
        yield claim.finding(
            f"cannot lock its data in {mount.place}: {holder} is running on it",
            {
                f"{holder.name} mounts": str(mount),
                f"{holder.name} State": holder.state.status,
            },
            touches=(holder.subject, *mount.volumes),
            holder=holder.name,
            source=mount.source,
        )
    return None


def _holder(container: Container, containers: Containers) -> tuple[Container | None, Mount | None]:
    """The running container that writes to the same place, and its mount there."""
    own = {mount.source for mount in container.mounts or () if mount.rw and mount.source}
    for other in containers.running:
        if other.id == container.id:
            continue
        for mount in other.mounts or ():
            if mount.rw and mount.source in own:
                return other, mount
    return None, None


@check(MISMATCH, severity=Severity.critical)
def data_version_mismatch(
    containers: Containers, clock: Clock, log_tails: LogTails, data_files: DataFiles
) -> CheckResult:
    """A container's data was written by another version of its program.

    The log says so, and the file in which the database notes its version is on the host: PG_VERSION
    of PostgreSQL. An image tag without a version moves to the next major release, whose server does
    not read the old files.
    """
    for claim in claims(MISMATCH, containers, log_tails, clock):
        version = data_files.versions.get(claim.container.id)
        if version is None or not _agrees(version, claim):
            continue
        container = claim.container
        program = claim.value("program")
        image = container.config.image
        repository = image.rpartition(":")[0] if ":" in image.rpartition("/")[2] else image
        yield claim.finding(
            f"runs version {program}, and its data was written by version {version.version}",
            {version.path: version.version, "Config.Image": image},
            touches=version.mount.volumes,
            old_image=f"{repository}:{version.version}",
            rescue=f"{container.name}-old",
        )
    return None


def _agrees(version: DataVersion, claim: Claim) -> bool:
    stated = claim.value("data")
    return stated == version.version or stated.startswith(f"{version.version}.")
