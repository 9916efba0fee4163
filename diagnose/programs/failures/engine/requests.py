"""What a running engine says of requests that it refuses, in plain words."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

ENGINE_REQUESTS = (
    Failure(
        name="size-of-container",
        mark="--storage-opt is supported",
        pattern=r"--storage-opt is supported only for overlay over xfs with 'pquota'",
        cause="a container was to have a size of its own (--storage-opt size), which the engine "
        "cannot give: its data root is not on xfs with project quotas",
        cure="create it without --storage-opt (compose: storage_opt), or put the data root on xfs "
        "that is mounted with pquota",
        source="moby/moby#37556",
    ),
    Failure(
        name="volume-driver",
        mark="error looking up volume plugin",
        pattern=r"error looking up volume plugin (?P<plugin>\S+): plugin \S+ not found",
        cause="a volume was to be made by the plugin {plugin}, which this engine does not have",
        cure="install or start the plugin",
        source="moby/moby#21147",
    ),
)
"""Refused requests of which only the line is left: no container, no volume."""
