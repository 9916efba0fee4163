"""firewall.neighbour-banned: a ban list shuts out a machine of the host's own network."""

from diagnose.evidence.network.paths.published.banned_neighbours import (
    BannedNeighbour,
    BannedNeighbours,
)
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.rules.rule_programs import place_of, set_of
from diagnose.mappings import present
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped, Unexamined
from diagnose.phrases import count, numbered
from diagnose.registry import check


@check("firewall.neighbour-banned", severity=Severity.warning)
def neighbour_banned(banned_neighbours: BannedNeighbours, routes: Routes | None) -> CheckResult:
    """A ban list blocks a machine of the local network from published ports.

    fail2ban, CrowdSec and their kin ban the address that a log names. Behind a reverse proxy, a
    load balancer or a router that hides addresses, this is one address for all users. Each machine
    of the ARP table, and each IPv6 neighbour, is walked to each published port. A ban of an address
    of the internet is not reported: that is what such a list is for.
    """
    if not banned_neighbours.walked:
        return Skipped(
            "no ban list, or no machine of the own network that a published port is open to"
        )
    router = routes.router if routes is not None else None
    for banned in banned_neighbours:
        yield _finding(banned, is_router=banned.address == router)
    if banned_neighbours.left_out:
        further = count(banned_neighbours.left_out, "connection")
        yield Unexamined(
            HOST,
            f"{further} of neighbours to published ports: more than one run can follow through "
            "the rules",
        )


def _finding(banned: BannedNeighbour, *, is_router: bool) -> Finding:
    step = banned.by
    ports = sorted({port.on_host for port in banned.ports})
    owner = "the router of this host" if is_router else "a machine of this host's own network"
    return Finding(
        subject=HOST,
        summary=(
            f"{banned.address}, {owner}, is banned from published {numbered('port', ports, most=3)} "
            f"by chain {step.chain}"
        ),
        evidence=present(
            {**step.evidence, "containers": sorted({port.container.name for port in banned.ports})}
        ),
        variables=_cure(banned),
        discriminator=f"{banned.address} {step.chain}",
        touches=tuple(port.container.subject for port in banned.ports),
    )


def _cure(banned: BannedNeighbour) -> PageVariables:
    """The page variables with the set that has the address, or with the rule that names it."""
    variables = {"address": banned.address}
    if "--match-set" in banned.by.rule:  # of all that is outside a set, nothing is to be taken out
        return {**variables, **present({"set": set_of(banned.by)})}
    variables |= place_of(banned.by, banned.family)
    if "program" in variables and banned.number is not None:
        variables["rule_number"] = str(banned.number)
    return variables
