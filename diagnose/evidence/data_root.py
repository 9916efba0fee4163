"""Where the engine keeps its images, containers and volumes."""

from __future__ import annotations

import msgspec

from diagnose.evidence.daemon_config import DaemonConfig
from diagnose.evidence.info import Info
from diagnose.model import Unavailable
from diagnose.registry import evidence

DEFAULT = "/var/lib/docker"
CONTAINERD = "/var/lib/containerd"
"""The root of a containerd of the system's own, which holds the images of a containerd store."""


class DataRoot(msgspec.Struct, frozen=True):
    """path: an absolute folder. source: who says so: "info", a configuration file, a flag, or "default"."""

    path: str
    source: str


@evidence
def data_root(info: Info | Unavailable, config: DaemonConfig | Unavailable) -> DataRoot:
    """The engine's own word, else its configuration, else the default, so that a dead engine's disk is found
    too."""
    if isinstance(info, Info) and info.docker_root_dir:
        return DataRoot(info.docker_root_dir, "info")
    if isinstance(config, DaemonConfig):
        path = config.value("data-root")
        if isinstance(path, str) and path.startswith("/"):
            return DataRoot(path.rstrip("/") or "/", config.where("data-root"))
    return DataRoot(DEFAULT, "default")
