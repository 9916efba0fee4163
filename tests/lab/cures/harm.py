"""What a command has done to a host that it should have left alone."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass

from tests.lab.box import Box


@dataclass(frozen=True)
class HostState:
    """What must survive a safe command: containers that run steadily (id -> pid and start), and
    everything's ids.

    None where the engine does not answer; then the shims stand for the containers.
    """

    steady: Mapping[str, tuple[int, str]]
    kept: frozenset[str]
    shims: frozenset[int]


def host_state(box: Box) -> HostState:
    shims = frozenset(box.pids_of("containerd-shim-runc-v2"))
    try:
        listed = box.api("/containers/json?all=1", timeout=2)
        found = [box.api(f"/containers/{row['Id']}/json", timeout=2) for row in listed]
        images = [image["Id"] for image in box.api("/images/json", timeout=2)]
        volumes = [volume["Name"] for volume in box.api("/volumes", timeout=2)["Volumes"] or ()]
        networks = [network["Id"] for network in box.api("/networks", timeout=2)]
    except (OSError, AssertionError, http.client.HTTPException):
        return HostState(steady={}, kept=frozenset(), shims=shims)
    steady = {
        container["Id"]: (container["State"]["Pid"], container["State"]["StartedAt"])
        for container in found
        if container["State"]["Status"] == "running" and not container["RestartCount"]
    }
    return HostState(
        steady,
        frozenset([*(container["Id"] for container in found), *images, *volumes, *networks]),
        shims,
    )


def harm_done(before: HostState, after: HostState) -> list[str]:
    """What a command has ended, restarted or removed."""
    if not before.kept or not after.kept:
        lost = before.shims - after.shims
        return [f"{len(lost)} containers ended"] if lost else []
    harm = [
        f"container {id[:12]} does not run as it did"
        for id, life in before.steady.items()
        if after.steady.get(id) != life
    ]
    return harm + [f"{id[:20]} is gone" for id in before.kept - after.kept]
