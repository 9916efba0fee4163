"""The host's interfaces once more, where the first list lacks the host's end of a container."""

from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.network import Interface, ListInterfaces
from diagnose.registry import evidence


class LaterInterfaces(Items[Interface], frozen=True):
    """All interfaces of the host, listed after the containers' namespaces were visited.

    Empty where the first list shows the host's end of each veth pair attached and up.
    """


@evidence
def later_interfaces(
    host: Host, namespaces: Namespaces, links: Interfaces
) -> LaterInterfaces | Unavailable:
    """The interfaces after one more netlink dump, for a container that has just started."""
    if all(_has_host_ends(netns, links) for netns in namespaces):
        return LaterInterfaces(())
    interfaces = host.require(ListInterfaces(round="later"))
    return LaterInterfaces(tuple(interfaces))


def _has_host_ends(netns: ContainerNetns, links: Interfaces) -> bool:
    host_ends = [links.by_index.get(link.link or 0) for link in netns.links if link.kind == "veth"]
    return all(end is not None and end.up and end.master is not None for end in host_ends)
