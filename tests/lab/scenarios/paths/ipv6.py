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


_FAR6 = "2606:4700:77::80"


def _on_link_prefix(box: Box, name: str) -> str:
    """A container with an address of the uplink's own prefix, whose packets are not translated;
    returns the address."""
    box.sh(
        "sysctl -qw net.ipv6.conf.all.forwarding=1; ip -6 addr add 2001:db8:5::10/64 dev eth0 nodad;"
        "ip -6 route add default via 2001:db8:5::1 dev eth0"
    )
    box.provider.sh(
        f"ip addr add 2001:db8:5::1/64 dev uplink nodad; ip addr add {_FAR6}/64 dev uplink nodad;"
        f"busybox httpd -p '[{_FAR6}]:80' -h /run/www"
    )
    network = f"{name}net"
    mode = ["--opt=com.docker.network.bridge.gateway_mode_ipv6=routed"]
    options = mode if box.engine.major >= 28 else []
    box.docker("network", "create", "--ipv6", "--subnet=2001:db8:5:0:aaaa::/80", *options, network)
    healthy_container(box, name, 18345, f"--network={network}")
    return str(box.inspect(name)["NetworkSettings"]["Networks"][network]["GlobalIPv6Address"])


def _reaches_far(box: Box, name: str) -> bool:
    """Whether a container gets a page from the IPv6 internet."""
    call = ["curl", "-sS", "-g", "--noproxy", "*", "-m", "2", f"http://[{_FAR6}]/"]
    return box.run(box.in_netns(name, *call), check=False).returncode == 0


def _call_on(box: Box, name: str) -> None:
    """A program in the container that calls the IPv6 internet again and again."""
    pid = box.inspect(name)["State"]["Pid"]
    call = f"nsenter -t {pid} -n curl -s -g --noproxy '*' -m 20 http://[{_FAR6}]/"
    box.spawn(["sh", "-c", f"while :; do {call}; sleep 1; done"])
    box.sh("sleep 4")


@fault("network.neighbour-proxy-missing", subject="network:lone6net", also=["network.*"])
def uplink_prefix_for_containers(box: Box) -> None:
    """A part of the uplink's prefix was given to a network, and nobody answers for it on the
    link."""
    _on_link_prefix(box, "lone6")
    assert not _reaches_far(box, "lone6")
    _call_on(box, "lone6")


@healthy()
def uplink_prefix_with_a_proxy(box: Box) -> None:
    """The same network, for whose container the host answers on the link."""
    address = _on_link_prefix(box, "proxied6")
    box.sh(f"sysctl -qw net.ipv6.conf.eth0.proxy_ndp=1; ip -6 neigh add proxy {address} dev eth0")
    box.wait_for(lambda: _reaches_far(box, "proxied6"), what="an answer over IPv6")


@healthy()
def uplink_prefix_with_a_route(box: Box) -> None:
    """The same network, to which the router has a route: its answers arrive."""
    _on_link_prefix(box, "routed6")
    box.provider.sh("ip -6 route add 2001:db8:5:0:aaaa::/80 via 2001:db8:5::10")
    box.wait_for(lambda: _reaches_far(box, "routed6"), what="an answer over IPv6")
    _call_on(box, "routed6")
