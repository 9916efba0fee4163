"""Programs on the host's network whose port the host's input rules close."""

from msgspec.structs import replace

from checks.firewall import cures
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.rules.host_ports import ClosedHostPort, ClosedHostPorts, Reason
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import and_more, numbered, sentence
from diagnose.registry import check

_WEB_PORTS = frozenset((80, 443))


@check(
    "firewall.host-port-closed",
    severity=Severity.warning,
    aloud=(
        "has a web port that this host's firewall closes",
        "have web ports that this host's firewall closes",
    ),
)
def host_port_closed(closed_host_ports: ClosedHostPorts, firewall: Firewall | None) -> CheckResult:
    """The host's firewall closes a port of a container on the host's network.

    Published ports pass by the input rules, and a container with `network_mode: host` does not. A
    rule on source ports drops its answers in the same way. The port may be closed on purpose: it is
    advice, unless the kernel's log shows clients that were blocked, `ports` name the port, a label
    tells a proxy to call it, or requests are let in and the answers are dropped. A report says it
    aloud of a web server's ports, 80 and 443: images of clouds reject all but SSH.
    """
    if not closed_host_ports.walked:
        return Skipped("no container on the host's network listens for others")
    unnamed: dict[tuple[str, Step], list[ClosedHostPort]] = {}
    for port in closed_host_ports:
        if port.wanted:
            yield _finding([port], firewall)
        else:
            unnamed.setdefault((port.container.id, port.by), []).append(port)
    for ports in unnamed.values():
        yield _finding(ports, firewall)


_CLEARLY_WANTED: dict[Reason, str] = {
    "ports": "its configuration names the port to be published",
    "proxy": "a label or variable tells a proxy to call the port",
}


def _finding(ports: list[ClosedHostPort], firewall: Firewall | None) -> Finding:
    """One port that others should reach, or all others of a container that one rule closes."""
    port = min(ports, key=lambda port: port.listener.port)
    container, number = port.container, port.listener.port
    numbers = sorted(port.listener.port for port in ports)
    if port.clients:
        why = f"the kernel's log shows blocked packets of {and_more(port.clients)}"
    else:
        why = _CLEARLY_WANTED.get(port.wanted, "")
    is_wanted = bool(why)
    if port.is_answer:
        what = "whose answers this host's firewall drops"
    else:
        what = "which this host's firewall closes to others"
    finding = Finding.about(
        container,
        sentence(
            f'container "{container.name}" (host network) listens on {port.protocol} '
            f"{numbered('port', numbers)}, {what}: {port.by}",
            why,
        ),
        present(
            {
                **port.by.evidence,
                "listener": f"{port.listener.address}:{number}, {port.listener.holder}",
                "blocked clients": list(port.clients),
            }
        ),
        discriminator=f"{number}/{port.protocol}" if port.wanted else "undeclared",
        severity=None if is_wanted or port.is_answer else Severity.advice,
        stable=(container.life,),
    )
    is_quiet = _WEB_PORTS.isdisjoint(numbers)
    return replace(finding.with_variables(_cure(port, firewall)), is_quiet=is_quiet)


def _cure(port: ClosedHostPort, firewall: Firewall | None) -> PageVariables:
    """The rule that opens the port: of firewalld, of ufw, or of the chain itself."""
    number, protocol = port.listener.port, port.protocol
    variables = cures.of_calls_to_host(
        firewall, port.by, port.uplink, number, protocol, is_answer=port.is_answer
    )
    if "zone_bridge" in variables:
        return {"zone_port": f"{number}/{protocol}"}
    variables.pop("bridge", None)
    if "ufw_bridge" in variables:
        return {"ufw_rule": f"{number}/{protocol}"}
    return variables
