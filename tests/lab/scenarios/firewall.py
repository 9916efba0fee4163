"""Packet filters that stand in the way of containers, and some that only look so."""

from __future__ import annotations

import sys

from tests.lab import Box, Engines, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, WEB
from tests.lab.runner import healthy_container

_PUBLISHED = f"http://{BOX_ADDRESS}:8080/"
_DEAF = [("dns.*", "*")]
"""Without a way out no resolver answers."""


def _goes_out(box: Box, name: str = "web") -> bool:
    pid = box.inspect(name)["State"]["Pid"]
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", f"http://{WEB}/"]
    return box.run(["nsenter", "-t", str(pid), "-n", *curl], check=False).returncode == 0


def _comes_in(box: Box, url: str = _PUBLISHED) -> bool:
    return bool(box.provider.curl(url, timeout=1.5, check=False))


def _shop(box: Box) -> tuple[str, str]:
    """A network of its own with a container; gives its bridge and subnet."""
    box.docker("network", "create", "shop")
    healthy_container(box, "cart", 8081, "--network=shop")
    network = box.api("/networks/shop")
    return f"br-{network['Id'][:12]}", network["IPAM"]["Config"][0]["Subnet"]


@fault("firewall.chains-missing", subject="host:host", also=_DEAF)
def filter_flushed(box: Box) -> None:
    """Another tool flushes the filter and nat tables, as configuration management does."""
    box.sh("iptables -P FORWARD DROP; iptables -F; iptables -t nat -F")
    assert not _goes_out(box)


@fault("firewall.chains-missing", subject="host:host", also=_DEAF)
def nft_flushed(box: Box) -> None:
    """`nft flush ruleset` at a restart of nftables.service takes Docker's tables along."""
    box.sh("nft flush ruleset")
    assert not _goes_out(box)


@fault("firewall.chains-missing", subject="host:host", also=_DEAF)
def forward_jumps_lost(box: Box) -> None:
    """Docker's chains are all there, but FORWARD leads to none of them: a presence that proves
    nothing."""
    box.sh("iptables -P FORWARD DROP; iptables -F FORWARD")
    assert "DOCKER" in box.sh("iptables -S")
    assert not _goes_out(box)


@fault("firewall.masquerade-missing", subject="network:shop", also=_DEAF)
def masquerade_deleted(box: Box) -> None:
    """One network's MASQUERADE rule is gone: its packets leave and no answer comes back."""
    bridge, subnet = _shop(box)
    box.sh(f"iptables -t nat -D POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE")
    assert _goes_out(box, "web")
    assert not _goes_out(box, "cart")


@fault("firewall.dnat-missing", subject="container:web")
def dnat_deleted(box: Box) -> None:
    """One published port has lost its DNAT rule; docker-proxy still serves it."""
    box.sh(
        "iptables-save -t nat | grep -e '--dport 8080' | grep DNAT | sed 's/^-A/-t nat -D/' | xargs iptables"
    )
    assert _comes_in(box)


@fault("firewall.dnat-missing", subject="container:web", config={"userland-proxy": False})
def dnat_deleted_without_proxy(box: Box) -> None:
    """One published port has lost its DNAT rule, and no docker-proxy stands behind it."""
    box.sh(
        "iptables-save -t nat | grep -e '--dport 8080' | grep DNAT | sed 's/^-A/-t nat -D/' | xargs iptables"
    )
    assert not _comes_in(box)


@fault("firewall.dnat-missing", subject="host:host", config={"userland-proxy": False})
def jump_of_the_hosts_own_packets_lost(box: Box) -> None:
    """The host's own packets are not led to Docker's rules any more, and no docker-proxy stands
    behind the port."""
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", _PUBLISHED]
    assert box.run(curl, check=False).returncode == 0
    box.sh("iptables -t nat -S OUTPUT | grep DOCKER | sed 's/^-A/-t nat -D/' | xargs iptables")
    assert box.run(curl, check=False).returncode != 0
    assert _comes_in(box)


