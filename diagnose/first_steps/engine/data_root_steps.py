"""Page variables that lead the engine back to its data."""

import json

from diagnose.evidence.engine.config import DEFAULT_PATH, DaemonConfig
from diagnose.evidence.engine.data.data_root_candidates import (
    REMAPPED,
    DataRootCandidates,
    OtherRoot,
    RunningEngine,
)
from diagnose.evidence.engine.data.hidden_containers import HiddenContainers
from diagnose.evidence.engine.info import Info
from diagnose.model import PageVariables


def is_snap(path: str) -> bool:
    """Whether a data root belongs to the snap docker."""
    return path.startswith("/var/snap/docker/")


def way_back(
    candidates: DataRootCandidates, other_root: OtherRoot, config: DaemonConfig | None
) -> PageVariables:
    """The page variables of the other root, by the setting that leads the engine back to it."""
    if is_snap(candidates.path):
        return {"other": other_root.path, "snap": "docker"}
    if is_snap(other_root.path):
        return {"other": other_root.path, "stopped_snap": "docker"}
    if config is None:
        return {"other": other_root.path}
    if "data-root" in config.flags:
        return {"other": other_root.path, "flagged": other_root.path}
    if REMAPPED.search(candidates.path) and REMAPPED.sub("", candidates.path) == other_root.path:
        return {"other": other_root.path, "remap_json": '{"userns-remap": null}'}
    if REMAPPED.search(other_root.path):
        return {"other": other_root.path, "remapped": other_root.path}
    return {"other": other_root.path, "root_json": json.dumps({"data-root": other_root.path})}


def one_engine(candidates: DataRootCandidates, engine: RunningEngine) -> PageVariables:
    """The page variables that leave one engine of two: the one that has containers.

    Where both have some, a person decides.
    """
    beside = {"beside": engine.path, "beside_pid": str(engine.pid)}
    if candidates.containers:
        return beside
    if is_snap(engine.path):
        return {**beside, "running_snap": "docker"}
    if is_snap(candidates.path):
        return {**beside, "empty_snap": "docker"}
    return beside


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
