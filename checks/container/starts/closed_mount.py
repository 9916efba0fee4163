"""A start that fails at a FUSE file system of another user."""

from checks.container.starts.start_errors import failed_start
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.access.closed_mounts import REFUSED_SOURCE, ClosedMounts
from diagnose.mappings import present
from diagnose.model import Finding
from diagnose.programs.failures import Failure, Recognised

_CLOSED = Failure(
    name="source-closed",
    mark="",
    pattern="",
    cause="{path} {place} a FUSE file system of {owner}, mounted without allow_other: nobody "
    "else may enter it, not even root",
    cure="write user_allow_other into /etc/fuse.conf, and mount it again with -o allow_other",
    source="yandex-cloud/geesefs#33",
)


def closed_mount_finding(container: Container, closed: ClosedMounts | None) -> Finding | None:
    """The finding about a source that the engine may not look at; None where it may."""
    match = REFUSED_SOURCE.search(container.state.error)
    mount = closed.by_source.get(match["path"]) if match and closed is not None else None
    if match is None or mount is None:
        return None
    owner = f'user "{mount.user}"' if mount.user else f"user {mount.uid}"
    place = "is" if mount.point == match["path"] else f"lies on {mount.point},"
    values = {"path": match["path"], "place": place, "owner": owner}
    mount_variables = present({"mount_user": mount.user, "mount_again": mount.again})
    return failed_start(
        container,
        "",
        known=Recognised(_CLOSED, container.state.error, values),
        evidence={f"mount {mount.point}": f"user_id={mount.uid}, no allow_other"},
        variables={**mount_variables, "closed": mount.point},
    )
