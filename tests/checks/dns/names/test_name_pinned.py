"""Names of neighbours in hosts files, with addresses that the neighbours do not have."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.dns.names.pinned_names import NameComplaints, PinnedNames, pinned_names
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.questions.images import AddressPool, Ipam
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

DB = "172.18.0.4"


def member(name: str, address: str, network: str = "back", **parts: Any) -> Container:
    endpoint = {"Aliases": [name], "DNSNames": [name], "IPAddress": address}
    return container(
        f"shop-{name}-1",
        HostsPath=f"/var/lib/docker/containers/{name}/hosts",
        NetworkSettings={"Networks": {network: endpoint}},
        **parts,
    )


API = member("api", "172.18.0.2")
EXTRA = member("api", "172.18.0.2", HostConfig={"ExtraHosts": ["db:192.0.2.66"]})
ON_DEFAULT = member("api", "172.17.0.2", "bridge")
OWN = "127.0.0.1 localhost\n172.18.0.2 api\n"
FOUND = [("critical", "shop-api-1")]
CASES: dict[str, tuple[Container, str, list[tuple[str, str]], str]] = {
    "a line that somebody wrote": (API, "192.0.2.66 db # moved\n", FOUND, "edited"),
    "a line that it was created with": (EXTRA, "192.0.2.66 db\n", FOUND, "pinned"),
    "several names, one finding": (API, "192.0.2.66 db shop-db-1\n", FOUND, "edited"),
    "its own address": (API, f"{DB} db\n", [], ""),
    "the first line counts": (API, f"{DB} db\n192.0.2.66 db\n", [], ""),
    "a name that no neighbour has": (API, "192.0.2.66 rates.example\n", [], ""),
    "a comment": (API, "# 192.0.2.66 db\n", [], ""),
    "on the default network": (ON_DEFAULT, "192.0.2.66 db\n", [], ""),
}


def found(caller: Container, text: str, tails: LogTails) -> PinnedNames:
    network = next(iter(caller.endpoints))
    host = Made({"file.read": {"text": text, "truncated": False}})
    return pinned_names(
        host,
        of(caller, member("db", DB, network)),
        NameComplaints(tails),
        networks=None,
        links=None,
    )


@pytest.mark.parametrize(("caller", "line", "expected", "cure"), CASES.values(), ids=CASES)
def test_name_pinned(
    caller: Container, line: str, expected: list[tuple[str, str]], cure: str
) -> None:
    tails = LogTails({caller.id: LogTail(("No route to host",))}, {})
    result = judge("dns.name-pinned", pinned_names=found(caller, OWN + line, tails))
    assert rows(result) == expected
    assert all(cure in finding.variables for finding in result.findings)


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("No route to host", "critical"),
        ("FATAL: password authentication failed at db", "critical"),
        ("KeyError: 'SECRET_KEY'", "warning"),
        ("write: No space left on device", "warning"),
    ],
)
def test_a_line_that_may_be_meant(said: str, severity: str) -> None:
    tails = LogTails({API.id: LogTail((said,))}, {})
    names = found(EXTRA, f"{OWN}192.0.2.66 db\n", tails)
    assert rows(judge("dns.name-pinned", pinned_names=names)) == [(severity, "shop-api-1")]


def test_nothing_is_read_of_a_container_that_does_not_complain() -> None:
    assert len(found(API, "192.0.2.66 db\n", LogTails({}, {}))) == 0


POOL = AddressPool(subnet="172.18.0.0/16", gateway="172.18.0.1")
BACK = Network(name="back", id="1", driver="bridge", ipam=Ipam(config=[POOL]))
HOST = Interfaces((), (Address(2, "192.0.2.10", 24), Address(3, "172.18.0.1", 16)))
FRONT = member("front", "172.18.0.3", Config={"ExposedPorts": {"8080/tcp": {}}})
MOUNTED = member(
    "api",
    "172.18.0.2",
    Mounts=[{"Type": "bind", "Source": "/srv/shop/hosts", "Destination": "/etc/hosts"}],
)
GONE = "172.18.0.9 shop.test blog.test\n"
FAILED = "Failed to connect to shop.test port 8080: No route to host"
LEFT: dict[str, tuple[Container, str, str, list[tuple[str, str]], set[str]]] = {
    "a mounted file": (MOUNTED, GONE, FAILED, FOUND, {"rewrite", "mounted_file"}),
    "an option": (
        member("api", "172.18.0.2", HostConfig={"ExtraHosts": ["shop.test:172.18.0.9"]}),
        "172.18.0.9 shop.test\n",
        FAILED,
        FOUND,
        {"outdated", "entry"},
    ),
    "an edit": (API, GONE, FAILED, FOUND, {"edited"}),
    "the address in the line": (API, GONE, "connect 172.18.0.9: timed out", FOUND, {"edited"}),
    "another name fails": (API, GONE, "connect to pay.test port 443: timed out", [], set()),
    "no call fails": (API, GONE, "KeyError: shop.test", [], set()),
    "a neighbour has it": (API, "172.18.0.3 shop.test\n", FAILED, [], set()),
    "the gateway": (API, "172.18.0.1 shop.test\n", FAILED, [], set()),
    "its own line, between two starts": (
        member("web", "", Config={"Hostname": "shop.test"}, State={"Status": "restarting"}),
        GONE,
        FAILED,
        [],
        set(),
    ),
    "elsewhere": (API, "192.0.2.80 shop.test\n", FAILED, [], set()),
}


@pytest.mark.parametrize(("caller", "line", "said", "expected", "cures"), LEFT.values(), ids=LEFT)
def test_an_address_that_nobody_has_any_more(
    caller: Container, line: str, said: str, expected: list[tuple[str, str]], cures: set[str]
) -> None:
    host = Made({"file.read": {"text": OWN + line, "truncated": False}})
    tails = LogTails({caller.id: LogTail((said,))}, {})
    names = pinned_names(host, of(caller, FRONT), NameComplaints(tails), Networks((BACK,)), HOST)
    result = judge("dns.name-pinned", pinned_names=names)
    assert rows(result) == expected
    for finding in result.findings:
        assert cures <= finding.variables.keys()
