"""Labels of compose that came with an image: compose did not write them."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.image_labels import without_labels_of_images
from diagnose.model import Failed
from tests.hosts import Made
from tests.inspected import container

LABELS = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.project.config_files": "/srv/guest/compose.yaml",
}
OWN = {**LABELS, "com.docker.compose.image": "sha256:1111"}
OTHER = {**LABELS, "com.docker.compose.image": "sha256:2222"}


def images(labels: dict[str, str]) -> list[dict[str, Any]]:
    return [{"Id": "sha256:1111", "Labels": labels}]


@pytest.mark.parametrize(
    ("labels", "listed", "project", "asked"),
    [
        ({}, images(LABELS), "", 0),
        (OWN, images(LABELS), "shop", 0),
        (LABELS, images({}), "shop", 1),
        (LABELS, images(LABELS), "", 1),
        (OTHER, images(OTHER), "", 1),
        (LABELS, images({"com.docker.compose.project": "base"}), "shop", 1),
        (LABELS, Failed("timed out", ""), "shop", 1),
    ],
    ids=[
        "none",
        "of compose, which knows the image",
        "given by hand, or by an old compose",
        "of the image",
        "of a committed container",
        "another project than the image says",
        "images that cannot be listed",
    ],
)
def test_labels_of_the_image_make_no_project(
    labels: dict[str, str], listed: Any, project: str, asked: int
) -> None:
    host = Made({"api.images": listed})
    web = container("web", Config={"Labels": {**labels, "team": "shop"}})
    (seen,) = without_labels_of_images(host, [web])
    assert seen.compose_project == project
    assert bool(seen.compose_files) is bool(project)
    assert seen.labels["team"] == "shop"
    assert len(host.asked) == asked
