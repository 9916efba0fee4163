"""container.automount-unseen: what the host mounts on demand does not come into the container."""

from diagnose.evidence.containers.mounts.automounts import UnseenAutomount, UnseenAutomounts
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import shortened
from diagnose.registry import check


@check("container.automount-unseen", severity=Severity.warning)
def automount_unseen(automounts: UnseenAutomounts) -> CheckResult:
    """A container does not see what autofs mounts in a folder that it has.

    The bind mount has brought the place that autofs or a systemd automount watches into the
    container. When a program opens it there, the host mounts the file system only for itself: the
    engine keeps bind mounts apart (propagation rprivate), so that the container gets ELOOP. With
    rslave it sees it. A container whose log says nothing of that may not need the place: advice.
    """
    for automount in automounts:
        yield _finding(automount)


def _finding(automount: UnseenAutomount) -> Finding:
    container = automount.container
    mount = automount.mount
    access = "rslave" if mount.rw else "ro,rslave"
    effect = f"does not see {automount.missing}, which the host has mounted on demand"
    if automount.complaint:
        effect = f"cannot open what is mounted on demand below {automount.point} of the host"
    return Finding.about(
        container,
        f"{container} {effect}: its mount at {mount.destination} does not follow the host's "
        f"({mount.propagation or 'rprivate'})",
        {
            f"/proc/{container.state.pid}/mountinfo": f"autofs at {automount.path_inside}",
            "mount": str(mount),
            **present(
                {
                    "log": shortened(automount.complaint, 200),
                    "mounted on the host": automount.missing,
                }
            ),
        },
        severity=None if automount.complaint else Severity.advice,
        discriminator=mount.destination,
        recheck=(container.run,),
        variables={
            "inside": mount.destination,
            "following": f"{mount.source}:{mount.destination}:{access}",
            "source": mount.source,
            "point": automount.point,
        },
    )
