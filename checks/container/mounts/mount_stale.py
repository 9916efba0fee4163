"""container.mount-stale: a container does not see what lies at the source of its mount now."""

from diagnose.evidence.containers.mounts.lost_volumes import LostVolume, LostVolumes
from diagnose.evidence.containers.mounts.stale_mounts import StaleMount, StaleMounts
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Subject
from diagnose.registry import check

_OF_THE_HOST = LazyPattern(r"^/(?:etc/(?:group|localtime|passwd|timezone)$|usr/share/zoneinfo/)")
"""Files that packages and `useradd` replace."""


@check(
    "container.mount-stale",
    severity=Severity.warning,
    causes=("container.errors-in-log", "container.unhealthy"),
)
def mount_stale(stale_mounts: StaleMounts, lost_volumes: LostVolumes | None) -> CheckResult:
    """A container still sees the old contents of a mount replaced on the host.

    A mount holds the file or folder itself, not its name: an editor, certbot or a deployment that
    writes a new one and renames it into place leaves the container with the old one. It is read
    from the mount table of the container's own namespace, where the kernel marks it as deleted.

    A disk that was mounted on the host after the start is not seen in the container either: the
    container keeps using the folder beneath, and the host does not see what it writes there. A link
    is followed at the start: where a deployment switches it to another release, the container keeps
    the former one. A disk or share that was unmounted, or mounted again, stays in the container as
    it was at the start. A disk that was read-only then, and is writable by now, stays read-only.

    A volume whose folder in the data root was deleted is critical: the program has lost its files,
    except those that it still has open, and it cannot be started again.

    Files that an update of the host replaces, and that seldom differ, are advice: time zones, and
    the lists of users.
    """
    for lost in lost_volumes or ():
        yield _lost_volume_finding(lost)
    for stale in stale_mounts:
        container = stale.container
        yield Finding.about(
            container,
            f"{container} {_view_clause(stale)}",
            {
                "mount": str(stale.mount),
                f"/proc/{container.state.pid}/mountinfo": _mount_clause(stale),
                **present({"device in the container": stale.held}),
            },
            severity=Severity.advice if _is_updated_alike(stale) else None,
            discriminator=stale.mount.destination,
            touches=_remounted_file_systems(stale),
            recheck=(container.run,),
            variables=_variables(stale),
        )


def _lost_volume_finding(lost: LostVolume) -> Finding:
    container = lost.container
    mount = lost.mount
    return Finding.about(
        container,
        f'the folder of volume "{mount.name}" was deleted while {container} has it mounted at '
        f"{mount.destination}: only files that its programs have open are left",
        {"mount": str(mount), mount.source: "no such folder"},
        severity=Severity.critical,
        discriminator=mount.destination,
        touches=(Subject("volume", mount.name),),
        recheck=(container.run,),
        variables={"losing": container.name, "lost_folder": mount.source},
    )


def _mount_clause(stale: StaleMount) -> str:
    """The difference between the mount in the container and its source on the host."""
    source = stale.mount.source
    inside = stale.mount.destination
    if stale.is_read_only:
        return f"{inside} is read-only, and {source} on the host is writable"
    if stale.point:
        return f"{inside} is on another device than {source} on the host"
    if stale.led_to:
        return f"{inside} is {stale.led_to}, and {source} leads elsewhere"
    return f"{source}//deleted"


def _remounted_file_systems(stale: StaleMount) -> tuple[Subject, ...]:
    """The file system that was mounted or unmounted since the start, where that is the reason."""
    point = stale.point or stale.held_from
    return (Subject("filesystem", point),) if point else ()


def _is_updated_alike(stale: StaleMount) -> bool:
    """Whether the replaced file is one that packages replace, seldom by other content."""
    is_replaced = not stale.point and not stale.is_read_only
    return is_replaced and _OF_THE_HOST.search(stale.mount.source) is not None


def _view_clause(stale: StaleMount) -> str:
    """The predicate about a container with a stale mount: the old folder or mount that it sees."""
    source = stale.mount.source
    point = stale.point
    covered_by = stale.covered_by
    if stale.is_read_only:
        return (
            f"cannot write to {stale.mount.destination}: {source} was read-only when it started, "
            "and is writable on the host by now"
        )
    if stale.led_to:
        return (
            f"still sees {stale.led_to}: {source} led there when it started, and now leads "
            "elsewhere"
        )
    if stale.held and not covered_by:
        return f"still has {stale.held}, which the host has unmounted from {stale.held_from}"
    if stale.held == covered_by and stale.held:
        return (
            f"still has an earlier mount of {stale.held}: the host has mounted it again at {point}"
        )
    if stale.held:
        return f"still has {stale.held}: the host has since mounted {covered_by} at {point}"
    if stale.is_hidden:
        return (
            f"sees the folder under the mount at {point}: the engine has a mount namespace of its "
            f"own, where {covered_by} is not mounted"
        )
    if covered_by:
        return (
            f"sees the folder under the mount at {point}: {covered_by} was mounted after the "
            "container had started"
        )
    return f"still sees the old {source}: it was replaced or deleted after the start"


def _variables(stale: StaleMount) -> PageVariables:
    """The page variables for a stale mount: to restart the engine, to mount the disk, or to
    restart the container. A restart while the disk is unmounted gives the container an empty
    folder."""
    if stale.held and not stale.covered_by:
        steps = {"unmounted": stale.held_from}
        if stale.held.startswith("/dev/"):
            steps |= {"held_device": stale.held, "holder": stale.container.name}
        return steps
    variables = {"remounted": stale.container.name}
    if stale.is_read_only:
        return variables
    if stale.is_hidden:
        return variables | {"unseen": stale.point, "engine": "docker"}
    return variables | {"source": stale.mount.source, "inside": stale.mount.destination}
