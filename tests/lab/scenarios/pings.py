"""Pings by which containers watch something, and rules that drop them, with twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import GATEWAY, SILENT

_LIMITS = ("--memory=32m", "--pids-limit=64", "--restart=unless-stopped")
_LOST = "100% packet loss"


def _watches(box: Box, name: str, target: str) -> None:
    """A container whose health is the answer of a ping."""
    health = ("--health-interval=1s", "--health-retries=2", f"--health-cmd=ping -c1 -W1 {target}")
    box.docker("run", "-d", f"--name={name}", *_LIMITS, *health, "bb:1.36", "sleep", "900")


def _monitors(box: Box, name: str, target: str) -> None:
    """A monitor that prints what its pings bring."""
    script = f"while :; do ping -c1 -W1 {target}; sleep 1; done"
    box.docker("run", "-d", f"--name={name}", *_LIMITS, "bb:1.36", "sh", "-c", script)


def _loses(box: Box, name: str) -> None:
    box.wait_for(lambda: box.docker("logs", name).stdout.count(_LOST) > 2, what=f"losses of {name}")


@fault("firewall.ping-dropped", subject="container:watch70", also=["container.unhealthy"])
def health_by_a_ping_of_a_neighbour(box: Box) -> None:
    """A rule of the administrator drops all ICMP, and a health check pings the database."""
    box.docker("network", "create", "shop70")
    box.docker("run", "-d", "--name=db70", "--network=shop70", *_LIMITS, "bb:1.36", "sleep", "900")
    box.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1")
    health = ("--health-interval=1s", "--health-retries=2", "--health-cmd=ping -c1 -W1 db70")
    run = ("run", "-d", "--name=watch70", "--network=shop70", *_LIMITS, *health)
    box.docker(*run, "bb:1.36", "sleep", "900")
    box.wait_health("watch70", "healthy")
    box.sh("iptables -I DOCKER-USER -p icmp -j DROP")
    box.wait_health("watch70", "unhealthy")


@fault("firewall.ping-dropped", subject="container:kuma71", also=["container.*"])
def monitor_whose_pings_do_not_leave(box: Box) -> None:
    """A rule drops the ICMP of containers, and a monitor says that the router is down."""
    _monitors(box, "kuma71", GATEWAY)
    box.sh("iptables -I DOCKER-USER -i docker0 -p icmp -j DROP")
    _loses(box, "kuma71")


@fault("firewall.ping-dropped", subject="container:watch72", also=["container.unhealthy"])
def host_that_was_hardened_against_pings(box: Box) -> None:
    """A hardening guide makes the host ignore pings, and a health check pings its gateway."""
    _watches(box, "watch72", "172.17.0.1")
    box.wait_health("watch72", "healthy")
    box.sh("sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
    box.wait_health("watch72", "unhealthy")


def _pings_from_a_shell(box: Box, name: str) -> None:
    """Somebody has opened a shell in a container, and pings the host's address on its bridge."""
    box.docker("run", "-dit", f"--name={name}", *_LIMITS, "bb:1.36", "sh")
    box.docker("exec", "-d", name, "ping", "172.17.0.1")
    box.wait_for(lambda: "ping" in box.docker("top", name).stdout, what="the ping")


@fault("firewall.ping-dropped", subject="container:shell77")
def shell_that_pings_a_closed_host(box: Box) -> None:
    """The host takes nothing but ssh, and a container does not reach its gateway's address."""
    box.sh(
        "iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -p tcp --dport 22 -j ACCEPT; "
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; "
        "iptables -P INPUT DROP"
    )
    _pings_from_a_shell(box, "shell77")
    ping = box.docker("exec", "shell77", "ping", "-c1", "-W1", "172.17.0.1", check=False)
    assert _LOST in ping.stdout


@healthy()
def shell_that_pings_an_open_host(box: Box) -> None:
    """The same shell on a host without such a rule."""
    _pings_from_a_shell(box, "shell78")


@healthy()
def pings_that_nobody_sends(box: Box) -> None:
    """The same rule and the same setting where no container pings."""
    box.sh("iptables -I DOCKER-USER -p icmp -j DROP; sysctl -qw net.ipv4.icmp_echo_ignore_all=1")


@healthy()
def monitor_of_a_machine_that_is_off(box: Box) -> None:
    """A monitor pings a machine that is off: this host lets its pings pass."""
    _monitors(box, "kuma73", SILENT)
    _loses(box, "kuma73")
