"""The layer folders of overlay2, against what the engine's databases know of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence


class _Folder(msgspec.Struct):
    name: str
    mtime: float


class _Answer(msgspec.Struct):
    folders: list[_Folder]
    referenced: list[str]
    mentioned: list[str]
    mounts: dict[str, str] = {}


class Layers(msgspec.Struct, frozen=True):
    """count: all layer folders. loose: those that neither an image, a container nor a BuildKit database
    names, with the Unix time of their last change. path: the folder that they lie in. writable: the folder of
    each container's writable layer, by its id.
    """

    path: str
    count: int
    loose: tuple[tuple[str, float], ...]
    writable: Mapping[str, str] = msgspec.field(default_factory=dict)


@evidence
def layers(host: Host, root: DataRoot) -> Layers | Unavailable:
    """One reading of the databases. An `-init` folder belongs to its container's layer, also when only that
    is named."""
    answer = host.ask(question("fs.layers", path=root.path))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    found = msgspec.convert(answer, _Answer)
    known = {*found.referenced, *found.mentioned}
    loose = tuple(
        (each.name, each.mtime)
        for each in found.folders
        if each.name not in known and each.name.removesuffix("-init") not in known
    )
    return Layers(f"{root.path}/overlay2", len(found.folders), loose, found.mounts)
