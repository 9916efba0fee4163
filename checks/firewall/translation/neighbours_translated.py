"""Rules that hide containers of one network from each other behind the gateway's address."""

from checks.firewall.helpers import with_bridges
from diagnose.evidence.network.paths.wanted.hidden_neighbours import (
    HiddenNeighbour,
    RefusalLogs,
    hidden_neighbour,
)
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPaths
from diagnose.evidence.network.rules.rule_programs import program_of
from diagnose.mappings import by_key, names_of, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import named, shortened
from diagnose.registry import check


@check(
    "firewall.neighbours-translated",
    severity=Severity.warning,
    causes=["container.database-refused"],
)
def neighbours_translated(wanted_paths: WantedPaths, logs: RefusalLogs) -> CheckResult:
    """A rule hides neighbours on one network behind the address of its gateway.

    Where `net.bridge.bridge-nf-call-iptables` is 1, packets between two containers of one bridge
    meet iptables too. A rule that translates whatever leaves, without naming an interface, gives
    them the gateway's address: a database then refuses a neighbour whom it knows by its own
    address. Kubernetes, VPN servers and guides write such rules. The check says nothing unless a
    log refuses a client with the gateway's address.
    """
    if wanted_paths.why_none:
        return Skipped(wanted_paths.why_none)
    bridged_paths = [path for path in wanted_paths if path.bridged and path.peer is not None]
    if not bridged_paths:
        return Skipped("no running container is configured to call a neighbour at a known port")
    hidden = ((path.network.name, path) for path in bridged_paths if path.hiding_rule is not None)
    for paths in by_key(hidden).values():
        case = hidden_neighbour(paths, logs)
        if case is not None:
            yield _finding(case)


def _finding(case: HiddenNeighbour) -> Finding:
    caller, peer = case.containers
    return Finding(
        subject=caller.subject,
        summary=f"{caller} reaches {peer} with the address {case.gateway} of the gateway of "
        f"{case.network}, and is refused: {case.rule} translates traffic between "
        f"{named('container', sorted(names_of(case.containers)))}",
        evidence={
            **case.rule.evidence,
            "log": shortened(case.line, 160),
            f"address of {caller.name}": sorted(caller.ipv4_addresses),
        },
        discriminator=case.network.name,
        touches=(*with_bridges([case.network]), *subjects_of(case.containers)),
        recheck=(*caller.caller_runs, peer.run),
        variables=_exception_variables(case),
    )


def _exception_variables(case: HiddenNeighbour) -> PageVariables:
    """The page variables for a rule before the translating one, where iptables has written that."""
    if program_of(case.rule) != "iptables" or not case.network.subnets:
        return {"translating": str(case.rule)}
    return {"bridge": case.network.bridge, "subnet": str(case.network.subnets[0])}
