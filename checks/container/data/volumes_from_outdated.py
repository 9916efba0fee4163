"""container.volumes-from-outdated: a container has the volumes that another one had before."""

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.mounts.parted_places import (
    PartedPlace,
    parted_places,
    volume_owners,
)
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check


@check("container.volumes-from-outdated", severity=Severity.warning)
def volumes_from_outdated(containers: Containers) -> CheckResult:
    """A container that shares the volumes of another one has its former volumes.

    `--volumes-from` is followed when a container is created. Where the named container was
    recreated since, with another anonymous volume or another folder, both write to different places
    under one path, and neither sees what the other does. Compose names it by its id: where that is
    gone, the present container of a service is meant that this one depends on. Paths that only one
    of them has or that have a mount of their own are not reported, nor cases where the named
    container is the older one. Where several are named, the last one with a path counts.
    """
    by_name = {name: other for other in containers for name in (other.name, other.id)}
    for container in containers:
        for place in parted_places(container, volume_owners(container, containers, by_name)):
            yield _finding(place)


def _finding(place: PartedPlace) -> Finding:
    container = place.container
    owner = place.owner
    path = place.own.destination
    return Finding.about(
        container,
        f"{container} no longer shares {path} with {owner}: {owner} was recreated, and has "
        f"{_place(place.theirs)} there",
        {
            "HostConfig.VolumesFrom": list(container.host_config.volumes_from or ()),
            f"{path} of {container.name}": _place(place.own),
            f"{path} of {owner.name}": _place(place.theirs),
            "created": f"{container.name} {container.created}, {owner.name} {owner.created}",
        },
        discriminator=path,
        touches=(owner.subject,),
        variables={"own_source": place.own.source, "new_source": place.theirs.source},
    )


def _place(mount: Mount) -> str:
    """The name of the volume or folder; of an anonymous volume the first characters."""
    if mount.type != "volume":
        return f"folder {mount.source}"
    name = mount.name[:12] if mount.is_anonymous else mount.name
    return f'volume "{name}"'
