"""container.mount-stale: a container does not see what lies at the source of its mount now."""

from __future__ import annotations

from diagnose.evidence.containers.mounts.stale_mounts import StaleMounts
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check


@check("container.mount-stale", severity=Severity.warning)
def mount_stale(stale_mounts: StaleMounts) -> CheckResult:
    """A container still sees the old contents of a mount replaced on the host.

    A mount holds the file or folder itself, not its name: an editor, certbot or a deployment that
    writes a new one and renames it into place leaves the container with the old one. It is read
    from the mount table of the container's own namespace, where the kernel marks it as deleted. A
    disk that was mounted on the host after the start is not seen in the container either: the
    container keeps using the folder beneath, and the host does not see what it writes there.
    """
    for stale in stale_mounts:
        source, container = stale.mount.source, stale.container
        table = f"/proc/{container.state.pid}/mountinfo"
        if stale.is_hidden:
            what = (
                f"sees the folder under the mount at {stale.point}: the engine has a mount namespace "
                f"of its own, where {stale.covered_by} is not mounted"
            )
            proof = f"{stale.mount.destination} is on another device than {source} on the host"
        elif stale.covered_by:
            what = (
                f"sees the folder under the mount at {stale.point}: "
                f"{stale.covered_by} was mounted after the container had started"
            )
            proof = f"{stale.mount.destination} is on another device than {source} on the host"
        else:
            what = f"still sees the old {source}: it was replaced or deleted after the start"
            proof = f"{source}//deleted"
        if stale.is_hidden:
            variables = {"unseen": stale.point, "engine": "docker"}
        else:
            variables = {"source": source, "inside": stale.mount.destination}
        finding = Finding.about(
            container,
            f"{container} {what}",
            {"mount": str(stale.mount), table: proof},
            discriminator=stale.mount.destination,
            stable=(container.life,),
        )
        yield finding.with_variables(variables)
    return None
