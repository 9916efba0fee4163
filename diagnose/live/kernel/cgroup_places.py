"""The control groups of containers in the hierarchies of both cgroup versions.

Sources: cgroup-v1/memory.rst, cgroup-v2.rst.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from diagnose.live.kernel.mountinfo import MountEntry, mounts

KNOWN_PLACES = (
    "docker/{id}",
    "system.slice/docker-{id}.scope",
    "libpod_parent/libpod-{id}",
    "machine.slice/libpod-{id}.scope",
)
"""Where engines put a container unless its CgroupParent says otherwise; used only when no process
of it is known."""


class Places:
    """The mount points of the cgroup hierarchies: by controller for version 1, and the one of
    version 2."""

    def __init__(self, table: list[MountEntry]) -> None:
        self.controllers: dict[str, MountEntry] = {}
        self.unified: MountEntry | None = None
        for mount in table:
            if mount.fstype == "cgroup2":
                self.unified = self.unified or mount
            elif mount.fstype == "cgroup":
                for option in mount.super:
                    self.controllers.setdefault(option, mount)

    @classmethod
    def now(cls) -> Places:
        """The present mount points."""
        return cls(mounts())

    @property
    def version(self) -> int:
        """The version of control groups, 1 or 2.

        1 where the memory controller has a hierarchy of its own, also beside an empty unified one.
        """
        return 1 if "memory" in self.controllers else 2

    def folder(self, controller: str, path: str) -> str | None:
        """The folder of a cgroup path for a controller; "" names the unified hierarchy."""
        mount = self.controllers.get(controller) if controller else self.unified
        if mount is None:
            return None
        inside = path.removeprefix(mount.root) if mount.root != "/" else path
        return f"{mount.point}/{inside.lstrip('/')}"

    def group(self, paths: Mapping[str, str]) -> Group:
        """The group that has these paths, by controller."""
        folders = {name: self.folder(name, path) for name, path in paths.items()}
        return Group(self.version, folders)


class Group(msgspec.Struct, frozen=True):
    """The folders of one control group, by controller; "" is the unified hierarchy."""

    version: int
    folders: Mapping[str, str | None]

    def folder(self, controller: str) -> str | None:
        return self.folders.get(controller)


def main_controller(places: Places) -> str:
    """The controller whose folder a container has in any case."""
    return "memory" if places.version == 1 else ""


def parse_membership(text: str, id_: str) -> dict[str, str]:
    """By controller, the path of the container's cgroup, from a /proc/PID/cgroup text.

    "" is the unified hierarchy.

    A process may have moved into a child of its container's group (an init system does): the path
    ends at the part that holds the id.
    """
    paths = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        parts = path.split("/")
        at = next((place for place, part in enumerate(parts) if id_ in part), None)
        if at is not None:
            for controller in controllers.split(","):
                paths[controller] = "/".join(parts[: at + 1])
    return paths


def group_paths(places: Places, id_: str, pid: int | None) -> dict[str, str]:
    """A container's cgroup paths by controller: by its process, else at the places where engines
    put them."""
    if pid:
        try:
            paths = parse_membership(Path(f"/proc/{pid}/cgroup").read_text(), id_)
        except OSError:
            paths = {}
        if paths:
            return paths
    for pattern in KNOWN_PLACES:
        path = "/" + pattern.format(id=id_)
        folder = places.folder(main_controller(places), path)
        if folder is not None and os.path.isdir(folder):  # noqa: PTH112 - by the hundred, as all paths here
            return dict.fromkeys([*places.controllers, ""], path)
    return {}
