"""The check in checks/dns/names/service_on_other_network.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.model import Severity
from tests.checks.dns.evidence import CRITICAL, NETWORKS, WARNING, container
from tests.judging import judge


def service(name: str, networks: list[str], *, project: str = "p", **fields: Any) -> Container:
    if project:
        labels = {"com.docker.compose.project": project, "com.docker.compose.service": name}
    else:
        labels = {}
    places = {network: {"IPAddress": "172.18.0.2", "Aliases": [name]} for network in networks}
    config = {"Labels": labels} | fields.pop("Config", {})
    return container(
        f"{project}-{name}", **{"NetworkSettings": {"Networks": places}, "Config": config, **fields}
    )


CALLS_DB = {"Config": {"Env": ["DB_HOST=db"], "Labels": {"com.docker.compose.project": "p"}}}


LOOPS = {"State": {"Status": "restarting", "Pid": 0}}


@pytest.mark.parametrize(
    ("caller", "owner", "fails", "expected", "cure"),
    [
        pytest.param(
            service("api", ["front"], **LOOPS),
            service("db", ["shop"]),
            True,
            [CRITICAL],
            {"network": "shop"},
            id="failed",
        ),
        pytest.param(
            service("api", ["shop"], **LOOPS),
            service("db", ["shop"]),
            True,
            [],
            None,
            id="one network",
        ),
        pytest.param(
            service("api", ["shop"], **LOOPS),
            service("db", [], HostConfig={"NetworkMode": "container:gone"}),
            True,
            [CRITICAL],
            {},
            id="behind a container that is gone",
        ),
        pytest.param(
            container(
                "p-api",
                NetworkSettings={"Networks": {"shop": {"Aliases": ["api"], "Links": ["vpn:db"]}}},
                **LOOPS,
            ),
            service("db", [], HostConfig={"NetworkMode": "container:gone"}),
            True,
            [],
            None,
            id="linked later",
        ),
        pytest.param(
            service("api", ["bridge"], project="", **LOOPS),
            service("db", ["bridge"], project=""),
            True,
            [CRITICAL],
            {"created": "-api-net"},
            id="the default network",
        ),
        pytest.param(
            service("api", ["front"], **CALLS_DB),
            service("db", ["shop"]),
            False,
            [WARNING],
            {"network": "shop"},
            id="configured",
        ),
        pytest.param(
            service("api", ["front"], **CALLS_DB),
            service("db", ["shop"], project="q"),
            False,
            [],
            None,
            id="another project",
        ),
        pytest.param(
            service("api", ["front"], HostConfig={"ExtraHosts": ["db:10.0.0.5"]}, **LOOPS),
            service("db", ["shop"]),
            True,
            [],
            None,
            id="in its hosts file",
        ),
        pytest.param(
            service("api", ["bridge"], HostConfig={"Links": ["/p-db:/p-api/db"]}, **LOOPS),
            service("db", ["bridge"]),
            True,
            [],
            None,
            id="linked",
        ),
        pytest.param(
            service("api", [], HostConfig={"NetworkMode": "host"}, **LOOPS),
            service("db", ["shop"]),
            True,
            [CRITICAL],
            {},
            id="the host's network",
        ),
        pytest.param(
            service(
                "api",
                [],
                HostConfig={"NetworkMode": "host"},
                Config={"Env": ["URL=postgres://api@db:5432/shop", "OTHER=mydb:5432"]},
                **LOOPS,
            ),
            service(
                "db",
                ["shop"],
                NetworkSettings={
                    "Networks": {"shop": {"Aliases": ["db"]}},
                    "Ports": {"5432/tcp": [{"HostIp": "", "HostPort": "15432"}]},
                },
            ),
            True,
            [CRITICAL],
            {"assignment": "URL=postgres://api@127.0.0.1:15432/shop"},
            id="the host's network, and a published port",
        ),
    ],
)
def test_service_on_other_network(
    caller: Container,
    owner: Container,
    fails: bool,
    expected: list[Severity],
    cure: dict[str, str] | None,
) -> None:
    line = 'could not translate host name "db" to address'
    failed = FailedNames({caller.id: (FailedName("db", line),)} if fails else {})
    containers = Containers((caller, owner))
    result = judge(
        "dns.service-on-other-network", containers=containers, networks=NETWORKS, failed=failed
    )
    assert [finding.severity for finding in result.findings] == expected
    for finding in result.findings:
        own = {"container": caller.name, "name": "db", "owner": owner.name}
        assert finding.variables == {**own, **(cure or {})}


@pytest.mark.parametrize("network", ["bridge", "shop"])
def test_a_called_container_that_does_not_run_is_started(network: str) -> None:
    caller = service("api", ["bridge"])
    owner = service("db", [network], State={"Status": "exited"})
    failed = FailedNames({caller.id: (FailedName("db", "could not translate host name"),)})
    (finding,) = judge(
        "dns.service-on-other-network",
        containers=Containers((caller, owner)),
        networks=NETWORKS,
        failed=failed,
    ).findings
    assert finding.variables["down"] == owner.name
    assert finding.summary.endswith(f'; container "{owner.name}" is not running (exited)')


def test_a_container_that_a_recreate_has_kept_is_not_started() -> None:
    caller = service("api", ["front"])
    kept = service("db", ["shop"], Name="/db-kept", Id="9" * 64, State={"Status": "exited"})
    owner = service("db", ["shop"])
    failed = FailedNames({caller.id: (FailedName("db", "could not translate host name"),)})
    (finding,) = judge(
        "dns.service-on-other-network",
        containers=Containers((caller, kept, owner)),
        networks=NETWORKS,
        failed=failed,
    ).findings
    assert finding.variables["owner"] == owner.name
    assert "down" not in finding.variables


def guest(name: str, host: Container, **fields: Any) -> Container:
    """A container that uses the network of another one."""
    joined = {"HostConfig": {"NetworkMode": f"container:{host.id}"}}
    return service(name, [], **{**joined, **fields})


VPN = service("vpn", ["front"], HostConfig={"ExtraHosts": ["old:10.0.0.5"]})
NAMED_VPN = service(
    "vpn",
    ["front"],
    NetworkSettings={"Networks": {"front": {"Aliases": ["vpn", "db"], "IPAddress": "10.1.0.2"}}},
)
DB = service("db", ["shop"])
CALLS_OVER_PORT = {
    "Config": {"Env": ["U=http://db:80"], "Labels": {"com.docker.compose.project": "p"}}
}
GUESTS = {
    "beyond its host's networks": (
        (VPN, guest("api", VPN), DB),
        "db",
        [("critical", {"network_owner": "p-vpn", "owner_network": "shop"})],
    ),
    "configured": (
        (VPN, guest("api", VPN, **CALLS_DB), DB),
        "",
        [("warning", {"network_owner": "p-vpn", "owner_network": "shop"})],
    ),
    "of another project": (
        (VPN, guest("api", VPN, **CALLS_DB), service("db", ["shop"], project="q")),
        "",
        [],
    ),
    "on its host's network": ((VPN, guest("api", VPN), service("db", ["front"])), "db", []),
    "its host itself": ((VPN, guest("api", VPN)), "vpn", []),
    "in its host's hosts file": ((VPN, guest("api", VPN), service("old", ["shop"])), "old", []),
    "a fellow guest": (
        (VPN, guest("api", VPN, **CALLS_OVER_PORT), guest("db", VPN)),
        "db",
        [("critical", {"assignment": "U=http://127.0.0.1:80"})],
    ),
    "a fellow guest whose name its host has": (
        (NAMED_VPN, guest("api", NAMED_VPN, **CALLS_OVER_PORT), guest("db", NAMED_VPN)),
        "db",
        [],
    ),
    "its host is not running": (
        (service("vpn", ["front"], State={"Status": "exited"}), guest("api", VPN), DB),
        "db",
        [],
    ),
}


@pytest.mark.parametrize(("host", "name", "expected"), GUESTS.values(), ids=GUESTS)
def test_a_guest_asks_on_the_networks_of_its_host(
    host: tuple[Container, ...], name: str, expected: list[tuple[str, dict[str, str]]]
) -> None:
    caller = next(container for container in host if container.name == "p-api")
    failed = {caller.id: (FailedName(name, f"could not resolve host: {name}"),)} if name else {}
    result = judge(
        "dns.service-on-other-network",
        containers=Containers(host),
        networks=NETWORKS,
        failed=FailedNames(failed),
    )
    own = {"container": caller.name, "name": name or "db", "owner": "p-db"}
    cures = [(finding.severity.name, finding.variables) for finding in result.findings]
    assert cures == [(severity, {**own, **cure}) for severity, cure in expected]
