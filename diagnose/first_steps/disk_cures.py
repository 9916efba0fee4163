"""Page variables for a full disk, by the files that fill it."""

from collections.abc import Mapping

from diagnose.evidence.storage.usage.disk_fillers import SEGMENTS, folder_inside
from diagnose.evidence.storage.usage.file_kinds import BINARY_LOGS, CORE_DUMPS, DUMPS, FileKind
from diagnose.evidence.storage.usage.filled_disk import FilledDisk
from diagnose.evidence.storage.usage.filled_volumes import FilledVolume
from diagnose.evidence.storage.usage.written_layers import WrittenLayer


def writers_cures(filled: FilledDisk) -> Mapping[str, str | None]:
    """The page variables for the container's layer or the volume that fills the disk; empty for
    neither."""
    if filled.writer is not None:
        return _layer_cures(filled.writer)
    if filled.volume is not None:
        return _volume_cures(filled.volume)
    return {}


def _layer_cures(writer: WrittenLayer) -> dict[str, str | None]:
    """The page variables of dumps, of a log that can be emptied, or else of the folder to look
    into."""
    if writer.kind is not None and writer.kind.name in DUMPS and writer.pid:
        # what is removed from the layer's own folder stays on the disk while it is mounted
        folder = f"/proc/{writer.pid}/root{folder_inside(writer, writer.kind)}"
        return _dump_cures(writer.kind, folder, writer.container)
    if writer.log and writer.is_running:
        return {"writer": writer.container, "own_log": writer.log}
    if writer.file:
        return {"layer_of": writer.container, "data_file": writer.on_host(writer.file)}
    return {"layer_of": writer.container, "own_folder": writer.on_host(writer.folder)}


def _dump_cures(kind: FileKind, folder: str, container: str | None) -> dict[str, str | None]:
    """The page variables that remove the dumps, and keep a container from leaving core dumps."""
    cures: dict[str, str | None] = {"dump_folder": folder, "dump_names": DUMPS[kind.name]}
    return {**cures, "crasher": container} if kind.name == CORE_DUMPS else {**cures, "heap": folder}


def _volume_cures(volume: FilledVolume) -> dict[str, str | None]:
    """The page variables of data in the volume that its program can remove."""
    user = volume.users[0] if volume.users else None
    if volume.kind is not None and volume.kind.name in DUMPS:
        return _dump_cures(volume.kind, volume.kind.folder, user)
    if volume.unarchived >= SEGMENTS:
        return {"archiver": user, "archived": volume.database}
    if volume.slots and user:
        return {"slot": volume.slots[0], "slot_of": user}
    if volume.kind is not None and volume.kind.name == BINARY_LOGS:
        return {"binary_logs_of": user}
    if volume.file and volume.kind is None:
        path = volume.on_host(volume.file)
        return {"data_file": path, "volume_file": path}
    return {}
