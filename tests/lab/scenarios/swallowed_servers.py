"""A network whose subnet holds the DNS server that the host asks."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.scenarios.everyday.helpers import first_command

_SERVER = "10.238.0.2"


@fault(
    "network.subnet-overlaps-route",
    subject="network:swallow38",
    also=["dns.*", "firewall.direct-access-dropped"],
)
def container_with_the_address_of_the_dns_server(box: Box) -> None:
    """A network was made over the range of the DNS server, and the first container on it was given
    the server's address."""
    box.provider.dns_stop()
    box.provider.sh(f"ip addr add {_SERVER}/32 dev lo")
    fixed = (
        "--no-resolv --no-hosts --conf-file=/dev/null --user=root --pid-file= --keep-in-foreground"
    )
    listen = f"--listen-address={_SERVER} --bind-interfaces --address=/lab.test/192.0.2.80"
    box.provider.spawn(["dnsmasq", *fixed.split(), *listen.split()])
    box.write("/etc/resolv.conf", f"nameserver {_SERVER}\n")
    box.docker("network", "create", "--subnet=10.238.0.0/24", "swallow38")
    run = ("run", "-d", "--name=app38", "--memory=64m", "--pids-limit=64", "--network=swallow38")
    box.docker(*run, "bb:1.36", "sleep", "900")
    place = box.inspect("app38")["NetworkSettings"]["Networks"]["swallow38"]
    assert place["IPAddress"] == _SERVER
    command = first_command(box, "network.subnet-overlaps-route", "swallow38")
    assert command.startswith("diagnose recreate --network swallow38"), command
