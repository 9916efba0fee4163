"""container.data-left-behind: a container was recreated, and began with an empty volume."""

from collections.abc import Iterable, Iterator

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.volumes.former_releases import FormerRelease, FormerReleases
from diagnose.evidence.storage.volumes.left_volumes import LeftVolume, LeftVolumes
from diagnose.evidence.storage.volumes.namesake_folders import NamesakeFolder, NamesakeFolders
from diagnose.evidence.storage.volumes.node_folders import LeftNode, LeftNodes
from diagnose.evidence.storage.volumes.renamed_projects import RenamedProject, RenamedProjects
from diagnose.evidence.storage.volumes.replaced_mounts import ReplacedMount, ReplacedMounts
from diagnose.model import CheckResult, Finding, Json, Seconds, Severity, Subject
from diagnose.phrases import and_more, duration, size
from diagnose.registry import check

NAMES_SHOWN = 3


@check("container.data-left-behind", severity=Severity.warning)
def data_left_behind(
    left: LeftVolumes | None,
    nodes: LeftNodes | None,
    renamed: RenamedProjects | None,
    replaced: ReplacedMounts | None,
    namesakes: NamesakeFolders | None,
    former_releases: FormerReleases | None,
    clock: Clock,
    *,
    lived: Seconds = Seconds(86400),
) -> CheckResult:
    """A recreated container does not use the data that it had before.

    An image declares a volume, and nobody gives it a name: each `docker run`, and each `docker
    compose up` after a `down`, makes a new one. The program finds nothing, and starts from the
    beginning.

    The former volume is recognised by the same entries at its top, and by its last change, which is
    at most ten minutes before the container was created. Compose puts the name of its project
    before that of a volume, so that a renamed project starts with empty ones: the former volume has
    the same entries, belongs to a project without containers and without a folder, and was in use
    for `lived` or longer. RabbitMQ keeps its data in a folder named after the host name, and each
    container without a fixed host name gets another one.

    Where another folder or volume was written into the compose file, the former one is recognised
    in the same way, if it lies beside the container's mounts or is a volume that nothing uses. The
    right folder is recognised too where compose or `docker run` took a name for a volume, `~` for
    the home of root, or an unset variable for an empty text.

    Some images of PostgreSQL keep each release in a folder of its own, in one mount. The folder of
    a former release counts where it was written last before the used one was created, and has more
    data: an upgrade copies all of it.
    """
    for release in former_releases or ():
        yield _release_finding(release, clock)
    for node in nodes or ():
        yield _node_finding(node, clock)
    for project in renamed or ():
        if project.lived >= lived:
            yield _project_finding(project, clock)
    yield from _other_mount_findings(replaced or (), namesakes or (), clock)
    for volume in left or ():
        yield _anonymous_volume_finding(volume, clock)


def _other_mount_findings(
    replaced: Iterable[ReplacedMount], namesakes: Iterable[NamesakeFolder], clock: Clock
) -> Iterator[Finding]:
    """The findings about another folder or volume in the compose file, one for each mount."""
    moved_mounts = set()
    for moved in replaced:
        moved_mounts.add((moved.container.id, moved.mount.destination))
        yield _replaced_finding(moved, clock)
    for namesake in namesakes:
        if (namesake.container.id, namesake.mount.destination) not in moved_mounts:
            yield _namesake_finding(namesake, clock)


def _anonymous_volume_finding(left_volume: LeftVolume, clock: Clock) -> Finding:
    former = left_volume.former[:12]
    return _finding(
        left_volume,
        left_volume.mount.destination,
        f"{clock.ago(left_volume.container.created_at)}: its previous data may be in the unused anonymous "
        f"volume {former}",
        _volumes(left_volume, left_volume.mount.name[:12], former),
    )


def _project_finding(renamed: RenamedProject, clock: Clock) -> Finding:
    return _finding(
        renamed,
        renamed.destination,
        f'{clock.ago(renamed.container.created_at)}: volume "{renamed.former}" of compose project '
        f'"{renamed.project}", which is gone, may have its previous data',
        {
            **_volumes(renamed, renamed.volume, renamed.former),
            "compose project now": renamed.container.compose_project,
        },
    )


