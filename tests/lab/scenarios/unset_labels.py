"""Programs that act on containers with a label, and hosts with and without one."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load

CHECK = "container.label-unset"
SAFE = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")


def _healer(box: Box, *labels: str) -> None:
    """A program that restarts containers with a label, beside one of them."""
    load(box, "autoheal:1.2", Recipe(changes=('CMD ["sleep","1000"]',)))
    box.docker("run", "-d", "--name=heal91", *SAFE, "autoheal:1.2")
    marks = [f"--label={label}" for label in labels]
    box.docker("run", "-d", "--name=shop91", *SAFE, *marks, "bb:1.36", "sleep", "1000")
    box.wait_state("heal91", "running")


@fault(CHECK, subject="container:heal91")
def healer_without_a_container(box: Box) -> None:
    """No container has the label that the program looks for."""
    _healer(box)


@healthy()
def healer_with_a_container(box: Box) -> None:
    """The container beside the program has its label."""
    _healer(box, "autoheal=true")
