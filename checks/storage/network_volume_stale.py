"""storage.network-volume-stale: a network file system under a mount does not answer."""

from diagnose.evidence.storage.remote_mounts import RemoteMount, RemoteMounts
from diagnose.model import (
    NOT_IN_BUNDLE,
    CheckResult,
    Failed,
    Finding,
    Reason,
    Severity,
    Skipped,
    Unexamined,
)
from diagnose.model.subjects import DAEMON, Subject, container
from diagnose.phrases import agree, named, sentence
from diagnose.registry import check

_NOT_LOOKED_AT: frozenset[Reason] = frozenset({"forbidden", "budget", *NOT_IN_BUNDLE})
"""The reason why nothing is known of a mount, in whatever state it is."""


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

    A process that touches it waits in the kernel for ever and cannot be killed; a stale handle or a
    dead FUSE server fails at once.
    """
    if not len(mounts):
        return Skipped("no container or volume uses a network file system")
    for remote in mounts:
        failed = remote.failed
        if failed is None or failed.reason == "missing":
            continue
        if failed.reason in _NOT_LOOKED_AT:
            yield Unexamined(remote.subject, str(failed))
        else:
            yield _finding(remote, failed)


def _finding(remote: RemoteMount, failed: Failed) -> Finding:
    mount = remote.mount
    state = "does not answer" if failed.reason == "timed out" else "gives errors only"
    uses = f"{named('container', remote.users)} {agree(remote.users, 'uses', 'use')} it"
    return Finding(
        subject=remote.subject,
        summary=sentence(
            f"network file system {mount.source} ({mount.fstype}) at {mount.point} {state}",
            uses if remote.users else "",
        ),
        evidence={f"statvfs({mount.point})": str(failed)},
        variables={"point": mount.point, "source": mount.source},
        touches=(
            DAEMON,
            Subject("filesystem", mount.point),
            *(container(name) for name in remote.users),
        ),
    )
