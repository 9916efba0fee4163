"""What `diagnose recreate` has changed survives the next `docker compose up`, on a real compose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from diagnose import runbooks
from tests.lab.box import Box
from tests.lab.cures.proof import BIN, equip
from tests.lab.engines import Engine
from tests.lab.programs import UnfetchedError, install_compose

SHOP = """services:
  web:
    image: bb:1.36
    command: sleep 1000
    stop_grace_period: 1s
  db:
    image: bb:1.36
    command: sleep 1000
    stop_grace_period: 1s
"""


@pytest.fixture
def shop(engine: Engine) -> Iterator[Box]:
    """A host on which compose runs two services."""
    with Box(engine) as box:
        equip(box)
        try:
            install_compose(box)
        except UnfetchedError as error:
            pytest.skip(str(error))
        box.start_engine()
        box.image("bb:1.36")
        box.write("/srv/shop/compose.yaml", SHOP)
        _typed(box, "docker compose up -d")
        yield box


def _typed(box: Box, command: str) -> str:
    """Run a command as an administrator types it, in the project's folder; its output and what it
    says."""
    path = {"PATH": f"{BIN}:{box.engine.path}"}
    done = box.run(["bash", "-ec", command], cwd="/srv/shop", env=path, timeout=90)
    return done.stdout + done.stderr


def _names(box: Box) -> list[str]:
    return sorted(box.docker("ps", "-a", "--format", "{{.Names}} {{.State}}").stdout.splitlines())


def test_compose_keeps_the_container_that_was_recreated(shop: Box) -> None:
    """With the old one beside it, compose removes the new one and starts the old one."""
    _typed(shop, "docker exec shop-web-1 sh -c 'echo precious >/made'")
    before = shop.inspect("shop-web-1")["Id"]
    said = _typed(shop, "diagnose recreate shop-web-1 -- --env=MODE=fast | sh")
    recreated = shop.inspect("shop-web-1")
    assert recreated["Id"] != before
    _typed(shop, "docker compose up -d")
    assert _names(shop) == ["shop-db-1 running", "shop-web-1 running"]
    assert shop.inspect("shop-web-1")["Id"] == recreated["Id"]
    kept = said.partition("the image ")[2].split()[0]
    assert _typed(shop, f"docker run --rm {kept} cat /made") == "precious\n"


def test_the_lines_that_it_says_keep_the_change_when_compose_creates_the_container(
    shop: Box,
) -> None:
    change = "--env='PRICE=5$' --ulimit=nofile=5000:6000 --init"
    said = _typed(shop, f"diagnose recreate shop-web-1 -- {change} | sh")
    begin = said.index("    environment:")
    wanted = shop.inspect("shop-web-1")
    lines = said[begin:]
    shop.write("/srv/shop/compose.yaml", SHOP.replace("  web:\n", f"  web:\n{lines}", 1))
    _typed(shop, "docker compose up -d --force-recreate web")
    created = shop.inspect("shop-web-1")
    assert created["Id"] != wanted["Id"]
    assert sorted(created["Config"]["Env"]) == sorted(wanted["Config"]["Env"])
    for key in ("Ulimits", "Init"):
        assert created["HostConfig"][key] == wanted["HostConfig"][key]


def test_an_image_that_was_not_built_again(shop: Box) -> None:
    """A module was added to the sources, and `up` was typed without `--build`."""
    says = "echo \"ModuleNotFoundError: No module named 'requests'\" >&2; exit 1"
    shop.write("/srv/shop/Dockerfile", 'FROM bb:1.36\nCOPY run /run.sh\nCMD ["sh", "/run.sh"]\n')
    shop.write("/srv/shop/run", f"{says}\n")
    built = SHOP.replace("image: bb:1.36\n    command: sleep 1000", "build: .", 1)
    shop.write("/srv/shop/compose.yaml", built)
    _typed(shop, "docker compose up -d web")
    shop.wait_state("shop-web-1", "exited")
    shop.write("/srv/shop/run", "exec sleep 1000\n")
    found = shop.diagnose("all", "--format", "json", "--budget", "60").findings
    (finding,) = [finding for finding in found if finding["id"] == "container.exits-at-start"]
    _typed(shop, f"cd / && {finding['fix'][0]['command']}")
    shop.wait_state("shop-web-1", "running")


def test_nothing_is_kept_where_the_layer_is_to_go(shop: Box) -> None:
    """The page frees the space of a layer: an image with the same files would hold it."""
    _typed(shop, "docker exec shop-web-1 sh -c 'echo bulk >/made'")
    shop.docker("run", "--name=my-shop-web-1-before-1", "bb:1.36", "true")
    (block,) = runbooks.page("storage.writable-layer-large").of("fix")[:1]
    _typed(shop, runbooks.fill(block.text, {"container": "shop-web-1"}, "docker"))
    another = "my-shop-web-1-before-1 exited"
    assert _names(shop) == [another, "shop-db-1 running", "shop-web-1 running"]
    assert shop.docker("image", "ls", "--quiet", "kept").stdout == ""


def test_compose_knows_the_network_that_was_recreated(shop: Box) -> None:
    """Without its labels compose refuses the network; without aliases no service finds another."""
    change = "--ipv6 --subnet=fd00:9::/64"
    _typed(shop, f"diagnose recreate --network shop_default -- {change} | sh")
    network = shop.api("/networks/shop_default")
    assert network["EnableIPv6"]
    _typed(shop, "docker exec shop-web-1 ping -c 1 -W 2 db")
    before = {name: shop.inspect(name)["Id"] for name in ("shop-web-1", "shop-db-1")}
    _typed(shop, "docker compose up -d")
    assert {name: shop.inspect(name)["Id"] for name in before} == before
    assert shop.api("/networks/shop_default")["Id"] == network["Id"]


def test_a_network_that_cannot_be_changed_stays(shop: Box) -> None:
    before = shop.api("/networks/shop_default")
    refused = "diagnose recreate --network shop_default -- --subnet=300.0.0.0/8 | sh"
    assert "ok" not in _typed(shop, f"{refused} && echo ok || true")
    after = shop.api("/networks/shop_default")
    assert (after["Id"], after["Containers"].keys()) == (before["Id"], before["Containers"].keys())
