"""The engine's networks: subnets, bridges, options."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator
from typing import Any

import msgspec

from diagnose.model import Failed, Subject, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Pool(msgspec.Struct, frozen=True, rename="pascal"):
    subnet: str = ""
    ip_range: str = msgspec.field(name="IPRange", default="")
    gateway: str = ""
    auxiliary_addresses: dict[str, str] | None = None


class _Ipam(msgspec.Struct, frozen=True, rename="pascal"):
    driver: str = ""
    config: list[_Pool] | None = None


class Network(msgspec.Struct, frozen=True, rename="pascal", dict=True):
    """One network as `GET /networks` lists it (its containers are listed by inspect only)."""

    id: str
    name: str = ""
    driver: str = ""
    scope: str = ""
    created: str = ""
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    enable_ipv6: bool = msgspec.field(name="EnableIPv6", default=False)
    options: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    ipam: _Ipam = msgspec.field(name="IPAM", default=_Ipam())

    @property
    def subject(self) -> Subject:
        return Subject("network", self.name)

    def option(self, name: str, default: str = "") -> str:
        return (self.options or {}).get(name, default)

    @property
    def is_bridge(self) -> bool:
        return self.driver == "bridge"

    @property
    def bridge(self) -> str:
        """The Linux bridge's name: an option, docker0 for the default network, else br- and 12 digits of the id."""
        named = self.option("com.docker.network.bridge.name")
        return named or ("docker0" if self.name == "bridge" else f"br-{self.id[:12]}")

    @property
    def bridge_has_address(self) -> bool:
        """Whether the engine gives the bridge the gateway's address: not where it is configured not to, or isolates the host (28)."""
        if self.option("com.docker.network.bridge.inhibit_ipv4") == "true":
            return False
        return self.option("com.docker.network.bridge.gateway_mode_ipv4", "nat") != "isolated"

    @property
    def masquerades(self) -> bool:
        """Whether the engine is to hide its addresses behind the host's."""
        if self.internal or self.option("com.docker.network.bridge.enable_ip_masquerade") == "false":
            return False
        return self.option("com.docker.network.bridge.gateway_mode_ipv4", "nat") == "nat"

    @functools.cached_property
    def subnets(self) -> tuple[Subnet, ...]:
        found = []
        for pool in self.ipam.config or ():
            try:
                found.append(ipaddress.ip_network(pool.subnet, strict=False))
            except ValueError:
                continue
        return tuple(found)

    @property
    def gateways(self) -> tuple[str, ...]:
        return tuple(pool.gateway.partition("/")[0] for pool in self.ipam.config or () if pool.gateway)

    @property
    def pools(self) -> tuple[_Pool, ...]:
        return tuple(self.ipam.config or ())


class Networks(msgspec.Struct, frozen=True, dict=True):
    """All networks of the engine."""

    items: tuple[Network, ...]

    def __iter__(self) -> Iterator[Network]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @functools.cached_property
    def by_name(self) -> dict[str, Network]:
        return {each.name: each for each in self.items}

    @property
    def bridges(self) -> tuple[Network, ...]:
        return tuple(each for each in self.items if each.is_bridge)


@evidence
def networks(host: Host) -> Networks | Unavailable:
    """One list; it has all but the attached containers, which the containers' own inspect names."""
    answer = host.ask(question("api.networks"))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    found: list[Any] = msgspec.convert(answer, list[Network])
    return Networks(tuple(sorted(found, key=lambda each: each.name)))