_TO_NOBODY = "-p tcp -m tcp --dport {} -j DNAT --to-destination 172.17.0.40:{}"


@fault("firewall.dnat-stale", subject="host:host")
def port_of_the_host_taken_by_a_leftover_rule(box: Box) -> None:
    """A rule of a container that is gone sends the host's port 22 to its former address, and ssh is
    out of reach."""
    box.sh("mkdir -p /srv/www && echo hello >/srv/www/index.html")
    box.spawn(["busybox", "httpd", "-f", "-p", "22", "-h", "/srv/www"])
    box.wait_for(lambda: _comes_in(box, f"http://{BOX_ADDRESS}:22/"), what="the host's service")
    box.sh(f"iptables -t nat -A DOCKER ! -i docker0 {_TO_NOBODY.format(22, 22)}")
    assert not _comes_in(box, f"http://{BOX_ADDRESS}:22/")


@fault(
    "firewall.dnat-stale", subject="host:host", also=[("firewall.dnat-missing", "container:web")]
)
def saved_rules_of_an_earlier_boot(box: Box) -> None:
    """A saved rule with the container's address of an earlier boot stands before the engine's own:
    the published port is dead."""
    box.sh(f"iptables -t nat -I DOCKER 1 ! -i docker0 {_TO_NOBODY.format(8080, 8080)}")
    assert not _comes_in(box)


@healthy()
def translations_of_other_kinds(box: Box) -> None:
    """A paused container keeps its rule, and the administrator leads a port to another machine."""
    box.docker("pause", "web")
    box.docker("unpause", "web")
    box.sh(
        f"iptables -t nat -A PREROUTING -i eth0 -p tcp --dport 8022 -j DNAT --to-destination {GATEWAY}:22"
    )


@fault("firewall.chains-missing", subject="host:host", also=["firewall.dnat-missing"])
def published_ports_emptied(box: Box) -> None:
    """Docker's chain in nat is there, reached, and empty: docker-proxy serves all ports."""
    _shop(box)
    box.sh("iptables -t nat -F DOCKER")
    assert _comes_in(box)


@fault("firewall.chains-missing", subject="host:host", also=_DEAF)
def answers_forgotten(box: Box) -> None:
    """The rules that let answers back are gone, all others are there."""
    box.sh("iptables -P FORWARD DROP; for chain in FORWARD DOCKER-CT; do iptables -S $chain 2>/dev/null"
           " | grep -e ESTABLISHED | sed 's/^-A/-D/' | xargs -r -L1 iptables; done")  # fmt: skip
    assert not _goes_out(box)


@fault("firewall.dnat-missing", subject="container:web")
def redirected_to_the_host(box: Box) -> None:
    """A redirection before Docker's rules leads a published port to a port of the host."""
    box.sh("iptables -t nat -I PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 22")
    assert not _comes_in(box)


@fault("firewall.masquerade-missing", subject="network:bridge", also=_DEAF)
def exempt_from_masquerade(box: Box) -> None:
    """A rule before Docker's takes containers out of translation."""
    box.sh("iptables -t nat -I POSTROUTING -s 172.17.0.0/16 -j RETURN")
    assert not _goes_out(box)


@fault("firewall.masquerade-missing", subject="network:bridge", also=_DEAF)
def translated_to_a_lost_address(box: Box) -> None:
    """A rule of the administrator's gives containers an address that the host had once."""
    box.sh("iptables -t nat -I POSTROUTING -s 172.17.0.0/16 -o eth0 -j SNAT --to-source 192.0.2.44")
    assert not _goes_out(box)


@fault("firewall.masquerade-missing", subject="network:bridge", engine_started=False, also=_DEAF)
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


