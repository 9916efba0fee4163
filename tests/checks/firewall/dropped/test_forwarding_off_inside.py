"""The check in checks/firewall/dropped/forwarding_off_inside.py, and the kernel's counters."""

import pytest

from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.live.network import losses
from diagnose.questions.network import Interface
from tests.checks.network.evidence import INNER, container, with_fields
from tests.judging import judge, rows

TUNNEL = with_fields(INNER, name="wg0", kind="wireguard")
CASES: dict[str, tuple[tuple[Interface, ...], int, str, list[tuple[str, str]]]] = {
    "packets of clients are dropped": ((INNER, TUNNEL), 9, "", [("warning", "vpn")]),
    "few packets": ((INNER, TUNNEL), 4, "", []),
    "no packets": ((INNER, TUNNEL), 0, "", []),
    "no tunnel": ((INNER,), 9, "", []),
    "created with forwarding off": ((INNER, TUNNEL), 9, "0", [("warning", "vpn")]),
}


@pytest.mark.parametrize(("links", "dropped", "given", "expected"), CASES.values(), ids=CASES)
def test_containers_with_a_tunnel(
    links: tuple[Interface, ...], dropped: int, given: str, expected: list[tuple[str, str]]
) -> None:
    sysctls = {"Sysctls": {"net.ipv4.ip_forward": given}} if given else {}
    vpn = container("vpn", HostConfig=sysctls)
    netns = ContainerNetns(vpn, 1, links, addresses=(), routes=(), listeners=())
    result = judge(
        "firewall.forwarding-off-inside",
        namespaces=Namespaces({vpn.id: netns}),
        network_losses=NetworkLosses((), not_forwarded={vpn.id: dropped}),
    )
    assert rows(result) == expected
    shown = [finding.evidence.get("HostConfig.Sysctls", "") for finding in result.findings]
    assert shown == [f"net.ipv4.ip_forward={given}" if given else ""] * len(expected)


@pytest.mark.parametrize(("forwarding", "expected"), [(2, 7), (1, 0)])
def test_errors_of_addresses_count_where_nothing_is_forwarded(
    forwarding: int, expected: int
) -> None:
    counters = {"Ip:Forwarding": forwarding, "Ip:InAddrErrors": 7}
    assert losses._not_forwarded(counters) == expected
