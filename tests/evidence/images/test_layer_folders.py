"""The evidence of diagnose/evidence/images/layer_folders.py."""

from __future__ import annotations

from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.images.details import ImageDetails
from diagnose.evidence.images.layer_folders import LayerFolders, layer_folders
from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.machine.clock import Clock
from diagnose.questions.run import Options
from tests.hosts import Made

NOW = 1_800_000_000.0
NAMES = ("api", "db", "edge", "mail", "shop", "web")


def test_layers_that_the_log_names_are_asked_for_in_one_order() -> None:
    """A recording is found again by its question: the order of a set differs in each process."""
    folders = [f"/var/lib/docker/overlay2/{name}" for name in NAMES]
    answers = {
        f"sha256:{name}": {
            "Id": f"sha256:{name}",
            "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": f"{folder}/diff"}},
        }
        for name, folder in zip(NAMES, folders, strict=True)
    }
    host = Made(
        {
            "api.image": lambda question: answers[question.args["id"]],
            "file.stats": lambda question: {
                path: {"failed": "missing"} for path in question.args["paths"]
            },
        }
    )
    lines = [
        LogLine(NOW - 9, "error", f"open {folder}/link: no such file or directory")
        for folder in reversed(folders)
    ]
    images = Images(tuple(Image(f"sha256:{name}", repo_tags=[f"{name}:1"]) for name in NAMES), {})
    log = DaemonLog(tuple(lines), "journal docker.service")
    details = ImageDetails({}, {})
    found = layer_folders(host, details, images, log, Clock(wall=NOW, booted=0.0), Options())
    assert isinstance(found, LayerFolders)
    asked = host.asked[-1].args["paths"]
    assert asked == [f"{folder}/{part}" for folder in folders for part in ("diff", "link")]
    assert [name for name, _ in found.missing] == [f"{name}:1" for name in NAMES for _ in range(2)]
