"""Page variables that lead a container to one whose name it cannot resolve."""

import re

from diagnose.evidence.containers.addresses.loopback_words import with_name
from diagnose.evidence.containers.addresses.proxy_settings import EngineProxy
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.names.failing_servers import FailingServer
from diagnose.evidence.dns.names.name_calls import NameCall
from diagnose.evidence.dns.names.unresolved_names import UnresolvedName
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Network, Networks
from diagnose.mappings import only
from diagnose.model import PageVariables


def steps_to_owner(call: NameCall, owner: Container, networks: Networks) -> PageVariables:
    """The page variable with the network to which the caller should be connected.

    Where the owner has none that resolves names: the name of a new network for both.
    """
    caller = call.caller
    if call.network_owner.shares_host_network:
        return _published_port_variables(caller, call.front or owner)
    if call.share_one_network:
        return _loopback_variables(caller, call.name)
    if owner.shares_host_network:
        return {}
    if call.is_from_guest:
        return _owner_network_variables(call, owner, networks)
    if call.front is not None:
        return _front_variables(caller, call.front, networks)
    if owner.joins_network_of_other or not owner.endpoints:
        return {}
    down = {} if owner.is_running else {"down": owner.name}
    network = _shared_place(owner, networks)
    if network is None:
        return {"created": f"{caller.name}-net", **down}
    return {"network": network.name, **down}


def _owner_network_variables(call: NameCall, owner: Container, networks: Networks) -> PageVariables:
    """The page variable with the network to connect to the container whose network the
    caller uses."""
    network = None if call.front is not None else _shared_place(owner, networks)
    if network is None or not owner.is_running:
        return {}
    return {"network_owner": call.network_owner.name, "owner_network": network.name}


def _loopback_variables(caller: Container, name: str) -> PageVariables:
    """The page variables with the caller's command or variable, and 127.0.0.1 in place of a name
    before a port."""
    words = [*caller.command, *(value for _, value in caller.config.environment)]
    called = re.compile(rf"(?<![\w.-]){re.escape(name)}:(\d{{2,5}})(?!\d)")
    ports = {match[1] for word in words for match in called.finditer(word)}
    port = only(sorted(ports))
    return {} if port is None else {**with_name(caller, f"{name}:{port}", f"127.0.0.1:{port}")}


def _front_variables(caller: Container, front: Container, networks: Networks) -> PageVariables:
    """The page variable with the network on which the caller reaches the other
    container's front."""
    network = _shared_place(front, networks)
    if network is None or network.name not in caller.endpoints:
        return {}
    return {"front": front.name, "front_network": network.name}


def _shared_place(owner: Container, networks: Networks) -> Network | None:
    """The network of the owner on which others can call it by name; one with a way out
    comes first."""
    usable = filter(_resolves_names, networks.of(owner))
    return min(usable, key=lambda network: network.internal, default=None)


def _resolves_names(network: Network) -> bool:
    return network.is_bridge and network.name != DEFAULT_NETWORK


def _published_port_variables(caller: Container, owner: Container) -> PageVariables:
    """The page variables with the caller's command or variable, and the other container's published
    port on the host.

    Empty where no word, or several, name the other container with a port.
    """
    cures = [
        with_name(caller, f"{name}:{published.number}", f"127.0.0.1:{published.host_port}")
        for published in owner.published_by("tcp")
        for name in sorted(owner.dns_names)
    ]
    different = {tuple(cure.items()) for cure in cures if cure}
    return dict(different.pop()) if len(different) == 1 else {}


def steps_for_failing_server(error: FailingServer) -> PageVariables:
    """The page variable that selects the paragraph about the failing server."""
    server = error.server
    name = error.names[0]
    variables = {"server": server, "name": name}
    if error.is_validated and error.is_general:
        return {**variables, "validating": error.holder.name if error.holder else server}
    if error.circle is not None and error.is_general:
        return {**variables, "circle": error.circle.other, "holder": error.circle.container.name}
    if error.holder is not None:
        return {**variables, "holder": error.holder.name}
    if error.program:
        return {**variables, "program": error.program}
    if error.rcode == "REFUSED":
        return {**variables, "refusing": server}
    if error.is_general:
        return {**variables, "failing": server}
    return {**variables, "broken_name": name}


def steps_for_name(
    failure: UnresolvedName, completed: str, proxy: EngineProxy | None
) -> PageVariables:
    """The page variables with the whole name, or with the proxy that looks names up."""
    name = failure.name.name
    if completed:
        return {"short": name, "completed": completed, "dots": str(name.count(".") + 1)}
    return proxy.variables(failure.container) if proxy is not None else {}
