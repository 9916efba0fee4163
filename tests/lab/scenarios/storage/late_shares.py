"""Shares that were mounted after the engine had started their containers."""

from tests.lab import Box, fault
from tests.lab.scenarios.storage.helpers import SAFE, boot_before_the_share, shared_films


@fault(
    "container.mount-source-missing",
    subject="container:plex16",
    expect=[("container.mount-source-missing", f"container:{name}") for name in ("film16", "tv16")],
)
def containers_on_one_share_mounted_after_the_boot(box: Box) -> None:
    """At boot the engine started three containers again before the share of all was mounted: they
    are one block of the report, and its first command starts them all."""
    shared_films(box, "/mnt/nas16")
    names = ("film16", "plex16", "tv16")
    for name in names:
        box.sh(f"mkdir -p /mnt/nas16/{name}")
        mount = f"type=bind,source=/mnt/nas16/{name},target=/media"
        box.docker(*SAFE, f"--name={name}", "--mount", mount, "bb:1.36", "sleep", "1000")
    boot_before_the_share(box, "/mnt/nas16", *names)
    for name in names:
        box.wait_state(name, "exited")
    shared_films(box, "/mnt/nas16")
    box.sh("mkdir " + " ".join(f"/mnt/nas16/{name}" for name in names))
    printed = " ".join(box.diagnose("all", env={"COLUMNS": "200"}).out.split())
    assert "one cause: container.mount-source-missing (film16 and 2 more)" in printed, printed
    assert "docker start film16 plex16 tv16" in printed, printed
