"""Two folders of compose that have the same project name, by compose itself."""

from __future__ import annotations

from tests.lab import Box, fault, healthy, images
from tests.lab.programs import install_compose
from tests.lab.scenarios.everyday.helpers import first_command

CHECK = "container.replaced-by-project"
WEB = "shop-web-1"
_SERVICE = """  {name}:
    image: shop:1.4
    command: ["sleep", "1000"]
    environment: {{STAGE: {stage}}}
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
"""


def _up(box: Box, folder: str, *services: str, options: str = "") -> None:
    """`docker compose up` in a folder with a file that names these services."""
    stage = folder.split("/")[2]
    text = "".join(_SERVICE.format(name=name, stage=stage) for name in services)
    box.write(f"{folder}/compose.yaml", f"services:\n{text}")
    box.sh(f"cd {folder} && docker compose up --detach {options} 2>&1")


def _stage(box: Box, name: str = WEB) -> str:
    """The system that the container of the service belongs to."""
    variables: list[str] = box.inspect(name)["Config"]["Env"]
    return next(variable for variable in variables if variable.startswith("STAGE="))


def _prepare(box: Box) -> None:
    images.load(box, "shop:1.4")
    install_compose(box)


@fault(CHECK, subject=f"container:{WEB}")
def test_system_in_a_folder_of_the_same_name(box: Box) -> None:
    """A test system was started in a folder named like that of the real one, and replaced it."""
    _prepare(box)
    _up(box, "/srv/prod/shop", "web", "db")
    _up(box, "/srv/staging/shop", "web")
    assert _stage(box) == "STAGE=staging"
    for command in first_command(box, CHECK, WEB).splitlines():
        box.sh(f"{command} 2>&1")
    assert _stage(box) == "STAGE=prod"
    assert _stage(box, "shop-staging-web-1") == "STAGE=staging"
    box.docker("rm", "--force", "shop-staging-web-1")
    _up(box, "/srv/staging/shop", "web")


@fault(CHECK, subject=f"container:{WEB}")
def whole_system_replaced_by_another(box: Box) -> None:
    """Nothing is left of the first system: its own name brings it back beside the second."""
    _prepare(box)
    for folder in ("/srv/prod/shop", "/srv/staging/shop"):
        _up(box, folder, "web")
    box.sh(f"{first_command(box, CHECK, WEB)} 2>&1")
    assert _stage(box, "shop-prod-web-1") == "STAGE=prod"
    assert _stage(box) == "STAGE=staging", "the command stopped the second system"
    assert not box.diagnose("check", CHECK, "--format", "json").findings
    box.docker("rm", "--force", "shop-prod-web-1")


@fault(CHECK, subject="container:shop-db-1")
def orphan_of_another_folder(box: Box) -> None:
    """A copy of the folder without the database removed that of the first one as an orphan."""
    _prepare(box)
    _up(box, "/srv/prod/shop", "db")
    _up(box, "/srv/copy/shop", "cache", options="--remove-orphans")
    assert "db" not in box.docker("ps", "--all", "--format={{.Names}}").stdout


@healthy(advice=None)
def project_in_another_folder(box: Box) -> None:
    """A folder was moved; a release went into a new folder; a project has two folders by name."""
    _prepare(box)
    _up(box, "/srv/prod/shop", "web", "db")
    box.sh("mkdir -p /srv/moved && mv /srv/prod/shop /srv/moved/shop")
    _up(box, "/srv/moved/shop", "web", "db")
    for release in ("r1", "r2"):
        _up(box, f"/srv/{release}/release-{release}", "api", options="")
    named = "--project-name mail up --detach 2>&1"
    for folder in ("/srv/r1/release-r1", "/srv/r2/release-r2"):
        box.sh(f"cd {folder} && docker compose {named}")
