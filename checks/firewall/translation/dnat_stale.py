"""Rules of published ports that are left over from containers that are gone."""

from checks.firewall.helpers import repair_of
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.unsettled import is_unsettled
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.rules.packet_filter import Firewall, PortRule
from diagnose.evidence.network.rules.simulated_repair import SimulatedRepair
from diagnose.evidence.network.rules.stale_port_rules import serving_listener, stale_rules
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.registry import check


@check("firewall.dnat-stale", severity=Severity.critical, causes=["firewall.dnat-missing"])
def dnat_stale(
    firewall: Firewall,
    containers: Containers,
    networks: Networks,
    listeners: Listeners | None,
    simulated_repair: SimulatedRepair | None,
    ping: Ping | None,
    info: Info | None,
    clock: Clock,
) -> CheckResult:
    """A rule of Docker's sends a port to the address of a container that is gone.

    An engine that was killed has left it, or a firewall service has put it back that restores saved
    rules at boot. The first rule that matches takes the port: a program of the host, or a container
    that publishes the port now, gets no connection from outside. A port of a container that
    restarts says nothing: its rules were read at another moment than its address.
    """
    if ping is not None and ping.is_podman:
        return Skipped("Podman has other rules")
    if info is not None and info.is_rootless:
        return Skipped("a rootless engine keeps its rules in a network namespace of its own")
    rules = firewall.port_rules
    if not rules:
        return Skipped("no rule of Docker's sends a port of this host to a container")
    if containers.source != "api":
        return Skipped("the engine does not say which containers run")
    yield from containers.unexamined
    if containers.unexamined:
        return None
    repair = repair_of(simulated_repair, "firewall.dnat-stale")
    restarting = [container for container in containers if is_unsettled(container, clock)]
    for rule in stale_rules(rules, containers, networks):
        if any(container.wants_port(rule.host_port) for container in restarting):
            continue
        yield _finding(rule, containers, listeners, repair)


def _finding(
    rule: PortRule, containers: Containers, listeners: Listeners | None, repair: dict[str, str]
) -> Finding:
    victims = [container for container in containers.running if _publishes(container, rule)]
    program = None if victims else serving_listener(rule, listeners)
    victim_clause = ""
    listener = ""
    if victims:
        victim_clause = f"; {victims[0]}, which publishes the port now, gets no connection"
    elif program is not None:
        victim_clause = f"; {program.holder}, which listens on the port, gets no connection"
        listener = f"{program.address}:{program.port}, {program.holder}"
    return Finding(
        subject=HOST,
        summary=f"an old rule of Docker's sends {rule.protocol} port {rule.host_port} to "
        f"{rule.address}, which no running container has{victim_clause}",
        evidence=present(
            {
                f"iptables -t nat, chain {rule.chain}, rule {rule.number}": rule.text,
                "listener": listener,
                "published by": names_of(victims),
            }
        ),
        variables=_removal(rule) | repair,
        discriminator=f"{rule.host_port}/{rule.protocol}/{rule.address}",
        severity=None if victim_clause else Severity.advice,
        touches=subjects_of(victims),
        recheck=tuple(container.run for container in victims),
    )


def _publishes(container: Container, rule: PortRule) -> bool:
    """Whether a container publishes the port of the rule."""
    ports = container.published_by(rule.protocol)
    return any(port.host_port == rule.host_port for port in ports)


def _removal(rule: PortRule) -> PageVariables:
    """The page variables of the command that removes the rule."""
    legacy = "-legacy" if rule.table.backend == "legacy" else ""
    return {
        "program": f"iptables{legacy}",
        "chain": rule.chain,
        "rule_number": str(rule.number),
        "gone_address": rule.address,
        "host_port": str(rule.host_port),
    }
