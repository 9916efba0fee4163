"""network.port-out-of-reach: nothing takes the calls of other machines to a port of this host."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.network.addresses import with_port
from diagnose.evidence.network.sockets.asked_ports import AskedPort, AskedPorts
from diagnose.evidence.network.sockets.ports_for_host_alone import (
    PortForHostAlone,
    PortsForHostAlone,
)
from diagnose.mappings import present
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import agree, counted, joined
from diagnose.registry import check


@check(
    "network.port-out-of-reach",
    severity=Severity.warning,
    aloud=("is published for this host alone", "are published for this host alone"),
    caused_by=("container.exits-at-start", "container.restart-loop", "container.start-refused"),
)
def port_out_of_reach(
    asked_ports: AskedPorts, for_host_alone: PortsForHostAlone | None
) -> CheckResult:
    """Other machines do not reach a port of this host that they should.

    Which port that is, the user says: with `--reach`, or in a question to `diagnose ask`. Whether
    one is published, and at which address of the host, is otherwise a wish that nobody can judge: a
    port at 127.0.0.1 may be only for a proxy of the host. It is advice where a neighbour was
    refused at such a port in the last seconds, and where it is 80 or 443 and neither a web server
    nor a tunnel of this host brings visitors. The host's firewall is not part of this check.
    """
    asked_numbers = {port.number for port in asked_ports}
    shut_ports = [
        port for port in for_host_alone or () if port.binding.host_port not in asked_numbers
    ]
    if not asked_ports.asked and not shut_ports:
        return Skipped("no port was named with --reach, nor in a question")
    for port in asked_ports:
        yield _finding(port)
    for missed in shut_ports:
        yield _host_alone_finding(missed)


def _host_alone_finding(missed: PortForHostAlone) -> Finding:
    """The finding about a port at the loopback that others call, or are likely to miss."""
    container = missed.container
    number = missed.binding.host_port
    callers = missed.callers
    refused_clause = ""
    if callers:
        were = agree(callers, "was", "were")
        refused_clause = f": {counted('machine', callers, most=2)} {were} refused there"
    return Finding.about(
        container,
        f"{container} publishes port {number} only at {missed.binding.host_ip}, for this host "
        f"alone{refused_clause}",
        present({"NetworkSettings.Ports": str(missed.binding), "refused": list(callers[:5])}),
        discriminator=str(number),
        severity=Severity.advice,
        recheck=(container.run,),
        variables=_republished_port(container, missed.binding),
    )


def _finding(port: AskedPort) -> Finding:
    container = port.container
    bindings = [str(binding) for binding in port.published]
    listener = port.listener
    evidence = present(
        {
            "NetworkSettings.Ports": bindings,
            "listener": with_port(listener.address, listener.port) if listener else "",
            "called at": with_port(port.address, port.number) if port.address else "",
        }
    )
    discriminator = str(port.number)
    if container is None:
        variables = {"port": discriminator}
        return Finding(
            subject=HOST,
            summary=_sentence(port),
            evidence=evidence,
            discriminator=discriminator,
            variables=variables,
        )
    return Finding.about(
        container,
        _sentence(port),
        evidence,
        discriminator=discriminator,
        recheck=(container.run,) if container.is_running else (),
        variables=_cure(port),
    )


def _sentence(port: AskedPort) -> str:
    """The sentence about the reason why other machines do not reach the port."""
    unreached = f"other machines do not reach port {port.number} of this host"
    container = port.container
    match port.reason:
        case "published elsewhere":
            places = joined(sorted({binding.host_ip for binding in port.published}))
            return f"{unreached}: {container} publishes it only at {places}"
        case "listens elsewhere" if port.listener is not None:
            address = with_port(port.listener.address, port.number)
            listener_name = container or f"program {port.listener.comm or 'of the host'}"
            return f"{unreached}: {listener_name} listens at {address} only"
        case "unpublished":
            return (
                f"{unreached}: {container} serves it on its own networks, and does not publish it"
            )
        case "stopped":
            return f"{unreached}: {container}, which should publish it, is not running"
    return f"{unreached}: nothing listens there, and no container publishes it"


def _cure(port: AskedPort) -> PageVariables:
    """The page variables that open the port to other machines, by the reason why it is closed to
    them."""
    container = port.container
    assert container is not None
    number = str(port.number)
    if port.reason == "published elsewhere":
        return _republished_port(container, port.published[0])
    if port.reason == "unpublished":
        return {"unpublished": container.name, "publish": f"{number}:{number}"}
    if port.reason == "stopped":
        return {"stopped": container.name}
    return {"inward": container.name, "port": number}


def _republished_port(container: Container, binding: PortBinding) -> PageVariables:
    """The page variables that publish a port at all addresses in the place of one."""
    before = f"[{binding.host_ip}]" if binding.is_ipv6 else binding.host_ip
    publish = f"{binding.host_port}:{binding.port}"
    return {"rebound": container.name, "publish": publish, "narrow": f"{before}:{publish}"}
