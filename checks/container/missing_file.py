"""What container.mount-source-missing says of files that a mounted folder does not have."""

from __future__ import annotations

from checks.container.helpers import LINE, QUOTED
from diagnose.evidence.containers.bind_mounts import Named
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.missing_files import MissingFile
from diagnose.model import Finding
from diagnose.phrases import and_more

NAMES_SHOWN = 8


def absent_file(missing: MissingFile) -> Finding:
    """A file that the program misses below a mount, and that the host does not have there."""
    container, mount = missing.container, missing.place.mount
    name = missing.path.rpartition("/")[2]
    holds = and_more(missing.names, NAMES_SHOWN) if missing.names else "nothing"
    finding = Finding.about(
        container,
        f"{container} finds no {missing.inside}: {missing.folder} on the host has no {name}",
        {
            LINE: missing.place.line[:QUOTED],
            "mount": str(mount),
            f"what {missing.folder} holds": holds,
        },
        discriminator=mount.source,
        onset=container.failed_first,
        source=missing.folder,
    )
    if missing.near:
        example = f"{missing.folder}/{missing.near}"
        return finding.with_variables({"example": example, "wanted": missing.path})
    return finding.with_variables({"incomplete": missing.folder})


def volume_for_file(container: Container, taken: Named) -> Finding:
    """A named volume in the place of a file: a source that is no absolute path names a volume."""
    mount = taken.mount
    return Finding.about(
        container,
        f"{container} finds a folder at {taken.inside}: "
        f'"{mount.name}" is no absolute path, and so became the name of a volume',
        {LINE: taken.line[:QUOTED], "mount": f'volume "{mount.name}" -> {mount.destination}'},
        discriminator=mount.destination,
        onset=container.failed_first,
        source=mount.source,
        named_file=f"{mount.name}:{mount.destination}",
        inside=mount.destination,
    )