@fault("firewall.masquerade-missing", subject="network:bridge", also=_DEAF)
def queries_that_are_not_tracked(box: Box) -> None:
    """The rules that guides advise for a busy DNS server, on a host whose containers ask one: what
    is not tracked is not translated."""
    chains = [(chain, port) for chain in ("PREROUTING", "OUTPUT") for port in ("dport", "sport")]
    for chain, port in chains:
        box.sh(f"iptables -t raw -I {chain} -p udp --{port} 53 -j CT --notrack")
    asked = box.docker("exec", "web", "timeout", "4", "nslookup", "www.lab.test", check=False)
    assert asked.returncode != 0


def _banned(box: Box, *addresses: str) -> None:
    """fail2ban's chain in DOCKER-USER with these addresses, before the published port."""
    chain = "f2b-nginx-botsearch"
    box.sh(
        f"iptables -N {chain}; iptables -A {chain} -j RETURN; "
        f"iptables -I DOCKER-USER -p tcp -m multiport --dports 80,443,8080 -j {chain}"
    )
    for address in addresses:
        box.sh(f"iptables -I {chain} -s {address} -j REJECT --reject-with icmp-port-unreachable")


@fault("firewall.neighbour-banned", subject="host:host")
def proxy_banned(box: Box) -> None:
    """fail2ban bans the reverse proxy on another machine: all users are out."""
    _banned(box, WEB, "203.0.113.9")
    get = ["curl", "-sS", "--noproxy", "*", "-m", "2", "--interface"]
    url = f"http://{BOX_ADDRESS}:8080/"
    assert box.provider.run([*get, WEB, url], check=False).returncode != 0
    assert box.provider.run([*get, GATEWAY, url], check=False).stdout.strip() == "hello"


_BOX6, _PROXY6, _ROUTER6 = "fd00:77::10", "fd00:77::80", "fd00:77::1"


def _speaks_ipv6(box: Box) -> None:
    """The host and two machines of its network get IPv6 addresses."""
    box.sh(f"ip addr add {_BOX6}/64 dev eth0 nodad")
    for address in (_PROXY6, _ROUTER6):
        box.provider.sh(f"ip addr add {address}/64 dev uplink nodad")
    assert _gets6(box, _PROXY6)
    assert _gets6(box, _ROUTER6)


def _gets6(box: Box, source: str) -> bool:
    """Whether a machine gets an answer of the published port over IPv6."""
    curl = ["curl", "-sS", "--noproxy", "*", "-m", "2", "--interface", source]
    url = f"http://[{_BOX6}]:8080/"
    return box.provider.run([*curl, url], check=False).stdout.strip() == "hello"


@fault("firewall.neighbour-banned", subject="host:host")
def proxy_banned_over_ipv6(box: Box) -> None:
    """fail2ban bans the IPv6 address of the reverse proxy; docker-proxy serves the port."""
    _speaks_ipv6(box)
    box.sh(
        "ip6tables -N f2b-web; ip6tables -A f2b-web -j RETURN; "
        f"ip6tables -I INPUT -p tcp --dport 8080 -j f2b-web; ip6tables -I f2b-web -s {_PROXY6} "
        "-j REJECT"
    )
    assert not _gets6(box, _PROXY6)
    assert _gets6(box, _ROUTER6)


@fault("firewall.neighbour-banned", subject="host:host", engines=Engines(since=27))
def proxy_banned_over_ipv6_by_nftables(box: Box) -> None:
    """fail2ban writes into a table of its own, and the container has an IPv6 address."""
    box.docker("network", "create", "--ipv6", "--subnet=fd00:78::/64", "front78")
    box.docker("network", "connect", "front78", "web")
    box.docker("restart", "-t", "1", "web")
    _speaks_ipv6(box)
    box.sh(f"""
        nft add table inet f2b-table
        nft 'add set inet f2b-table addr6-set-web {{ type ipv6_addr; }}'
        nft 'add chain inet f2b-table f2b-chain {{ type filter hook prerouting priority -150; }}'
        nft add rule inet f2b-table f2b-chain tcp dport 8080 ip6 saddr @addr6-set-web reject
        nft 'add element inet f2b-table addr6-set-web {{ {_PROXY6} }}'
    """)
    assert not _gets6(box, _PROXY6)
    assert _gets6(box, _ROUTER6)


