"""Names that the DNS server knows without an address, and with one."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.programs.helpers import MACHINE, logs

CHECK = "dns.name-without-address"
NAME = "nas.home.test"
_BACKUP = """
import socket, time
while True:
    try:
        print("backup to", socket.getaddrinfo("nas.home.test", 445, socket.AF_INET)[0][4][0], flush=True)
    except OSError as error:
        print("ERROR backup: cannot reach nas.home.test:", error, flush=True)
    time.sleep(1)
"""


def _backup(box: Box, name: str, record: str, says: str) -> None:
    """A program that calls a machine of the local network by its name."""
    box.provider.dns_stop()
    box.provider.dns_start("--local=/home.test/", record)
    box.docker("network", "create", f"{name}net")
    python = [*MACHINE, f"--network={name}net", "bb:1.36", "/usr/bin/python3", "-c", _BACKUP]
    box.docker("run", "-d", f"--name={name}", *QUIET, *python)
    box.wait_for(lambda: logs(box, name).count(says) > 4, what=f"{says} of {name}")


@fault(CHECK, subject="container:backup90")
def private_address_that_is_kept_back(box: Box) -> None:
    """The router says that the name exists, and keeps its private address back."""
    _backup(box, "backup90", f"--txt-record={NAME},made-up", "No address associated")


@fault(CHECK, subject="container:backup91")
def name_with_an_ipv6_address_alone(box: Box) -> None:
    """The machine has an IPv6 address in DNS, and the program calls it over IPv4."""
    _backup(box, "backup91", f"--host-record={NAME},fd00:91::5", "No address associated")


@healthy()
def name_with_an_address(box: Box) -> None:
    """The same program, and the name has an address."""
    _backup(box, "backup92", f"--host-record={NAME},192.0.2.80", "backup to 192.0.2.80")
