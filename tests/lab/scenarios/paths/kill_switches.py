"""Kill switches of VPNs among the rules of the host, as scripts of VPN guides write them."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.paths.helpers import DEAF

_TUNNEL = "ip link add tun0 type veth peer name far0; ip link set tun0 up; ip link set far0 up"
_RULES = """
for chain in INPUT FORWARD OUTPUT; do iptables -P $chain DROP; done
iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A INPUT -i lo -j ACCEPT; iptables -A OUTPUT -o lo -j ACCEPT
iptables -A INPUT -i tun0 -j ACCEPT; iptables -A OUTPUT -o tun0 -j ACCEPT
iptables -A OUTPUT -p udp -d 198.51.100.7 --dport 1194 -j ACCEPT
iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
"""
_EFFECTS = ("firewall.*", "dns.*", "network.call-unanswered", "container.unhealthy")


def _answers(box: Box) -> bool:
    url = f"http://{BOX_ADDRESS}:8080/"
    return bool(box.provider.curl(url, timeout=3, check=False))


@fault("firewall.kill-switch", subject="host:host", also=[*_EFFECTS, *DEAF])
def kill_switch_of_a_script(box: Box) -> None:
    """A script flushes all chains, and lets packets out by the tunnel alone; the first command lets
    clients reach the published port again."""
    box.sh(_TUNNEL)
    box.sh(f"iptables -F FORWARD; {_RULES}")
    assert not _answers(box)
    run = box.diagnose("check", "firewall.kill-switch", "--format", "json")
    (finding,) = [found for found in run.findings if found["id"] == "firewall.kill-switch"]
    box.sh(finding["fix"][0]["command"])
    assert _answers(box)
    assert not box.diagnose("check", "firewall.kill-switch", "--format", "json").findings
    box.sh(f"iptables -F FORWARD; iptables -F OUTPUT; iptables -F INPUT; {_RULES}")


@healthy(baseline=False)
def kill_switch_on_a_host_without_published_ports(box: Box) -> None:
    """The same policies for the host's own packets; a container works behind Docker's rules."""
    box.sh(_TUNNEL)
    box.sh("iptables -P INPUT DROP; iptables -P OUTPUT DROP")
    box.sh("""
        iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        iptables -A INPUT -i lo -j ACCEPT; iptables -A OUTPUT -o lo -j ACCEPT
        iptables -A OUTPUT -o tun0 -j ACCEPT; iptables -A OUTPUT -d 192.0.2.0/24 -j ACCEPT
        iptables -A INPUT -s 192.0.2.0/24 -j ACCEPT
    """)
    limits = ("--memory=64m", "--pids-limit=64")
    box.docker("run", "-d", "--name=job", *limits, "bb:1.36", "sleep", "1000")
