"""network.bridge-keeps-waiting: a bridge that looks for loops before it passes packets."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.wiring.delaying_bridges import DelayingBridge, DelayingBridges
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped, Subject
from diagnose.model.units import Seconds
from diagnose.phrases import agree, duration, named, sentence
from diagnose.registry import check


@check(
    "network.bridge-keeps-waiting",
    severity=Severity.critical,
    causes=[
        "container.exits-at-start",
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.unhealthy",
        "dns.upstream-unreachable",
        "network.call-unanswered",
        "network.calls-failing",
    ],
)
def bridge_keeps_waiting(
    delaying_bridges: DelayingBridges, *, least: Seconds = Seconds(6)
) -> CheckResult:
    """A bridge keeps each container without network for its first seconds.

    Another program made the bridge, with the spanning tree protocol (STP): each new port listens
    and learns before it passes packets, 30 s by default. A program that calls its database at once
    fails and is started again, with a new port that waits again. It is a warning while a port
    waits, since queries of that container are lost until then, and advice where none does: programs
    that try again get over it. A delay of less than `least` seconds is left out.
    """
    if not delaying_bridges.bridges:
        return Skipped("no network has a bridge on this host")
    for bridge in delaying_bridges:
        if bridge.delay_s >= least:
            yield _finding(bridge)


def _finding(bridge: DelayingBridge) -> Finding:
    names = names_of(bridge.failing)
    victims = f"{named('container', names)} {agree(names, 'fails', 'fail')} within that time"
    delay = duration(bridge.delay_s)
    return Finding(
        subject=bridge.network.subject,
        summary=sentence(
            f"bridge {bridge.link.name} of {bridge.network} runs the spanning tree protocol (STP): "
            f"each container is without network for the first {delay} after its start",
            victims if names else "",
        ),
        evidence=present(
            {
                f"link {bridge.link.name}": {
                    "stp_state": 1,
                    "forward_delay": bridge.link.forward_delay,
                },
                "a port waits now": bridge.is_waiting,
                "failed before the network was there": names,
                "ports that lead elsewhere": list(bridge.outer_ports),
            }
        ),
        variables=_cure(bridge),
        severity=_severity(bridge),
        touches=(Subject("interface", bridge.link.name), *subjects_of(bridge.failing)),
        signs=NO_WAY_OUT,
    )


def _severity(bridge: DelayingBridge) -> Severity:
    if bridge.failing:
        return Severity.critical
    return Severity.warning if bridge.is_waiting else Severity.advice


def _cure(bridge: DelayingBridge) -> PageVariables:
    """The page variables; the protocol stays on where the bridge may be a part of a loop."""
    is_in_loop = len(bridge.outer_ports) > 1
    return {"looped_bridge" if is_in_loop else "bridge": bridge.link.name}
