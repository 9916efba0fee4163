"""Collectors for what processes have open: sockets, deleted files, descriptors."""

# A scan makes tens of thousands of these calls, and pathlib triples their cost.
# ruff: noqa: PTH208

import os
import re
import stat
from collections.abc import Mapping

from diagnose.live import Live
from diagnose.live.helper import MARGIN_S
from diagnose.live.kernel.proc_files import (
    container_of,
    hides_files,
    hides_processes,
    parse_limits,
    pids,
    service_of,
    target_of,
    text_of,
)
from diagnose.model import Json
from diagnose.questions.images import ListDownloads
from diagnose.questions.processes import CountDescriptors, FindDeletedFiles, FindOpenFiles
from diagnose.questions.sockets import ListListeners, ListPortConnections

FEW_FILES = 48
"""So many descriptors are within any limit that a program can live with."""


def _listener_row(socket: Mapping[str, Json]) -> dict[str, Json]:
    """A socket as the network process has it, as a row of `Listener`."""
    row = {name: socket[name] for name in ("address", "port", "uid", "inode")}
    return {"proto": socket["protocol"] + ("6" if socket["family"] == "inet6" else ""), **row}


def listeners(live: Live, question: ListListeners) -> Json:
    """Sockets of the tool's network namespace that take what comes to a port."""
    sockets = live.helper("network").call("listeners", {}, live.deadline(question) - MARGIN_S)
    rows = [_listener_row(socket) for socket in sockets]
    owners = owners_of({row["inode"] for row in rows})
    for row in rows:
        pid = owners.get(row["inode"])
        row["pid"] = pid
        row["comm"] = None if pid is None else text_of(f"/proc/{pid}/comm")
        row["container"] = None if pid is None else container_of(pid)
        row["unit"] = None if pid is None else service_of(pid)
    return rows


def owners_of(inodes: set[int]) -> dict[int, int]:
    """The process that holds each socket, by the socket's inode; those that may be seen."""
    inode_by_link = {f"socket:[{inode}]": inode for inode in inodes}
    owners: dict[int, int] = {}
    for pid in pids():
        if len(owners) == len(inode_by_link):
            break
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for descriptor in descriptors:
            inode = inode_by_link.get(target_of(f"/proc/{pid}/fd/{descriptor}") or "")
            if inode is not None:
                owners.setdefault(inode, pid)
    return owners


def port_connections(_live: Live, question: ListPortConnections) -> Json:
    """TCP connections whose near end has a port, listeners apart."""
    import psutil  # imported when it is first asked

    rows: list[dict[str, Json]] = []
    for connection in psutil.net_connections("tcp"):
        if not connection.laddr or not connection.raddr:
            continue
        if connection.laddr.port != question.port:
            continue
        comm = text_of(f"/proc/{connection.pid}/comm") if connection.pid else None
        rows.append(
            {
                "peer": f"{connection.raddr.ip}:{connection.raddr.port}",
                "state": str(connection.status),
                "pid": connection.pid,
                "comm": comm.strip() if comm else None,
            }
        )
    return list(rows)


def deleted_files(live: Live, question: FindDeletedFiles) -> Json:
    """Files on disks that are deleted but still open, biggest first; each counts once.

    Their figures come from the helper process.
    """
    minimum = question.min_bytes
    files = live.helper("disk").call(
        "deleted_files",
        {"path": "deleted files", "min_bytes": minimum},
        live.deadline(question) - MARGIN_S,
    )
    for row in files["files"]:
        row["comm"] = text_of(f"/proc/{row['pid']}/comm")
        row["container"] = container_of(row["pid"])
    return files


def descriptors(_live: Live, question: CountDescriptors) -> Json:
    """Processes that have many files open, the nearest to their own soft limit first."""
    share = question.share
    rows: list[dict[str, Json]] = []
    unseen = 0
    for pid in pids():
        try:
            count = len(os.listdir(f"/proc/{pid}/fd"))
        except OSError as error:
            unseen += hides_files(pid, error)
            continue
        if count < FEW_FILES:
            continue
        limits = parse_limits(text_of(f"/proc/{pid}/limits") or "")
        limit = limits.get("Max open files", {}).get("soft")
        if limit and 100 * count >= share * limit:
            rows.append(
                {
                    "pid": pid,
                    "comm": text_of(f"/proc/{pid}/comm"),
                    "container": container_of(pid),
                    "open": count,
                    "limit": limit,
                }
            )
    return {
        "processes": sorted(rows, key=lambda row: -row["open"] / row["limit"]),
        "unseen": unseen,
        "hidden": hides_processes(),
    }


def open_under(_live: Live, question: FindOpenFiles) -> Json:
    """The files below a folder that a process has open for writing.

    The kernel adds " (deleted)" to a name that is gone. Files open for reading alone are left out:
    the engine reads a log while this tool asks for its lines.
    """
    pid = question.pid
    folder = question.folder.rstrip("/") + "/"
    links = [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    targets = (target_of(link) or "" for link in links if is_for_writing(link))
    return {"paths": sorted({target for target in targets if target.startswith(folder)})}


def downloads(_live: Live, question: ListDownloads) -> Json:
    """Layers that engines and their containerds are fetching: files that they have open for that.

    GetImageBlob of dockerd's own store, `ingest/ID/data` of containerd's. A file that is written
    has its position at its end; one that is whole and waits to be unpacked is at its beginning.

    Refused ("forbidden") where descriptors may not be seen.
    """
    rows: list[Json] = []
    for pid in question.pids:
        for name in os.listdir(f"/proc/{pid}/fd"):
            path = target_of(f"/proc/{pid}/fd/{name}") or ""
            if not _DOWNLOAD.search(path):
                continue
            position = re.search(r"^pos:\s+(\d+)", text_of(f"/proc/{pid}/fdinfo/{name}") or "")
            try:
                status = os.stat(f"/proc/{pid}/fd/{name}")  # noqa: PTH116
            except OSError:
                continue  # it has been closed meanwhile
            if position is not None:
                rows.append(
                    {
                        "pid": pid,
                        "path": path,
                        "bytes": status.st_size,
                        "position": int(position[1]),
                        "mtime": status.st_mtime,
                    }
                )
    return rows


_DOWNLOAD = re.compile(r"/tmp/GetImageBlob\d+$|/ingest/[0-9a-f]{64}/data$")  # noqa: S108 - a name


def is_for_writing(link: str) -> bool:
    """Whether a descriptor is open for writing: the mode of its link says so (proc_fd_link)."""
    try:
        return bool(os.lstat(link).st_mode & stat.S_IWUSR)
    except OSError:
        return False
