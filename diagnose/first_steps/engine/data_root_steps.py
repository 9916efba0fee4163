"""Page variables that lead the engine back to its data."""

import json

from diagnose.evidence.engine.config import DEFAULT_PATH, DaemonConfig
from diagnose.evidence.engine.data.data_root_candidates import (
    REMAPPED,
    DataRootCandidates,
    OtherRoot,
)
from diagnose.evidence.engine.data.hidden_containers import HiddenContainers
from diagnose.evidence.engine.info import Info
from diagnose.model import PageVariables


def is_snap(path: str) -> bool:
    """Whether a data root belongs to the snap docker."""
    return path.startswith("/var/snap/docker/")


def way_back(
    candidates: DataRootCandidates, other: OtherRoot, config: DaemonConfig | None
) -> PageVariables:
    """The page variables of the other root, by the setting that leads the engine back to it."""
    if is_snap(candidates.path):
        return {"other": other.path, "snap": "docker"}
    if is_snap(other.path):
        return {"other": other.path, "stopped_snap": "docker"}
    if config is None:
        return {"other": other.path}
    if "data-root" in config.flags:
        return {"other": other.path, "flagged": other.path}
    if REMAPPED.search(candidates.path) and REMAPPED.sub("", candidates.path) == other.path:
        return {"other": other.path, "remap_json": '{"userns-remap": null}'}
    if REMAPPED.search(other.path):
        return {"other": other.path, "remapped": other.path}
    return {"other": other.path, "root_json": json.dumps({"data-root": other.path})}


def former_driver(
    hidden: HiddenContainers, info: Info, config: DaemonConfig | None
) -> PageVariables:
    """The page variables that lead the engine back to the former driver, by the setting that
    left it."""
    path = config.path if config is not None else DEFAULT_PATH
    if info.uses_containerd_store:
        return {"path": path, "store": "containerd-snapshotter"}
    if config is not None and "storage-driver" in config.flags:
        return {}
    return {"path": path, "driver": hidden.driver}