@healthy()
def stranger_banned_over_ipv6(box: Box) -> None:
    """fail2ban bans an IPv6 address of the internet, and a neighbour calls the port."""
    _speaks_ipv6(box)
    box.sh(
        "ip6tables -N f2b-web; ip6tables -I INPUT -p tcp --dport 8080 -j f2b-web; "
        "ip6tables -I f2b-web -s 2606:4700::77 -j REJECT"
    )
    assert _gets6(box, _PROXY6)


_SITE6, _USER6 = "2606:4700:77::10", "2606:4700:77::80"


def _site(box: Box, rules: str) -> None:
    """A site on a host with an address of the IPv6 internet, and these rules about IPv6."""
    box.sh(
        f"ip addr add {_SITE6}/64 dev eth0 nodad; ip -6 route add default via 2606:4700:77::1 "
        "dev eth0 onlink"
    )
    box.provider.sh(f"ip addr add {_USER6}/64 dev uplink nodad")
    healthy_container(box, "site", 443)
    box.sh(rules)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:443/").strip() == "hello"


_HARDENED6 = """
    ip6tables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    ip6tables -A INPUT -i lo -j ACCEPT; ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
    ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT; ip6tables -P INPUT DROP
"""


@fault("firewall.closed-over-ipv6", subject="host:host")
def site_that_is_closed_over_ipv6(box: Box) -> None:
    """A guide's rules open ssh over IPv6. Docker opens the site over IPv4 and not over IPv6, and a
    certificate authority says so."""
    _site(box, _HARDENED6)
    assert not box.provider.curl(f"http://[{_SITE6}]:443/", timeout=2, check=False)
    line = f"{_SITE6}: Fetching http://shop.example/.well-known/acme: Timeout during connect"
    script = f"while :; do echo '{line}'; sleep 5; done"
    run = ("run", "-d", "--name=acme", "--memory=32m", "--pids-limit=64", "bb:1.36", "sh", "-c")
    box.docker(*run, script)
    box.wait_for(lambda: line in box.docker("logs", "acme").stdout, what="its complaint")


@healthy()
def site_that_is_open_over_ipv6(box: Box) -> None:
    """The same rules with the port of the site among those that are open."""
    _site(box, _HARDENED6 + "ip6tables -I INPUT -p tcp --dport 443 -j ACCEPT")
    assert box.provider.curl(f"http://[{_SITE6}]:443/").strip() == "hello"


@healthy()
def stranger_banned(box: Box) -> None:
    """fail2ban bans addresses of the internet, and a neighbour calls the port."""
    _banned(box, "203.0.113.9", "198.51.100.77")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/").strip() == "hello"


@fault("firewall.forwarding-off", subject="host:host", also=_DEAF)
def forwarding_off_on_one_bridge(box: Box) -> None:
    """Forwarding is off on docker0 alone; the next network goes out."""
    _shop(box)
    box.sh("sysctl -qw net.ipv4.conf.docker0.forwarding=0")
    assert not _goes_out(box)
    assert _goes_out(box, "cart")


@fault("firewall.forwarding-off", subject="host:host", also=_DEAF)
def forwarding_off(box: Box) -> None:
    """A sysctl file of the distribution turns IP forwarding off again."""
    box.sh("sysctl -qw net.ipv4.ip_forward=0")
    assert not _goes_out(box)


@fault("firewall.forwarding-off", subject="host:host", engines=Engines(since=27))
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


