"""The functions of the workers of the helper process.

They ask file systems, which may block in the kernel for ever, or make thousands of system calls.
Each function takes JSON arguments and returns a JSON value. None is called in the tool's own
process.
"""

# Some questions make tens of thousands of these calls, and pathlib triples their cost.
# ruff: noqa: PTH115, PTH116, PTH123, PTH208

import errno
import os
import socket
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from diagnose.file_paths import is_within
from diagnose.live import ERRNO_REASONS, collect
from diagnose.live.disk.build_history import builds
from diagnose.live.disk.built_pages import built_pages
from diagnose.live.disk.compose import project_files
from diagnose.live.disk.compose.search import found_compose_files
from diagnose.live.disk.hidden_files import hidden_files
from diagnose.live.disk.inode_flags import flags
from diagnose.live.disk.jobs.cron_files import cron_calls
from diagnose.live.disk.jobs.host_call_files import host_jobs, rule_flushes, shell_variables
from diagnose.live.disk.layer_folders import layers
from diagnose.live.disk.opening import open_folder, open_regular, read_all
from diagnose.live.disk.trees import walk
from diagnose.live.disk.written_status import device_number, link_target, printable, type_name
from diagnose.live.engine.daemon_process import listening_inode
from diagnose.live.helper import Function
from diagnose.live.kernel.mountinfo import MountEntry, mounts, parse
from diagnose.live.kernel.proc_files import hides_files, hides_processes
from diagnose.model import Json
from diagnose.questions.files import HARMLESS_DEVICES
from diagnose.word_sets import vocabulary

READ_MAX = 8 << 20
SEARCHED_MAX = 256 << 10
NEVER_ON_DISK = ("/memfd:", "/SYSV", "/dev/shm/", "/dev/zero")  # noqa: S108 - names as links show them
MEMORY_BACKED = vocabulary("tmpfs devtmpfs ramfs hugetlbfs proc sysfs devpts cgroup cgroup2 bpf")


def read(args: Json) -> Json:
    """See `files.read`."""
    limit = min(int(args.get("max_bytes", 262144)), READ_MAX)
    descriptor = open_regular(args["path"], args.get("root"), follow=bool(args.get("follow", True)))
    try:
        status = os.fstat(descriptor)
        from_end = bool(args.get("tail")) and status.st_size > limit
        if from_end:
            os.lseek(descriptor, -limit, os.SEEK_END)
        body = read_all(descriptor, limit + (0 if from_end else 1))
    finally:
        os.close(descriptor)
    text = body[:limit].decode("utf-8", "replace")
    if parts := args.get("parts"):
        from diagnose.live.disk.parts.chosen import only  # few runs read such files

        text = only(parts, text)
    return {
        "text": text,
        "size": status.st_size,
        "mtime": status.st_mtime,
        "ctime": status.st_ctime,
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "truncated": from_end or len(body) > limit,
        "link": None if args.get("root") else link_target(args["path"]),
    }


def found_texts(args: Json) -> Json:
    """See `files.found_texts`."""
    descriptor = open_regular(args["path"], args.get("root"))
    try:
        text = "\n" + read_all(descriptor, SEARCHED_MAX).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    return [text_part for text_part in args["texts"] if text_part in text]


def stats(args: Json) -> Json:
    """See `files.stats`."""
    look = os.stat if args.get("follow", True) else os.lstat
    answers: dict[str, Json] = {}
    for path in args["paths"]:
        try:
            status = look(path)
            link = link_target(path)
        except OSError as error:
            answers[path] = {"failed": ERRNO_REASONS.get(error.errno or 0, "refused")}
            continue
        answers[path] = {
            "type": type_name(status.st_mode),
            "size": status.st_size,
            "blocks_bytes": status.st_blocks * 512,
            "mtime": status.st_mtime,
            "ctime": status.st_ctime,
            "atime": status.st_atime,
            "mode": stat.S_IMODE(status.st_mode),
            "uid": status.st_uid,
            "gid": status.st_gid,
            "dev": device_number(status.st_dev),
            "ino": status.st_ino,
            "link": link,
        }
    return answers


def sockets(args: Json) -> Json:
    """See `files.sockets`."""
    return {
        path: {"failed": "" if listening_inode(path) else _refusal(path)} for path in args["paths"]
    }


def _refusal(path: str) -> str:
    """Why a connection to this Unix socket fails; "" if it does not.

    A listener whose queue is full (EAGAIN) counts as one that listens.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as stream:
        try:
            stream.connect(path)
        except BlockingIOError:
            return ""
        except OSError as error:
            return ERRNO_REASONS.get(error.errno or 0, "refused")
    return ""


def devices(args: Json) -> Json:
    """See `files.devices`."""
    return {
        path: {"error": _opening_error(path)} for path in args["paths"] if path in HARMLESS_DEVICES
    }


def _opening_error(path: str) -> str:
    """Why this device cannot be opened; "" if it can."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "EIO")
    return ""


def list_folder(args: Json) -> Json:
    """See `files.list_folder`."""
    folder = open_folder(args["path"], args.get("root"))
    try:
        return _entries(folder, int(args.get("limit", 2000)))
    finally:
        os.close(folder)


def _entries(folder: int, limit: int) -> dict[str, Json]:
    """The names in an open folder with their types, sorted; at most `limit` of them."""
    entries: list[Json] = []
    with os.scandir(folder) as scanned:
        for entry in scanned:
            if len(entries) == limit:
                return {"entries": entries, "truncated": True}
            if entry.is_symlink():
                kind = "link"
            elif entry.is_dir():
                kind = "folder"
            elif entry.is_file():
                kind = "file"
            else:
                kind = "other"
            entries.append({"name": printable(entry.name), "type": kind})
    entries.sort(key=lambda entry: str(entry["name"]))
    return {"entries": entries, "truncated": False}


