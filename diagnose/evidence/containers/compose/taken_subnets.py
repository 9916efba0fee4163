"""The subnets that a compose project asks for, and that another network of the engine has. Pure."""

import ipaddress
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.evidence.network.networks import Network, Networks
from diagnose.questions.compose import NeededPart

SUBNET = "subnet"
ADDRESSED = "addressed subnet"
"""Kinds of a part: a subnet of which the file names no address, and one of which it does."""


class TakenSubnet(msgspec.Struct, frozen=True):
    """A subnet of a file, and the network that overlaps it."""

    part: NeededPart
    holder: Network

    @property
    def held(self) -> str:
        return ", ".join(map(str, self.holder.subnets))

    @property
    def is_of_copy(self) -> bool:
        """Whether another copy of the same file has made the network, of which one should run."""
        return _key(self.holder) == self.part.service and self.part.name in self.held.split(", ")


def taken_subnets(
    project: str, needs: Sequence[NeededPart], networks: Networks | None
) -> Iterator[TakenSubnet]:
    """The subnets of a project's file that a network of others overlaps.

    A network that compose has made already stays as it is.
    """
    own_keys = {_key(network) for network in networks or () if _project(network) == project}
    foreign_networks = [network for network in networks or () if _project(network) != project]
    for part in needs:
        if part.kind not in (SUBNET, ADDRESSED) or part.service in own_keys:
            continue
        holder = _holder(part.name, foreign_networks)
        if holder is not None:
            yield TakenSubnet(part, holder)


def _holder(text: str, networks: Sequence[Network]) -> Network | None:
    """The first network that overlaps a subnet; None where the text is not a subnet of IPv4."""
    try:
        subnet = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None
    for network in networks:
        if any(subnet.overlaps(net) for net in network.subnets if net.version == 4):
            return network
    return None


def _project(network: Network) -> str:
    return (network.labels or {}).get(f"{COMPOSE}project", "")


def _key(network: Network) -> str:
    """The name that the network has in its compose file."""
    return (network.labels or {}).get(f"{COMPOSE}network", "")
