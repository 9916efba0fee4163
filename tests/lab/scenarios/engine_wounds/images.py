"""Pulls and layers that the engine cannot write or has lost."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy, registry
from tests.lab.runner import BASE_CONFIG, healthy_container
from tests.lab.scenarios.engine_wounds.helpers import DAEMON, ROOT, SMALL, SUBORDINATE

# -- pulls and layers ----------------------------------------


def _refused(box: Box, reference: str, words: str) -> None:
    reply = registry.pull(box, reference)
    assert words in reply, reply


def _start_with_registry(box: Box, **config: object) -> str:
    host = registry.start(box)
    box.start_engine(config={**BASE_CONFIG, "insecure-registries": [host], **config})
    return host


@fault(
    "image.pull-no-space",
    subject=DAEMON,
    engine_started=False,
    baseline=False,
    box={"disk": "160M"},
    exit_code=1,
    first_command=("half", "it frees what can be freed"),
)
def image_larger_than_the_disk(box: Box) -> None:
    """An image does not fit on the disk; a moment later the room is back."""
    host = _start_with_registry(box)
    _refused(box, f"{host}/big/app:1", "no space left on device")
    box.wait_for(
        lambda: box.usage(ROOT).f_bavail > 0.8 * box.usage(ROOT).f_blocks,
        what="the room to be back",
    )


@fault("image.ids-out-of-range", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def image_with_a_directory_users_files(box: Box) -> None:
    """An image has a file whose owner's number is beyond the ids that the engine's user namespace
    has."""
    box.sh(SUBORDINATE)
    host = _start_with_registry(box, **{"userns-remap": "default"})
    _refused(box, f"{host}/ids/app:1", "cannot be mapped to a host ID")
    assert f"{host}/ids" not in str(box.api("/images/json"))


@fault("image.too-many-layers", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def image_of_many_layers(box: Box) -> None:
    """An image has 130 layers; overlay2 stacks 125."""
    host = _start_with_registry(box)
    _refused(box, f"{host}/deep/app:1", "max depth exceeded")


@healthy(engine_started=False, baseline=False)
def pull_that_found_room_later(box: Box) -> None:
    """A pull failed for lack of room; the disk was tidied, and the pull was repeated."""
    host = _start_with_registry(box)
    box.fill(f"{ROOT}/volumes/filler", 0.985)
    _refused(box, f"{host}/big/app:1", "no space left on device")
    box.sh(f"rm {ROOT}/volumes/filler")
    box.docker("pull", "-q", f"{host}/big/app:1", timeout=60)


@healthy(engine_started=False, baseline=False)
def remapped_users(box: Box) -> None:
    """An engine with userns-remap: another data root, other owners, and a healthy container."""
    box.sh(SUBORDINATE)
    host = _start_with_registry(box, **{"userns-remap": "default"})
    box.docker("pull", "-q", f"{host}/old/app:1")
    healthy_container(box, "web", 8080)
    assert box.api("/info")["DockerRootDir"] == f"{ROOT}/100000.100000"


@fault(
    "image.corrupt",
    subject=DAEMON,
    also=["container.start-refused"],
    exit_code=2,
    first_command=("heals", "the engine forgets the images; the containers are made again by hand"),
)
def layers_deleted(box: Box) -> None:
    """Somebody freed room by hand: all layers are gone, and nothing can be started."""
    box.docker("run", "-d", "--name=second", *SMALL, "shop:1.4")
    box.docker("kill", "second")
    box.sh(f"cd {ROOT}/overlay2; rm -rf * 2>/dev/null || true")
    assert box.docker("restart", "-t", "0", "web", check=False).returncode != 0
    report = box.diagnose("all", "--format", "json").report
    root = next(finding for finding in report["findings"] if finding["id"] == "image.corrupt")
    effects = [
        finding for finding in report["findings"] if finding["id"] == "container.start-refused"
    ]
    assert root["root"]
    assert effects
    assert all(root["key"] in str(effect["caused_by"]) for effect in effects), effects


@healthy(engines=Engines(since=26), config={"features": {"containerd-snapshotter": True}})
def records_of_another_store(box: Box) -> None:
    """containerd's store keeps the layers: there are no records of overlay2, and none is missed."""
    box.image("bb:1.36")
    assert box.api("/info")["Driver"] == "overlayfs"
