"""storage.network-volume-stale: a network file system under a mount does not answer."""

from __future__ import annotations

from diagnose.evidence.storage.remote_mounts import RemoteMounts
from diagnose.model import (
    DAEMON,
    CheckResult,
    Finding,
    Severity,
    Skipped,
    Subject,
    Unexamined,
    container,
)
from diagnose.phrases import agree, named
from diagnose.registry import check


@check(
    "storage.network-volume-stale",
    severity=Severity.critical,
    causes=[
        "daemon.hung",
        "container.unhealthy",
        "container.restart-loop",
        "container.exits-at-start",
    ],
)
def network_volume_stale(mounts: RemoteMounts) -> CheckResult:
    """A network file system under a volume or a container's mount does not answer.

    Whatever touches it waits in the kernel for ever and cannot be killed; a stale handle or a dead
    FUSE server fails at once.
    """
    if not len(mounts):
        return Skipped("no container or volume uses a network file system")
    for remote in mounts:
        if remote.failed is None or remote.failed.reason == "missing":
            continue
        if remote.failed.reason in ("forbidden", "budget", "not recorded", "shed"):
            yield Unexamined(remote.subject, str(remote.failed))
            continue
        mount = remote.mount
        state = "does not answer" if remote.failed.reason == "timed out" else "gives errors only"
        users = (
            f"; {named('container', remote.users)} {agree(remote.users, 'uses', 'use')} it"
            if remote.users
            else ""
        )
        yield Finding(
            subject=remote.subject,
            summary=f"network file system {mount.source} ({mount.fstype}) at {mount.point} {state}{users}",
            evidence={f"statvfs({mount.point})": str(remote.failed)},
            variables={"point": mount.point, "source": mount.source},
            touches=(
                DAEMON,
                Subject("filesystem", mount.point),
                *(container(name) for name in remote.users),
            ),
        )
    return None
