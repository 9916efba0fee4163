"""Compound incidents that begin with a packet filter, a bridge or a DNS server."""

from __future__ import annotations

from tests.lab import Box
from tests.lab.incident import incident
from tests.lab.provider import RESOLVER, SILENT
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.incidents.helpers import (
    ASK,
    DEAF,
    DNS,
    EXITS,
    FORGETFUL,
    GRUMPY,
    LOOP,
    MISLED,
    SICK,
    STRANGER,
    all_of,
    deaf,
    forgetful,
    grumpy,
    job,
    misled,
    needs,
    probed,
    service,
    shop,
    stranger,
    wait_exits,
    wait_loops,
    wait_sick,
)


def _askers(box: Box, *options: str) -> None:
    """Services that need DNS: one says so in its health check, one ends."""
    probed(box, "api", ASK, *options)
    job(box, "sync", ASK, *options)
    wait_sick(box, "api")
    wait_exits(box, "sync")


ASKERS = [*all_of(SICK, "api"), *all_of(EXITS, "sync")]


@incident(
    "firewall.chains-missing",
    "host:host",
    effects=[(DNS, "network:bridge"), *ASKERS],
    bystander=MISLED,
    newest_too=True,
)
def firewall_reload_cuts_nat(box: Box) -> None:
    """A firewall reload flushes Docker's rules: DNS fails, health checks fail, jobs end."""
    misled(box, "-p", "8085:80")
    box.sh("iptables -P FORWARD DROP; iptables -F; iptables -t nat -F")
    _askers(box)


@incident(
    "firewall.forwarding-off",
    "host:host",
    effects=[(DNS, "network:bridge"), *ASKERS],
    bystander=FORGETFUL,
)
def sysctl_turns_forwarding_off(box: Box) -> None:
    """A sysctl file turns IP forwarding off: DNS fails, and what needs it."""
    forgetful(box, "-p", "8085:80")
    box.sh("sysctl -qw net.ipv4.ip_forward=0")
    _askers(box)


@incident(
    "firewall.masquerade-missing",
    "network:shop",
    effects=[(DNS, "network:shop"), *ASKERS],
    bystander=DEAF,
)
def one_network_without_masquerade(box: Box) -> None:
    """One network has lost its MASQUERADE rule; beside it, on another, a container asks a silent
    server of its own.

    Newer engines ask the host's servers from the host (`ExtServers: [host(192.0.2.53)]`, seen on
    28.5.2): there DNS continues.
    """
    bridge, subnet = shop(box)
    deaf(box)
    box.sh(f"iptables -t nat -D POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE")
    _askers(box, "--net=shop")


@incident(
    "firewall.forward-dropped",
    "host:host",
    effects=[(DNS, "network:shop"), *ASKERS],
    bystander=GRUMPY,
)
def rule_in_docker_user_drops_all(box: Box) -> None:
    """A rule in DOCKER-USER drops everything: DNS fails on a network of its own, and what needs
    it."""
    shop(box)
    grumpy(box, "--net=shop", "-p", "8085:80")
    box.sh("iptables -I DOCKER-USER -j DROP")
    _askers(box, "--net=shop")


@incident(
    "firewall.backend-mixed",
    "host:host",
    effects=[("firewall.forward-dropped", "host:host"), (DNS, "network:bridge"), *ASKERS],
    bystander=STRANGER,
)
def script_of_the_other_backend(box: Box) -> None:
    """A script writes to iptables-legacy beside Docker's nft: forwarding is dropped, DNS fails, and
    what needs it."""
    stranger(box)
    box.sh("iptables-legacy -P FORWARD DROP")
    _askers(box)


@incident(
    "network.bridge-down",
    "network:shop",
    effects=[(DNS, "network:shop"), *ASKERS],
    bystander=MISLED,
)
def bridge_is_down(box: Box) -> None:
    """A network manager sets a bridge down: its containers are cut off, those of the next network
    are not."""
    bridge, _ = shop(box)
    misled(box, "--net=shop")
    _askers_before(box, "--net=shop")
    box.run(["ip", "link", "set", bridge, "down"])
    wait_sick(box, "api")
    box.docker("start", "sync")
    wait_exits(box, "sync")


def _askers_before(box: Box, *options: str) -> None:
    """The same services, started while all is well."""
    probed(box, "api", ASK, *options)
    job(box, "sync", ASK, *options)
    box.wait_health("api", "healthy")
    box.wait_state("sync", "exited")


# -- names ----------------------------------------


@incident(DNS, "network:bridge", effects=[*ASKERS], bystander=STRANGER, config={"dns": [SILENT]})
def wrong_resolver_in_daemon_json(box: Box) -> None:
    """daemon.json names a DNS server that never answers: whatever needs a name fails."""
    stranger(box)
    _askers(box)


@incident(
    "dns.host-broken",
    "host:host",
    effects=[(LOOP, "container:pay"), (SICK, "container:mail"), (LOOP, "container:front")],
    bystander=STRANGER,
    also=[(DNS, "network:shop")],
)
def resolver_went_down_beside_a_bad_deploy(box: Box) -> None:
    """The host's DNS server has ended, and one that calls a service which needs it loops too; a bad
    deploy is beside it."""
    shop(box)
    stranger(box, "--net=shop")
    box.provider.dns_stop()
    asking = f"{ASK} || {{ echo 'EAI_AGAIN www.lab.test' >&2; exit 1; }}; nc -ll -p 5432 -e true"
    service(box, "pay", asking, "--net=shop")
    probed(box, "mail", ASK, "--net=shop")
    needs(box, "front", "pay")
    wait_loops(box, "pay", "front")
    wait_sick(box, "mail")


@incident(
    "dns.host-broken",
    "host:host",
    effects=[(DNS, "network:*"), ("image.registry-unreachable", "daemon:docker"), *ASKERS],
    bystander=MISLED,
)
def resolver_of_the_host_is_silent(box: Box) -> None:
    """The host's DNS server is silent: pulls fail, containers cannot resolve."""
    misled(box)
    box.provider.drop("-p udp --dport 53")
    box.provider.drop("-p tcp --dport 53")
    box.docker("pull", "registry.lab.test/shop:2", check=False, timeout=60)
    _askers(box)


@incident(
    "network.subnet-overlaps-route",
    "network:office",
    effects=[("dns.host-broken", "host:host"), (DNS, "network:*"), *ASKERS],
    bystander=GRUMPY,
)
def subnet_hides_the_resolver(box: Box) -> None:
    """A new network's subnet holds the address of the host's DNS server, which nobody reaches any
    more."""
    grumpy(box)
    box.docker("network", "create", "--subnet=192.0.2.48/28", "office")
    job(box, "printer", "exec sleep 1000", "--net=office")
    assert (
        box.run(
            ["timeout", "2", "busybox", "nslookup", "www.lab.test", RESOLVER], check=False
        ).returncode
        != 0
    )
    _askers(box)


@incident(
    "dns.no-nameserver",
    "host:host",
    effects=[(DNS, "network:bridge"), *ASKERS],
    bystander=FORGETFUL,
    engine_started=False,
)
def resolv_conf_leads_nowhere(box: Box) -> None:
    """resolv.conf is a link to a file that is not there: containers ask servers that nobody
    reaches."""
    box.sh("rm -f /etc/resolv.conf; ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
    box.start_engine(config=BASE_CONFIG)
    forgetful(box)
    _askers(box)
