"""Programs on the host's network whose port the host's input rules close."""

from diagnose.evidence.network.addresses import BROWSED_PORTS
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.rules.announced_ports import AnnouncedPorts
from diagnose.evidence.network.rules.host_ports import (
    ClosedHostPort,
    ClosedHostPorts,
    Reason,
    ServedPort,
)
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.first_steps.network import rule_cures
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import and_more, numbered, sentence
from diagnose.registry import check


@check(
    "firewall.host-port-closed",
    severity=Severity.warning,
    aloud=(
        "has a port that this host's firewall closes",
        "have ports that this host's firewall closes",
    ),
)
def host_port_closed(
    closed_host_ports: ClosedHostPorts, firewall: Firewall | None, announced: AnnouncedPorts | None
) -> CheckResult:
    """The host's firewall closes a port of a container on the host's network.

    Published ports pass by the input rules, and a container with `network_mode: host` does not. A
    rule on source ports drops its answers in the same way. The port may be closed on purpose: it is
    advice, unless the kernel's log shows clients that were blocked, `ports` name the port, a label
    tells a proxy to call it, `--reach` or a question names it, or requests are let in and the
    answers are dropped. A report says it aloud of a web server's ports, 80 and 443: images of
    clouds reject all but SSH; and of a port of which the program logs an address for browsers
    (http://0.0.0.0:8840); and where a rule closes all ports of a program for people, on a host
    without a web server at 80 or 443 that may pass requests on.
    """
    if not closed_host_ports.walked:
        return Skipped("no container on the host's network listens for others")
    unnamed: dict[tuple[str, Step], list[ClosedHostPort]] = {}
    for closed in closed_host_ports:
        if closed.port.wanted:
            yield _finding([closed], closed_host_ports, firewall, announced)
        else:
            unnamed.setdefault((closed.port.container.id, closed.by), []).append(closed)
    for several in unnamed.values():
        yield _finding(several, closed_host_ports, firewall, announced)


_CLEARLY_WANTED: dict[Reason, str] = {
    "asked": "other machines must reach the port, as was asked",
    "ports": "its configuration names the port to be published",
    "proxy": "a label or variable tells a proxy to call the port",
}


def _finding(
    several: list[ClosedHostPort],
    closed_host_ports: ClosedHostPorts,
    firewall: Firewall | None,
    announced: AnnouncedPorts | None,
) -> Finding:
    """A finding about a port that others should reach, or about all ports of a container that
    one rule closes."""
    closed = min(several, key=lambda closed: closed.port.number)
    port = closed.port
    container = closed.port.container
    numbers = sorted(other.port.number for other in several)
    reason = _reason_clause(port)
    is_wanted = bool(reason)
    if closed.is_answer:
        closing = "whose answers this host's firewall drops"
    else:
        closing = "which this host's firewall closes to others"
    pages = announced.of(container.id) if announced is not None else frozenset()
    is_for_browsers = not pages.union(BROWSED_PORTS).isdisjoint(numbers)
    is_quiet = not is_for_browsers and container.id not in closed_host_ports.shut
    return Finding.about(
        container,
        sentence(
            f'container "{container.name}" (host network) listens on {port.protocol} '
            f"{numbered('port', numbers)}, {closing}: {closed.by}",
            reason,
        ),
        present(
            {
                **closed.by.evidence,
                "listener": f"{port.listener.address}:{port.number}, {port.listener.holder}",
                "blocked clients": list(port.clients),
            }
        ),
        discriminator=str(port) if port.wanted else "undeclared",
        severity=None if is_wanted or closed.is_answer else Severity.advice,
        recheck=(container.run,),
        variables=_cure(closed, firewall),
        is_quiet=is_quiet,
    )


def _reason_clause(port: ServedPort) -> str:
    """The clause that says why others should reach the port; "" for none."""
    if port.clients:
        return f"the kernel's log shows blocked packets of {and_more(port.clients)}"
    return _CLEARLY_WANTED.get(port.wanted, "")


def _cure(closed: ClosedHostPort, firewall: Firewall | None) -> PageVariables:
    """The page variables of the rule that opens the port: of firewalld, of ufw, or of the chain
    itself."""
    port = closed.port
    variables = rule_cures.of_calls_to_host(
        firewall, closed.by, closed.uplink, port.number, port.protocol, is_answer=closed.is_answer
    )
    if "zone_bridge" in variables:
        return {"zone_port": str(port)}
    variables.pop("bridge", None)
    return {"ufw_rule": str(port)} if "ufw_bridge" in variables else variables
