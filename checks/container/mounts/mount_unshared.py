"""container.mount-unshared: what a program has mounted in its container, others do not see."""

from diagnose.evidence.containers.mounts.inner_mounts import InnerMount, InnerMounts
from diagnose.mappings import first_of, present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import agree, named
from diagnose.registry import check


@check(
    "container.mount-unshared",
    severity=Severity.warning,
    aloud=(
        "has mounted a file system that only it sees",
        "have mounted file systems that only they see",
    ),
)
def mount_unshared(inner_mounts: InnerMounts) -> CheckResult:
    """A file system that a container has mounted is not seen outside the container.

    Programs such as rclone, mergerfs and sshfs mount it over a folder of the host. The engine keeps
    such mounts apart (propagation rprivate) unless the bind mount says `rshared`: the host and the
    other containers see the folder beneath, often an empty one. Where no other container has that
    folder the container may be the only one that needs the files: advice.
    """
    for inner in inner_mounts:
        yield _finding(inner)


def _finding(inner: InnerMount) -> Finding:
    container = inner.container
    mount = inner.mount
    mounted = inner.mounted
    readers = {reader.name: reader for reader, _ in inner.readers}
    others = ["the host", *([named("container", list(readers))] if readers else [])]
    access = "rshared" if mount.rw else "ro,rshared"
    return Finding.about(
        container,
        f"what {container} has mounted at {mounted.point} ({mounted.fstype}) stays inside it: "
        f"{' and '.join(others)} {agree(others, 'sees', 'see')} {inner.place} without it",
        {
            f"/proc/{container.state.pid}/mountinfo": f"{mounted.fstype} {mounted.source}",
            "mount": str(mount),
            "propagation of this mount": mount.propagation or "rprivate",
            "wanted": "rshared",
        },
        severity=None if readers else Severity.advice,
        touches=tuple(reader.subject for reader in readers.values()),
        recheck=(container.run, *(reader.run for reader in readers.values())),
        variables=present(
            {
                "inside": mount.destination,
                "shared": f"{mount.source}:{mount.destination}:{access}",
                "visible": inner.place,
                "reader": first_of(readers, ""),
            }
        ),
    )
