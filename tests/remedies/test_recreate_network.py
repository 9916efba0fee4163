"""The script of `diagnose recreate --network`: what a network keeps, and what is refused."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from diagnose.recreate.network import script
from diagnose.recreate.options import NoRecreateError

COMPOSE = {"com.docker.compose.network": "default", "com.docker.compose.project": "shop"}


def network(**parts: Any) -> dict[str, Any]:
    pool = {"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}
    return {
        "Name": "shop_default",
        "Driver": "bridge",
        "Scope": "local",
        "IPAM": {"Driver": "default", "Config": [pool]},
        **parts,
    }


def member(name: str, **endpoint: Any) -> dict[str, Any]:
    return {
        "Id": "0" * 64,
        "Name": f"/{name}",
        "HostConfig": {"NetworkMode": "shop_default"},
        "NetworkSettings": {"Networks": {"shop_default": endpoint}},
    }


def created(text: str) -> list[str]:
    """The words behind `docker network create` of the new network."""
    line = next(line for line in text.splitlines() if line.endswith("|| back"))
    return shlex.split(line.removesuffix(" || back"))[3:]


KEPT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "its subnet": (network(), []),
    "its labels": (
        network(Labels=COMPOSE),
        ["--label=com.docker.compose.network=default", "--label=com.docker.compose.project=shop"],
    ),
    "its options": (network(Options={"com.docker.network.driver.mtu": "1400"}), ["--opt=com.docker.network.driver.mtu=1400"]),
    "a label with a space": (network(Labels={"a": "b c"}), ["--label=a=b c"]),
}  # fmt: skip


@pytest.mark.parametrize(("inspect", "words"), KEPT.values(), ids=KEPT)
def test_what_a_network_has_it_keeps(inspect: dict[str, Any], words: list[str]):
    pool = ["--subnet=172.18.0.0/16", "--gateway=172.18.0.1"]
    kept = ["--driver=bridge", *pool, *words, "shop_default"]
    assert created(script(inspect, members=[], change=[])) == kept


FLAGS = {"Internal": "--internal", "Attachable": "--attachable", "EnableIPv6": "--ipv6"}


@pytest.mark.parametrize(("key", "option"), FLAGS.items())
def test_flags_are_kept(key: str, option: str):
    assert option in created(script(network(**{key: True}), members=[], change=[]))


def test_the_change_stands_behind_what_is_kept():
    parent = network(Driver="macvlan", Options={"parent": "eth0"})
    words = created(script(parent, [], ["--opt=parent=br0"]))
    assert words[-3:] == ["--opt=parent=eth0", "--opt=parent=br0", "shop_default"]


def test_another_subnet_takes_the_gateway_along():
    words = created(script(network(), [], ["--subnet=10.9.0.0/24"], frozenset({"subnet"})))
    assert words == ["--driver=bridge", "--subnet=10.9.0.0/24", "shop_default"]


def test_nothing_is_removed_before_the_engine_takes_the_change():
    lines = script(network(), [member("web")], ["--ipv6"]).splitlines()
    tried = lines.index(
        "docker network create --driver=bridge --ipv6 trial-shop_default >/dev/null"
    )
    removed = next(n for n, line in enumerate(lines) if line.startswith("docker network rm shop"))
    assert lines[tried - 1] == "set -e"
    assert tried < removed


def test_containers_come_back_with_their_names_and_addresses():
    """Whoever has a fixed address comes first: another container might be given it."""
    members = [
        member("web", Aliases=["web", "www", "000000000000"]),
        member("db", IPAMConfig={"IPv4Address": "172.18.0.2"}),
    ]
    lines = [line.strip() for line in script(network(), members, []).splitlines()]
    connect = [line for line in lines if line.startswith("docker network connect")]
    assert [line.partition(" || ")[0] for line in connect] == [
        "docker network connect --ip=172.18.0.2 shop_default db",
        "docker network connect --alias=www shop_default web",
    ]


def test_a_fixed_address_of_the_old_subnet_is_given_up():
    fixed = member("db", IPAMConfig={"IPv4Address": "172.18.0.2"})
    assert "--ip=" not in script(network(), [fixed], [], frozenset({"subnet"}))


def test_the_compose_file_is_named():
    text = script(network(Labels=COMPOSE), [], ["--ipv6"])
    notes = [shlex.split(line)[1] for line in text.splitlines() if line.startswith("echo ")]
    assert notes[0].endswith("Below `networks:`, `default:` write:")
    assert notes[1:] == ["    enable_ipv6: true"]


REFUSED = {
    "the default network": (network(Name="bridge"), "the engine's own"),
    "one of the swarm": (network(Scope="swarm"), "belongs to the swarm"),
    "a secret": (
        network(Options={"key": "<redacted:password:abcdef123456>"}),
        "has a secret in its options",
    ),
}


@pytest.mark.parametrize(("inspect", "why"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_lost_is_refused(inspect: dict[str, Any], why: str):
    with pytest.raises(NoRecreateError, match=why):
        script(inspect, members=[], change=[])
