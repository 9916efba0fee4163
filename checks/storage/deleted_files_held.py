"""storage.deleted-files-held: a deleted file that a process holds open keeps its space."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.usage.deleted_files import DeletedFile, DeletedFiles
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, Severity, Subject, Unexamined, container
from diagnose.model.units import Bytes, Percent
from diagnose.phrases import size
from diagnose.registry import check

_LOG_OF = LazyPattern(r"/containers/(?P<id>[0-9a-f]{64})/")
"""Files that the engine itself holds for a container."""


@check("storage.deleted-files-held", severity=Severity.warning, caused_by=["logging.file-missing"])
def deleted_files_held(
    files: DeletedFiles,
    filesystems: Filesystems,
    containers: Containers | None,
    *,
    least: Bytes = Bytes(256 << 20),
    of_disk: Percent = Percent(5),
) -> CheckResult:
    """A deleted file is still held open, so its space is not freed.

    A file counts if it has `of_disk` percent of its disk, or `least` bytes and as much as the disk
    has left. Files in memory (memfd, /dev/shm) and small ones are everyday, and databases work on
    files of their own that they have deleted. A file in a container's writable layer is counted to
    the data root.
    """
    names = {container.id: container.name for container in containers or ()}
    disks = {disk.usage.dev: disk for disk in filesystems}
    for file in files:
        of_layer = filesystems.of_data_root if file.fstype == "overlay" else None
        disk = disks.get(file.dev) or of_layer
        if disk is None:
            continue
        share = disk.usage.size * of_disk / 100
        more_than_free = max(least, disk.usage.available)
        if file.bytes >= min(share, more_than_free):
            owner = names.get(_owner_of(file), "")
            fills = file.bytes * 100 >= of_disk * disk.usage.used
            yield _deleted_files_finding(file, disk, owner, fills=fills)
    if files.unseen:
        yield Unexamined(
            Subject("host", "host"), f"the open files of {files.unseen} processes: root only"
        )


def _owner_of(file: DeletedFile) -> str:
    """The id of the container whose process holds the file open, or for which the engine does."""
    log = _LOG_OF.search(file.path)
    return file.container or (log["id"] if log else "")


def _deleted_files_finding(
    file: DeletedFile, disk: Filesystem, owner: str, *, fills: bool
) -> Finding:
    """The finding about deleted files that are open. owner: the name of a container; empty for a
    process of the host."""
    descriptor = f"/proc/{file.pid}/fd/{file.fd}"
    owner_clause = f' of container "{owner}"' if owner and file.container else ""
    return Finding(
        subject=container(owner) if owner else disk.subject,
        summary=(
            f"{size(file.bytes)} of {disk.point} belong to a deleted file that "
            f"{file.comm or 'a process'}{owner_clause} (pid {file.pid}) holds open"
        ),
        evidence={descriptor: f"{file.path} (deleted)", f"stat({descriptor}).blocks": file.bytes},
        variables={"pid": str(file.pid), "fd": str(file.fd), "point": disk.point},
        discriminator=f"{file.pid}:{file.fd}",
        touches=(disk.subject,) if fills else (),
    )
