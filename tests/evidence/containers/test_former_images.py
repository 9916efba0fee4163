"""The images of containers that were replaced."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.ends.former_images import former_images
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.images.listing import Images
from diagnose.questions.images import Image
from tests.checks.container.evidence import NOW, container_in, moment
from tests.inspected import of

OLD_ID = "0" * 64
SERVICE = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.container-number": "1",
}
NEW = container_in("restarting", code=139, Created=moment(50), Config={"Image": "shop:2"})
OF_SHOP = container_in(
    "restarting", code=139, Created=moment(50), Config={"Image": "shop:2", "Labels": SERVICE}
)


def life(image: str, *, name: str = "web", asked: bool = True, **labels: str) -> Events:
    """Of the old container: its start, its end, and who asked for it."""
    attributes = {"image": image, "name": name, **labels}
    rows = [(900.0, "start"), *([(61.0, "kill")] if asked else []), (60.0, "die")]
    return Events(
        tuple(
            Event(NOW - age, "container", action, "", OLD_ID, {**attributes, "signal": "15"})
            for age, action in rows
        )
    )


LIVES: dict[str, tuple[Any, Events, str]] = {
    "the version before": (NEW, life("shop:1"), "shop:1"),
    "in its place of the project": (OF_SHOP, life("shop:1", name="5f2b_web", **SERVICE), "shop:1"),
    "the same version": (NEW, life("docker.io/library/shop:2"), ""),
    "one that failed too": (NEW, life("shop:1", asked=False), ""),
    "another container": (NEW, life("shop:1", name="api"), ""),
}


@pytest.mark.parametrize(("container", "events", "image"), LIVES.values(), ids=LIVES)
def test_former_image(container: Any, events: Events, image: str) -> None:
    here = Images((Image(id="sha256:1", repo_tags=["shop:1"]),), {})
    found = former_images(of(container), events, here).by_id.get(container.id)
    assert (found.image if found else "") == image
    assert found is None or (found.is_here and found.ran_s == 840)
