"""container.parent-folder-closed: a closed parent folder keeps a program from its files."""

from diagnose.evidence.containers.mounts.access.closed_ways import ClosedWay, ClosedWays
from diagnose.evidence.containers.mounts.access.dropped_users import DroppedUsers
from diagnose.evidence.containers.mounts.access.paths_of_host import is_kept_closed
from diagnose.evidence.engine.info import Info
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import shortened
from diagnose.registry import check


@check(
    "container.parent-folder-closed",
    severity=Severity.warning,
    causes=("container.errors-in-log", "container.answers-with-errors"),
)
def parent_folder_closed(
    closed_ways: ClosedWays, dropped_users: DroppedUsers | None, info: Info | None
) -> CheckResult:
    """A closed parent folder keeps a program from its files.

    The program runs, and its log says that it was denied a path. Each folder of that path is looked
    at in the container, for the users and groups that its processes have: one above the last lets
    none of them pass. That folder alone has to be opened. A program whose container begins as root
    and is denied something below a mount is container.mount-forbidden. It is advice, without a
    command, where the folder is closed for a reason: the home of root, what the host and its engine
    keep, and a folder below a site for which only a visitor has asked.
    """
    reported = {user.container.id for user in dropped_users or ()}
    for closed in closed_ways:
        if closed.container.id not in reported:
            is_meant = closed.is_below_site or is_kept_closed(closed.container, closed.folder, info)
            yield _finding(closed, is_meant=is_meant)


def _finding(closed: ClosedWay, *, is_meant: bool) -> Finding:
    container = closed.container
    status = closed.status
    finding = Finding.about(
        container,
        f"{container} cannot pass {closed.folder} on the way to {closed.path}: its process "
        f'"{closed.program}" runs as user {closed.uid}, and the folder belongs to {status.owner} with mode '
        f"{status.permissions}",
        {
            "log": shortened(closed.line, 200),
            f"owner and mode of {closed.folder}": f"{status.owner} {status.permissions}",
            **present({"on the host": closed.on_host}),
        },
        severity=Severity.advice if is_meant else None,
        discriminator=closed.folder,
        signs=frozenset({"permission"}),
        recheck=(container.run,),
        variables={"bit": closed.bit},
    )
    if is_meant:
        return finding
    return finding.with_variables(
        {"closed": closed.on_host} if closed.on_host else {"closed_inside": closed.folder}
    )
