"""Ways of packets beside the two usual ones: to the host, between containers, of other bridges, and
back; each with look-alikes."""

from __future__ import annotations

import shlex

from tests.lab import Box, Engines, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, WEB
from tests.lab.runner import healthy_container

_GATEWAY = "172.17.0.1"
_DEAF = [("dns.*", "*")]


def _serve_on_host(box: Box, port: int, address: str = "") -> None:
    """A program of the host that others can reach, as a database is; address: with a colon, of the
    one that it listens on."""
    box.sh("mkdir -p /srv/www && echo rows >/srv/www/index.html")
    box.spawn(["busybox", "httpd", "-f", "-p", f"{address}{port}", "-h", "/srv/www"])
    box.wait_for(lambda: f":{port}" in box.run(["ss", "-ltn"]).stdout, what="the host's service")


def _client(box: Box, name: str, *options: str) -> None:
    """A container that is configured to use the host's service."""
    healthy_container(
        box, name, 18300 + len(name), "--add-host=host.docker.internal:host-gateway", *options
    )


def _gets(box: Box, name: str, url: str) -> bool:
    """Whether a container gets an answer from a URL."""
    pid = box.inspect(name)["State"]["Pid"]
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", url]
    return box.run(["nsenter", "-t", str(pid), "-n", *curl], check=False).returncode == 0


def _close_input(box: Box) -> None:
    """The input rules of a host that opens ssh only, as ufw's defaults are."""
    box.sh("""
        iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        iptables -A INPUT -i lo -j ACCEPT
        iptables -A INPUT -p tcp --dport 22 -j ACCEPT
        iptables -P INPUT DROP
    """)


@fault(
    "firewall.input-dropped",
    subject="host:host",
    also=[("firewall.bypassed-by-publish", "*"), *_DEAF],
)
def database_on_the_host_behind_its_firewall(box: Box) -> None:
    """A container is configured to use a database on its host, whose input rules open ssh only."""
    _serve_on_host(box, 5432)
    _client(box, "api", "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop")
    assert _gets(box, "api", f"http://{_GATEWAY}:5432/")
    _close_input(box)
    assert not _gets(box, "api", f"http://{_GATEWAY}:5432/")


@fault(
    "firewall.input-dropped",
    subject="host:host",
    also=[("firewall.bypassed-by-publish", "*"), *_DEAF],
)
def host_gateway_behind_a_native_table(box: Box) -> None:
    """A container has the host in its hosts file, and an nftables table of the administrator lets
    in what comes by the uplink only."""
    _serve_on_host(box, 9100)
    _client(box, "scraper")
    box.sh("""
        nft add table inet filter
        nft 'add chain inet filter input { type filter hook input priority 0; policy drop; }'
        nft add rule inet filter input ct state established,related accept
        nft 'add rule inet filter input iifname { "lo", "eth0" } accept'
    """)
    assert not _gets(box, "scraper", f"http://{_GATEWAY}:9100/")


@healthy()
def closed_host_that_nobody_wants(box: Box) -> None:
    """The same input rules where no container is configured to use the host: a policy, and no
    fault."""
    _serve_on_host(box, 5432)
    _close_input(box)
    assert not _gets(box, "web", f"http://{_GATEWAY}:5432/")


@healthy()
def host_opened_for_its_containers(box: Box) -> None:
    """The same container and the same rules, with the port opened for the bridge."""
    _serve_on_host(box, 5432)
    _client(box, "api", "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop")
    _close_input(box)
    box.sh("iptables -I INPUT -i docker0 -p tcp --dport 5432 -j ACCEPT")
    assert _gets(box, "api", f"http://{_GATEWAY}:5432/")


@fault("network.host-service-not-listening", subject="container:api")
def database_on_loopback(box: Box) -> None:
    """A container is configured to use a database on its host, which listens on 127.0.0.1."""
    _serve_on_host(box, 5432, "127.0.0.1:")
    _client(box, "api", "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop")
    assert not _gets(box, "api", f"http://{_GATEWAY}:5432/")


@fault("network.host-service-not-listening", subject="container:api")
def port_of_a_neighbour_on_loopback(box: Box) -> None:
    """A container calls the host for a port that another container publishes on 127.0.0.1."""
    box.docker("network", "create", "front")
    box.docker("run", *shlex.split("-d --name db -m 32m -p 127.0.0.1:5432:8080 shop:1.4"))
    _client(
        box,
        "api",
        "--network=front",
        "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop",
    )
    assert not _gets(box, "api", f"http://{_GATEWAY}:5432/")