@fault("firewall.forward-dropped", subject="host:host", also=_DEAF)
def dropped_by_another_table(box: Box) -> None:
    """A table of the administrator's own drops on the forward hook what Docker's table accepts."""
    box.sh(
        "nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; }'"
    )
    assert not _goes_out(box)
    assert not _comes_in(box)


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


@fault("firewall.forward-dropped", subject="host:host", also=_DEAF)
def dropped_by_interface_group(box: Box) -> None:
    """A rule of nftables drops what does not come from one group of interfaces; Docker's bridges
    are in none."""
    box.write("/etc/groups.nft", _BY_GROUP % 2)
    box.sh("nft -f /etc/groups.nft")
    assert not _goes_out(box)


@healthy()
def bridge_in_the_interface_group(box: Box) -> None:
    """The same rule, and somebody has put the default bridge and the uplink into the group."""
    box.write("/etc/groups.nft", _BY_GROUP % 2)
    box.sh("nft -f /etc/groups.nft; ip link set docker0 group 2; ip link set eth0 group 2")
    assert _goes_out(box)


@fault(
    "firewall.forward-dropped",
    subject="host:host",
    also=_DEAF,
)
def dropped_before_tracking(box: Box) -> None:
    """A rule in the raw table drops what comes from the bridge, before any other table."""
    box.sh("iptables -t raw -A PREROUTING -i docker0 -j DROP")
    assert not _goes_out(box)


@fault("firewall.forward-dropped", subject="host:host", also=_DEAF)
def dropped_in_docker_user(box: Box) -> None:
    """A rule in DOCKER-USER drops everything."""
    box.sh("iptables -I DOCKER-USER -j DROP")
    assert not _goes_out(box)


@fault("firewall.forward-dropped", subject="host:host", also=_DEAF)
def answers_dropped_in_docker_user(box: Box) -> None:
    """A rule in DOCKER-USER that is to keep clients out drops the answers to what containers ask,
    too."""
    box.sh("iptables -I DOCKER-USER -i eth0 ! -s 192.0.2.99 -j DROP")
    assert not _goes_out(box)


@fault(
    "firewall.backend-mixed",
    subject="host:host",
    expect=[("firewall.forward-dropped", "host:host")],
    also=_DEAF,
)
def legacy_beside_nft(box: Box) -> None:
    """A script speaks to iptables-legacy while Docker's rules are in nft: both are in force."""
    box.sh("iptables-legacy -P FORWARD DROP")
    assert not _goes_out(box)


@fault("firewall.bridge-filter-off", subject="network:quiet")
def bridge_filter_off(box: Box) -> None:
    """enable_icc=false is not enforced, since bridged packets skip the packet filter."""
    box.docker("network", "create", "-o", "com.docker.network.bridge.enable_icc=false", "quiet")
    healthy_container(box, "till1", 8081, "--network=quiet")
    healthy_container(box, "till2", 8082, "--network=quiet")
    address = box.inspect("till2")["NetworkSettings"]["Networks"]["quiet"]["IPAddress"]
    pid = box.inspect("till1")["State"]["Pid"]
    curl = [
        "nsenter",
        "-t",
        str(pid),
        "-n",
        "curl",
        "-sS",
        "--noproxy",
        "*",
        "--max-time",
        "1.5",
        f"http://{address}:8080/",
    ]
    assert box.run(curl, check=False).returncode == 28
    box.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0")
    assert box.run(curl, check=False).returncode != 28


@fault("firewall.bypassed-by-publish", subject="container:web")
def published_past_the_input_rules(box: Box) -> None:
    """INPUT drops what is not allowed, and the published port is open all the same."""
    box.sh(
        "iptables -P INPUT DROP; iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT;"
        " iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -p tcp --dport 22 -j ACCEPT"
    )
    assert _comes_in(box)


@healthy()
def forward_drop_with_exceptions(box: Box) -> None:
    """A second table drops by default and lets Docker's bridges and published ports through."""
    box.sh(
        "nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; };"
        " add rule inet filter forward ct state established,related accept; add rule inet filter forward"
        ' iifname { "docker0", "br-*" } accept; add rule inet filter forward ct status dnat accept\''
    )
    assert _goes_out(box)
    assert _comes_in(box)


