"""Bans of fail2ban that hit a neighbour, and sites that are closed over IPv6."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, WEB
from tests.lab.runner import IPV6_RULES, healthy_container


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


@fault("firewall.neighbour-banned", subject="host:host", config=IPV6_RULES)
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


_INTRUDER = "198.51.100.77"
_CROWDSEC = """
table ip crowdsec {
    set crowdsec-blacklists { type ipv4_addr; flags timeout; elements = { %s timeout 4h } }
    chain crowdsec-chain {
        type filter hook HOOK priority filter - 10; policy accept;
        ip saddr @crowdsec-blacklists drop
    }
}
"""


def _intruder_gets(box: Box, port: int) -> str:
    """What a banned client of the internet reads at a published port."""
    url = f"http://{BOX_ADDRESS}:{port}/"
    curl = ["curl", "-s", "--noproxy", "*", "--interface", _INTRUDER, "-m", "3", url]
    return box.provider.run(curl, check=False, timeout=10).stdout


def _site_with_an_intruder(box: Box, name: str, port: int) -> None:
    """A published port, and a client of the internet who has it open already."""
    # the gateway asks for the host's hardware address with its own address, as a router does
    box.provider.sh(
        f"ip addr replace {_INTRUDER}/32 dev lo; sysctl -qw net.ipv4.conf.all.arp_announce=2"
    )
    healthy_container(box, name, port)
    box.wait_for(lambda: _intruder_gets(box, port) == "hello\n", what="the client")


@fault("firewall.ban-bypassed", subject="container:site31")
def crowdsec_that_bans_at_the_host_alone(box: Box) -> None:
    """CrowdSec's chain is asked about packets to the host, and not about those to a container."""
    _site_with_an_intruder(box, "site31", 18231)
    box.write("/run/ban.nft", (_CROWDSEC % _INTRUDER).replace("HOOK", "input"))
    box.sh("nft -f /run/ban.nft")
    assert _intruder_gets(box, 18231) == "hello\n"
    (found,) = box.diagnose("check", "firewall.ban-bypassed", "--format", "json").findings
    assert f"({_INTRUDER})" in found["summary"], found
    box.sh(found["fix"][0]["command"])
    assert _intruder_gets(box, 18231) == ""
    box.sh("nft delete chain ip crowdsec diagnose-forward")
    assert _intruder_gets(box, 18231) == "hello\n"


@healthy()
def crowdsec_that_bans_at_containers_too(box: Box) -> None:
    """The same table with a chain that is asked about forwarded packets."""
    _site_with_an_intruder(box, "site31", 18231)
    box.write("/run/ban.nft", (_CROWDSEC % _INTRUDER).replace("HOOK", "forward"))
    box.sh("nft -f /run/ban.nft")
    assert _intruder_gets(box, 18231) == ""


@fault("firewall.ban-bypassed", subject="container:site32")
def fail2ban_in_the_input_chain(box: Box) -> None:
    """fail2ban bans a client of the site in the chain of the host."""
    _site_with_an_intruder(box, "site32", 18232)
    box.sh(f"iptables -N f2b-site; iptables -A f2b-site -s {_INTRUDER} -j REJECT")
    box.sh("iptables -A f2b-site -j RETURN; iptables -I INPUT -p tcp -j f2b-site")
    assert _intruder_gets(box, 18232) == "hello\n"
    (found,) = box.diagnose("check", "firewall.ban-bypassed", "--format", "json").findings
    assert found["fix"][0]["command"] == "iptables -I DOCKER-USER -j f2b-site", found


@healthy()
def fail2ban_for_ssh_alone(box: Box) -> None:
    """fail2ban bans an address from the port of ssh, and a client with this address uses a site."""
    _site_with_an_intruder(box, "site32", 18232)
    box.sh(f"iptables -N f2b-sshd; iptables -A f2b-sshd -s {_INTRUDER} -j REJECT")
    box.sh("iptables -A f2b-sshd -j RETURN; iptables -I INPUT -p tcp --dport 22 -j f2b-sshd")
    assert _intruder_gets(box, 18232) == "hello\n"
