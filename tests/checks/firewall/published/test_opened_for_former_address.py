"""The check in checks/firewall/published/opened_for_former_address.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.paths.packet_paths import ConnectionVerdict, PacketPaths, Step
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.ruleset import assemble
from diagnose.model import Result
from tests.checks.network.evidence import network
from tests.firewall.walk_cases import NO_NFTABLES
from tests.inspected import container
from tests.judging import judge, rows

CLOSED = ConnectionVerdict(
    "drop", by=Step("ip filter", "DOCKER-USER", "-i eth0 -j DROP"), hook="forward"
)
OPEN = ConnectionVerdict("accept")
SHOP = network("shop", "10.2.0.0/24", "10.2.0.1")


def member(name: str, address: str, *ports: str, status: str = "running") -> Container:
    return container(
        name,
        Id=name[0] * 64,
        Config={"ExposedPorts": {port: {} for port in ports}},
        State={"Status": status},
        NetworkSettings={"Networks": {"shop": {"IPAddress": address}}},
    )


WEB = member("web", "10.2.0.3", "80/tcp")
CACHE = member("cache", "10.2.0.2")
OTHER = member("other", "10.2.0.2", "80/tcp")
DOWN = member("down", "", "80/tcp", status="exited")
FORMER = "-d 10.2.0.2/32 -p tcp -m tcp --dport 80 -j ACCEPT"
FOUND = [("warning", "web")]
CASES = {
    "a neighbour has it": ("ufw-user-forward", FORMER, CLOSED, [CACHE], FOUND),
    "nobody has it": ("DOCKER-USER", FORMER, CLOSED, [], FOUND),
    "the port is open": ("DOCKER-USER", FORMER, OPEN, [], []),
    "a neighbour serves it": ("DOCKER-USER", FORMER, CLOSED, [OTHER], []),
    "for one that is down": ("DOCKER-USER", FORMER, CLOSED, [DOWN], []),
    "its own address": ("DOCKER-USER", FORMER.replace("0.2/", "0.3/"), CLOSED, [], []),
    "a machine elsewhere": ("DOCKER-USER", FORMER.replace("10.2", "10.9"), CLOSED, [], []),
    "another port": ("DOCKER-USER", FORMER.replace("80", "81"), CLOSED, [], []),
    "it closes the port": ("DOCKER-USER", FORMER.replace("ACCEPT", "DROP"), CLOSED, [], []),
    "for some clients": (
        "DOCKER-USER",
        f"-s 10.8.0.0/24 {FORMER}",
        CLOSED,
        [],
        [("advice", "web")],
    ),
    "for another way in": ("DOCKER-USER", f"-i wg0 {FORMER}", CLOSED, [], []),
    "for this way in": ("DOCKER-USER", f"-i eth0 {FORMER}", CLOSED, [], FOUND),
    "a whole network": ("DOCKER-USER", FORMER.replace("0.2/32", "0.0/24"), CLOSED, [], []),
}


@pytest.mark.parametrize(
    ("chain", "rule", "reach", "others", "expected"), CASES.values(), ids=CASES
)
def test_opened_for_a_former_address(
    chain: str,
    rule: str,
    reach: ConnectionVerdict,
    others: list[Container],
    expected: list[tuple[str, str]],
) -> None:
    assert rows(_judged(chain, rule, reach, others)) == expected


@pytest.mark.parametrize(("chain", "key"), [("ufw-user-forward", "ufw"), ("DOCKER-USER", "chain")])
def test_ufw_gets_its_own_command(chain: str, key: str) -> None:
    (finding,) = _judged(chain, FORMER, CLOSED, []).findings
    assert key in finding.variables
    assert finding.variables["address"] == "10.2.0.3"


def test_a_rule_for_its_address_beside_one_that_is_left_over() -> None:
    for some in (FORMER, f"-s 10.8.0.0/24 {FORMER}"):
        own = some.replace("0.2/", "0.3/")
        assert not _judged("DOCKER-USER", f"{FORMER}\n-A DOCKER-USER {own}", CLOSED, []).findings


def test_a_rule_for_some_clients_is_not_opened_to_all() -> None:
    (finding,) = _judged("ufw-user-forward", f"-s 10.8.0.0/24 {FORMER}", CLOSED, []).findings
    assert not {"ufw", "chain"} & finding.variables.keys()


def _judged(chain: str, rule: str, reach: ConnectionVerdict, others: list[Container]) -> Result:
    text = f"*filter\n:{chain} - [0:0]\n-A {chain} {rule}\nCOMMIT\n"
    ruleset = assemble(NO_NFTABLES, {"ip": text}, {})
    inbound = InboundPath(
        WEB, SHOP, frozenset({"10.2.0.3"}), "80/tcp", "0.0.0.0", 80, True,
        Uplink("eth0", "192.0.2.10"), reach, reach, OPEN,
    )  # fmt: skip
    return judge(
        "firewall.opened-for-former-address",
        packet_paths=PacketPaths(inbound_paths=(inbound,)),
        firewall=Firewall(ruleset),
        containers=Containers((WEB, *others)),
    )
