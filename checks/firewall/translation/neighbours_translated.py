"""Rules that hide containers of one network from each other behind the gateway's address."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from checks.firewall.helpers import with_bridges
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.calls.client_refusals import REFUSES
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPath, WantedPaths
from diagnose.evidence.network.rules.rule_programs import program_of
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, names_of, subjects_of
from diagnose.model import CheckResult, EvidenceGroup, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import named, shortened
from diagnose.registry import check

_NO_ENTRY = LazyPattern(r"no pg_hba\.conf entry|not authorized|unauthorized", re.IGNORECASE)


class Logs(EvidenceGroup, frozen=True):
    """Log lines of containers: of late, and from before they failed."""

    recent_logs: RecentLogs | None
    log_tails: LogTails | None

    def refusal_of(self, address: str, containers: Sequence[Container]) -> str:
        """The last line that refuses a client with this address; "" where there is none."""
        whole = re.compile(rf"(?<![\d.]){re.escape(address)}(?![\d.]*\d)")
        refusal = ""
        for text in self._lines(containers):
            is_refusal = REFUSES.search(text) is not None or _NO_ENTRY.search(text) is not None
            if is_refusal and whole.search(text) is not None:
                refusal = text
        return refusal

    def _lines(self, containers: Sequence[Container]) -> Iterator[str]:
        for container in containers:
            if self.log_tails is not None:
                yield from self.log_tails.of(container).lines
            if self.recent_logs is not None:
                yield from self.recent_logs.texts_of(container)


@check(
    "firewall.neighbours-translated",
    severity=Severity.warning,
    causes=["container.database-refused"],
)
def neighbours_translated(wanted_paths: WantedPaths, logs: Logs) -> CheckResult:
    """A rule hides neighbours on one network behind the address of its gateway.

    Where `net.bridge.bridge-nf-call-iptables` is 1, packets between two containers of one bridge
    meet iptables too. A rule that translates whatever leaves, without naming an interface, gives
    them the gateway's address: a database then refuses a neighbour whom it knows by its own
    address. Kubernetes, VPN servers and guides write such rules. Nothing is said unless a log
    refuses a client with the gateway's address.
    """
    if wanted_paths.why_none:
        return Skipped(wanted_paths.why_none)
    bridged_paths = [path for path in wanted_paths if path.bridged and path.peer is not None]
    if not bridged_paths:
        return Skipped("no running container is configured to call a neighbour at a known port")
    hidden = ((path.network.name, path) for path in bridged_paths if path.hiding_rule is not None)
    for paths in by_key(hidden).values():
        case = _case(paths, logs)
        if case is not None:
            yield _finding(case)


class _Case(msgspec.Struct, frozen=True):
    """A network, the rule that translates, and the container that is refused for it."""

    network: Network
    rule: Step
    gateway: str
    line: str
    containers: tuple[Container, ...]


def _case(paths: Sequence[WantedPath], logs: Logs) -> _Case | None:
    """The first path whose callee refuses the gateway's address, because a rule hides the caller
    behind it."""
    for path in paths:
        endpoint = path.want.container.endpoints.get(path.network.name)
        gateway = endpoint.gateway if endpoint is not None else ""
        rule = path.hiding_rule
        peer = path.peer
        if rule is None or peer is None:
            continue
        both = (path.want.container, peer)
        line = logs.refusal_of(gateway, both) if gateway else ""
        if line:
            return _Case(path.network, rule=rule, gateway=gateway, line=line, containers=both)
    return None


def _finding(case: _Case) -> Finding:
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
        stable=(*caller.caller_lives, peer.life),
        variables=_exception_variables(case),
    )


def _exception_variables(case: _Case) -> PageVariables:
    """The page variables for a rule before the translating one, where iptables has written that."""
    if program_of(case.rule) != "iptables" or not case.network.subnets:
        return {"translating": str(case.rule)}
    return {"bridge": case.network.bridge, "subnet": str(case.network.subnets[0])}
