"""Published ports that a rule of the administrator closes to every client."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.paths.published.closed_inbound_paths import (
    ClosedInboundPath,
    ClosedInboundPaths,
)
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import count, sentence
from diagnose.registry import check


@check(
    "firewall.published-port-closed",
    severity=Severity.advice,
    caused_by=["firewall.opened-by-host-port"],
    aloud=(
        "has a published port that the firewall closes",
        "have published ports that the firewall closes",
    ),
)
def published_port_closed(
    closed_inbound_paths: ClosedInboundPaths, packet_paths: PacketPaths
) -> CheckResult:
    """A firewall rule closes a published port to every client.

    The rule may be meant: a port that only this host should use is better published on 127.0.0.1.
    A rule whose counter says that nothing has come to it is not reported, nor one that lets in some
    clients.
    """
    if not packet_paths.inbound_paths:
        return Skipped(packet_paths.why_none or "no running container publishes a port")
    for port in closed_inbound_paths:
        yield _finding(port)


def _finding(port: ClosedInboundPath) -> Finding:
    inbound = port.inbound
    step = port.by
    stopped = f"{count(port.dropped, 'packet')} so far" if port.dropped else ""
    return Finding.about(
        inbound.container,
        sentence(
            f"published port {inbound.host_port} of {inbound.container} is closed to every client "
            f"that arrives on {inbound.uplink.name}: {step}",
            "it stops the answers" if inbound.reach.part == "reply" else "",
            stopped,
        ),
        present(
            {
                **step.evidence,
                "NetworkSettings.Ports": f"{inbound.host_port} -> {inbound.port}",
                "packets that met the rule": port.dropped,
            }
        ),
        discriminator=f"{inbound.host_port}/{inbound.protocol}",
        touches=(inbound.network.subject,),
        signs=NO_WAY_OUT,
        recheck=(inbound.container.run,),
        variables=_cure(port),
    )


def _cure(port: ClosedInboundPath) -> PageVariables:
    """The page variables that insert an accepting rule, for the port or for its answers, before
    the rule that drops."""
    inbound = port.inbound
    place = _place_for_rule(port, is_answer=inbound.reach.part == "reply")
    if not place:
        return {}
    return {**place, "host_port": str(inbound.host_port), "proto": inbound.protocol}


def _place_for_rule(port: ClosedInboundPath, *, is_answer: bool) -> PageVariables:
    """The page variables of the chain for the accepting rule; empty where none can be inserted.

    What comes to the table raw belongs to no connection yet: a rule for answers finds none there.
    """
    place = place_of(port.by)
    if place.get("table") == "raw":
        return {} if is_answer else {"program": place["program"], "raw_chain": place["chain"]}
    if not is_answer or "chain" not in place:
        return place
    without_chain = {name: value for name, value in place.items() if name != "chain"}
    return {**without_chain, "answer_chain": port.by.chain}