@healthy()
def docker_user_for_one_source(box: Box) -> None:
    """DOCKER-USER lets in one source only, as Docker's own guide says: a policy, not a fault."""
    box.sh("iptables -I DOCKER-USER -i eth0 ! -s 192.0.2.99 -m conntrack --ctstate NEW -j DROP")
    assert _goes_out(box)
    assert not _comes_in(box)


_BLOCK_LIST = """
from pyroute2 import IPSet
sets = IPSet()
sets.create("crowd", stype="hash:net")
sets.add("crowd", "203.0.113.0/24", etype="net")
"""


@healthy()
def limits_against_floods(box: Box) -> None:
    """Rules against floods and malformed packets, as hardening guides write them, and a block list:
    no client meets one."""
    box.run([sys.executable, "-c", _BLOCK_LIST])
    box.sh("""
        iptables -I DOCKER-USER -m set --match-set crowd src -j DROP
        iptables -I DOCKER-USER -i eth0 -p tcp --syn -j DROP
        iptables -I DOCKER-USER -i eth0 -p tcp --syn -m limit --limit 25/s --limit-burst 100 -j RETURN
        iptables -I DOCKER-USER -p tcp --syn -m connlimit --connlimit-above 50 -j REJECT
        iptables -I DOCKER-USER -p tcp -m hashlimit --hashlimit-above 100/s --hashlimit-mode srcip --hashlimit-name x -j DROP
        iptables -I DOCKER-USER -m recent --update --seconds 60 --hitcount 100 --name flood -j DROP
        iptables -I DOCKER-USER -m recent --set --name flood
        iptables -I DOCKER-USER -p tcp -m string --string BitTorrent --algo bm -j DROP
        iptables -t raw -A PREROUTING -m rpfilter --invert -j DROP
        iptables -t mangle -A PREROUTING -p tcp ! --syn -m conntrack --ctstate NEW -j DROP
        iptables -t mangle -A PREROUTING -p tcp -m conntrack --ctstate NEW -m tcpmss ! --mss 536:65535 -j DROP
        iptables -t mangle -A PREROUTING -p tcp --tcp-flags ALL NONE -j DROP
        iptables -t mangle -A PREROUTING -f -j DROP
        nft add table inet limits
        nft 'add chain inet limits forward { type filter hook forward priority 5; policy accept; }'
        nft add rule inet limits forward limit rate over 4000/second drop
        nft add rule inet limits forward ct count over 10000 drop
        nft add rule inet limits forward 'tcp flags & (fin | syn | rst | ack) != syn' ct state new drop
        nft add set inet limits seen '{ type ipv4_addr; flags dynamic, timeout; timeout 1m; }'
        nft add rule inet limits forward ct state new add @seen '{ ip saddr limit rate over 200/second }' drop
        nft add rule inet limits forward ct state new limit rate 1000/second accept
        nft add rule inet limits forward ct state new drop
    """)
    assert _goes_out(box)
    assert _comes_in(box)


@healthy()
def legacy_tables_by_looking(box: Box) -> None:
    """Someone ran `iptables-legacy -S`: its empty tables are no second firewall."""
    box.sh("iptables-legacy -S")
    assert box.sh("cat /proc/net/ip_tables_names").strip()


@healthy(config={"iptables": False}, baseline=False)
def engine_without_iptables(box: Box) -> None:
    """The engine is told to leave the packet filter alone, and the administrator translates by a
    rule of his own."""
    box.sh("iptables -t nat -A POSTROUTING -s 172.17.0.0/16 -o eth0 -j MASQUERADE")
    box.docker("run", "-d", "--name", "plain", "-m", "32m", "shop:1.4")
    assert _goes_out(box, "plain")
