"""The packet size that fits, and where a page sets it."""

from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.evidence.network.packet_size.packet_sizes import OversizedNetwork, PacketSizes
from diagnose.mappings import present
from diagnose.model import PageVariables


def packet_size_steps(oversized: OversizedNetwork, sizes: PacketSizes) -> PageVariables:
    """The page variables with the packet size that fits, and with its setting by the kind of
    network.

    The default network has it from daemon.json. Connections of a bridge can be clamped too, those
    of an overlay cannot.
    """
    network = oversized.network
    mtu = str(sizes.limit - oversized.overhead)
    variables = {"uplink": sizes.uplink, "mtu": mtu, "container": oversized.members[0].name}
    if not network.is_bridge:
        # the engine itself takes the header of the overlay off the network's option
        limit = str(sizes.limit)
        overlay = {
            "overlay": network.name,
            "overlay_again": f"{network.name}-{limit}",
            "overlay_mtu": limit,
        }
        subnet = str(network.subnets[0]) if network.subnets else ""
        return variables | overlay | present({"overlay_subnet": subnet})
    variables["clamp"] = "TCPMSS"
    if network.name == DEFAULT_NETWORK:
        return variables | {"daemon_mtu": mtu}
    return variables | {"network": network.name}
