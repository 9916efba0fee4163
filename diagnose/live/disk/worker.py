"""What workers of the helper process do.

Questions to file systems, any of which may block in the kernel for ever.

Each function takes JSON arguments and returns a JSON value. None is called in the tool's own
process.
"""

# A scan makes tens of thousands of these calls, and pathlib triples their cost.
# ruff: noqa: PTH115, PTH116, PTH123, PTH208

from __future__ import annotations

import errno
import heapq
import os
import socket
import stat
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diagnose.live import ERRNO_REASONS, Refused
from diagnose.live.engine.daemon_process import listening_inode
from diagnose.live.helper import Function
from diagnose.live.kernel.mountinfo import MountEntry, mounts, parse
from diagnose.live.kernel.proc_files import hides_files, hides_processes
from diagnose.model import Json

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}
READ_MAX = 8 << 20
LARGEST = 20
REMOVAL_S = 0.4
"""The engine removes the folder of a layer at most so long before it forgets the layer."""
DATABASE_MAX = 64 << 20
NEVER_ON_DISK = ("/memfd:", "/SYSV", "/dev/shm/", "/dev/zero")  # noqa: S108 - names as links show them
MEMORY_BACKED = frozenset(
    {
        "tmpfs",
        "devtmpfs",
        "ramfs",
        "hugetlbfs",
        "proc",
        "sysfs",
        "devpts",
        "cgroup",
        "cgroup2",
        "bpf",
    }
)


def read(args: Json) -> Json:
    """See `files.read`."""
    limit = min(int(args.get("max_bytes", 262144)), READ_MAX)
    descriptor = _open(args["path"], args.get("root"), bool(args.get("follow", True)))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Refused("malformed", f"{args['path']} is a {_type(status.st_mode)}, not a file")
        from_end = bool(args.get("tail")) and status.st_size > limit
        if from_end:
            os.lseek(descriptor, -limit, os.SEEK_END)
        body = _read_all(descriptor, limit + (0 if from_end else 1))
    finally:
        os.close(descriptor)
    return {
        "text": body[:limit].decode("utf-8", "replace"),
        "size": status.st_size,
        "mtime": status.st_mtime,
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "truncated": from_end or len(body) > limit,
        "link": None if args.get("root") else _link(args["path"]),
    }


