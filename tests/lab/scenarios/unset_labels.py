"""Programs that act on containers with a label, and hosts with and without one."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import install_compose
from tests.lab.scenarios.everyday.helpers import first_command

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


# -- labels with a slip -----------------------------------------------------------------

_MISSPELT = "container.label-misspelt"


def _labelled(box: Box, number: int, *labels: str) -> None:
    """A proxy that reads labels, and a site of a compose project with such labels."""
    load(box, "traefik:3.1", Recipe(changes=('CMD ["sleep","1000"]',)))
    load(box, "shop:1.4")
    install_compose(box)
    proxy, folder = f"proxy{number}", f"/srv/labels{number}"
    box.docker("run", "-d", f"--name={proxy}", *SAFE, "--init", "traefik:3.1")
    box.write(f"{folder}/compose.yaml", _SITE + "".join(f"      {label}\n" for label in labels))
    box.sh(f"cd {folder} && docker compose up --detach 2>&1", timeout=60)
    box.wait_state(f"labels{number}-site-1", "running")


_SITE = """services:
  site:
    image: shop:1.4
    command: ["sleep", "1000"]
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
    labels:
"""


@fault(_MISSPELT, subject="container:labels92-site-1", exit_code=0)
def labels_that_the_proxy_does_not_know(box: Box) -> None:
    """Two labels have a slip each; the first command corrects both in the compose file."""
    wrong = ('traefik.enabled: "true"', "traefik.http.router.site.rule: Host(`a`)")
    _labelled(box, 92, *wrong)
    command = first_command(box, _MISSPELT, "labels92-site-1")
    box.sh(f"{command} 2>&1", timeout=60)
    labels = box.inspect("labels92-site-1")["Config"]["Labels"]
    assert {"traefik.enable", "traefik.http.routers.site.rule"} <= labels.keys(), labels
    box.docker("rm", "-f", "proxy92", "labels92-site-1")
    _labelled(box, 92, *wrong)


@healthy()
def labels_of_the_proxy_and_of_their_owner(box: Box) -> None:
    """The labels are right, or say what only their owner's constraints read."""
    right = ('traefik.enable: "true"', "traefik.http.routers.site.rule: Host(`a`)")
    _labelled(box, 93, *right, "traefik.constraint-label: public", "traefik.tags: lan")


@healthy()
def labels_without_their_program(box: Box) -> None:
    """No program that reads labels runs here: the labels were taken along."""
    _labelled(box, 94, 'traefik.enabled: "true"')
    box.docker("rm", "-f", "proxy94")
