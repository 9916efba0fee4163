"""Containers as they lie on the disk, for a host whose engine does not answer."""

import json
import posixpath
from collections.abc import Sequence
from typing import Any

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.engine.config import DaemonConfig, daemon_config
from diagnose.evidence.engine.data_root import DEFAULT
from diagnose.evidence.machine.processes import Processes, processes
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.model import container as container_subject
from diagnose.questions import Host
from diagnose.questions.endpoint import DEFAULT_SOCKETS, FindEndpoint, FindLocality
from diagnose.questions.files import FileText, ListFolder, ReadFile
from diagnose.shapes import convert

FILE_BYTES = 1 << 20
"""config.v2.json holds the container's environment and labels: 6 KB as a rule."""
SILENT = frozenset({"refused", "missing", "timed out", "not allowed", "malformed", "gone"})
"""Reasons of a failed list after which the files may replace the engine's answer; for "remote" the
files belong to another engine."""


def from_disk(host: Host, refusal: Unavailable) -> Containers | Unavailable:
    """The containers of a stopped engine, by the two JSON files of each below its data root.

    They are config.v2.json and hostconfig.json. The process list says whether a container is alive:
    the files are as old as the last change of state, so that the shim or the first process decides.
    The format is the same since engine 1.10. Values that only a running engine knows (GraphDriver)
    stay at their defaults. The refusal itself where the engine is not this machine's, or where its
    files may not be read.
    """
    if refusal.reason not in SILENT or not _is_ours(host):
        return refusal
    root = _data_root(host)
    listing = host.ask(ListFolder(f"{root}/containers"))
    if isinstance(listing, Failed):
        return refusal
    running = processes(host)
    folders = [
        f"{root}/containers/{entry.name}"
        for entry in listing.entries
        if entry.type == "folder" and len(entry.name) == 64
    ]
    files = _files(host, folders)
    containers = []
    missing = []
    for folder in folders:
        id = posixpath.basename(folder)
        try:
            config, host_config = (_loaded_object(files[f"{folder}/{name}"]) for name in _NAMES)
            containers.append(container_of(config, host_config, _first_pid(id, running)))
        except (ValueError, msgspec.ValidationError) as error:
            why = f"{folder}/{_NAMES[0]}: {error}"
            missing.append(Unexamined(container_subject(id[:12]), why))
    return Containers(
        tuple(sorted(containers, key=lambda container: container.name)),
        tuple(sorted(missing, key=lambda container: container.subject)),
        source="disk",
        root=root,
    )


_NAMES = ("config.v2.json", "hostconfig.json")
"""The files of each container."""


def _data_root(host: Host) -> str:
    """The data root by the engine's configuration; the default path where that is not known."""
    config = daemon_config(host)
    root = config.value("data-root") if isinstance(config, DaemonConfig) else None
    return root.rstrip("/") if isinstance(root, str) and root.startswith("/") else DEFAULT


def _files(host: Host, folders: Sequence[str]) -> dict[str, FileText | Failed]:
    paths = [f"{folder}/{name}" for folder in folders for name in _NAMES]
    answers = host.ask_about(paths, lambda path: ReadFile(path, max_bytes=FILE_BYTES))
    return {path: file for path, file in answers}  # noqa: C416 - dict() loses the type


def _is_ours(host: Host) -> bool:
    """Whether the data root of this machine belongs to the endpoint.

    It is the default one, or its process is here.
    """
    endpoint = host.ask(FindEndpoint())
    locality = host.ask(FindLocality())
    if isinstance(endpoint, Failed) or isinstance(locality, Failed) or not locality.same_host:
        return False
    return (
        locality.engine_pid is not None or endpoint.url.removeprefix("unix://") in DEFAULT_SOCKETS
    )


def _loaded_object(file: FileText | Failed) -> dict[str, Any]:
    """The object that a file of the engine holds. ValueError where it holds none."""
    if isinstance(file, Failed):
        raise ValueError(str(file))
    value = json.loads(file.text)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _first_pid(id: str, processes: Processes | Unavailable) -> int | None:
    """The pid of the container's first process, 0 where it does not live.

    None where processes cannot be seen.
    """
    if isinstance(processes, Unavailable):
        return None
    shim = processes.shims.get(id)
    inside = [
        process
        for process in processes.inside(id)
        if not process.is_zombie and not process.comm.startswith("containerd-shim")
    ]
    if shim is not None:
        child_pids = [process.pid for process in inside if process.ppid == shim.pid]
        return child_pids[0] if child_pids else 0
    return inside[0].pid if inside else 0


def container_of(config: dict[str, Any], about: dict[str, Any], pid: int | None) -> Container:
    """A container of the two files' objects, in the shape of inspect.

    pid: of its first process as it is found now; 0: it is dead, whatever the file says; None: the
    file counts. ValidationError for a shape that no engine writes.
    """
    state = dict(config.get("State") or {})
    if pid is not None:
        state["Pid"] = pid
    lives = bool(state.get("Pid")) if pid is not None else bool(state.get("Running"))
    state["Status"] = _status(state, lives=lives)
    points = config.get("MountPoints") or {}
    return convert(
        {
            **{
                name: config[name]
                for name in (
                    "Name",
                    "Created",
                    "Path",
                    "Args",
                    "Image",
                    "ResolvConfPath",
                    "LogPath",
                    "Driver",
                )
                if config.get(name) is not None
            },
            "Id": config.get("ID"),
            "RestartCount": config.get("RestartCount") or 0,
            "State": state,
            "HostConfig": about,
            "Config": config.get("Config") or {},
            "Mounts": [_mount(point) for point in points.values() if isinstance(point, dict)],
            "NetworkSettings": _network(config.get("NetworkSettings") or {}),
        },
        Container,
    )


def _status(state: dict[str, Any], *, lives: bool) -> str:
    """The word that inspect would say (daemon container/state.go, the same from 20.10 to 28)."""
    if lives:
        return "paused" if state.get("Paused") else "running"
    if state.get("Restarting"):
        return "restarting"
    if state.get("RemovalInProgress"):
        return "removing"
    if state.get("Dead"):
        return "dead"
    return "created" if str(state.get("StartedAt", "0001-")).startswith("0001-") else "exited"


def _mount(point: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": point.get("Type") or "",
        "Name": point.get("Name") or "",
        "Source": point.get("Source") or "",
        "Destination": point.get("Destination") or "",
        "Driver": point.get("Driver") or "",
        "RW": bool(point.get("RW", True)),
    }


def _network(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: settings[name]
        for name in ("Networks", "Ports", "SandboxKey")
        if settings.get(name) is not None
    }
