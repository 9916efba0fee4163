"""Files that are deleted, but still open: their space comes back only when they are closed."""

from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.processes import DeletedFile, FindDeletedFiles
from diagnose.registry import evidence

__all__ = ["LEAST", "DeletedFile", "DeletedFiles", "deleted_files"]

LEAST = 16 << 20
"""Smaller ones are everyday: journals, temporary files, libraries after an upgrade."""


class DeletedFiles(Items[DeletedFile], frozen=True):
    """The deleted files, the biggest first."""

    unseen: int = 0
    """Processes whose open files the caller may not see."""


@evidence
def deleted_files(host: Host) -> DeletedFiles | Unavailable:
    """The deleted files that processes hold open, by one scan of all descriptors."""
    listing = host.require(FindDeletedFiles(min_bytes=LEAST))
    if listing.refusal and not listing.files:
        return Unavailable("forbidden", listing.refusal)
    return DeletedFiles(tuple(listing.files), listing.unseen)
