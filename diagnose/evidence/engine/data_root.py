"""The folder of the engine's images, containers and volumes."""

import posixpath

import msgspec

from diagnose.evidence.engine.config import DaemonConfig, rootless
from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence

DEFAULT = "/var/lib/docker"
CONTAINERD = "/var/lib/containerd"
"""The root of a containerd of the system's own, which holds the images of a containerd store."""


class DataRoot(msgspec.Struct, frozen=True):
    """The folder in which the engine keeps its data."""

    path: str
    """An absolute folder."""
    source: str
    """The source of the path: "info", a configuration file, a flag, or "default"."""


LINKS = 4
"""Maximum number of links that are followed one after the other."""


@evidence
def data_root(
    host: Host, info: Info | Unavailable, config: DaemonConfig | Unavailable
) -> DataRoot | Unavailable:
    """The engine's data root, by its own answer, else its configuration, else the default.

    Thus the disk of a stopped engine is found too. A rootless engine's default lies in its user's
    home; unavailable where that is not known.
    """
    if isinstance(info, Info) and info.docker_root_dir:
        return DataRoot(info.docker_root_dir, "info")
    if isinstance(config, DaemonConfig):
        path = config.value("data-root")
        if isinstance(path, str) and path.startswith("/"):
            return DataRoot(
                _path_behind_links(host, path.rstrip("/") or "/"), config.where("data-root")
            )
    rootless_engine = rootless(host)
    if rootless_engine is not None and (
        rootless_engine.data is None or rootless_engine.traces is False
    ):
        return Unavailable(
            "missing",
            f"it is not known where a rootless engine of user {rootless_engine.uid} keeps its data",
        )
    rootless_data = rootless_engine.data if rootless_engine is not None else None
    return DataRoot(_path_behind_links(host, rootless_data or DEFAULT), "default")


def _path_behind_links(host: Host, path: str) -> str:
    """The real path of a data root that was moved by a symbolic link.

    A running engine reports this path itself. A dangling link is resolved to its target.
    """
    for _ in range(LINKS):
        status = _status(host, StatPaths([path]), path)
        if status is not None and status.failed:
            status = _status(host, StatPaths([path], follow=False), path)
        if status is None or status.link is None:
            break
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), status.link))
    return path


def _status(host: Host, question: StatPaths, path: str) -> PathStatus | None:
    statuses = host.ask(question)
    return None if isinstance(statuses, Failed) else statuses.get(path)
