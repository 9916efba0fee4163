"""Another port for the server that a DNS server asks."""

import re
import shlex

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.secrets import MARK
from diagnose.evidence.dns.dns_forwarders import AskedServer
from diagnose.model import PageVariables


def steps_to_served_port(
    forwarder: Container, holder: Container | None, upstream: AskedServer, ports: list[int]
) -> PageVariables:
    """The page variables of the only port at which the container with that address takes queries.

    With the variable or the command that names it, where one of them has the other port.
    """
    other_ports = [port for port in ports if port != upstream.port]
    if holder is None or upstream.port in ports or len(other_ports) != 1:
        return {}
    port = str(other_ports[0])
    corrected = _with_port(forwarder, upstream, port)
    return {"server_container": holder.name, "served_port": port, **corrected}


def _with_port(forwarder: Container, upstream: AskedServer, port: str) -> PageVariables:
    """The variable or the command of a DNS server, with another port for its upstream server."""
    address = re.compile(rf"(?<![\d.])({re.escape(upstream.address)}[:#@]){upstream.port}(?!\d)")
    with_port = rf"\g<1>{port}"
    for name, value in forwarder.config.environment:
        if upstream.source == f"variable {name}" and MARK not in value and address.search(value):
            return {"variable_with_port": f"{name}={address.sub(with_port, value)}"}
    words = forwarder.config.cmd or ()
    is_named = any(address.search(word) for word in words) and MARK not in "".join(words)
    if upstream.source == "its command" and is_named:
        return {"command_with_port": shlex.join(address.sub(with_port, word) for word in words)}
    return {}
