"""What the host itself asks for, and its own rules stop."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab import registry as registries
from tests.lab.provider import RESOLVER, WEB
from tests.lab.runner import healthy_container


@fault(
    "firewall.output-dropped",
    subject="host:host",
    expect=[("image.registry-unreachable", "*")],
    baseline=False,
)
def pulls_that_the_host_itself_stops(box: Box) -> None:
    """A rule for what leaves drops the port of the registry, which runs."""
    place = registries.start(box, 5000, tls=True)
    box.sh("iptables -I OUTPUT -p tcp --dport 5000 -j DROP")
    said = registries.pull(box, f"{place}/old/app:1")
    assert "canceled" in said or "deadline exceeded" in said, said


@fault(
    "firewall.output-dropped",
    subject="host:host",
    expect=[("dns.host-broken", "*")],
    also=[("dns.*", "*"), ("firewall.forward-dropped", "*")],
)
def queries_that_a_late_chain_stops(box: Box) -> None:
    """An nftables chain after routing drops what goes to the DNS server, from this host too."""
    box.sh("""
        nft add table inet late
        nft 'add chain inet late c { type filter hook postrouting priority 0; }'
        nft add rule inet late c udp dport 53 drop
    """)
    asked = f"timeout 3 busybox nslookup www.lab.test {RESOLVER}"
    assert box.run(["sh", "-c", asked], check=False).returncode != 0


@fault("firewall.output-dropped", subject="host:host", also=[("dns.*", "*")])
def queries_for_containers_to_a_server_of_their_own(box: Box) -> None:
    """A rule drops what the engine asks for a container that has another DNS server than the
    host."""
    box.docker("network", "create", "filmnet")
    healthy_container(box, "films", 18093, "--network=filmnet", f"--dns={WEB}")
    box.sh(f"iptables -I OUTPUT -d {WEB} -p udp --dport 53 -j DROP")
    (finding,) = box.diagnose("check", "firewall.output-dropped", "--format", "json").findings
    assert finding["severity"] == "warning"
    assert 'cannot ask DNS server 192.0.2.80 for container "films"' in finding["summary"]
