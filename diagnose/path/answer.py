"""The answer to "why can A not reach B": the path, and what mends the hop that is broken."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from diagnose import runbooks
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.model import HOST, Report, Reported, Severity, Unavailable
from diagnose.path import ends, hops, probe
from diagnose.path.model import KINDS, Hop, HopKind, Path, site
from diagnose.questions import Host

__all__ = ["FAMILIES", "KINDS", "PathAnswer", "answer"]

FAMILIES = ("container", "dns", "firewall", "network")
"""The families whose findings may explain a broken hop."""

_SUSPECTS: Mapping[HopKind, tuple[str, ...]] = {
    "process": (
        "container.",
        "network.port-",
        "network.bind-address-missing",
        "network.host-port-conflict",
        "logging.driver-blocks-start",
    ),
    "name": ("dns.service-on-other-network",),
    "network": ("dns.service-on-other-network", "network.veth-detached"),
    "namespace": ("network.veth-detached", "network.bridge-down"),
    "bridge": ("network.bridge-down", "network.veth-detached"),
    "filter": ("firewall.",),
    "forwarding": ("firewall.forwarding-off",),
    "translation": (
        "firewall.dnat-",
        "firewall.masquerade-",
        "firewall.chains-missing",
        "network.proxy-orphaned",
        "network.port-",
    ),
    "route": (
        "network.subnet-overlaps-route",
        "network.interface-taken",
        "network.replies-misrouted",
        "network.bridge-down",
    ),
    "answer": (
        "network.replies-misrouted",
        "network.subnet-overlaps-route",
        "network.bridge-down",
        "firewall.masquerade-",
    ),
    "listener": (
        "network.published-port-not-listening",
        "network.host-service-not-listening",
        "network.published-on-internal",
        "container.loopback-peer",
    ),
}
"""How the ids begin of the checks that may explain a broken hop. A finding of another check is
about something else."""


class PathAnswer(msgspec.Struct, frozen=True):
    """The path between two ends, and what mends it."""

    path: Path
    finding: Reported | None = None
    """What explains the decisive hop, if a check found it."""
    cure: runbooks.Command | None = None
    """What mends it, None where nothing is known to."""

    @property
    def exit_code(self) -> int:
        """The exit code by the convention of monitoring plugins: 0 open, 2 broken, 3 not known."""
        return {"ok": 0, "broken": 2, "unknown": 3}[self.path.state]


def answer(
    report: Report, begin: str, target: str, host: Host | None = None
) -> PathAnswer | Unavailable:
    """The path between two ends on the reported host. report: of a run that showed `KINDS`.

    host: sends a packet beside the walk, None for the walk alone; the run showed `probe.KINDS` too.
    ends.UnknownEndError for an end that is none; Unavailable without a list of containers.
    """
    evidence = site(report.evidence)
    if isinstance(evidence, Unavailable):
        return evidence
    interfaces: Interfaces | None = evidence.interfaces
    first = ends.end(begin, evidence.containers, interfaces)
    wanted_target = ends.target(target)
    last = ends.end(wanted_target.end, evidence.containers, interfaces, first.container)
    if last.kind == "host" and wanted_target.port is None:
        raise ends.UnknownEndError(f"which port of the host? {target}:PORT")
    path = hops.path(evidence, first, wanted_target, last)
    if host is not None:
        resolvers = report.evidence_of(Resolvers)
        path = replace(path, packet=probe.send(host, evidence, resolvers, path))
    decisive = path.decisive
    if decisive is None:
        return PathAnswer(path)
    place = runbooks.Place.of(report)
    finding = _explaining_finding(report, decisive)
    if finding is not None:
        cure = runbooks.cure_of(finding, place)
        return PathAnswer(path, finding, cure)
    if decisive.hint.startswith("docker "):
        hint = decisive.hint.replace("docker ", f"{report.docker} ", 1)
    else:
        hint = decisive.hint
    return PathAnswer(path, None, runbooks.Command("confirm", "safe", hint, "") if hint else None)


def _explaining_finding(report: Report, hop: Hop) -> Reported | None:
    """The worst root that may explain the hop, above advice or said aloud.

    By a check that may, about what the hop stands on.
    """
    suspects = _SUSPECTS.get(hop.kind, ())
    loud_roots = [
        finding
        for finding in report.findings
        if finding.root and (finding.severity > Severity.advice or _is_aloud(finding))
    ]
    fitting = [
        finding
        for finding in loud_roots
        if finding.id.startswith(suspects) and _is_about(finding, hop)
    ]
    return max(
        fitting, key=lambda finding: (finding.severity, _names_hop(finding, hop)), default=None
    )


def _is_aloud(finding: Reported) -> bool:
    """Whether a finding is advice after which a report is not calm."""
    return bool(finding.check.aloud) and not finding.finding.is_quiet


def _is_about(finding: Reported, hop: Hop) -> bool:
    """Whether a finding is about one of the hop's things.

    One about the host has to touch them, where it says what it touches.
    """
    things = set(hop.about) - {HOST}
    touched = {finding.subject, *finding.finding.touches}
    if things & touched:
        return True
    return finding.subject == HOST and HOST in hop.about and not finding.finding.touches


def _names_hop(finding: Reported, hop: Hop) -> bool:
    """Whether the finding's evidence names the very rule or route of the hop."""
    words = hop.text.partition(": ")[2]
    return bool(words) and words in str(finding.finding.evidence)
