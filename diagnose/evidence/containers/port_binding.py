"""A port of a container, with the place of the host where it is published."""

from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.inspect import Binding
from diagnose.evidence.network.addresses import is_everywhere, is_loopback
from diagnose.numbers import is_number

_LONG_RANGE = 5
"""Number of consecutive published ports from which on a program opens them only when needed."""


class PortBinding(msgspec.Struct, frozen=True):
    """A port of a container, and the place of the host where it is published or is to be."""

    port: str
    """The container's port as Docker writes it: 80/tcp."""
    binding: Binding

    @property
    def number(self) -> int:
        """The container's port; 0 where it is not a number."""
        number = self.port.partition("/")[0]
        return int(number) if is_number(number) else 0

    @property
    def protocol(self) -> str:
        """tcp, udp or sctp."""
        return self.port.partition("/")[2]

    @property
    def host_port(self) -> int:
        """The host's port; 0 where the engine should choose one."""
        number = self.binding.host_port
        return int(number) if is_number(number) else 0

    @property
    def host_ip(self) -> str:
        """The host's address; "" for all of them."""
        return self.binding.host_ip

    @property
    def is_ipv6(self) -> bool:
        """Whether it is published on an IPv6 address alone."""
        return ":" in self.binding.host_ip

    @property
    def is_for_host_alone(self) -> bool:
        """Whether other machines do not reach it: its address is a loopback address."""
        return is_loopback(self.host_ip)

    def leading_to(self, port: str, host_port: int = 0) -> str:
        """The value of `--publish` that forwards the same host address to another port inside.

        port: 53, or 53/udp. host_port: another port of the host.
        """
        before = "" if is_everywhere(self.host_ip) else f"{self.host_ip}:"
        return f"{before}{host_port or self.binding.host_port}:{port}"

    def __str__(self) -> str:
        return f"{self.binding.host_port} -> {self.port}"


def in_long_ranges(ports: Iterable[int]) -> frozenset[int]:
    """The ports that stand in a range of neighbours, which is published for no single server."""
    ranges: list[list[int]] = []
    for port in sorted(set(ports)):
        if ranges and ranges[-1][-1] == port - 1:
            ranges[-1].append(port)
        else:
            ranges.append([port])
    return frozenset(port for ports in ranges if len(ports) >= _LONG_RANGE for port in ports)
