"""Page variables that give the engine its interface back."""

from diagnose.evidence.network.wiring.docker_interfaces import DockerInterface
from diagnose.evidence.network.wiring.interface_managers import InterfaceManager
from diagnose.model import PageVariables

_EXCLUDES = {
    "dhcpcd": "dhcpcd",
    "NetworkManager": "network_manager",
    "systemd-networkd": "networkd",
}
"""The page's variable for each manager that it knows how to restrain."""


def interface_steps(
    interface: DockerInterface, managers: tuple[InterfaceManager, ...]
) -> PageVariables:
    """The page variables of an interface that another program has taken.

    The route to remove, the addresses of a port to remove, and the manager to restrain.
    """
    variables = {"interface": interface.link.name}
    if interface.defaults and interface.addresses:
        variables["routed_port" if interface.port_of else "routed_bridge"] = interface.link.name
    elif interface.defaults:
        variables["routed"] = interface.link.name
    elif interface.port_of and interface.addresses:
        variables["port"] = interface.link.name
    if interface.addresses and not interface.port_of:
        variables["address"] = interface.addresses[0]
    first = managers[0].name if managers else ""
    if first in _EXCLUDES:
        variables[_EXCLUDES[first]] = first
    return variables
