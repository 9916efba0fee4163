"""Containers that use the network of another one, as behind a VPN client, and the names they
call."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.dns_names import LIMITS, missing_caller
from tests.lab.scenarios.everyday.helpers import first_command

IDLE = ("bb:1.36", "sleep", "1000")
_UNKNOWN = 'could not translate host name "{0}" to address: Name or service not known'


def _vpn(box: Box, name: str, *networks: str) -> None:
    """A VPN client on these networks."""
    for network in networks:
        box.docker("network", "create", network, check=False)
    first, *others = networks
    box.docker("run", "-d", f"--name={name}", *LIMITS, f"--net={first}", *IDLE)
    for network in others:
        box.docker("network", "connect", network, name)


def _store(box: Box, name: str, network: str) -> None:
    """A database that is alone on its network."""
    box.docker("network", "create", network, check=False)
    box.docker("run", "-d", f"--name={name}", *LIMITS, f"--net={network}", *IDLE)


@fault("dns.service-on-other-network", subject="container:guest5")
def name_beyond_the_network_of_a_vpn(box: Box) -> None:
    """A container behind a VPN client calls a database that is not on the client's networks; the
    report's first command connects the client."""
    _vpn(box, "vpn5", "vpnnet5")
    _store(box, "store5", "storenet5")
    line = _UNKNOWN.format("store5")
    url = "--env=DATABASE_URI=mysql+pymysql://root@store5:3306/demo"
    missing_caller(box, "guest5", "store5", line, "--net=container:vpn5", url)
    command = first_command(box, "dns.service-on-other-network", "guest5")
    assert command == "docker network connect storenet5 vpn5", command


@healthy()
def name_on_the_network_of_a_vpn(box: Box) -> None:
    """The same containers after that command; a guest that calls its host by name; and one whose
    host has the name in its hosts file."""
    _vpn(box, "vpn6", "vpnnet6", "storenet6")
    _store(box, "store6", "storenet6")
    for guest, called in (("guest6", "store6"), ("guest7", "vpn6")):
        line = _UNKNOWN.format(called)
        script = f"for i in 1 2 3; do echo '{line}'; done; nslookup -type=a {called}; sleep 1000"
        url = f"--env=DATABASE_URI=mysql://root@{called}:3306/demo"
        box.docker(
            *("run", "-d", f"--name={guest}", *LIMITS, "--net=container:vpn6", url),
            *("bb:1.36", "sh", "-c", script),
        )
        assert box.docker("exec", guest, "nslookup", "-type=a", called).returncode == 0
    _store(box, "far6", "farnet6")
    pinned = ("--net=vpnnet6", "--add-host=far6:192.0.2.80")
    box.docker("run", "-d", "--name=vpn7", *LIMITS, *pinned, *IDLE)
    calls = ("--net=container:vpn7", "--env=STORE_URL=http://far6:80/")
    project = "--label=com.docker.compose.project=far"
    box.docker("run", "-d", "--name=guest8", *LIMITS, *calls, project, *IDLE)


@fault("dns.service-on-other-network", subject="container:guest9")
def name_of_a_fellow_guest(box: Box) -> None:
    """Two containers use the network of one VPN client, and the one calls the other by name."""
    _vpn(box, "vpn9", "vpnnet9")
    serving = ("--net=container:vpn9", "bb:1.36", "httpd", "-f", "-p", "8000", "-h", "/www")
    box.docker("run", "-d", "--name=fellow9", *LIMITS, *serving)
    missing_caller(
        *(box, "guest9", "fellow9", "curl: (6) Could not resolve host: fellow9"),
        *("--net=container:vpn9", "--env=UPSTREAM=http://fellow9:8000/api"),
    )
    command = first_command(box, "dns.service-on-other-network", "guest9")
    assert "UPSTREAM=http://127.0.0.1:8000/api" in command, command
