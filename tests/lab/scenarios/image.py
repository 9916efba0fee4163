"""Images that pile up, that nobody can name, that do not fit, and that cannot be pulled."""

from __future__ import annotations

from tests.lab import Box, fault, healthy

TIDY = (
    "--user=1000:1000", "--memory=16m", "--cpus=0.2", "--pids-limit=16", "--read-only", "--cap-drop=ALL",
    "--security-opt=no-new-privileges", "--restart=unless-stopped", "--health-cmd=true",
)  # fmt: skip


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
    box.docker("run", "-d", "--name=tagless", "--memory=16m", "--pids-limit=16", "bb", "sleep", "1000")
    assert box.docker("ps", "--filter=name=tagless", "--format={{.Image}}").stdout.strip() == "bb"


@healthy(advice=["image.labels-missing"])
def names_that_only_look_like_latest(box: Box) -> None:
    """An image run by its id, and a finished job of an image without a tag."""
    box.image("bb")
    found = box.api("/images/bb/json")["Id"]
    box.docker("run", "-d", "--name=by-id", *TIDY, found, "sleep", "1000")
    box.docker("run", "--name=job", *TIDY, "bb", "true")
