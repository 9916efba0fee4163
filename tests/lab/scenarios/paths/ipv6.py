"""IPv6 routes and addresses of networks."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy
from tests.lab.runner import BASE_CONFIG, IPV6_RULES, healthy_container


@fault("network.ipv6-default-route-lost", subject="interface:eth0")
def router_ignored_since_forwarding(box: Box) -> None:
    """The engine has turned IPv6 forwarding on, and the default route from the router has ended
    with its lifetime."""
    box.sh("""
        ip -6 addr add 2001:db8:5::10/64 dev eth0
        sysctl -qw net.ipv6.conf.eth0.accept_ra=1 net.ipv6.conf.all.forwarding=1
        ip -6 neigh add fe80::1 lladdr 02:00:00:00:05:01 nud stale router dev eth0
    """)
    assert not box.sh("ip -6 route show default").strip()


@healthy()
def router_accepted_in_spite_of_forwarding(box: Box) -> None:
    """The same host with accept_ra=2 and the router's default route."""
    box.sh("""
        ip -6 addr add 2001:db8:5::10/64 dev eth0
        sysctl -qw net.ipv6.conf.eth0.accept_ra=2 net.ipv6.conf.all.forwarding=1
        ip -6 route add default via 2001:db8:5::1 dev eth0
    """)


@healthy()
def no_router_on_the_link(box: Box) -> None:
    """A fixed IPv6 address in a network that no router leads out of: no default route is lost."""
    box.sh("""
        ip -6 addr add 2001:db8:5::10/64 dev eth0
        sysctl -qw net.ipv6.conf.eth0.accept_ra=1 net.ipv6.conf.all.forwarding=1
        ip -6 neigh add 2001:db8:5::20 lladdr 02:00:00:00:05:20 nud stale dev eth0
    """)
    assert not box.sh("ip -6 route show default").strip()


def _network6(box: Box, subnet: str) -> None:
    box.sh(
        "ip -6 addr add 2001:db8:5::10/64 dev eth0 nodad; ip -6 route add default via 2001:db8:5::1 dev eth0"
    )
    box.docker("network", "create", "--ipv6", f"--subnet={subnet}", "shop6")
    healthy_container(box, "cart6", 18341, "--network=shop6")


@fault("firewall.masquerade-missing", subject="network:shop6", config=IPV6_RULES)
def local_ipv6_addresses_untranslated(box: Box) -> None:
    """A network with addresses of fd00::/8 has lost its IPv6 translation: no answer finds the way
    back."""
    _network6(box, "fd00:5::/64")
    box.sh("ip6tables -t nat -F POSTROUTING")


@healthy(config=IPV6_RULES)
def local_ipv6_addresses_translated(box: Box) -> None:
    """The same network as the engine sets it up."""
    _network6(box, "fd00:5::/64")


@healthy(engines=Engines(until=26), config={"ipv6": True, "fixed-cidr-v6": "2001:db8:6::/64"})
def routed_global_ipv6(box: Box) -> None:
    """Global addresses without translation: the prefix may be routed to this host."""
    box.sh(
        "ip -6 addr add 2001:db8:5::10/64 dev eth0 nodad; ip -6 route add default via 2001:db8:5::1 dev eth0"
    )


@fault("firewall.forward-dropped", subject="host:host", config=IPV6_RULES)
def ipv6_of_a_network_dropped(box: Box) -> None:
    """An IPv6 rule of the administrator drops what containers send; IPv4 still works."""
    _network6(box, "fd00:5::/64")
    box.sh("ip6tables -I DOCKER-USER -i br-+ -j DROP 2>/dev/null || ip6tables -I FORWARD -j DROP")


@fault(
    "network.subnet-overlaps-route",
    subject="network:bridge",
    engine_started=False,
    also=["network.*"],
)
def prefix_of_the_host_given_to_its_containers(box: Box) -> None:
    """`fixed-cidr-v6` is the prefix that the host has from its router: the router's address is one
    of docker0 then."""
    box.sh("ip -6 addr add 2001:db8:5::10/64 dev eth0 nodad")
    ipv6 = {"ipv6": True, "fixed-cidr-v6": "2001:db8:5::/64"}
    box.start_engine(config={**BASE_CONFIG, **ipv6, **IPV6_RULES})
    healthy_container(box, "web", 8080)
    routes = box.sh("ip -6 route show 2001:db8:5::/64")
    assert "dev eth0" in routes
    assert "dev docker0" in routes
