"""Hosts with an engine and an ssh server each, and a desk that reaches them over a network of its
own."""

from __future__ import annotations

import secrets
import subprocess
from contextlib import ExitStack
from types import TracebackType

from tests.lab import sshd
from tests.lab.box import Box
from tests.lab.engines import Engine
from tests.lab.runner import BASE_CONFIG

NETWORK = "10.77.0"
"""Where the desk and the hosts meet; the desk is .1. No packet leaves the desk's namespace."""
_BRIDGE = f"""
ip link add desk0 type bridge
ip addr add {NETWORK}.1/24 dev desk0
ip link set desk0 up
"""


class LabHost:
    """A host with an engine, and an ssh server on its second interface."""

    def __init__(self, box: Box, name: str, address: str) -> None:
        self.box = box
        self.name = name
        self.address = address
        self.sshd_pid = 0


class Fleet:
    """The desk and its hosts. They end together."""

    def __init__(self) -> None:
        self.hosts: dict[str, LabHost] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Fleet:
        try:
            self.desk = self._stack.enter_context(Box("distro", provider=False, hostname="desk"))
            self._enter_network(self.desk, _BRIDGE)
            sshd.keys(self.desk)
            self._host_key = self.desk.read("/etc/ssh/made_up_host_key")
            self._user_key = self.desk.read("/root/.ssh/id_made_up.pub")
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add(self, name: str, engine: str | Engine = "distro") -> LabHost:
        """A host with a running engine, an identity of its own and an ssh server."""
        # A directory: twelve disks would take all loop devices of a machine.
        box = self._stack.enter_context(Box(engine, hostname=name, disk="dir"))
        host = LabHost(box, name, f"{NETWORK}.{11 + len(self.hosts)}")
        # Boxes of one machine share its id.
        box.write("/etc/machine-id", f"{secrets.token_hex(16)}\n")
        number = len(self.hosts)
        self._enter_network(
            self.desk,
            f"ip link add to{number} type veth peer name mgmt0 netns {box.pid}\n"
            f"ip link set to{number} master desk0 up",
        )
        box.sh(f"ip addr add {host.address}/24 dev mgmt0; ip link set mgmt0 up")
        box.start_engine(config=BASE_CONFIG)
        host.sshd_pid = self._serve(host)
        self.hosts[name] = host
        return host

    def _serve(self, host: LabHost) -> int:
        box = host.box
        box.write("/etc/ssh/made_up_host_key", self._host_key, 0o600)
        box.write("/etc/ssh/made_up_authorized_keys", self._user_key)
        listen = f"ListenAddress {host.address}\nSubsystem sftp internal-sftp\n"
        box.write("/etc/ssh/made_up", listen + sshd.CONFIG.replace("ListenAddress 127.0.0.1", ""))
        box.sh("mkdir -p -m 755 /run/sshd")
        pid = box.spawn([sshd.SSHD, "-D", "-e", "-f", "/etc/ssh/made_up"], log="/var/log/sshd.log")
        box.wait_for(lambda: "listening on" in box.read("/var/log/sshd.log"), what="sshd")
        return pid

    @staticmethod
    def _enter_network(box: Box, script: str) -> None:
        """Run a script in the box's network, with the machine's view of processes."""
        command = ["nsenter", "-t", str(box.pid), "-n", "sh", "-ec", script]
        subprocess.run(command, check=True, capture_output=True, timeout=20)
