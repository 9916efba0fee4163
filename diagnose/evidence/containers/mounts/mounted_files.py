"""Files of a container that lie in one of its mounts."""

from diagnose.evidence.containers.inspect import Mount
from diagnose.questions.file_parts import Parts
from diagnose.questions.files import ReadFile


def mounted_file(
    mount: Mount, path: str, *, max_bytes: int = 262144, parts: Parts | None = None
) -> ReadFile:
    """The question for a file at a path of the container, below this mount or the mount itself.

    No link in a mounted folder leads the tool out of that folder.
    """
    inside = path.removeprefix(mount.destination.rstrip("/"))
    if not inside:
        return ReadFile(mount.source, max_bytes, parts=parts)
    return ReadFile(inside, max_bytes, parts=parts, root=mount.source)
