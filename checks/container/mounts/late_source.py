"""A mount's source that was missing when the engine started its container, and may exist by now."""

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import PathStatus
from diagnose.evidence.containers.run_evidence import failed_start_evidence
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.mappings import present
from diagnose.model import Finding, Subject


def late_source_finding(
    container: Container, source: str, status: PathStatus | None, mounts: Mounts | None
) -> Finding:
    """The finding about a source that came after the engine had tried.

    A share, a USB disk or an encrypted one that is mounted after the engine has started does so at
    each boot. status: of the source now; what could not be looked at may still be missing.
    """
    is_there = status is not None and status.type != ""
    mounted = _own_mount(source, mounts) if is_there else None
    now = f"; it exists now{_mount_clause(mounted)}" if is_there else ""
    evidence = failed_start_evidence(container)
    if status is not None and is_there:
        evidence["on the host"] = f"{source} is a {status.type} of {status.owner}"
    if mounted is not None:
        evidence["/proc/self/mountinfo"] = f"{mounted.source} ({mounted.fstype}) on {mounted.point}"
    cure = {"came_late": container.name} if is_there else {"missing": source}
    return Finding.about(
        container,
        f"{container} did not start: {source}, which it mounts, did not exist then{now}",
        evidence,
        discriminator=source,
        signs=signs(container.state.error),
        touches=(Subject("filesystem", mounted.point),) if mounted is not None else (),
        variables={
            "source": source,
            **cure,
            **present({"late_mount": mounted.point if mounted is not None else ""}),
        },
    )


def _own_mount(source: str, mounts: Mounts | None) -> Mounted | None:
    """The mount that holds the source; None for the root file system."""
    mounted = mounts.of(source) if mounts is not None else None
    return mounted if mounted is not None and mounted.point != "/" else None


def _mount_clause(mounted: Mounted | None) -> str:
    return f", on the mount {mounted.point}" if mounted is not None else ""
