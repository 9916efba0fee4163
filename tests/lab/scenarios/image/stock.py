"""Images and build caches that pile up, and tags that say no version."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy, images
from tests.lab.images import Recipe
from tests.lab.scenarios.image.helpers import STORE, TIDY, load


def load_old(box: Box, name: str, count: int) -> None:
    """Load images that were built on the first day of 2024, each another one."""
    for number in range(count):
        load(
            box,
            f"{name}:{number}",
            Recipe(busybox=False),
            config={"Labels": {"number": str(number)}},
        )


def rebuild(box: Box, tag: str, times: int) -> None:
    """Build an image anew under the same tag, each time with another content."""
    box.image("bb:1.36")
    for number in range(times):
        box.docker(
            "build", "-q", "-t", tag, "-", stdin=f"FROM bb:1.36\nRUN echo {number} >/version\n",
            env={"DOCKER_BUILDKIT": "0"}, timeout=60,
        )  # fmt: skip


@fault("image.dangling", subject="host:host", shareable=True)
def builds_that_lost_their_tag(box: Box) -> None:
    """Three builds of one tag leave two images that nobody can name."""
    rebuild(box, "shopdev:1", 3)
    assert len(box.docker("image", "ls", "-q", "-f", "dangling=true").stdout.split()) >= 2


@healthy()
def untagged_but_used(box: Box) -> None:
    """Images without a tag that running containers stand on, and one that an update left."""
    for number in range(3):
        rebuild(box, "shopdev:1", 1)
        name = f"dev{number}"
        box.docker(
            "run", "-d", *TIDY, f"--name={name}", "shopdev:1", "sleep", "1000",
        )  # fmt: skip
        box.docker("build", "-q", "-t", "shopdev:1", "-", stdin=f"FROM bb:1.36\nRUN echo x{number} >/version\n",
                   env={"DOCKER_BUILDKIT": "0"}, timeout=60)  # fmt: skip
        box.docker("image", "rm", "shopdev:1")
    assert len(box.api("/containers/json")) == 4


@fault("image.latest-tag", subject="image:bb", shareable=True)
def image_without_a_version(box: Box) -> None:
    """A container runs an image that was named without a tag."""
    box.docker(
        "run", "-d", "--name=tagless", "--memory=16m", "--pids-limit=16", "bb", "sleep", "1000"
    )
    assert box.docker("ps", "--filter=name=tagless", "--format={{.Image}}").stdout.strip() == "bb"


@healthy(advice=["daemon.live-restore-off", "image.labels-missing"])
def names_that_only_look_like_latest(box: Box) -> None:
    """An image run by its id, and a finished job of an image without a tag."""
    box.image("bb")
    found = box.api("/images/bb/json")["Id"]
    box.docker("run", "-d", "--name=by-id", *TIDY, found, "sleep", "1000")
    box.docker("run", "--name=job", *TIDY, "--restart=no", "bb", "true")


@fault("image.unused", subject="host:host", shareable=True)
def images_that_nobody_uses(box: Box) -> None:
    """Twelve images of 2024 without a container."""
    load_old(box, "release", 12)
    assert len(box.docker("image", "ls", "-q", "release").stdout.split()) >= 1


@healthy(shareable=True)
def images_kept_for_a_way_back(box: Box) -> None:
    """Three old images that nobody uses."""
    load_old(box, "kept", 3)


@fault("image.labels-missing", subject="image:plain:3", shareable=True)
def image_without_labels(box: Box) -> None:
    """A container's image has no labels."""
    images.load(box, "plain:3", Recipe())
    box.docker("run", "-d", "--name=plain", *TIDY, "plain:3", "sleep", "1000")
    assert box.api("/images/plain:3/json")["Config"].get("Labels") is None


@fault("image.build-cache-large", subject="host:host", box={"disk": "600M"})
def builds_that_left_their_cache(box: Box) -> None:
    """BuildKit keeps 120 MB of a build on a disk of 600 MB that is filling."""
    big = bytes(range(250)) * 240_000
    body = images.archive(
        Recipe(
            {"Dockerfile": (b"FROM scratch\nCOPY big /big\n", 0o644), "big": (big, 0o644)},
            busybox=False,
        )
    )
    said = box.api("/build?version=2&t=cached:1&buildid=1", method="POST", body=body, timeout=60)
    assert "moby.image.id" in str(said)
    box.fill("/var/lib/docker/volumes/filler", 0.75)
    cache = box.api("/system/df")["BuildCache"]
    assert sum(entry["Size"] for entry in cache if not entry["InUse"]) > 100_000_000


@fault("image.dangling", subject="host:host", engines=Engines(since=28), config=STORE)
def builds_that_lost_their_tag_in_containerd(box: Box) -> None:
    """Three builds of one tag, with containerd's store."""
    assert box.api("/info")["Driver"] == "overlayfs"
    rebuild(box, "shopdev:1", 3)


@healthy(engines=Engines(since=28), config=STORE)
def moved_tag_in_containerd(box: Box) -> None:
    """With containerd's store an image that lost its tag to an update, and a container that still
    stands on it."""
    for number in range(2):
        images.load(box, "moved:1", Recipe({"version": (str(number).encode(), 0o644)}))
        box.docker("run", "-d", f"--name=on{number}", *TIDY, "moved:1", "sleep", "1000")
    assert [image["Containers"] for image in box.api("/images/json") if not image["RepoTags"]] == [
        1
    ]
