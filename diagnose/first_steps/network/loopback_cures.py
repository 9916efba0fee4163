"""Page variables that lead a program which calls localhost to the right container, or to the host.

Each function gives those of one cure, and none where it does not suit.
"""

from diagnose.evidence.containers.addresses.loopback_words import with_host
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.peers.loopback_calls import LoopbackCall
from diagnose.evidence.containers.peers.loopback_targets import LoopbackTarget
from diagnose.evidence.network.addresses import EVERYWHERE, is_everywhere
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.evidence.network.sockets.listeners import Listener
from diagnose.model import PageVariables

GATEWAY_NAME = "host.docker.internal"
_LITERAL = str.maketrans({".": "[.]", "[": "[[]"})
"""Characters of an address that are patterns in sed, each in a form that stands for itself:
`[::1]:5004`."""


def settings_variables(call: LoopbackCall, peer: Container, inner: str) -> PageVariables:
    """The page variables that change the file of settings, for a peer that has a name for the
    caller."""
    has_names = bool(call.container.shared_networks(peer) - {DEFAULT_NETWORK})
    if call.target is None or call.target.is_linked:
        return {}
    if inner and call.target.has_port_beside:
        return {}
    correction = _sed_program(call.target, peer.name, inner)
    if has_names:
        return {"correction": correction, "settings": call.target.path}
    joint = f"{call.container.name}-{peer.name}"
    variables = {"joint_correction": correction, "joint": joint, "joined": peer.name}
    return {**variables, "settings": call.target.path}


def _sed_program(target: LoopbackTarget, name: str, port: str = "") -> str:
    """The program of sed that writes another host, and another port where one is given.

    OTHER_DB_HOST is not DB_HOST.
    """
    place = target.place.translate(_LITERAL)
    begin = r"\b" if target.place[:1].isalnum() else ""
    new = target.with_host(name)
    if port:
        new = f"{new.rpartition(':')[0]}:{port}"
    return f"s|{begin}{place}|{new}|g"


def host_variables(call: LoopbackCall, program: Listener) -> PageVariables:
    """The page variables that let the program reach the host.

    By its name, where a word or a variable says localhost and the host listens for containers too.
    Otherwise on the host's own network, where the container publishes nothing that would be lost
    there.
    """
    container = call.container
    target = call.target
    if target is not None:
        if target.is_linked or not is_everywhere(program.address):
            return {}
        return {"correction_to_host": _sed_program(target, GATEWAY_NAME), "settings": target.path}
    variables = with_host(container, program.port, GATEWAY_NAME)
    if variables and "spliced" not in variables and is_everywhere(program.address):
        return {f"{name}_to_host": text for name, text in variables.items()}
    if not container.wanted_ports:
        return {"on_host_network": container.name}
    has_own_ports = all(
        binding.port == f"{binding.host_port}/tcp" and binding.host_ip in EVERYWHERE
        for binding in container.wanted_ports
    )
    is_alone = set(container.endpoints) == {DEFAULT_NETWORK}
    return {"published_there": container.name} if has_own_ports and is_alone else {}


def name_variables(container: Container, peer: Container, port: int) -> PageVariables:
    """The page variables that let the program call the other container by its name.

    The engine resolves names on networks that a user made, not on the default one.
    """
    has_names = bool(container.shared_networks(peer) - {DEFAULT_NETWORK})
    return with_host(container, port, peer.name) if has_names else {}


def network_variables(peer: Container, *, is_near: bool) -> PageVariables:
    """The page variables of the peer's own network, to which the caller has to be
    connected first."""
    network = next((name for name in peer.endpoints if name not in ("bridge", "host", "none")), "")
    return {} if is_near or not network else {"network": network}
