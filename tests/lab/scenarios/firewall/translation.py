"""Translation of addresses that does not happen, or not as it should."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.runner import healthy_container
from tests.lab.scenarios.firewall.helpers import DEAF, comes_in, goes_out


@fault("firewall.dnat-missing", subject="container:web")
def redirected_to_the_host(box: Box) -> None:
    """A redirection before Docker's rules leads a published port to a port of the host."""
    box.sh("iptables -t nat -I PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 22")
    assert not comes_in(box)


@fault("firewall.masquerade-missing", subject="network:bridge", also=DEAF)
def exempt_from_masquerade(box: Box) -> None:
    """A rule before Docker's takes containers out of translation."""
    box.sh("iptables -t nat -I POSTROUTING -s 172.17.0.0/16 -j RETURN")
    assert not goes_out(box)


@fault("firewall.masquerade-missing", subject="network:bridge", also=DEAF)
def translated_to_a_lost_address(box: Box) -> None:
    """A rule of the administrator's gives containers an address that the host had once."""
    box.sh("iptables -t nat -I POSTROUTING -s 172.17.0.0/16 -o eth0 -j SNAT --to-source 192.0.2.44")
    assert not goes_out(box)


@fault("firewall.masquerade-missing", subject="network:bridge", engine_started=False, also=DEAF)
def address_of_an_earlier_configuration(box: Box) -> None:
    """The uplink has an old address before its own, which another machine has by now. The host
    uses its own, and MASQUERADE takes the old one."""
    box.sh(
        "ip addr flush dev eth0; ip addr add 192.0.2.77/24 dev eth0; "
        "ip addr add 192.0.2.10/24 dev eth0; ip route del 192.0.2.0/24 dev eth0; "
        "ip route add 192.0.2.0/24 dev eth0 src 192.0.2.10; "
        "ip route add default via 192.0.2.1 src 192.0.2.10"
    )
    box.provider.sh("ip addr add 192.0.2.77/24 dev uplink")
    box.start_engine()
    healthy_container(box, "web", 8080)
    assert "hello" in box.sh("curl -s --noproxy '*' -m 3 http://192.0.2.80/")
    fetch = ("docker", "exec", "web", "timeout", "3", "wget", "-q", "-O-", "http://192.0.2.80/")
    assert box.run(fetch, check=False).returncode != 0


@fault("firewall.masquerade-missing", subject="network:bridge", also=DEAF)
def queries_that_are_not_tracked(box: Box) -> None:
    """The rules that guides advise for a busy DNS server, on a host whose containers ask one: what
    is not tracked is not translated."""
    chains = [(chain, port) for chain in ("PREROUTING", "OUTPUT") for port in ("dport", "sport")]
    for chain, port in chains:
        box.sh(f"iptables -t raw -I {chain} -p udp --{port} 53 -j CT --notrack")
    asked = box.docker("exec", "web", "timeout", "4", "nslookup", "www.lab.test", check=False)
    assert asked.returncode != 0
