"""Programs on the host's network whose port the host's input rules close."""

from __future__ import annotations

from checks.firewall import cures
from diagnose.evidence.network.host_ports import ClosedHostPort, ClosedHostPorts
from diagnose.evidence.network.packet_filter import Firewall
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.phrases import and_more
from diagnose.registry import check


@check("firewall.host-port-closed", severity=Severity.warning)
def host_port_closed(closed_host_ports: ClosedHostPorts, firewall: Firewall | None) -> CheckResult:
    """The host's firewall closes a port of a container on the host's network.

    Published ports pass by the input rules, and a container with `network_mode: host` does not. The
    port may be closed on purpose: it is advice until the kernel's log shows clients that were
    blocked. Only ports that the image declares, or that clients were blocked at, are judged.
    """
    if not closed_host_ports.walked:
        return Skipped("no container on the host's network listens on a port that it declares")
    for port in closed_host_ports:
        yield _closed(port, firewall)
    return None


def _closed(port: ClosedHostPort, firewall: Firewall | None) -> Finding:
    container, number = port.container, port.listener.port
    blocked = ""
    if port.clients:
        blocked = f"; the kernel's log shows blocked packets of {and_more(port.clients)}"
    finding = Finding.about(
        container,
        f"{container} (host network) listens on {port.protocol} port {number}, "
        f"which this host's firewall closes to others: {port.by}{blocked}",
        {
            "table": port.by.table,
            "chain": port.by.chain,
            "rule": port.by.rule,
            "listener": f"{port.listener.address}:{number}, {port.listener.holder}",
            "blocked clients": list(port.clients) or None,
        },
        discriminator=f"{number}/{port.protocol}",
        severity=None if port.clients else Severity.advice,
        stable=(container.life,),
    )
    return finding.with_variables(_cure(port, firewall))


def _cure(port: ClosedHostPort, firewall: Firewall | None) -> dict[str, str]:
    variables = cures.to_host(firewall, port.by, port.uplink, port.listener.port, port.protocol)
    if "zone_bridge" in variables:
        return {"zone_port": f"{port.listener.port}/{port.protocol}"}
    variables.pop("bridge", None)
    if "ufw_bridge" in variables:
        return {"ufw_rule": f"{port.listener.port}/{port.protocol}"}
    return variables