@fault(
    "network.host-service-not-listening",
    subject="container:api",
    config={"host-gateway-ip": "192.0.2.99"},
)
def host_gateway_of_a_former_lease(box: Box) -> None:
    """daemon.json names an address for host-gateway that the host had once."""
    _serve_on_host(box, 5432)
    _client(box, "api", "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop")
    assert not _gets(box, "api", "http://192.0.2.99:5432/")


@healthy()
def database_on_the_address_of_the_bridge(box: Box) -> None:
    """A database listens on the bridge's address alone, and a container has a URL of its own port
    on 127.0.0.1."""
    _serve_on_host(box, 5432, f"{_GATEWAY}:")
    box.docker("network", "create", "front")
    _client(
        box,
        "api",
        "--network=front",
        "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop",
    )
    healthy_container(box, "shop", 18330, f"--env=ROOT_URL=http://{BOX_ADDRESS}:18330/")
    assert _gets(box, "api", f"http://{_GATEWAY}:5432/")


def _pair(box: Box, *options: str) -> str:
    """Two containers of one network, of which one is configured to call the other; gives the
    callee's address."""
    box.docker("network", "create", *options, "shop")
    healthy_container(box, "db", 18321, "--network=shop")
    healthy_container(box, "api", 18322, "--network=shop", "--env=API_BACKEND=http://db:8080/")
    return str(box.inspect("db")["NetworkSettings"]["Networks"]["shop"]["IPAddress"])


@fault("firewall.between-containers", subject="container:api")
def bridge_to_bridge_rejected_in_docker_user(box: Box) -> None:
    """A rule in DOCKER-USER is to keep networks apart, and rejects what containers of one network
    send each other as well."""
    address = _pair(box)
    box.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1")
    assert _gets(box, "api", f"http://{address}:8080/")
    box.sh("iptables -I DOCKER-USER -i br-+ -o br-+ -j REJECT")
    assert not _gets(box, "api", f"http://{address}:8080/")


@healthy()
def bridge_to_bridge_rejected_past_the_filter(box: Box) -> None:
    """The same rule where bridged packets do not meet iptables: it stops nothing."""
    address = _pair(box)
    box.sh(
        "sysctl -qw net.bridge.bridge-nf-call-iptables=0; iptables -I DOCKER-USER -i br-+ -o br-+ -j REJECT"
    )
    assert _gets(box, "api", f"http://{address}:8080/")


@healthy()
def containers_apart_on_purpose(box: Box) -> None:
    """enable_icc=false keeps two containers apart that name each other: told so by whoever made the
    network."""
    address = _pair(box, "-o", "com.docker.network.bridge.enable_icc=false")
    box.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1")
    assert not _gets(box, "api", f"http://{address}:8080/")


@fault(
    "firewall.between-containers",
    subject="container:api",
    config={"userland-proxy": False},
    engines=Engines(until=27),
)
def published_port_called_by_the_hosts_address(box: Box) -> None:
    """A container calls another network's published port by the host's address, and without
    docker-proxy isolation drops the call."""
    box.docker("network", "create", "front")
    healthy_container(
        box, "api", 18323, "--network=front", f"--env=SHOP_URL=http://{BOX_ADDRESS}:8080/"
    )
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"
    assert not _gets(box, "api", f"http://{BOX_ADDRESS}:8080/")


def _other_bridge(box: Box, *, translated: bool = True) -> None:
    """A bridge as LXC makes it, with a container behind it."""
    box.sh("""
        ip link add lxcbr0 type bridge
        ip addr add 10.0.3.1/24 dev lxcbr0
        ip link set lxcbr0 up
        ip netns add lxc
        ip link add vethlxc type veth peer name eth0 netns lxc
        ip link set vethlxc master lxcbr0 up
        ip -n lxc addr add 10.0.3.20/24 dev eth0
        ip -n lxc link set eth0 up
        ip -n lxc route add default via 10.0.3.1
    """)
    if translated:
        box.sh("iptables -t nat -A POSTROUTING -s 10.0.3.0/24 ! -d 10.0.3.0/24 -j MASQUERADE")


def _lxc_goes_out(box: Box) -> bool:
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", f"http://{WEB}/"]
    return box.run(["ip", "netns", "exec", "lxc", *curl], check=False).returncode == 0


@fault("firewall.other-bridges-cut-off", subject="interface:lxcbr0")
def lxc_behind_dockers_policy(box: Box) -> None:
    """Docker's forward policy drops what a container of LXC sends."""
    _other_bridge(box)
    box.sh("iptables -P FORWARD ACCEPT")
    assert _lxc_goes_out(box)
    box.sh("iptables -P FORWARD DROP")
    assert not _lxc_goes_out(box)


