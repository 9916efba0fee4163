"""What several of these scenarios use."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

from tests.lab import Box, images, registry
from tests.lab.box import LOG
from tests.lab.images import Recipe

TIDY = (
    "--user=1000:1000", "--memory=16m", "--cpus=0.2", "--pids-limit=16", "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges", "--restart=unless-stopped", "--health-cmd=true",
)  # fmt: skip
STORE = {"features": {"containerd-snapshotter": True}}
"""Images lie in containerd's store, as in fresh installs from engine 29."""
KEEPS = {"live-restore": True}
QUIET = {**KEEPS, "log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}


def load(box: Box, name: str, recipe: Recipe, **about: object) -> None:
    """Load an image as a build elsewhere made it: with its own date, architecture and labels."""
    layer = images.archive(recipe)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2024-01-01T00:00:00Z",
        "config": {},
        **about,
    }
    config["rootfs"] = {
        "type": "layers",
        "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"],
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        parts = {
            "config.json": json.dumps(config).encode(),
            "layer.tar": layer,
            "manifest.json": json.dumps(manifest).encode(),
        }
        for file, content in parts.items():
            info = tarfile.TarInfo(file)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    box.api("/images/load?quiet=1", method="POST", body=whole.getvalue())


def refuse(box: Box, reference: str, *words: str, times: int = 1) -> None:
    """Pull in vain, and see that the engine says why."""
    for _ in range(times):
        said = registry.pull(box, reference)
        assert any(word in said for word in words), said


def failed_task_pulls(box: Box) -> int:
    """How often the pull of an image for a task of swarm has failed."""
    return box.read(LOG).count("pulling image failed")
