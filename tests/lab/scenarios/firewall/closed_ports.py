"""Rules that close one of several published ports."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import healthy_container
from tests.lab.scenarios.firewall.helpers import comes_in

ID = "firewall.published-port-closed"


def _gets(box: Box, port: int) -> str:
    return box.provider.curl(f"http://{BOX_ADDRESS}:{port}/", timeout=2, check=False)


@fault(ID, subject="container:web")
def port_closed_before_it_is_translated(box: Box) -> None:
    """A rule of mangle drops what comes to the port of one container, and another one answers."""
    healthy_container(box, "wiki", 8081)
    box.sh("iptables -t mangle -I PREROUTING -p tcp --dport 8080 -j DROP")
    assert not _gets(box, 8080)
    assert _gets(box, 8081)


@fault(ID, subject="container:web")
def port_refused_by_a_table_beside_dockers(box: Box) -> None:
    """An nftables table refuses the address of one container, and counts nothing."""
    healthy_container(box, "wiki", 8081)
    address = box.inspect("web")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    box.sh(f"""
        nft add table inet site
        nft 'add chain inet site forward {{ type filter hook forward priority 0; }}'
        nft add rule inet site forward ip daddr {address} tcp dport 8080 reject
    """)
    assert not _gets(box, 8080)
    assert _gets(box, 8081)


@fault(ID, subject="container:web")
def answers_stopped_by_a_rule_for_their_source_port(box: Box) -> None:
    """A rule of the administrator drops what leaves port 8080 of one container."""
    healthy_container(box, "wiki", 8081)
    address = box.inspect("web")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    box.sh(f"iptables -I FORWARD -s {address} -p tcp --sport 8080 -j DROP")
    assert not _gets(box, 8080)
    assert _gets(box, 8081)


@healthy()
def closed_port_that_nobody_calls(box: Box) -> None:
    """Nothing has come to the rule that closes the port of one container."""
    healthy_container(box, "wiki", 8081)
    assert comes_in(box)
    box.sh("iptables -I DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 8081 -j DROP")