def _translated_net(box: Box, rule: str) -> None:
    """A second interface of the host with a net behind it, and a rule that translates what comes
    from there."""
    box.sh(f"""
        ip link add lan0 type veth peer name pc0
        ip addr add 10.9.0.1/24 dev lan0
        ip link set lan0 up; ip link set pc0 up
        sysctl -qw net.ipv4.ip_forward=1
        iptables -t nat -A POSTROUTING {rule} -j MASQUERADE
        iptables -P FORWARD DROP
    """)


@fault("firewall.other-bridges-cut-off", subject="interface:lan0")
def router_of_a_lan_behind_dockers_policy(box: Box) -> None:
    """The host is the router of a LAN, or the server of a VPN: Docker's forward policy drops what
    its clients send."""
    _translated_net(box, "-s 10.9.0.0/24 -o eth0")


@healthy()
def second_interface_and_a_rule_for_all_that_leaves(box: Box) -> None:
    """A second interface that nobody routes for: the rule translates whatever leaves through the
    uplink."""
    _translated_net(box, "-o eth0")


@healthy()
def router_with_its_own_rules(box: Box) -> None:
    """The same router with rules that let its LAN through."""
    _translated_net(box, "-s 10.9.0.0/24 -o eth0")
    box.sh("iptables -I DOCKER-USER -i lan0 -j ACCEPT; iptables -I DOCKER-USER -o lan0 -j ACCEPT")


@healthy()
def lxc_let_through(box: Box) -> None:
    """The same bridge with the rules that LXC's own script writes."""
    _other_bridge(box)
    box.sh(
        "iptables -P FORWARD DROP; iptables -I FORWARD -i lxcbr0 -j ACCEPT; iptables -I FORWARD -o lxcbr0 -j ACCEPT"
    )
    assert _lxc_goes_out(box)


@healthy()
def isolated_bridge_of_libvirt(box: Box) -> None:
    """A bridge that nobody set up to leave the host, with the rules by which libvirt isolates a
    network."""
    _other_bridge(box, translated=False)
    box.sh(
        "iptables -P FORWARD DROP; iptables -I FORWARD -i lxcbr0 -j REJECT; iptables -I FORWARD -o lxcbr0 -j REJECT"
    )
    assert not _lxc_goes_out(box)


_FAR = "198.51.100.80"


def _second_uplink(box: Box) -> None:
    """A second way to the provider, with source routing as cloud images set it up for a second
    interface."""
    box.provider.sh(f"""
        ip link add uplink1 type veth peer name eth1 netns {box.pid} 2>/dev/null || true
        ip addr add 203.0.113.1/24 dev uplink1
        ip link set uplink1 up
        ip addr add {_FAR}/32 dev lo
        ip route replace default via 203.0.113.10
        for name in all default uplink uplink1; do echo 0 >/proc/sys/net/ipv4/conf/$name/rp_filter; done
    """)
    box.sh("""
        ip addr add 203.0.113.10/24 dev eth1
        ip link set eth1 up
        ip route add default via 203.0.113.1 dev eth1 table 102
        ip rule add from 203.0.113.10 lookup 102 priority 100
    """)


def _link_second_uplink(box: Box) -> None:
    """The pair of interfaces is made on the machine, where the pids of the box and its provider
    mean the same."""
    import subprocess

    enter = ["nsenter", "-t", str(box.provider.pid), "-n"]
    subprocess.run(
        [
            *enter,
            "ip",
            "link",
            "add",
            "uplink1",
            "type",
            "veth",
            "peer",
            "name",
            "eth1",
            "netns",
            str(box.pid),
        ],
        check=True,
        timeout=10,
    )


@fault("network.replies-misrouted", subject="interface:eth1")
def answers_leave_by_the_first_uplink(box: Box) -> None:
    """A rule `from ADDRESS` routes the host's own answers by the second uplink; those of containers
    leave through the first."""
    _link_second_uplink(box)
    _second_uplink(box)


@healthy()
def two_uplinks_with_marks(box: Box) -> None:
    """The same with connection marks, as guides for two uplinks write them."""
    _link_second_uplink(box)
    _second_uplink(box)
    box.sh("""
        iptables -t mangle -A PREROUTING -i eth1 -m conntrack --ctstate NEW -j CONNMARK --set-mark 0x2
        iptables -t mangle -A PREROUTING ! -i eth1 -m connmark --mark 0x2 -j CONNMARK --restore-mark
        ip rule add fwmark 0x2 lookup 102 priority 90
    """)


