"""The main content of a full disk, in a word."""

import posixpath

from diagnose.evidence.storage.usage.file_kinds import CORE_DUMPS, HEAP_DUMPS, FileKind
from diagnose.evidence.storage.usage.filled_disk import FilledDisk
from diagnose.evidence.storage.usage.filled_volumes import FilledVolume
from diagnose.evidence.storage.usage.written_layers import WrittenLayer
from diagnose.phrases import and_more, count, size

SEGMENTS = 8
"""An archive command that works leaves fewer segments of the log waiting."""


def what_fills_it(filled: FilledDisk) -> str:
    """The main content of a full disk, as the end of a sentence; "" without a clear one.

    A store that nothing needs comes first, then files that grow, and then the largest share.
    """
    largest = _needless_store(filled) or _growing_files(filled) or _largest_share(filled)
    return f"; {largest}" if largest else ""


def _needless_store(filled: FilledDisk) -> str:
    """The cache of a builder, or the data of an engine or a driver that is not in use."""
    if (cache := filled.builder_cache) is not None:
        return (
            f'volume "{cache.volume}", the cache of buildx builder "{cache.builder}", '
            f"holds {size(cache.bytes)}"
        )
    if abandoned_root := filled.abandoned:
        contents = f"{abandoned_root.path} holds {size(abandoned_root.bytes)}"
        return f"{contents} of an engine's data, and no running engine uses it"
    if former := filled.former_driver:
        driver = posixpath.basename(former.path)
        contents = f"{former.path} holds {size(former.bytes)}"
        return f"{contents} of storage driver {driver}, which the engine uses no more"
    return ""


def _growing_files(filled: FilledDisk) -> str:
    """Core dumps, downloads that were not finished, or a log."""
    dumps = filled.dumps
    downloads = filled.downloads
    if dumps is not None and filled.is_to_blame(dumps.bytes):
        return f"{dumps.count} core dumps in {dumps.folder} hold {size(dumps.bytes)}"
    if downloads is not None:
        return f"unfinished downloads in {downloads.path} hold {size(downloads.bytes)}"
    if filled.log is not None:
        writers = " and ".join(f'container "{name}"' for name in filled.log_writers[:2])
        of = f" of {writers}" if writers else ""
        return f"the log {filled.log.path}{of} holds {size(filled.log.bytes)}"
    renamed = filled.renamed_log
    if renamed is not None and filled.is_to_blame(renamed.bytes):
        file = posixpath.basename(renamed.path)
        return (
            f'the log of container "{renamed.container}" was renamed to {file}, and the engine writes '
            f"on into that file: it holds {size(renamed.bytes)}"
        )
    return ""


def _largest_share(filled: FilledDisk) -> str:
    """The largest other share: objects of the engine, a container's layer, or a folder.

    Images that the storage driver vfs has copied are as large as they are for that reason.
    """
    if filled.copied_bytes:
        return (
            "the engine's storage driver vfs keeps each layer as a full copy of the one below it: "
            f"images take {size(filled.copied_bytes)}"
        )
    most = max(filled.spare, key=lambda share: share.bytes, default=None)
    if most is not None and filled.is_to_blame(most.bytes):
        hold = "hold" if most.count > 1 else "holds"
        return f"{most.counted} {hold} {size(most.bytes)}"
    if writer := filled.writer:
        return _written_layer_clause(writer)
    if volume := filled.volume:
        return _volume_clause(volume)
    for folder in filled.folders[:1]:
        if filled.is_to_blame(folder.bytes):
            return f"{folder.path} holds {size(folder.bytes)}"
    return ""


def _written_layer_clause(writer: WrittenLayer) -> str:
    """The size and place of a container's files in its writable layer."""
    begin = (
        f'container "{writer.container}" has written {size(writer.bytes)} into its writable layer'
    )
    if writer.kind is None:
        return f"{begin}, most of it to {writer.file or writer.folder}"
    folder = folder_inside(writer, writer.kind)
    why = _crashes(writer.kind, "a program in it")
    return f"{begin}, most of it {writer.kind.name} in {folder}{why}"


def folder_inside(place: WrittenLayer | FilledVolume, kind: FileKind) -> str:
    """The path of these files' folder inside the layer or the volume."""
    return kind.folder.removeprefix(place.top) or "/"


def _crashes(kind: FileKind, program: str) -> str:
    repetition = " again and again" if kind.count > 1 else ""
    if kind.name == CORE_DUMPS:
        return f": {program} crashes{repetition}"
    if kind.name == HEAP_DUMPS:
        return f": {program} runs out of heap{repetition}"
    return ""


def _volume_clause(volume: FilledVolume) -> str:
    """The content of the largest volume, and the reader for which a database keeps its log."""
    users = f' of container "{volume.users[0]}"' if volume.users else ""
    begin = f'volume "{volume.name}"{users} holds {size(volume.bytes)}'
    if volume.kind is None:
        return begin if volume.folder == "/" else f"{begin}, most of it in {volume.folder}"
    folder = folder_inside(volume, volume.kind)
    return f"{begin}, most of it {volume.kind.name} in {folder}{_kept_for(volume, volume.kind)}"


def _kept_for(volume: FilledVolume, kind: FileKind) -> str:
    if volume.unarchived >= SEGMENTS:
        waiting = count(volume.unarchived, "segment")
        return f": PostgreSQL keeps {waiting} that its archive command has not taken"
    if volume.slots:
        slots = and_more(volume.slots)
        return f": PostgreSQL keeps what readers of its replication slots ({slots}) have not read"
    return _crashes(kind, "a program that writes there")
