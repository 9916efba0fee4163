"""Images that tasks of a swarm need."""

from __future__ import annotations

from tests.lab import Box, fault, healthy, registry
from tests.lab.box import LOG
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.image.helpers import failed_task_pulls


def _swarm_of_local_images(box: Box) -> None:
    """Services of images that were built here: at each start of a task swarm tries a pull, and the
    hub knows neither."""
    registry.start_hub(box)
    box.start_engine(config=BASE_CONFIG)
    box.image("shop:1.4")
    box.docker("tag", "shop:1.4", "private/app:1.4")
    box.docker(
        "swarm", "init", "--advertise-addr", BOX_ADDRESS, "--default-addr-pool", "10.200.0.0/16"
    )


def _serve(box: Box, name: str, image: str) -> None:
    limits = ("--detach", "--no-resolve-image", "--limit-memory=64m", "--stop-grace-period=0s")
    box.docker("service", "create", *limits, f"--name={name}", image)


@healthy(engine_started=False)
def swarm_of_local_images(box: Box) -> None:
    """Tasks of locally built images start three times; the pull that swarm tries each time is
    refused."""
    _swarm_of_local_images(box)
    for number in range(3):
        _serve(box, f"shop{number}", "shop:1.4")
        _serve(box, f"app{number}", "private/app:1.4")
        box.wait_for(lambda: failed_task_pulls(box) == 2 * number + 2, what="both pulls")  # noqa: B023 - called at once
    box.wait_for(lambda: box.docker("service", "ls").stdout.count("1/1") == 6, what="all services")


@fault(
    "image.pull-denied",
    subject="image:private/app:1.5",
    engine_started=False,
    also=["container.*", "swarm.*"],
)
def swarm_without_the_image(box: Box) -> None:
    """A service wants a tag that is neither here nor to be had; others run locally built images."""
    _swarm_of_local_images(box)
    _serve(box, "shop", "shop:1.4")
    _serve(box, "app", "private/app:1.5")
    box.wait_for(
        lambda: box.read(LOG).count("No such image: private/app:1.5") >= 3, what="three vain starts"
    )
