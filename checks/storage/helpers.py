"""The functions that findings about file systems share."""

from diagnose.evidence.storage.filesystems import Filesystem
from diagnose.model import Json


def users(disk: Filesystem) -> dict[str, Json]:
    """The users of a disk that is not the data root's, as evidence."""
    return {"used by": [*disk.holds]} if disk.holds and not disk.holds_data_root else {}
