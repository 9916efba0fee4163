"""Collectors for files and file systems.

All that may block in the kernel is done by the helper process.

A path under /proc or /sys may be asked too; the helper reads it as any other.
"""

import time
from collections.abc import Iterable, Mapping

from diagnose.live import Live, Refused
from diagnose.live.helper import MARGIN_S
from diagnose.live.kernel.mountinfo import MountEntry, by_point, holding, mounts
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from diagnose.questions.built_pages import SearchBuiltPages
from diagnose.questions.data_root import ListBuilds, ListLayers, WalkFolder
from diagnose.questions.file_texts import FindTexts
from diagnose.questions.files import (
    ListFolder,
    ReadFile,
    ReadFlags,
    StatPaths,
    TryDevices,
    TrySockets,
)
from diagnose.questions.filesystems import SampleFreeSpace, StatFilesystem, StatFilesystems

MOMENT = 0.5
"""Seconds for which a mount table counts as the present one."""


def read(live: Live, question: ReadFile) -> Json:
    """The text of one file."""
    return ask_worker(live, question, "read", [question.root or question.path])


def found_texts(live: Live, question: FindTexts) -> Json:
    """The searched texts that a file contains."""
    return ask_worker(live, question, "found_texts", [question.root or question.path])


def built_pages(live: Live, question: SearchBuiltPages) -> Json:
    """The texts, of those asked for, that are in the code of built pages."""
    return ask_worker(live, question, "built_pages", [question.root])


def stats(live: Live, question: StatPaths) -> Json:
    """The stat of many paths at once.

    A path on a mount that does not answer costs only itself.
    """
    args = question.args
    points = _points(live)
    slow: dict[str, list[str]] = {}
    quick = []
    for path in args["paths"]:
        mount = holding(path, points)
        if mount is not None and mount.may_hang:
            slow.setdefault(mount.point, []).append(path)
        else:
            quick.append(path)
    groups = [(None, quick), *slow.items()] if quick else list(slow.items())
    answer: dict[str, Json] = {}
    pending = []
    for point, paths in groups:
        if point in _silent_mounts(live):
            answer |= {path: {"failed": "timed out"} for path in paths}
        else:
            request = live.helper("disk").submit(
                "stats", {**args, "paths": paths}, _deadline(live, question)
            )
            pending.append((point, paths, request))
    for point, paths, request in pending:
        try:
            answer |= request.result()
        except Refused as refused:
            failed = refused.failed
            why = {"failed": failed.reason, "detail": failed.detail}
            answer |= dict.fromkeys(paths, why)
            if point and failed.reason == "timed out":
                _silent_mounts(live)[point] = failed.detail
    return answer


def sockets(live: Live, question: TrySockets) -> Json:
    """Whether a program listens on Unix sockets: a connection that sends nothing.

    A listener that /proc/net/unix shows is not connected to: systemd would start its service.
    """
    return ask_worker(live, question, "sockets", question.paths)


def devices(live: Live, question: TryDevices) -> Json:
    """Whether this host may open devices that do nothing when they are opened."""
    return ask_worker(live, question, "devices", question.paths)


def flags(live: Live, question: ReadFlags) -> Json:
    """The flags of regular files and folders that bind root too (ioctl FS_IOC_GETFLAGS)."""
    return ask_worker(live, question, "flags", question.paths)


def list_folder(live: Live, question: ListFolder) -> Json:
    """The entries of one folder, sorted by name."""
    place = question.root or question.path
    return ask_worker(live, question, "list_folder", [place])


def usage(live: Live, question: StatFilesystem) -> Json:
    """The statvfs figures of the file system that holds a path, and its mount."""
    return ask_worker(live, question, "usage", [question.path])


def usages(live: Live, question: StatFilesystems) -> Json:
    """The statvfs figures of several paths.

    None lies on a mount that may hang (/dev/shm of containers).
    """
    return ask_worker(live, question, "usages", question.paths)


def layers(live: Live, question: ListLayers) -> Json:
    """The layers of overlay2 under a data root, and which of them the engine's databases know."""
    return ask_worker(live, question, "layers", [question.path])


def rate(live: Live, question: SampleFreeSpace) -> Json:
    """How fast a file system fills: two samples of its free bytes in one answer."""
    return ask_worker(live, question, "rate", [question.path])


def walk(live: Live, question: WalkFolder) -> Json:
    """The sizes of the folders and files below a folder.

    The walk stays on one device, which leaves out overlay `merged` mounts. Hard links count once.
    """
    return ask_worker(live, question, "walk", [question.path])


def builds(live: Live, question: ListBuilds) -> Json:
    """The builds that BuildKit remembers, with the end of what a failed step printed.

    Arguments of builds stay here: they may be secrets.
    """
    return ask_worker(live, question, "builds", [question.path])


def ask_worker(live: Live, question: AnyQuestion, function: str, paths: Iterable[str]) -> Json:
    """The answer of a worker about these paths. A mount that hangs is not asked twice."""
    points = _points(live)
    for path in paths:
        mount = holding(path, points)
        if mount is None:
            continue
        if mount.point in _silent_mounts(live):
            raise Refused("timed out", f"not asked again: {_silent_mounts(live)[mount.point]}")
        if mount.fstype == "autofs":
            raise Refused("not allowed", f"{mount.point} is mounted on demand and is not woken")
    try:
        return live.helper("disk").call(function, question.args, _deadline(live, question))
    except Refused as refused:
        if refused.failed.reason == "timed out":
            _remember(live, paths, points, refused.failed.detail)
        raise


def _remember(
    live: Live, paths: Iterable[str], points: Mapping[str, MountEntry], detail: str
) -> None:
    """Remember mounts that left a question unanswered.

    They are not asked again in this run, if it is in their nature to hang.
    """
    for path in paths:
        mount = holding(path, points)
        if mount is not None and mount.may_hang:
            _silent_mounts(live)[mount.point] = (
                f"{mount.point} ({mount.fstype} from {mount.source}): {detail}"
            )


def _points(live: Live) -> Mapping[str, MountEntry]:
    """The mounts by mount point, as they were at most a moment ago.

    A hundred files are asked for within one.
    """
    tables: list[tuple[float, Mapping[str, MountEntry]]] = live.keep("mount table", list)
    now = time.monotonic()
    for read_at, points in tables:
        if now - read_at < MOMENT:
            return points
    points = by_point(mounts())
    tables[:] = [(now, points)]
    return points


def _silent_mounts(live: Live) -> dict[str, str]:
    silent: dict[str, str] = live.keep("silent mounts", dict)
    return silent


def _deadline(live: Live, question: AnyQuestion) -> float:
    return live.deadline(question) - MARGIN_S
