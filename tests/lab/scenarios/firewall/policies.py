"""Second packet filters, and policies that are meant."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.provider import WEB
from tests.lab.runner import healthy_container
from tests.lab.scenarios.firewall.helpers import DEAF, comes_in, goes_out


@fault(
    "firewall.backend-mixed",
    subject="host:host",
    expect=[("firewall.forward-dropped", "host:host")],
    also=DEAF,
    first_command=("heals", "it takes all legacy rules away; the lab does the policy alone"),
)
def legacy_beside_nft(box: Box) -> None:
    """A script speaks to iptables-legacy while Docker's rules are in nft: both are in force."""
    box.sh("iptables-legacy -P FORWARD DROP")
    assert not goes_out(box)


@fault("firewall.bridge-filter-off", subject="network:quiet")
def bridge_filter_off(box: Box) -> None:
    """enable_icc=false is not enforced, since bridged packets skip the packet filter."""
    box.docker("network", "create", "-o", "com.docker.network.bridge.enable_icc=false", "quiet")
    healthy_container(box, "till1", 8081, "--network=quiet")
    healthy_container(box, "till2", 8082, "--network=quiet")
    address = box.inspect("till2")["NetworkSettings"]["Networks"]["quiet"]["IPAddress"]
    pid = box.inspect("till1")["State"]["Pid"]
    curl = [
        "nsenter", "-t", str(pid), "-n", "curl", "-sS", "--noproxy", "*", "--max-time", "1.5",
        f"http://{address}:8080/",
    ]  # fmt: skip
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
    assert comes_in(box)


@healthy()
def forward_drop_with_exceptions(box: Box) -> None:
    """A second table drops by default and lets Docker's bridges and published ports through."""
    box.sh(
        "nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; };"
        " add rule inet filter forward ct state established,related accept; add rule inet filter forward"
        ' iifname { "docker0", "br-*" } accept; add rule inet filter forward ct status dnat accept\''
    )
    assert goes_out(box)
    assert comes_in(box)


@healthy()
def docker_user_for_one_source(box: Box) -> None:
    """DOCKER-USER lets in one source only, as Docker's own guide says: a policy, not a fault."""
    box.sh("iptables -I DOCKER-USER -i eth0 ! -s 192.0.2.99 -m conntrack --ctstate NEW -j DROP")
    assert goes_out(box)
    assert not comes_in(box)


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
    assert goes_out(box)
    assert comes_in(box)


@healthy()
def legacy_tables_by_looking(box: Box) -> None:
    """Someone ran `iptables-legacy -S`: its empty tables are not a second firewall."""
    box.sh("iptables-legacy -S")
    assert box.sh("cat /proc/net/ip_tables_names").strip()


@healthy(config={"iptables": False}, baseline=False)
def engine_without_iptables(box: Box) -> None:
    """The engine is told to leave the packet filter alone, and the administrator translates by a
    rule of his own."""
    box.sh("iptables -t nat -A POSTROUTING -s 172.17.0.0/16 -o eth0 -j MASQUERADE")
    box.docker("run", "-d", "--name", "plain", "-m", "32m", "shop:1.4")
    assert goes_out(box, "plain")


def _closed(box: Box, target: str, *program: str) -> None:
    """A network that DOCKER-USER keeps from the outside, with one container on it."""
    box.docker("network", "create", "--subnet=10.232.9.0/24", "inside9")
    box.sh(f"iptables -I DOCKER-USER -s 10.232.9.0/24 -o eth0 -j {target}")
    options = ("--memory=64m", "--pids-limit=64", "--network=inside9")
    box.docker("run", "-d", "--name=worker9", *options, "bb:1.36", *program)
    assert not goes_out(box, "worker9")


def _calls(says: str) -> list[str]:
    """A program that calls outside each second, and writes this when it fails."""
    call = f"timeout 2 wget -qO- http://{WEB}/"
    return ["sh", "-c", f"while :; do {call} || echo '{says}'; sleep 1; done"]


@healthy()
def network_that_is_refused_the_outside(box: Box) -> None:
    """A rule of DOCKER-USER answers what one network sends outside: nothing on it calls anybody."""
    _closed(box, "REJECT", "sleep", "1000")
    assert goes_out(box)


@healthy()
def network_whose_packets_are_dropped(box: Box) -> None:
    """A rule of DOCKER-USER drops what one network sends outside: nothing on it calls anybody."""
    _closed(box, "DROP", "sleep", "1000")
    assert goes_out(box)


@fault("firewall.forward-dropped", subject="host:host", also=["container.*", "dns.*", "network.*"])
def network_that_misses_the_outside(box: Box) -> None:
    """The same rule, and a program on that network calls outside in vain."""
    _closed(box, "REJECT", *_calls(f"dial tcp {WEB}:80: connect: connection refused"))
    box.wait_for(lambda: box.docker("logs", "worker9").stdout.count("refused") > 4, what="refusals")


@fault("firewall.forward-dropped", subject="host:host", also=["container.*", "dns.*", "network.*"])
def network_that_waits_for_the_outside(box: Box) -> None:
    """A rule of DOCKER-USER drops it, and a program calls outside in vain."""
    _closed(box, "DROP", *_calls(f"dial tcp {WEB}:80: i/o timeout"))
    box.wait_for(lambda: box.docker("logs", "worker9").stdout.count("timeout") > 2, what="timeouts")
    run = box.diagnose("all", "--format", "json", "--budget", "60")
    (found,) = (f for f in run.findings if f["id"] == "firewall.forward-dropped")
    assert found["severity"] != "advice", found
