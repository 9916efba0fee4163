"""The network of a swarm that leads calls to its services, which somebody has removed."""

from checks.swarm.helpers import NO_MANAGER, NOT_USED
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.swarm.swarm import Swarm
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.phrases import sentence
from diagnose.registry import check

_REFUSAL = "service needs ingress network"
"""The engine's words for a service with published ports that it does not take."""


@check("swarm.ingress-missing", severity=Severity.critical)
def ingress_missing(swarm: Swarm, networks: Networks, log: DaemonLog | None) -> CheckResult:
    """The swarm has no ingress network: no service can publish a port on all nodes.

    `docker network rm ingress` removes it, as does a cleanup of unused networks on some engines,
    while no service uses it. The engine makes it with the swarm, and never again: it then refuses
    each service with a published port. It is advice where it has refused none: ports in host mode
    do without that network.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if not swarm.manager:
        return Skipped(NO_MANAGER)
    if swarm.state != "active" or any(network.ingress for network in networks):
        return None
    refusals = [line for line in log or () if _REFUSAL in line.text]
    yield Finding(
        subject=DAEMON,
        summary=sentence(
            "the swarm has no ingress network: services cannot publish ports on all nodes",
            "the engine has refused a service for it" if refusals else "",
        ),
        evidence=present(
            {
                "networks with Ingress": "none",
                **(log.evidence(refusals[-1]) if log is not None and refusals else {}),
            }
        ),
        variables={"ingress": "ingress"},
        severity=None if refusals else Severity.advice,
    )