def _replaced_finding(replaced: ReplacedMount, clock: Clock) -> Finding:
    """The finding about a mount that was changed; the page mounts the former place again."""
    container = replaced.container
    mount = replaced.mount
    former = replaced.former
    kind = "folder" if replaced.is_folder else "volume"
    return Finding.about(
        container,
        f"{container} started with new data in {mount.destination} "
        f'{clock.ago(container.created_at)}: its previous data may be in {kind} "{former}", '
        f"which it no longer mounts; it mounts {mount.place}",
        {
            f"{kind} {former}": _last_change(replaced),
            "entries in both": and_more(replaced.entries, NAMES_SHOWN),
            "mounted now": f"{mount.place} -> {mount.destination}, empty at the start",
        },
        discriminator=mount.destination,
        touches=() if replaced.is_folder else (Subject("volume", former),),
        variables={
            "destination": mount.destination,
            "bound": f"{former}:{mount.destination}",
            "folder" if replaced.is_folder else "former": former,
        },
    )


_MISTAKEN = {
    "volume": '"{name}" without a leading ./ names a volume, not the folder of that name',
    "run": "-v {name}:... names a volume: the folder of that name needs its whole path, or ./",
    "home": "~ is the home directory of the user who starts compose, which is root under sudo",
    "variable": "the part of the path before {source} is missing, as when a variable is not set",
    "project": "its project folder was in another place before",
}
"""The reason why the source of a mount became another folder, by the kind of mistake."""


def _namesake_finding(namesake: NamesakeFolder, clock: Clock) -> Finding:
    """A finding about a volume that a path of the compose file was taken for.

    The page mounts the folder that was meant.
    """
    container = namesake.container
    mount = namesake.mount
    name = mount.name.removeprefix(f"{container.compose_project}_")
    contents = "nothing" if namesake.is_empty else "new data"
    return Finding.about(
        container,
        f"{container} started with {contents} in {mount.destination} {clock.ago(container.created_at)}: it "
        f'mounts {mount.place}, and its previous data may be in folder "{namesake.folder}"',
        {
            f"folder {namesake.folder}": and_more(namesake.entries, NAMES_SHOWN),
            "mounted now": f"{mount.place} -> {mount.destination}",
            "why": _MISTAKEN[namesake.kind].format(name=name, source=mount.source),
        },
        discriminator=mount.destination,
        variables={
            "destination": mount.destination,
            "bound": f"{namesake.folder}:{mount.destination}",
            "folder": namesake.folder,
        },
    )


def _finding(
    former: LeftVolume | RenamedProject,
    destination: str,
    origin_clause: str,
    evidence: dict[str, Json],
) -> Finding:
    """The finding about a volume that may have the former data; the page mounts it again."""
    return Finding.about(
        former.container,
        f"{former.container} started with new data in {destination} {origin_clause}",
        evidence,
        discriminator=destination,
        touches=(Subject("volume", former.former),),
        variables={
            "former": former.former,
            "destination": destination,
            "bound": f"{former.former}:{destination}",
        },
    )


def _volumes(left_volume: LeftVolume | RenamedProject, now: str, former: str) -> dict[str, Json]:
    return {
        "volume now": now,
        f"volume {former}": _last_change(left_volume),
        "entries in both": and_more(left_volume.entries, NAMES_SHOWN),
    }


def _last_change(former: LeftVolume | RenamedProject | ReplacedMount | LeftNode) -> str:
    return f"last changed {duration(former.gap)} before the container was created"


def _node_finding(node: LeftNode, clock: Clock) -> Finding:
    container = node.container
    return Finding.about(
        container,
        f"{container} started with new data {clock.ago(container.created_at)}: RabbitMQ names its "
        f'data after the host name; that was "{node.host}", and this container has no fixed one',
        {
            "Config.Hostname": f"{container.config.hostname}, the beginning of the container's id",
            f"{node.destination}, folder rabbit@{node.host}": _last_change(node),
        },
        discriminator=node.destination,
        variables={"node_host": node.host},
    )


def _release_finding(release: FormerRelease, clock: Clock) -> Finding:
    container, mount = release.container, release.mount
    former = f"{mount.destination}/{release.former}"
    return Finding.about(
        container,
        f"{container} works with new data in {mount.destination}/{release.used} "
        f"({size(release.used_bytes)}, created {clock.ago(release.made_at)}): its previous data is in "
        f"{former} ({size(release.former_bytes)}), the folder of a former release",
        {former: f"last written {clock.ago(release.written_at)}", "image": container.config.image},
        discriminator=mount.destination,
        recheck=(container.run,),
        touches=mount.volumes,
        variables={
            "folder": f"{mount.source}/{release.former}",
            "release": release.former.partition("/")[0],
        },
    )
