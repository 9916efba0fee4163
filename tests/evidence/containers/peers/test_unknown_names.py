"""What is said of a host name that a failed program calls and that no container has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.unknown_names import stray_evidence, stray_variables
from diagnose.evidence.containers.settings.named.named_settings import NamedSetting
from tests.inspected import container, of

SERVICE = {"Config": {"Labels": {"com.docker.compose.service": "orders"}}}
NONE = "no container on this host has that name"
NAMES = {
    "the name of a container": ("web1", f'{NONE}; a similar name is "web"'),
    "the name of a service": (
        "order",
        f'{NONE}; a similar name is "orders" of container "shop-app-1"',
    ),
    "no such name": ("mailer", NONE),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.values(), ids=NAMES)
def test_a_similar_name_is_said_with_its_container(name: str, expected: str) -> None:
    containers = of(container("web"), container("shop-app-1", **SERVICE))
    assert stray_evidence({name: "its log"}, containers) == {f'"{name}", in its log': expected}


ON_SHOP = {"NetworkSettings": {"Networks": {"shop": {}}}}
ON_OTHER = {"NetworkSettings": {"Networks": {"other": {}}}}
IN_FILE = NamedSetting(path="/srv/site.conf", path_inside="/etc/nginx/conf.d/site.conf", line=2)
ENV = {"Config": {"Env": ["DB_URL=postgres://data-base:5432/shop"]}}
MEANT = {
    "a sign between the words, in a file": (
        ["database"],
        {},
        IN_FILE,
        {"edited": "/srv/site.conf", "edit": r"2s/\bdata-base\b/database/g"},
    ),
    "in a variable": (
        ["database"],
        ENV,
        None,
        {"assignment": "DB_URL=postgres://database:5432/shop"},
    ),
    "a letter": (
        ["data-bases"],
        ENV,
        None,
        {"assignment": "DB_URL=postgres://data-bases:5432/shop"},
    ),
    "the only one with a number": (
        ["data-base2"],
        ENV,
        None,
        {"assignment": "DB_URL=postgres://data-base2:5432/shop"},
    ),
    "two with numbers": (["data-base1", "data-base2"], ENV, None, {}),
    "two of them": (["database", "data_base"], ENV, None, {}),
    "another word": (["cache"], ENV, None, {}),
    "another word behind the same one": (["data-cache"], ENV, None, {}),
    "a word more": (["data-base-ui"], ENV, None, {}),
}


@pytest.mark.parametrize(("others", "fields", "setting", "expected"), MEANT.values(), ids=MEANT)
def test_the_name_that_is_meant_takes_the_place_of_the_wrong_one(
    others: list[str],
    fields: dict[str, Any],
    setting: NamedSetting | None,
    expected: dict[str, str],
) -> None:
    caller = container("app", **ON_SHOP, **fields)
    containers = of(caller, *(container(name, **ON_SHOP) for name in others))
    found = stray_variables({"data-base": "its log"}, caller, containers, setting)
    assert found == expected


def test_the_variable_of_the_wrong_name_is_corrected_alone() -> None:
    variables = ["DATABASE_CLIENT=postgres", "DATABASE_HOST=postgres"]
    caller = container("app", **ON_SHOP, Config={"Env": variables})
    containers = of(caller, container("postgres2", **ON_SHOP))
    strays = {"postgres": "environment variable DATABASE_HOST"}
    found = stray_variables(strays, caller, containers, None)
    assert found == {"assignment": "DATABASE_HOST=postgres2"}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("wordpress-db", "wordpress-es"),
        ("elasticsearch-data", "elasticsearch-main"),
        ("keycloak-dev", "keycloak-db"),
        ("mycompany-orders-read", "mycompany-orders-write"),
        ("cluster-east", "cluster-west"),
        ("backend", "backend-api"),
        ("kafka-ui", "kafka"),
    ],
)
def test_two_names_that_begin_alike(name: str, other: str) -> None:
    caller = container("app", **ON_SHOP, Config={"Env": [f"URL=http://{name}:80/"]})
    containers = of(caller, container(other, **ON_SHOP))
    assert stray_variables({name: "its log"}, caller, containers, None) == {}


def test_a_name_of_another_network_is_not_meant() -> None:
    caller = container("app", **ON_SHOP, **ENV)
    containers = of(caller, container("database", **ON_OTHER))
    assert stray_variables({"data-base": "its log"}, caller, containers, None) == {}


class _Unlisted(Containers, frozen=True):
    """Containers of a host with so many that nobody goes through them without need."""

    @property
    def running(self) -> Sequence[Container]:
        raise AssertionError("no name is called in vain")


def test_without_a_stray_name_no_neighbour_is_looked_for() -> None:
    """Each of 1,000 containers that failed for another reason would look at all the others."""
    caller = container("app", **ON_SHOP)
    assert stray_variables({}, caller, _Unlisted((caller,)), None) == {}


SERVES = {"Config": {"ExposedPorts": {"5432/tcp": {}, "9/udp": {}}}}
AT_PORT = {
    "the one server at the port": ([("store", SERVES)], "store"),
    "two servers at the port": ([("store", SERVES), ("stock", SERVES)], ""),
    "no server at the port": ([("store", {})], ""),
}


@pytest.mark.parametrize(("others", "meant"), AT_PORT.values(), ids=AT_PORT)
def test_the_port_of_the_wrong_name_tells_who_is_meant(
    others: list[tuple[str, dict[str, Any]]], meant: str
) -> None:
    caller = container("app", **ON_SHOP, **ENV)
    containers = of(caller, *(container(name, **ON_SHOP, **more) for name, more in others))
    found = stray_variables({"data-base": "its log"}, caller, containers, None)
    assignment = f"DB_URL=postgres://{meant}:5432/shop"
    assert found == ({"assignment": assignment} if meant else {})


def test_a_port_of_many_kinds_of_servers_tells_nothing() -> None:
    """Nobody's payments:8080 is not the shop that happens to serve 8080."""
    calls = {"Config": {"Env": ["PAY_URL=http://payments:8080"]}}
    caller = container("app", **ON_SHOP, **calls)
    shop = container("shop", **ON_SHOP, Config={"ExposedPorts": {"8080/tcp": {}}})
    assert stray_variables({"payments": "its log"}, caller, of(caller, shop), None) == {}