def _full_tunnel(box: Box) -> None:
    """A tunnel that takes all that is not marked, as wg-quick sets it up, and a client beyond the
    gateway."""
    box.sh("""
        ip tuntap add wg0 mode tun; ip addr add 10.64.0.2/32 dev wg0; ip link set wg0 up
        ip route add default dev wg0 table 51820
        ip rule add not fwmark 0xca6c table 51820 priority 200
        ip rule add table main suppress_prefixlength 0 priority 100
    """)
    box.provider.sh(f"ip addr add {_FAR}/32 dev lo; ip route replace default via {BOX_ADDRESS}")


@fault("network.replies-misrouted", subject="interface:eth0", also=[*_DEAF])
def answers_leave_by_a_vpn(box: Box) -> None:
    """A VPN takes all traffic, and with it the answers of published ports: a client of another net
    waits for them."""
    _full_tunnel(box)
    box.provider.spawn(
        ["curl", "-s", "--max-time", "60", "--interface", _FAR, f"http://{BOX_ADDRESS}:8080/"]
    )
    box.wait_for(
        lambda: "SYN_RECV" in box.run(["conntrack", "-L", "-p", "tcp"]).stdout,
        what="the client to wait",
    )


@healthy()
def full_tunnel_of_a_host_with_near_clients(box: Box) -> None:
    """The same VPN where all clients are in the host's own net: their answers take the direct
    route."""
    _full_tunnel(box)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"


_KILL_SWITCH = "! -o wg0 -m mark ! --mark 0xca6c -m addrtype ! --dst-type LOCAL -j REJECT"


def _host_reaches_its_port(box: Box) -> bool:
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", "http://127.0.0.1:8080/"]
    return box.run(curl, check=False).stdout == "hello\n"


@fault("firewall.output-dropped", subject="host:host")
def kill_switch_that_forgets_the_bridges(box: Box) -> None:
    """The kill switch of a VPN rejects what does not leave through its tunnel: docker-proxy reaches
    no container."""
    assert _host_reaches_its_port(box)
    box.sh(f"iptables -A OUTPUT -d 192.0.2.0/24 -j ACCEPT; iptables -A OUTPUT {_KILL_SWITCH}")
    assert not _host_reaches_its_port(box)


@fault(
    "firewall.output-dropped", subject="host:host", also=[("dns.host-broken", "host:host"), *_DEAF]
)
def host_closed_by_a_vpn_with_host_networking(box: Box) -> None:
    """A VPN container with host networking sets all policies to DROP: the host reaches nobody, and
    asks no DNS server."""
    box.sh("""
        iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; iptables -A INPUT -i lo -j ACCEPT
        iptables -A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; iptables -A OUTPUT -o lo -j ACCEPT
        iptables -A OUTPUT -o tun0 -j ACCEPT; iptables -P INPUT DROP; iptables -P OUTPUT DROP
    """)


@healthy()
def kill_switch_that_knows_the_bridges(box: Box) -> None:
    """The same kill switch behind a rule for Docker's subnets and the host's own net."""
    box.sh(f"""
        iptables -A OUTPUT -d 172.16.0.0/12 -j ACCEPT; iptables -A OUTPUT -d 192.0.2.0/24 -j ACCEPT
        iptables -A OUTPUT {_KILL_SWITCH}
    """)
    assert _host_reaches_its_port(box)