def usage(args: Json) -> Json:
    """See `files.usage`."""
    return _usage(args["path"], mounts())


def _usage(path: str, table: list[MountEntry]) -> dict[str, Json]:
    """The room on the file system of a path, and how it is mounted there."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        figures = os.fstatvfs(descriptor)
        mount = _mount_of(descriptor, table)
        dev = device_number(os.fstat(descriptor).st_dev)
    finally:
        os.close(descriptor)
    unit = figures.f_frsize or figures.f_bsize
    return {
        "point": mount.point if mount else None,
        "fstype": mount.fstype if mount else None,
        "source": mount.source if mount else None,
        "size": figures.f_blocks * unit,
        "used": (figures.f_blocks - figures.f_bfree) * unit,
        "free": figures.f_bfree * unit,
        "available": figures.f_bavail * unit,
        "reserved": (figures.f_bfree - figures.f_bavail) * unit,
        "inodes": figures.f_files,
        "inodes_free": figures.f_ffree,
        "dev": dev,
        # statvfs also describes the mount, which is read-only to a service with
        # ProtectSystem=strict
        "read_only": "ro" in mount.super if mount else bool(figures.f_flag & os.ST_RDONLY),
    }


def usages(args: Json) -> Json:
    """See `files.usages`."""
    answers: dict[str, Json] = {}
    table = mounts()
    for path in args["paths"]:
        try:
            answers[path] = _usage(path, table)
        except OSError as error:
            answers[path] = {"failed": ERRNO_REASONS.get(error.errno or 0, "refused")}
    return answers


def rate(args: Json) -> Json:
    """See `files.rate`."""
    samples = []
    for wait in (0.0, float(args.get("seconds", 1.0))):
        time.sleep(wait)
        figures = os.statvfs(args["path"])
        samples.append((time.monotonic(), figures.f_bfree * (figures.f_frsize or figures.f_bsize)))
    (began, before), (ended, after) = samples
    return {"seconds": ended - began, "free_before": before, "free_after": after}


def _mount_of(descriptor: int, table: list[MountEntry]) -> MountEntry | None:
    """The mount of the file system that an open descriptor is on.

    The kernel says so, so that links do not matter.

    A folder that is bound on itself, as dockerd does with its data root where mounts are not
    shared, is not a file system of its own: the outermost mount that shows it counts.
    """
    with open(f"/proc/self/fdinfo/{descriptor}") as lines:
        mount_id = next(
            (int(line.split()[1]) for line in lines if line.startswith("mnt_id:")), None
        )
    wanted_mount = next((mount for mount in table if mount.id == mount_id), None)
    if wanted_mount is None:
        return None
    above = (
        mount
        for mount in table
        if mount.dev == wanted_mount.dev
        and is_within(wanted_mount.root, mount.root)
        and is_within(wanted_mount.point, mount.point)
    )
    return min(above, key=lambda mount: len(mount.root))


def deleted_files(args: Json) -> Json:
    """See `open_files.deleted_files`."""
    rows: dict[tuple[int, int], dict[str, Json]] = {}
    unseen = 0
    types: dict[str, str] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            descriptors = os.listdir(f"/proc/{name}/fd")
        except OSError as error:
            unseen += hides_files(name, error)
            continue
        for descriptor in descriptors:
            deleted = _deleted_file(f"/proc/{name}/fd/{descriptor}")
            if deleted is None or deleted.bytes < args["min_bytes"]:
                continue
            dev = device_number(deleted.status.st_dev)
            if dev not in types:
                types |= {mount.dev: mount.fstype for mount in _mounts_of(name)}
            fstype = types.get(dev)
            if fstype not in MEMORY_BACKED:
                row = {"pid": int(name), "fd": int(descriptor), "path": deleted.path}
                row |= {"bytes": deleted.bytes, "dev": dev, "fstype": fstype}
                rows.setdefault((deleted.status.st_dev, deleted.status.st_ino), row)
    return {
        "files": sorted(rows.values(), key=lambda row: -int(row["bytes"])),
        "unseen": unseen,
        "hidden": hides_processes(),
    }


class _DeletedFile(NamedTuple):
    """A regular file that is open and has no name any more."""

    path: str
    """Its last one."""
    status: os.stat_result

    @property
    def bytes(self) -> int:
        """Bytes on disk."""
        return self.status.st_blocks * 512


def _deleted_file(link: str) -> _DeletedFile | None:
    """The file that a descriptor has open, if it is a deleted file on a disk."""
    try:
        path = printable(os.readlink(link))
        if not path.endswith(" (deleted)") or path.startswith(NEVER_ON_DISK):
            return None
        status = os.stat(link)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return _DeletedFile(path.removesuffix(" (deleted)"), status)


def _mounts_of(pid: str) -> list[MountEntry]:
    try:
        return parse(Path(f"/proc/{pid}/mountinfo").read_text(errors="replace"))
    except OSError:
        return []


def functions() -> Mapping[str, Function]:
    """All functions of a worker, by name."""
    return {
        function.__name__: function
        for function in (
            read,
            found_texts,
            built_pages,
            stats,
            sockets,
            devices,
            flags,
            list_folder,
            usage,
            usages,
            layers,
            rate,
            walk,
            deleted_files,
            project_files.lost_dollars,
            project_files.blank_references,
            project_files.emptied_texts,
            cron_calls,
            host_jobs,
            rule_flushes,
            shell_variables,
            found_compose_files,
            project_files.compose_files,
            project_files.compose_project,
            project_files.compose_service,
            project_files.compose_variables,
            project_files.compose_volumes,
            project_files.differing_contents,
            hidden_files,
            collect,
            builds,
        )
    }
