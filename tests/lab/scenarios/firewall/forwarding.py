"""Packets that are not forwarded: by the kernel, or by a rule."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import WEB
from tests.lab.runner import IPV6_RULES
from tests.lab.scenarios.firewall.helpers import DEAF, comes_in, goes_out, shop


@fault("firewall.forwarding-off", subject="host:host", also=DEAF)
def forwarding_off_on_one_bridge(box: Box) -> None:
    """Forwarding is off on docker0 alone; the next network goes out."""
    shop(box)
    box.sh("sysctl -qw net.ipv4.conf.docker0.forwarding=0")
    assert not goes_out(box)
    assert goes_out(box, "cart")


@fault("firewall.forwarding-off", subject="host:host", also=DEAF)
def forwarding_off(box: Box) -> None:
    """A sysctl file of the distribution turns IP forwarding off again."""
    box.sh("sysctl -qw net.ipv4.ip_forward=0")
    assert not goes_out(box)


@fault(
    "firewall.forwarding-off",
    subject="host:host",
    expect=[("container.exits-at-start", "container:ping")],
    also=DEAF,
)
def usage_printed_before(box: Box) -> None:
    """A program printed its usage, whose words are those of errors; forwarding was turned off
    later, and is no cause of that."""
    box.docker("run", "-d", "--name=ping", "-p9000:9000", "shop:1.4", "nc", "--no-such")
    box.wait_state("ping", "exited")
    assert "Connect timeout" in box.docker("logs", "ping").stderr
    box.sh("sysctl -qw net.ipv4.ip_forward=0")
    assert "container.exits-at-start@ping" not in _effects_of_forwarding(box)


@fault(
    "firewall.forwarding-off",
    subject="host:host",
    expect=[("container.exits-at-start", "container:sync")],
    also=DEAF,
)
def lost_call_under_the_same_fault(box: Box) -> None:
    """A program ended because its call was not answered, and forwarding is off since then."""
    box.sh("sysctl -qw net.ipv4.ip_forward=0")
    box.docker("run", "-d", "--name=sync", "-p9000:9000", "shop:1.4", *_CALLS_OUT)
    box.wait_state("sync", "exited")
    assert "container.exits-at-start@sync" in _effects_of_forwarding(box)


@fault(
    "firewall.forwarding-off",
    subject="host:host",
    expect=[("container.exits-at-start", "container:sync")],
    also=(*DEAF, ("container.*", "container:web")),
)
def lost_call_before_the_engine_started(box: Box) -> None:
    """A call was lost, then the engine was started again, which turns forwarding on; it was turned
    off after that."""
    box.sh("iptables -I DOCKER-USER -j DROP")
    box.docker("run", "-d", "--name=sync", "-p9000:9000", "shop:1.4", *_CALLS_OUT)
    box.wait_state("sync", "exited")
    box.sh("iptables -D DOCKER-USER -j DROP; sleep 6")
    box.stop_engine()
    box.start_engine()
    box.docker("start", "web")
    assert goes_out(box)
    box.sh("sysctl -qw net.ipv4.ip_forward=0")
    assert "container.exits-at-start@sync" not in _effects_of_forwarding(box)


_CALL = f"nc -w 2 {WEB} 80 </dev/null || {{ echo 'connect to {WEB}:80: connection timed out'; exit 1; }}"
_CALLS_OUT = ("sh", "-c", _CALL)


def _effects_of_forwarding(box: Box) -> set[str]:
    """The ids and names of the findings whose cause is said to be the forwarding."""
    return {
        f"{finding['id']}@{finding['subject']['name']}"
        for finding in box.diagnose("all", "--format", "json").findings
        if "firewall.forwarding-off" in [cause["id"] for cause in finding["caused_by"]]
    }


@fault("firewall.forwarding-off", subject="host:host", config=IPV6_RULES)
def ipv6_forwarding_off(box: Box) -> None:
    """A hardening script turns off the forwarding of IPv6, which the engine had turned on for a
    network with both families."""
    box.docker("network", "create", "--ipv6", "--subnet=fd00:5::/64", "shop6")
    box.docker("run", "-d", "--name=web6", "--network=shop6", "shop:1.4")
    assert box.sh("sysctl -n net.ipv6.conf.all.forwarding").strip() == "1", "the engine turns it on"
    box.sh("ip -6 route add default dev eth0")
    assert not [
        f
        for f in box.diagnose("check", "firewall", "--format", "json").findings
        if f["severity"] != "advice"
    ]
    box.sh("sysctl -qw net.ipv6.conf.all.forwarding=0")


@fault("firewall.forward-dropped", subject="host:host", also=DEAF)
def dropped_by_another_table(box: Box) -> None:
    """A table of the administrator's own drops on the forward hook what Docker's table accepts."""
    box.sh(
        "nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; }'"
    )
    assert not goes_out(box)
    assert not comes_in(box)


_BY_GROUP = """
table ip qubes {
  chain custom-forward { }
  chain forward {
    type filter hook forward priority filter; policy accept;
    jump custom-forward
    ct state invalid counter drop
    ct state established,related accept
    iifgroup != %d counter drop
  }
}
"""


@fault("firewall.forward-dropped", subject="host:host", also=DEAF)
def dropped_by_interface_group(box: Box) -> None:
    """A rule of nftables drops what does not come from one group of interfaces; Docker's bridges
    are in none."""
    box.write("/etc/groups.nft", _BY_GROUP % 2)
    box.sh("nft -f /etc/groups.nft")
    assert not goes_out(box)


@healthy()
def bridge_in_the_interface_group(box: Box) -> None:
    """The same rule, and somebody has put the default bridge and the uplink into the group."""
    box.write("/etc/groups.nft", _BY_GROUP % 2)
    box.sh("nft -f /etc/groups.nft; ip link set docker0 group 2; ip link set eth0 group 2")
    assert goes_out(box)


@fault("firewall.forward-dropped", subject="host:host", also=DEAF)
def dropped_before_tracking(box: Box) -> None:
    """A rule in the raw table drops what comes from the bridge, before any other table."""
    box.sh("iptables -t raw -A PREROUTING -i docker0 -j DROP")
    assert not goes_out(box)


@fault("firewall.forward-dropped", subject="host:host", also=DEAF)
def dropped_in_docker_user(box: Box) -> None:
    """A rule in DOCKER-USER drops everything."""
    box.sh("iptables -I DOCKER-USER -j DROP")
    assert not goes_out(box)


@fault("firewall.forward-dropped", subject="host:host", also=DEAF)
def answers_dropped_in_docker_user(box: Box) -> None:
    """A rule in DOCKER-USER that is to keep clients out drops the answers to what containers ask,
    too."""
    box.sh("iptables -I DOCKER-USER -i eth0 ! -s 192.0.2.99 -j DROP")
    assert not goes_out(box)