def stats(args: Json) -> Json:
    """See `files.stats`."""
    look = os.stat if args.get("follow", True) else os.lstat
    answers: dict[str, Json] = {}
    for path in args["paths"]:
        try:
            status = look(path)
            link = _link(path)
        except OSError as error:
            answers[path] = {"failed": ERRNO_REASONS.get(error.errno or 0, "refused")}
            continue
        answers[path] = {
            "type": _type(status.st_mode),
            "size": status.st_size,
            "blocks_bytes": status.st_blocks * 512,
            "mtime": status.st_mtime,
            "mode": stat.S_IMODE(status.st_mode),
            "uid": status.st_uid,
            "gid": status.st_gid,
            "dev": _dev(status.st_dev),
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


def list_folder(args: Json) -> Json:
    """See `files.list_folder`."""
    limit = int(args.get("limit", 2000))
    entries: list[Json] = []
    with os.scandir(args["path"]) as folder:
        for entry in folder:
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
            entries.append({"name": _printable(entry.name), "type": kind})
    entries.sort(key=lambda entry: str(entry["name"]))
    return {"entries": entries, "truncated": False}


def usage(args: Json) -> Json:
    """See `files.usage`."""
    return _usage(args["path"], mounts())


def _usage(path: str, table: list[MountEntry]) -> dict[str, Json]:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        figures = os.fstatvfs(descriptor)
        mount = _mount_of(descriptor, table)
        dev = _dev(os.fstat(descriptor).st_dev)
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


def layers(args: Json) -> Json:
    """See `files.layers`."""
    answer = _layers(args)
    if answer["lost"]:
        # the engine removes a folder a moment before its record
        time.sleep(REMOVAL_S)
        again = _layers(args)
        answer["lost"] = [name for name in answer["lost"] if name in again["lost"]]
    return answer


def _layers(args: Json) -> Json:
    root = Path(args["path"])
    folders = {
        entry.name: entry.stat(follow_symlinks=False).st_mtime
        for entry in os.scandir(root / "overlay2")
        if entry.is_dir(follow_symlinks=False) and entry.name != "l"
    }
    database = root / "image/overlay2/layerdb"
    mounts_of: dict[str, str] = {}
    referenced = {_word(f"{layer.path}/cache-id") for layer in _folders(database / "sha256")}
    for container in _folders(database / "mounts"):
        mounts_of[container.name] = _word(f"{container.path}/mount-id")
        referenced |= {mounts_of[container.name], _word(f"{container.path}/init-id")}
    loose = [name for name in folders if name not in referenced]
    if loose:
        books = [book.read_bytes()[:DATABASE_MAX] for book in (root / "buildkit").glob("*.db")]
    else:
        books = []
    mentioned = [
        name for name in loose if any(name.removesuffix("-init").encode() in book for book in books)
    ]
    listed = [{"name": name, "mtime": mtime} for name, mtime in folders.items()]
    mounted = {id_: folder for id_, folder in mounts_of.items() if folder}
    named = sorted(referenced - {""})
    lost = [
        name for name in named if name not in folders and not (root / "overlay2" / name).exists()
    ]
    return {
        "folders": listed,
        "referenced": named,
        "mentioned": mentioned,
        "mounts": mounted,
        "lost": lost,
    }


def _folders(path: Path) -> list[os.DirEntry[str]]:
    """The folders in a folder; none where there is no such folder."""
    try:
        return [entry for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _word(path: str) -> str:
    """The one word of a small file of the engine's; empty where there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        return os.read(descriptor, 4096).decode("utf-8", "replace").strip()
    finally:
        os.close(descriptor)


def rate(args: Json) -> Json:
    """See `files.rate`."""
    samples = []
    for wait in (0.0, float(args.get("seconds", 1.0))):
        time.sleep(wait)
        figures = os.statvfs(args["path"])
        samples.append((time.monotonic(), figures.f_bfree * (figures.f_frsize or figures.f_bsize)))
    (began, before), (ended, after) = samples
    return {"seconds": ended - began, "free_before": before, "free_after": after}


def walk(args: Json) -> Json:
    """See `files.walk`."""
    until = time.monotonic() + float(args.get("seconds", 2))
    limit = int(args.get("limit", 400_000))
    tree = _Tree(
        str(args["path"]), int(args.get("depth", 1)), skipped=frozenset(args.get("skip", ()))
    )
    while tree.folders and tree.entries < limit and time.monotonic() <= until:
        tree.read_next()
    return {
        "bytes": sum(tree.bytes.values()),
        "entries": tree.entries,
        "complete": not tree.folders and not tree.refused,
        "refused": tree.refused,
        "by": tree.bytes,
        "files": tree.files,
        "largest": [
            {"path": _printable(path), "bytes": size}
            for size, path in sorted(tree.largest, reverse=True)
        ],
    }


class _Tree:
    """What was counted of a folder and all below it, on its own file system.

    depth: how many folders deep the names go by which bytes and files are counted.
    """

    def __init__(self, top: str, depth: int, *, skipped: frozenset[str]) -> None:
        self.depth = depth
        self.skipped = skipped
        self.device = os.lstat(top).st_dev
        self.bytes: dict[str, int] = {}
        self.files: dict[str, int] = {}
        self.largest: list[tuple[int, str]] = []
        self.entries = 0
        self.refused = 0
        self.folders: list[tuple[str, str, int]] = [(top, "", 0)]
        """A stack of folders yet to be read.

        Each with the name that its bytes are counted under, and how deep that name is.
        """
        self._linked: set[int] = set()

    def read_next(self) -> None:
        """Count the entries of one folder."""
        path, name, level = self.folders.pop()
        try:
            entries = list(os.scandir(path))
        except OSError as error:
            self.refused += error.errno in (errno.EACCES, errno.EPERM)
            return
        is_named = level < self.depth
        for entry in entries:
            try:
                figures = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if figures.st_dev == self.device and entry.path not in self.skipped:
                self.entries += 1
                under = f"{name}/{_printable(entry.name)}".lstrip("/") if is_named else name
                self._count(entry.path, figures, under, level)

    def _count(self, path: str, figures: os.stat_result, under: str, level: int) -> None:
        is_folder = stat.S_ISDIR(figures.st_mode)
        if not is_folder and figures.st_nlink > 1:
            if figures.st_ino in self._linked:
                return
            self._linked.add(figures.st_ino)
        size = figures.st_blocks * 512
        self.bytes[under] = self.bytes.get(under, 0) + size
        self.files[under] = self.files.get(under, 0) + 1
        if is_folder:
            self.folders.append((path, under, level + 1))
        elif len(self.largest) < LARGEST:
            heapq.heappush(self.largest, (size, path))
        else:
            heapq.heappushpop(self.largest, (size, path))


def _open(path: str, root: str | None, follow: bool) -> int:
    flags = (
        os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
    )
    if root is None:
        return os.open(path, flags)
    top = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _open_inside(top, path, flags)
    finally:
        os.close(top)


OPENAT2 = 437
OPEN_HOW = struct.Struct("=QQQ")
"""flags, mode, resolve of openat2(2), Linux 5.6."""
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_IN_ROOT = 0x10


def _open_inside(top: int, path: str, flags: int) -> int:
    """Open as a chroot into `top` would see it: no link of the container leads out of it."""
    import ctypes  # costs 10 ms, and only a few files are asked so

    how = OPEN_HOW.pack(flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.syscall(OPENAT2, top, os.fsencode(path), how, len(how)))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    return descriptor


def _read_all(descriptor: int, limit: int) -> bytes:
    parts = []
    while limit > 0 and (part := os.read(descriptor, min(limit, 1 << 20))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def _mount_of(descriptor: int, table: list[MountEntry]) -> MountEntry | None:
    """The mount of the file system that an open descriptor is on.

    The kernel says so, so that links do not matter.

    A folder that is bound on itself, as dockerd does with its data root where mounts are not
    shared, is not a file system of its own: the outermost mount that shows it counts.
    """
    with open(f"/proc/self/fdinfo/{descriptor}") as lines:
        wanted = next((int(line.split()[1]) for line in lines if line.startswith("mnt_id:")), None)
    wanted_mount = next((mount for mount in table if mount.id == wanted), None)
    if wanted_mount is None:
        return None
    above = (
        mount
        for mount in table
        if mount.dev == wanted_mount.dev
        and _is_within(wanted_mount.root, mount.root)
        and _is_within(wanted_mount.point, mount.point)
    )
    return min(above, key=lambda mount: len(mount.root))


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _link(path: str) -> str | None:
    try:
        return _printable(os.readlink(path))
    except OSError:
        return None


def _type(mode: int) -> str:
    return TYPES.get(stat.S_IFMT(mode), "other")


def _dev(device: int) -> str:
    return f"{os.major(device)}:{os.minor(device)}"


def _printable(name: str | bytes | Any) -> str:
    return os.fsencode(name).decode("utf-8", "replace")


def deleted_files(args: Json) -> Json:
    """See `open_files.deleted_files`."""
    rows: dict[tuple[int, int], dict[str, Json]] = {}
    unseen = 0
    types: dict[str, str] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        folder = f"/proc/{name}/fd"
        try:
            descriptors = os.listdir(folder)
        except OSError as error:
            unseen += hides_files(name, error)
            continue
        for descriptor in descriptors:
            try:
                path = _printable(os.readlink(f"{folder}/{descriptor}"))
                if not path.endswith(" (deleted)") or path.startswith(NEVER_ON_DISK):
                    continue
                status = os.stat(f"{folder}/{descriptor}")
            except OSError:
                continue
            size = status.st_blocks * 512
            if not stat.S_ISREG(status.st_mode) or size < args["min_bytes"]:
                continue
            dev = _dev(status.st_dev)
            if dev not in types:
                types |= {mount.dev: mount.fstype for mount in _mounts_of(name)}
            fstype = types.get(dev)
            if fstype not in MEMORY_BACKED:
                rows.setdefault(
                    (status.st_dev, status.st_ino),
                    {
                        "pid": int(name),
                        "fd": int(descriptor),
                        "path": path.removesuffix(" (deleted)"),
                        "bytes": size,
                        "dev": dev,
                        "fstype": fstype,
                    },
                )
    return {
        "files": sorted(rows.values(), key=lambda row: -int(row["bytes"])),
        "unseen": unseen,
        "hidden": hides_processes(),
    }


def _mounts_of(pid: str) -> list[MountEntry]:
    try:
        return parse(Path(f"/proc/{pid}/mountinfo").read_text(errors="replace"))
    except OSError:
        return []


def functions() -> Mapping[str, Function]:
    """The functions above by their names."""
    return {
        function.__name__: function
        for function in (
            read,
            stats,
            sockets,
            list_folder,
            usage,
            usages,
            layers,
            rate,
            walk,
            deleted_files,
        )
    }
