"""The layer folders of overlay2, compared with the engine's databases."""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.data_root import ListLayers
from diagnose.registry import evidence

_RECORDS = "image/overlay2/layerdb/sha256"


class Layers(msgspec.Struct, frozen=True):
    """The layer folders of overlay2, on the disk and in the engine's records."""

    path: str
    """The folder of the layers."""
    count: int
    """All layer folders."""
    loose: tuple[tuple[str, float], ...]
    """Folders that neither an image, a container nor a BuildKit database names, with the Unix time
    of their last change."""
    writable: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The folder of each container's writable layer, by the container's id."""
    recorded: int = 0
    """Layers that the engine's records name."""
    lost: tuple[str, ...] = ()
    """The layers whose folder is missing."""
    unreadable: tuple[str, ...] = ()
    """Paths of records of image layers that do not name the folder of the layer."""

    @property
    def root(self) -> str:
        """The data root."""
        return self.path.removesuffix("/overlay2")

    @property
    def lost_of_images(self) -> tuple[str, ...]:
        """Lost layers that are not a container's own."""
        writable_layers = {*self.writable.values()}
        return tuple(
            name for name in self.lost if name.removesuffix("-init") not in writable_layers
        )

    @property
    def robbed_containers(self) -> tuple[str, ...]:
        """Ids of containers whose writable layer is lost."""
        return tuple(id for id, folder in self.writable.items() if folder in self.lost)


def layer_folder_of(container: Container, layers: Layers | None) -> str:
    """The folder of a container's writable layer on the host; "" where it is not known."""
    if container.layer_folder or layers is None or container.id not in layers.writable:
        return container.layer_folder
    return f"{layers.path}/{layers.writable[container.id]}/diff"


@evidence
def layers(host: Host, root: DataRoot) -> Layers | Unavailable:
    """The layers in the engine's databases and in its overlay2 folder.

    An `-init` folder belongs to its container's layer, also when only that is named.
    """
    listing = host.require(ListLayers(root.path))
    mentioned = {*listing.referenced, *listing.mentioned}
    loose = tuple(
        (folder.name, folder.mtime)
        for folder in listing.folders
        if folder.name not in mentioned and folder.name.removesuffix("-init") not in mentioned
    )
    return Layers(
        f"{root.path}/overlay2",
        count=len(listing.folders),
        loose=loose,
        writable=listing.mounts,
        recorded=len(listing.referenced),
        lost=tuple(listing.lost),
        unreadable=tuple(f"{root.path}/{_RECORDS}/{id}" for id in listing.unreadable),
    )