@fault("network.ipv6-default-route-lost", subject="interface:eth0")
def router_ignored_since_forwarding(box: Box) -> None:
    """The engine has turned IPv6 forwarding on, and the default route from the router has ended
    with its lifetime."""
    box.sh("""
        ip -6 addr add 2001:db8:5::10/64 dev eth0
        sysctl -qw net.ipv6.conf.eth0.accept_ra=1 net.ipv6.conf.all.forwarding=1
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


def _network6(box: Box, subnet: str) -> None:
    box.sh(
        "ip -6 addr add 2001:db8:5::10/64 dev eth0 nodad; ip -6 route add default via 2001:db8:5::1 dev eth0"
    )
    box.docker("network", "create", "--ipv6", f"--subnet={subnet}", "shop6")
    healthy_container(box, "cart6", 18341, "--network=shop6")


@fault("firewall.masquerade-missing", subject="network:shop6", engines=Engines(since=27))
def local_ipv6_addresses_untranslated(box: Box) -> None:
    """A network with addresses of fd00::/8 has lost its IPv6 translation: no answer finds the way
    back."""
    _network6(box, "fd00:5::/64")
    box.sh("ip6tables -t nat -F POSTROUTING")


@healthy(engines=Engines(since=27))
def local_ipv6_addresses_translated(box: Box) -> None:
    """The same network as the engine sets it up."""
    _network6(box, "fd00:5::/64")


@healthy(engines=Engines(until=26), config={"ipv6": True, "fixed-cidr-v6": "2001:db8:6::/64"})
def routed_global_ipv6(box: Box) -> None:
    """Global addresses without translation: the prefix may be routed to this host."""
    box.sh(
        "ip -6 addr add 2001:db8:5::10/64 dev eth0 nodad; ip -6 route add default via 2001:db8:5::1 dev eth0"
    )


@fault("firewall.forward-dropped", subject="host:host", engines=Engines(since=27))
def ipv6_of_a_network_dropped(box: Box) -> None:
    """An IPv6 rule of the administrator drops what containers send; IPv4 still works."""
    _network6(box, "fd00:5::/64")
    box.sh("ip6tables -I DOCKER-USER -i br-+ -j DROP 2>/dev/null || ip6tables -I FORWARD -j DROP")


@fault(
    "firewall.forward-dropped",
    subject="host:host",
    also=[*_DEAF, ("firewall.bypassed-by-publish", "*")],
)
def queries_dropped_on_the_way_to_a_tunnel(box: Box) -> None:
    """A VPN's chain drops new connections that leave through its tunnel, where the DNS server of
    the containers is."""
    box.sh(f"""
        ip link add link eth0 name tailscale0 type macvlan mode bridge
        ip addr add 192.0.2.77/32 dev tailscale0
        ip link set tailscale0 up
        ip route add 100.100.100.100/32 via {GATEWAY} dev tailscale0 onlink
        iptables -N ts-forward
        iptables -A ts-forward -o tailscale0 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP
        iptables -I FORWARD -j ts-forward
    """)
    box.docker(
        "run", *shlex.split("-d --name asker --dns 100.100.100.100 -m 32m bb:1.36 sleep 1000")
    )


@healthy()
def closed_way_to_a_tunnel_that_nobody_needs(box: Box) -> None:
    """The same chain where no container is configured with anything behind the tunnel."""
    box.sh(f"""
        ip link add link eth0 name tailscale0 type macvlan mode bridge
        ip addr add 192.0.2.77/32 dev tailscale0
        ip link set tailscale0 up
        ip route add 100.100.100.100/32 via {GATEWAY} dev tailscale0 onlink
        iptables -N ts-forward
        iptables -A ts-forward -o tailscale0 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP
        iptables -I FORWARD -j ts-forward
    """)


@fault("firewall.chains-missing", subject="host:host", also=_DEAF)
def reloaded_with_a_file_of_its_own(box: Box) -> None:
    """iptables-services replaces every table by its own file, whose last rule rejects: Docker's
    rules are gone, and stand first."""
    box.write(
        "/tmp/rules",
        """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m conntrack --ctstate NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
""",
    )
    box.sh(
        "iptables -t nat -F; iptables -t nat -X; iptables -F; iptables -X; iptables-restore </tmp/rules"
    )


@fault(
    "firewall.masquerade-missing",
    subject="network:bridge",
    also=_DEAF,
    config={"iptables": False},
    baseline=False,
)
def rules_left_to_nobody(box: Box) -> None:
    """The engine is told to write no rules, and nobody else translates: containers get no answer
    from any server."""
    box.docker("run", *shlex.split("-d --name plain -m 32m bb:1.36 sleep 1000"))
    assert not _gets(box, "plain", f"http://{WEB}/")


@fault(
    "firewall.masquerade-missing",
    subject="network:shop",
    also=_DEAF,
    config={"iptables": False},
    baseline=False,
)
def rules_left_to_nobody_behind_the_engines_resolver(box: Box) -> None:
    """The same on a network of its own, whose containers get every name from the engine: only their
    connections fail."""
    box.docker("network", "create", "shop")
    box.docker("run", *shlex.split("-d --name plain --network shop -m 32m bb:1.36 sleep 1000"))
    assert not _gets(box, "plain", f"http://{WEB}/")


@fault("firewall.bypassed-by-publish", subject="container:web")
def port_denied_by_name(box: Box) -> None:
    """The administrator has closed this very port for everyone, and it is open all the same."""
    box.sh(
        "iptables -N ufw-user-input; iptables -A INPUT -j ufw-user-input; iptables -A ufw-user-input -p tcp --dport 8080 -j DROP"
    )
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"
