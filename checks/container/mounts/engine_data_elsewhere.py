"""container.engine-data-elsewhere: a container mounts a data root that the engine does not use."""

from diagnose.evidence.containers.mounts.former_roots import FormerRootMount, FormerRootMounts
from diagnose.evidence.engine.data_root import DEFAULT, DataRoot
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.registry import check


@check("container.engine-data-elsewhere", severity=Severity.warning)
def engine_data_elsewhere(mounts: FormerRootMounts, root: DataRoot) -> CheckResult:
    """A container mounts a data root that this engine does not use.

    Collectors of logs, backups and monitors mount `/var/lib/docker/containers` or `volumes`, as
    their documentation says. On a host whose data root was moved that folder is empty, since the
    engine makes what a mount lacks, or it holds what was there before the move. A folder that is
    not empty may be mounted on purpose, and a program that sees the whole data root may ask the
    engine where it is: advice. A link or a mount from the usual place to the data root is right.
    """
    if not len(mounts):
        return Skipped(f"no container mounts a data root other than {root.path}")
    for former in mounts:
        yield _finding(former, root)


def _finding(former: FormerRootMount, root: DataRoot) -> Finding:
    container = former.container
    mount = former.mount
    holds = "is empty" if former.is_empty else "still holds what was there before"
    is_part = mount.source != DEFAULT
    access = "" if mount.rw else ":ro"
    return Finding.about(
        container,
        f"{container} mounts {mount.source} of the host, which {holds}: this engine keeps its data "
        f"in {root.path}",
        {"mount": str(mount), "DockerRootDir": root.path, "in its place": former.present},
        discriminator=mount.destination,
        severity=None if former.is_empty and is_part else Severity.advice,
        recheck=(container.run,),
        variables={
            "inside": mount.destination,
            "volume": f"{former.present}:{mount.destination}{access}",
        },
    )
